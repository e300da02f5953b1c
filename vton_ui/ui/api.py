"""The endpoints for scripts and agents: /try_on, /estimate, /compose and /result, over HTTP and MCP (see `tools`).

Their parameters are made from the registry (see `signatures`). Gradio checks nothing of what it is given here, neither
types nor paths: `options.check` and `uploads.own` do.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Optional

import gradio as gr
from gradio.context import get_blocks_context
from gradio.events import api as add_api

from vton_ui.disk import disk_full
from vton_ui.errors import Cost, OptionError, VtonError
from vton_ui.models.options import check, complete, shortened
from vton_ui.models.spec import Option
from vton_ui.pictures.prepare import sheet_jpeg
from vton_ui.pictures.shared import on_photos
from vton_ui.pictures.sheet import grid
from vton_ui.studio import Studio
from vton_ui.tryon.context import Means
from vton_ui.tryon.events import Accepted, Done
from vton_ui.tryon.lookup import look_up
from vton_ui.tryon.request import Request, estimate, live_price, named, new_request
from vton_ui.tryon.run import try_on
from vton_ui.ui.compat import while_heard
from vton_ui.ui.markup import words_for
from vton_ui.ui.progress import Step, tell
from vton_ui.ui.signatures import (
    CALLER,
    GARMENTS,
    KEY,
    PRIVATE,
    PRIVATE_FLAG,
    REQUEST_ID,
    Given,
    option_parameters,
    photo_parameters,
    shared_options,
    signed,
)
from vton_ui.ui.web.guard import where
from vton_ui.ui.web.names import real_path
from vton_ui.ui.web.uploads import fetched, offered, own, written
from vton_ui.ui.web.visitor import browser_of, visitor_of

ADDRESSES = ("http://", "https://", "data:")

_log = logging.getLogger(__name__)


def add_endpoints(studio: Studio) -> None:
    """Add the endpoints to the current gr.Blocks."""

    async def run_try_on(given: Given) -> tuple[gr.FileData, dict[str, Any]]:
        return await _try_on(studio, given)

    async def run_estimate(given: Given) -> dict[str, Any]:
        return await _estimate(studio, given)

    async def run_compose(given: Given) -> gr.FileData:
        return await _compose(studio, given)

    async def run_result(given: Given) -> tuple[Optional[gr.FileData], dict[str, Any]]:
        return await _result(studio, given)

    found = tuple[Optional[gr.FileData], dict[str, Any]]
    parameters = [*photo_parameters(studio.models), *option_parameters(studio.models), PRIVATE, KEY, CALLER]
    for run, name, about, wanted, returned, free in (
        (run_try_on, "try_on", _TRY_ON, parameters, tuple[gr.FileData, dict[str, Any]], False),
        (run_estimate, "estimate", _ESTIMATE, parameters, dict[str, Any], True),
        (run_compose, "compose", _COMPOSE, [GARMENTS, CALLER], gr.FileData, True),
        (run_result, "result", _RESULT, [REQUEST_ID, KEY, CALLER], found, True),
    ):
        function = signed(_answering(run, free=free), name, about, wanted, returned, free=free)
        add_api(function, api_name=name, api_description=about, concurrency_limit=None)
    page = get_blocks_context()
    for fn in page.fns.values() if page else ():
        for block in fn.inputs:
            _let_addresses_in(block, studio)


async def _try_on(studio: Studio, given: Given) -> tuple[gr.FileData, dict[str, Any]]:
    visitor = visitor_of(given["request"])
    means = studio.means(given["x_fal_key"], visitor)
    if means.purse is None:  # else the owner's caps count it
        studio.free.count(visitor)
    work = _followed(studio, given, means)
    # A draft is work of this machine alone; an order is paid, whoever listens.
    return await (while_heard(work) if means.backend.sandbox else work)


async def _followed(studio: Studio, given: Given, means: Means) -> tuple[gr.FileData, dict[str, Any]]:
    """A try-on of which the caller is told every step."""
    request = await _request(studio, given)
    request_id: Optional[str] = None
    async for event in try_on(request, means):
        if isinstance(event, Accepted):
            request_id = event.job.request_id
        if not isinstance(event, Done):
            words, share = words_for(event)
            tell(Step(words=words, share=share, request_id=request_id))
        else:
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
    studio.free.count(visitor_of(given["request"]))
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
    studio.free.count(visitor_of(given["request"]))
    roomiest = max(studio.models.values(), key=lambda model: model.max_garments)
    pixels = roomiest.garment_pixels(complete(roomiest, {}))
    garments = named(await _garments(studio, given))
    slot = garments[0][1] if len(garments) == 1 else "Garments"
    return gr.FileData(path=str(written(await on_photos(slot, sheet_jpeg, garments, pixels), "sheet")))


async def _result(studio: Studio, given: Given) -> tuple[Optional[gr.FileData], dict[str, Any]]:
    visitor = visitor_of(given["request"])
    studio.free.count(visitor)
    found = await look_up(
        given["request_id"], studio.models, lambda key: studio.means(key, visitor), given["x_fal_key"] or None
    )
    facts = {**found.facts, **({"cost_usd": _number(found.facts["cost_usd"])} if "cost_usd" in found.facts else {})}
    picture = gr.FileData(path=str(offered(found.result.path))) if found.result else None
    return picture, facts


async def _request(studio: Studio, given: Given) -> Request:
    name, person = given["model"], given["person"]
    model = studio.models.get(name) if isinstance(name, str) else None
    if model is None:
        raise OptionError(
            f"{shortened(name)} is no model here.", f"Use one of {', '.join(studio.models)}.", slot="model"
        )
    own_options = {option.name for option in model.options}
    for option_name, options in shared_options(studio.models).items():
        if option_name not in own_options:
            _check_unused(options, given[option_name])
    private = bool(check(PRIVATE_FLAG, given["private"]))
    path = await _photo(person, "Person", studio, given) if person else None
    garments = await _garments(studio, given)
    return new_request(model, path, garments, given, private=private)


def _check_unused(options: Sequence[Option], value: Any) -> None:
    """Refuse what no model takes. A call carries the options of all models, and those of others are left out."""
    refusals = []
    for option in options:
        try:
            check(option, value)
            return
        except OptionError as exc:
            refusals.append(exc)
    raise refusals[0]


async def _garments(studio: Studio, given: Given) -> list[Path]:
    files = given["garments"] or []
    if isinstance(files, (str, Mapping)):
        files = [files]
    if not isinstance(files, list):
        raise OptionError("garments is no list.", "Give a list of files.", slot="garments")
    grid(len(files))  # too many are refused before any is fetched
    return [await _photo(file, slot, studio, given) for file, slot in named(files)]


async def _photo(file: Any, slot: str, studio: Studio, given: Given) -> Path:
    named = file.get("path") if isinstance(file, Mapping) else file
    upload = real_path(named) if isinstance(named, str) else None
    if upload is None and (isinstance(file, str) or str(named).startswith(ADDRESSES)):
        upload = str(await fetched(str(named), slot=slot, quota=studio.uploaded))
    path = own(upload or named, slot=slot, examples=studio.examples)
    studio.session_uploads.add(browser_of(given["request"]), [path])  # nobody else's Forget deletes it meanwhile
    return path


def _let_addresses_in(block: Any, studio: Studio) -> None:
    """Have an input take web addresses as `fetched` does, which tells in words why one cannot be used."""
    inward = block.async_move_resource_to_block_cache

    async def move(source: Any) -> Any:
        if not str(source).startswith(ADDRESSES):
            return await inward(source)
        with translate_errors():
            return str(await fetched(str(source), quota=studio.uploaded))

    block.async_move_resource_to_block_cache = move


def _number(usd: Any) -> Optional[float]:
    return None if usd is None else float(Decimal(str(usd)))


_TRY_ON = (
    "Show a person wearing garments. With a fal key, the server's or your own in the header x-fal-key, this costs "
    "money: /estimate tells how much, for free. It takes from seconds to a minute; the progress tells the request id "
    "as soon as fal has given it. If you leave before the end, the order runs on and is paid: /result with the "
    "request id fetches the picture, for free. "
    "Returns the picture, and how it was made: model, endpoint, request_id, seed, width, height, seconds, cost_usd "
    "(null where fal publishes no price), prompt, sandbox (true: a rough draft made on the server, not AI)."
)
_ESTIMATE = (
    "What /try_on would cost with the same arguments. Free. "
    "Returns total_usd (null where fal publishes no price), lines of {what, usd}, and a note."
)
_COMPOSE = (
    "Put several garments on one sheet, as a model that takes one garment picture gets to see them. Free. "
    "Returns the sheet, a JPEG."
)
_RESULT = (
    "Fetch a request again by its id, or ask how it is going. Free. "
    "Returns the picture, null unless status is done; and status (waiting, running, done, failed or unknown) with all "
    "that is known of the request."
)

_UNEXPECTED = "Something failed in this app; its log says what. Try again. fal may have charged if an order was sent."


def _answering(
    run: Callable[[Given], Coroutine[Any, Any, Any]], *, free: bool
) -> Callable[[Given], Coroutine[Any, Any, Any]]:
    """An endpoint that errs in words, and that stops when its caller leaves if it is free."""

    async def answered(given: Given) -> Any:
        with translate_errors(Cost.NOTHING if free else Cost.MAYBE):
            return await (while_heard(run(given)) if free else run(given))

    return answered


@contextmanager
def translate_errors(cost: Cost = Cost.NOTHING) -> Iterator[None]:
    """Our errors as Gradio's, which is what reaches the caller in words."""
    try:
        yield
    except gr.Error:
        raise
    except VtonError as exc:
        raise gr.Error(str(exc), print_exception=False) from exc
    except Exception as exc:
        full = disk_full(exc, cost)
        if full is not None:
            raise gr.Error(str(full), print_exception=False) from exc
        _log.error("unexpected: %s", where(exc))
        raise gr.Error(_UNEXPECTED, print_exception=False) from exc
