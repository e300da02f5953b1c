"""The signatures of the endpoints for scripts and agents, made from the registry of models.

Gradio reads names, types, defaults and descriptions from a function's signature and docstring, and so do agents.
"""

import inspect
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Literal, Optional, Union, cast

import gradio as gr

from vton_ui.errors import Cost
from vton_ui.models.spec import Choice, Flag, ModelSpec, Number, Option, Text
from vton_ui.tryon.plan import VARIATIONS, WEAR
from vton_ui.ui.compat.calls import run_while_connected
from vton_ui.ui.errors import translate_errors

Given = Mapping[str, Any]
"""The arguments of a call by name, every parameter of its endpoint among them."""

Answer = Union[Coroutine[Any, Any, Any], AsyncGenerator[Any, None]]
"""What an endpoint returns: what it answers, or a stream of answers."""

Parameter = tuple[str, Any, Any, str]
"""Name, type, default, description; `...` as default: none."""

HOW_TO_GIVE = (
    "A public http(s) address, a data URI, a path that POST /gradio_api/upload returned, or a gradio.FileData of one."
)

PERSON: Parameter = ("person", gr.FileData, ..., f"A photo of one person. {HOW_TO_GIVE}")
GARMENTS: Parameter = (
    "garments",
    list[gr.FileData],
    ...,
    f"Photos of the garments, from head to toe; one alone needs no list. For each: {HOW_TO_GIVE}",
)
PRIVATE_FLAG = Flag(name="private", label="Private")
PLAN_ONLY_FLAG = Flag(name="plan_only", label="Plan only")
PRIVATE: Parameter = ("private", bool, False, "fal stores no record of the request; a lost answer stays lost.")
REQUEST_ID: Parameter = ("request_id", str, ..., "The request_id that /try_on returned.")
CALLER: Parameter = ("request", Optional[gr.Request], None, "")
KEY: Parameter = ("x_fal_key", Optional[gr.Header], None, "A fal key of your own, as a header.")


def photo_parameters(models: Mapping[str, ModelSpec]) -> list[Parameter]:
    """The photos, and the model, of which the first is the default."""
    return [PERSON, GARMENTS, ("model", Literal[tuple(models)], next(iter(models)), _good_at(models))]


def plan_parameters(models: Mapping[str, ModelSpec]) -> list[Parameter]:
    """The photos, and what makes several looks of them."""
    kinds = shared_options(models).get("cloth_type")
    each_model: Any = Literal[tuple(models)]
    kind: Any = _kind(kinds) if kinds else str
    return [
        PERSON,
        GARMENTS,
        ("models", list[each_model], [next(iter(models))], f"Each makes its own looks. {_good_at(models)}"),
        (
            WEAR.name,
            _kind([WEAR]),
            WEAR.default,
            "together: looks with all garments, which a model that takes one garment puts on one after another. "
            "each: looks for each garment.",
        ),
        (VARIATIONS.name, int, 1, f"Looks of each, their seeds counting up. {_range(VARIATIONS)}"),
        (
            "cloth_types",
            Optional[list[kind]],
            None,
            "One for each garment, in the order in which they are put on. Without it, cloth_type holds for all.",
        ),
        (
            PLAN_ONLY_FLAG.name,
            bool,
            False,
            "Order nothing, and return the looks that would be, with their costs. Free.",
        ),
    ]


def option_parameters(models: Mapping[str, ModelSpec]) -> list[Parameter]:
    """The options of all models. A shared one takes what any model takes; its description gives the range of each."""
    words: dict[str, dict[str, list[str]]] = {}
    for model in models.values():
        for option in model.options:
            words.setdefault(option.name, {}).setdefault(_words(option), []).append(model.name)
    return [
        (name, *_type(options), " ".join(f"{' and '.join(who)}: {said}" for said, who in words[name].items()))
        for name, options in shared_options(models).items()
    ]


