"""Checks the values that a visitor or a script gives for a model's options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import assert_never

from vton_ui.errors import OptionError
from vton_ui.models.spec import Choice, Flag, ModelSpec, Number, Option, Text, Value


def complete(model: ModelSpec, given: Mapping[str, Any]) -> dict[str, Value]:
    """Every option of the model, checked; a missing value or None becomes the default.

    Args:
        model: The model whose options they are.
        given: Values by option name. Names of other models' options are ignored, since the page and the API offer
            the options of all models together.

    Raises:
        OptionError: A value is outside its option's range.
    """
    return {option.name: check(option, given.get(option.name)) for option in model.options}


def check(option: Option, value: Any) -> Value:
    """The value in the type of its option; None becomes the default.

    Raises:
        OptionError: It is of the wrong kind or outside the option's range.
    """
    if value is None:
        return option.default
    if isinstance(option, Choice):
        return _choice(option, value)
    if isinstance(option, Number):
        return _number(option, value)
    if isinstance(option, Text):
        return _text(option, value)
    if isinstance(option, Flag):
        if isinstance(value, bool):
            return value
        raise _wrong(option, value, "Give true or false.")
    assert_never(option)


def is_shown(option: Option, values: Mapping[str, Any]) -> bool:
    """Whether the option applies, given the values of the others."""
    if option.only_if is None:
        return True
    name, wanted = option.only_if
    return values.get(name) in wanted


def _choice(option: Choice, value: Any) -> str:
    allowed = [known for known, _ in option.choices]
    if isinstance(value, str) and value in allowed:
        return value
    raise _wrong(option, value, f"Choose one of {', '.join(allowed)}.")


def _number(option: Number, value: Any) -> float | int:
    whole = float(option.step).is_integer()
    cure = f"Give a {'whole ' if whole else ''}number from {option.minimum:g} to {option.maximum:.0f}."
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _wrong(option, value, cure)
    # In this form, NaN is refused too.
    if not option.minimum <= value <= option.maximum or (whole and value != int(value)):
        raise _wrong(option, value, cure)
    return int(value) if whole else float(value)


def _text(option: Text, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong(option, value, "Give text.")
    if len(value) > option.max_length:
        raise OptionError(
            f"The text has {len(value)} characters.",
            f"Shorten it to {option.max_length}.",
            slot=option.label,
        )
    return value.strip()


def _wrong(option: Option, value: Any, cure: str) -> OptionError:
    return OptionError(f"{shortened(value)} cannot be used for {option.name}.", cure, slot=option.label)


def shortened(value: Any) -> str:
    """A value as an error message may quote it: short, and never a photo given as a data URI."""
    words = str(value)
    if len(words) <= 40 and "data:" not in words:
        return repr(words)
    return f"A text of {len(words)} characters" if isinstance(value, str) else "What was given"
