"""What a visitor or a script gives for an option is checked against the option's own data."""

from __future__ import annotations

from typing import Any

import pytest

from vton_ui.errors import Cost, OptionError
from vton_ui.models import MODELS
from vton_ui.models.options import check, complete, is_shown
from vton_ui.models.spec import Choice, Flag, ModelSpec, Number, Option, Text, Value

CHOICE = Choice(name="fit", label="Fit", choices=(("slim", "Slim"), ("wide", "Wide")), default="wide")
WHOLE = Number(name="steps", label="Steps", minimum=1, maximum=50, default=30)
BROKEN = Number(name="guidance", label="Guidance", minimum=0, maximum=20, step=0.1, default=2.5)
CHOSEN_LATER = Number(name="seed", label="Seed", minimum=0, maximum=2**31 - 1, default=None)
TEXT = Text(name="prompt", label="Prompt", max_length=10)
FLAG = Flag(name="sync_mode", label="Sync")
ALL = [CHOICE, WHOLE, BROKEN, CHOSEN_LATER, TEXT, FLAG]


@pytest.mark.parametrize(
    ("option", "given", "expected"),
    [
        (CHOICE, "slim", "slim"),
        (WHOLE, 1, 1),
        (WHOLE, 50.0, 50),
        (BROKEN, 0, 0.0),
        (BROKEN, 7.25, 7.25),
        (CHOSEN_LATER, 0, 0),
        (CHOSEN_LATER, 2**31 - 1, 2**31 - 1),
        (TEXT, "  tee\n", "tee"),
        (TEXT, "x" * 10, "x" * 10),
        (FLAG, True, True),
        (FLAG, False, False),
    ],
    ids=lambda value: getattr(value, "name", repr(value)),
)
def test_good(option: Option, given: Any, expected: Value) -> None:
    """A value in range is taken, in the type that fal wants."""
    value = check(option, given)
    assert (value, type(value)) == (expected, type(expected))


@pytest.mark.parametrize("option", ALL, ids=lambda option: option.name)
def test_nothing_is_the_default(option: Option) -> None:
    """What is left out takes its default."""
    assert check(option, None) == option.default


@pytest.mark.parametrize(
    ("option", "given", "cure"),
    [
        (CHOICE, "Slim", "Choose one of slim, wide."),
        (CHOICE, 1, "Choose one of slim, wide."),
        (CHOICE, ["slim"], "Choose one of slim, wide."),
        (WHOLE, 0, "Give a whole number from 1 to 50."),
        (WHOLE, 51, "Give a whole number from 1 to 50."),
        (WHOLE, 2.5, "Give a whole number from 1 to 50."),
        (CHOICE, "", "Choose one of slim, wide."),
        (WHOLE, "", "Give a whole number from 1 to 50."),
        (WHOLE, "4", "Give a whole number from 1 to 50."),
        (WHOLE, True, "Give a whole number from 1 to 50."),
        (WHOLE, float("nan"), "Give a whole number from 1 to 50."),
        (WHOLE, float("inf"), "Give a whole number from 1 to 50."),
        (BROKEN, -0.1, "Give a number from 0 to 20."),
        (BROKEN, 20.1, "Give a number from 0 to 20."),
        (BROKEN, [2.5], "Give a number from 0 to 20."),
        (CHOSEN_LATER, 2**31, "Give a whole number from 0 to 2147483647."),
        (CHOSEN_LATER, -1, "Give a whole number from 0 to 2147483647."),
        (TEXT, 5, "Give text."),
        (TEXT, "x" * 11, "Shorten it to 10."),
        (FLAG, "", "Give true or false."),
        (FLAG, "yes", "Give true or false."),
        (FLAG, 1, "Give true or false."),
    ],
    ids=lambda value: getattr(value, "name", repr(value)),
)
def test_bad(option: Option, given: Any, cure: str) -> None:
    """A value of the wrong kind or out of range is refused, by the option's words, and says what to give."""
    with pytest.raises(OptionError) as caught:
        check(option, given)
    assert (caught.value.slot, caught.value.cure, caught.value.cost) == (option.label, cure, Cost.NOTHING)
    assert caught.value.cause.endswith(".")


def test_long_values_are_shortened() -> None:
    """A message does not repeat a long value."""
    with pytest.raises(OptionError) as caught:
        check(CHOICE, "x" * 5000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("wrap", [str, lambda uri: [uri], lambda uri: {"a": uri}], ids=["text", "list", "object"])
@pytest.mark.parametrize("uri", ["data:,x", "data:image/png;base64," + "A" * 9000], ids=["short", "long"])
@pytest.mark.parametrize("option", [CHOICE, WHOLE, TEXT, FLAG], ids=lambda option: option.name)
def test_a_data_uri_is_not_repeated(option: Option, uri: str, wrap: Any) -> None:
    """A message does not repeat a photo given in the wrong place."""
    if option is TEXT and wrap(uri) == "data:,x":
        return  # which is a text like another
    with pytest.raises(OptionError) as caught:
        check(option, wrap(uri))
    assert "data:" not in str(caught.value)
    assert "AAAA" not in str(caught.value)


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.name)
def test_complete(model: ModelSpec) -> None:
    """Given nothing, every option of the model takes its default, and each default is a value that is allowed."""
    values = complete(model, {})
    assert values == model.defaults()
    assert complete(model, values) == values
    assert list(values) == [option.name for option in model.options]


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.name)
def test_complete_leaves_out_others(model: ModelSpec) -> None:
    """Options of other models are ignored, since page and API offer all of them at once."""
    assert complete(model, {"colour": "red", "seed": 7}) == {**model.defaults(), "seed": 7}


def test_is_shown() -> None:
    """An option that depends on another is shown only with it."""
    width = Number(name="width", label="Width", minimum=1, maximum=9, default=None, only_if=("fit", ("wide",)))
    assert is_shown(CHOICE, {})
    assert is_shown(width, {"fit": "wide"})
    assert not is_shown(width, {"fit": "slim"})
    assert not is_shown(width, {})
