"""The endpoints for scripts and agents: /try_on, /estimate and /compose, over HTTP and MCP.

Their parameters are the options of all models, so their signatures are made from the registry. Gradio checks
nothing of what it is given here, neither types nor paths: `options.complete` and `uploads.own` do. Over MCP it
hands on the files of a list as the bare addresses that it was given: `uploads.fetched` gets them.
"""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Optional

import gradio as gr
from gradio.context import get_blocks_context
from gradio.events import api as add_api

from vton_ui.ahead import on_photos
from vton_ui.composite import grid
from vton_ui.errors import OptionError, VtonError
from vton_ui.job import Done
from vton_ui.options import complete
from vton_ui.prepare import sheet_jpeg
from vton_ui.request import Request, estimate, live_price, named, new_request
from vton_ui.spec import Choice, Flag, ModelSpec, Number, Option, Text
from vton_ui.studio import Studio
from vton_ui.tryon import try_on
from vton_ui.ui.guard import where
from vton_ui.ui.uploads import fetched, offered, own, written
from vton_ui.ui.visitor import visitor_of

Given = Mapping[str, Any]

_log = logging.getLogger(__name__)


def add_endpoints(studio: Studio) -> None:
    """Add the three endpoints to the current gr.Blocks."""

    async def run_try_on(given: Given) -> tuple[gr.FileData, dict[str, Any]]:
        return await _try_on(studio, given)

    async def run_estimate(given: Given) -> dict[str, Any]:
        return await _estimate(studio, given)

    async def run_compose(given: Given) -> gr.FileData:
        return await _compose(studio, given)

    parameters = [*_photo_parameters(studio), *_option_parameters(studio.models), _PRIVATE, _KEY, _CALLER]
    for run, name, about, wanted, returned in (
        (run_try_on, "try_on", _TRY_ON, parameters, tuple[gr.FileData, dict[str, Any]]),
        (run_estimate, "estimate", _ESTIMATE, parameters, dict[str, Any]),
        (run_compose, "compose", _COMPOSE, [_GARMENTS], gr.FileData),
    ):
        add_api(_endpoint(run, name, about, wanted, returned), api_name=name, concurrency_limit=None)
    page = get_blocks_context()
    for fn in page.fns.values() if page else ():
        for block in fn.inputs:
            _let_addresses_in(block)


async def _try_on(studio: Studio, given: Given) -> tuple[gr.FileData, dict[str, Any]]:
    request = await _request(studio, given)
    means = studio.means(given["x_fal_key"], visitor_of(given["request"], studio.proxies))
    async for event in try_on(request, means):
        if isinstance(event, Done):
            result = event.result
            facts = {
                **result.facts,
                "cost_usd": _number(result.facts["cost_usd"]),
                "width": result.size.width,
                "height": result.size.height,
            }
            return gr.FileData(path=str(offered(result.path))), facts
    raise AssertionError("a try-on that nobody cancels ends in a result or an error")


async def _estimate(studio: Studio, given: Given) -> dict[str, Any]:
    request = await _request(studio, given)
    backend = studio.backend_for(given["x_fal_key"])
    costs = await asyncio.to_thread(estimate, request, await live_price(request.model, backend))
    return {
        "total_usd": _number(costs.total),
        "lines": [{"what": line.what, "usd": _number(line.usd)} for line in costs.lines],
        "note": "Without a key this server makes free local drafts; with one, fal asks the total."
        if backend.sandbox
        else costs.note,
    }


async def _compose(studio: Studio, given: Given) -> gr.FileData:
    roomiest = max(studio.models.values(), key=lambda model: model.max_garments)
    pixels = roomiest.garment_pixels(complete(roomiest, {}))
    garments = named(await _garments(studio, given))
    slot = garments[0][1] if len(garments) == 1 else "Garments"
    return gr.FileData(path=str(written(await on_photos(slot, sheet_jpeg, garments, pixels), "sheet")))


async def _request(studio: Studio, given: Given) -> Request:
    name, person = given["model"], given["person"]
    model = studio.models.get(name) if isinstance(name, str) else None
    if model is None:
        raise OptionError(
            f"{str(name)[:40]!r} is no model here.", f"Use one of {', '.join(studio.models)}.", slot="model"
        )
    path = await _photo(person, "Person", studio) if person else None
    garments = await _garments(studio, given)
    return new_request(model, path, garments, given, private=given["private"] is True)


async def _garments(studio: Studio, given: Given) -> list[Path]:
    files = given["garments"] or []
    if not isinstance(files, list):
        raise OptionError("garments is no list.", "Give a list of files.", slot="garments")
    grid(len(files))  # too many are refused before any is fetched
    return [await _photo(file, slot, studio) for file, slot in named(files)]