def _good_at(models: Mapping[str, ModelSpec]) -> str:
    return "; ".join(f"{model.name}: {model.good_at} ({model.licence})" for model in models.values())


def shared_options(models: Mapping[str, ModelSpec]) -> dict[str, list[Option]]:
    """Every option's name, and what it is to each model that has it."""
    shared: dict[str, list[Option]] = {}
    for model in models.values():
        for option in model.options:
            shared.setdefault(option.name, []).append(option)
    return shared


def _words(option: Option) -> str:
    parts = (part for part in (option.label, option.hint, _range(option)) if part)
    return " ".join(part if part.endswith((".", "?")) else f"{part}." for part in parts)


def _type(options: Sequence[Option]) -> tuple[Any, Any]:
    """Type and default of what these options of several models have in common."""
    kind = _kind(options)
    default = options[0].default
    if isinstance(options[0], Number) or any(option.default != default for option in options):
        return Optional[kind], None  # None is each model's own default
    return kind, default


def _kind(options: Sequence[Option]) -> Any:
    first = options[0]
    if isinstance(first, Choice):
        choices = (value for option in options if isinstance(option, Choice) for value, _ in option.choices)
        return Literal[tuple(dict.fromkeys(choices))]
    if isinstance(first, Number):
        whole = all(float(option.step).is_integer() for option in options if isinstance(option, Number))
        return int if whole else float
    return str if isinstance(first, Text) else bool


def _range(option: Option) -> str:
    if isinstance(option, Number):
        default = "" if option.default is None else f", {option.default:g} by default"
        return f"From {option.minimum:g} to {option.maximum:.0f}{default}."
    return "Off by default." if isinstance(option, Flag) else ""


def with_signature(
    run: Callable[[Given], Any],
    name: str,
    about: str,
    wanted: list[Parameter],
    returned: Any,
    *,
    free: bool,
) -> Callable[..., Answer]:
    """A function that calls `run` with its arguments by name, and has a signature and a docstring for Gradio to read.

    Its errors are translated, and a free one stops when its caller leaves.

    Args:
        run: What it does; a stream of answers if it is an async generator function.
        about: What it does and what it returns, in words.
        free: Whether it never costs money, so that it may be stopped at any time.
    """
    signature = inspect.Signature(
        [
            inspect.Parameter(
                parameter,
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                annotation=kind,
                default=inspect.Parameter.empty if default is ... else default,
            )
            for parameter, kind, default, _ in wanted
        ],
        return_annotation=returned,
    )

    def given(args: Any, kwargs: Any) -> Given:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return bound.arguments

    async def answering(*args: Any, **kwargs: Any) -> Any:
        work = run(given(args, kwargs))
        with translate_errors(Cost.NOTHING if free else Cost.MAYBE):
            return await (run_while_connected(work) if free else work)

    async def streaming(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        with translate_errors(Cost.MAYBE):
            async with aclosing(run(given(args, kwargs))) as answers:
                async for answer in answers:
                    yield answer

    endpoint: Any = streaming if inspect.isasyncgenfunction(run) else answering
    endpoint.__name__ = name
    endpoint.__signature__ = signature
    endpoint.free = free
    endpoint.__annotations__ = {parameter: kind for parameter, kind, _, _ in wanted} | {"return": returned}
    described = "\n".join(f"    {parameter}: {words}" for parameter, _, _, words in wanted if words)
    endpoint.__doc__ = f"{about}\n\nArgs:\n{described}"
    return cast(Callable[..., Answer], endpoint)


def parameters_of(endpoint: Callable[..., Any]) -> dict[str, Any]:
    """The names of an endpoint's parameters, each with its default; None where it has none."""
    parameters = inspect.signature(endpoint).parameters.values()
    return {
        parameter.name: None if parameter.default is inspect.Parameter.empty else parameter.default
        for parameter in parameters
    }


def is_free(endpoint: Any) -> bool:
    """Whether an endpoint never costs money."""
    return bool(endpoint.free)