async def _photo(file: Any, slot: str, studio: Studio) -> Path:
    if isinstance(file, str):
        file = {"path": await fetched(file, slot=slot)}
    return own(file.get("path") if isinstance(file, Mapping) else None, slot=slot, examples=studio.examples)


def _let_addresses_in(block: Any) -> None:
    """Have an input take web addresses as `fetched` does, which tells in words why one cannot be used."""
    inward = block.async_move_resource_to_block_cache

    async def move(source: Any) -> Any:
        if not str(source).startswith(("http://", "https://")):
            return await inward(source)
        with _told():
            return str(await fetched(str(source)))

    block.async_move_resource_to_block_cache = move


def _number(usd: Any) -> Optional[float]:
    return None if usd is None else float(Decimal(str(usd)))


_TRY_ON = (
    "Show a person wearing garments. With a fal key, the server's or your own in the header x-fal-key, this costs "
    "money: /estimate tells how much, for free.",
    "The picture, and how it was made: model, endpoint, request_id, seed, width, height, seconds, cost_usd (null "
    "where fal publishes no price), prompt, sandbox (true: a rough draft made on the server, not AI).",
)
_ESTIMATE = (
    "What /try_on would cost with the same arguments. Free.",
    "total_usd (null where fal publishes no price), lines of {what, usd}, and a note.",
)
_COMPOSE = (
    "Put several garments on one sheet, as a model that takes one garment picture gets to see them. Free.",
    "The sheet, a JPEG.",
)

_UNEXPECTED = "Something failed in this app; its log says what. Try again. fal may have charged if an order was sent."

Parameter = tuple[str, Any, Any, str]
"""Name, type, default, description; `...` as default: none."""

_GARMENTS: Parameter = ("garments", list[gr.FileData], ..., "Photos of the garments, from head to toe.")
_PRIVATE: Parameter = ("private", bool, False, "fal stores no record of the request; a lost answer stays lost.")
_CALLER: Parameter = ("request", Optional[gr.Request], None, "")
_KEY: Parameter = ("x_fal_key", Optional[gr.Header], None, "A fal key of your own, as a header.")


def _photo_parameters(studio: Studio) -> list[Parameter]:
    names = tuple(studio.models)
    about = "; ".join(f"{model.name}: {model.good_at} ({model.licence})" for model in studio.models.values())
    return [
        ("person", gr.FileData, ..., "A photo of one person."),
        _GARMENTS,
        ("model", Literal[names], studio.default_model.name, about),
    ]


def _option_parameters(models: Mapping[str, ModelSpec]) -> list[Parameter]:
    """The options of all models; one that several share takes what any of them takes, and each tells its own range."""
    shared: dict[str, list[Option]] = {}
    words: dict[str, dict[str, list[str]]] = {}
    for model in models.values():
        for option in model.options:
            shared.setdefault(option.name, []).append(option)
            words.setdefault(option.name, {}).setdefault(_words(option), []).append(model.name)
    return [
        (name, *_type(options), " ".join(f"{' and '.join(who)}: {said}" for said, who in words[name].items()))
        for name, options in shared.items()
    ]


def _words(option: Option) -> str:
    label = option.label if option.label.endswith("?") else f"{option.label}."
    return " ".join(part for part in (label, option.hint, _range(option)) if part)


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


def _endpoint(
    run: Callable[[Given], Awaitable[Any]], name: str, about: tuple[str, str], wanted: list[Parameter], returned: Any
) -> Callable[..., Awaitable[Any]]:
    """A function whose signature and docstring Gradio and MCP can read the parameters from."""
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

    async def endpoint(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        with _told():
            return await run(bound.arguments)

    endpoint.__name__ = name
    endpoint.__signature__ = signature  # type: ignore[attr-defined]
    endpoint.__annotations__ = {parameter: kind for parameter, kind, _, _ in wanted} | {"return": returned}
    described = "\n".join(f"    {parameter}: {words}" for parameter, _, _, words in wanted if words)
    endpoint.__doc__ = f"{about[0]}\n\nArgs:\n{described}\n\nReturns:\n    {about[1]}"
    return endpoint


@contextmanager
def _told() -> Iterator[None]:
    """Our errors as Gradio's, which is what reaches the caller in words."""
    try:
        yield
    except VtonError as exc:
        raise gr.Error(str(exc), print_exception=False) from exc
    except Exception as exc:
        _log.error("unexpected: %s", where(exc))
        raise gr.Error(_UNEXPECTED, print_exception=False) from exc
