"""The endpoints for scripts and agents: /try_on, /estimate, /compose, /looks, /result, over HTTP and MCP (see `mcp`).

Their parameters are made from the registry of models (see `signatures`); `call_input` checks what is given.
"""

import asyncio
from functools import partial
from typing import Any, Optional

import gradio as gr
from gradio.events import api as add_api

from vton_ui.models.options import complete
from vton_ui.pictures.prepare import on_photos
from vton_ui.pictures.work import sheet_jpeg
from vton_ui.studio import Studio
from vton_ui.tryon.context import RunContext
from vton_ui.tryon.events import Accepted, Done
from vton_ui.tryon.lookup import look_up
from vton_ui.tryon.request import estimate, live_price, named
from vton_ui.tryon.run import try_on
from vton_ui.tryon.streams import in_background
from vton_ui.ui.call_input import allow_addresses, read_call, read_garments
from vton_ui.ui.compat.blocks import endpoint_inputs
from vton_ui.ui.compat.calls import run_while_connected
from vton_ui.ui.looks_answer import number
from vton_ui.ui.looks_api import looks
from vton_ui.ui.markup import words_for
from vton_ui.ui.progress import Step, tell
from vton_ui.ui.signatures import (
    CALLER,
    GARMENTS,
    KEY,
    PRIVATE,
    REQUEST_ID,
    Given,
    option_parameters,
    photo_parameters,
    plan_parameters,
    with_signature,
)
from vton_ui.ui.web.uploads import offered, written
from vton_ui.ui.web.visitor import visitor_of


def add_endpoints(studio: Studio) -> None:
    """Add the endpoints to the current gr.Blocks."""
    found = tuple[Optional[gr.FileData], dict[str, Any]]
    options = [*option_parameters(studio.models), PRIVATE, KEY, CALLER]
    parameters, several = [*photo_parameters(studio.models), *options], [*plan_parameters(studio.models), *options]
    streamed = tuple[list[gr.FileData], list[dict[str, Any]]]
    for run, name, about, wanted, returned, free in (
        (_try_on, "try_on", _TRY_ON, parameters, tuple[gr.FileData, dict[str, Any]], False),
        (_estimate, "estimate", _ESTIMATE, parameters, dict[str, Any], True),
        (_compose, "compose", _COMPOSE, [GARMENTS, CALLER], gr.FileData, True),
        (looks, "looks", _LOOKS, several, streamed, False),
        (_result, "result", _RESULT, [REQUEST_ID, KEY, CALLER], found, True),
    ):
        function = with_signature(partial(run, studio), name, about, wanted, returned, free=free)
        add_api(function, api_name=name, api_description=about, concurrency_limit=None)
    for component in endpoint_inputs():
        allow_addresses(component, studio)


async def _try_on(studio: Studio, given: Given) -> tuple[gr.FileData, dict[str, Any]]:
    visitor = visitor_of(given["request"])
    context = studio.context(given["x_fal_key"], visitor)
    if context.budget is None:  # otherwise the owner's caps count it
        studio.free.count(visitor)
    work = _follow(studio, given, context)
    # A draft is only work of this machine. A paid job is followed to its end even if the caller leaves.
    return await (run_while_connected(work) if context.backend.sandbox else work)


async def _follow(studio: Studio, given: Given, context: RunContext) -> tuple[gr.FileData, dict[str, Any]]:
    """One try-on; every step is sent to the caller."""
    request = await read_call(studio, given)
    request_id: Optional[str] = None
    stop = asyncio.Event()
    async for event in in_background(try_on(request, context, stop), stop.set):
        if isinstance(event, Accepted):
            request_id = event.job.request_id
        if not isinstance(event, Done):
            words, share = words_for(event)
            tell(Step(words=words, share=share, request_id=request_id))
        else:
            result = event.result
            facts = {
                **result.facts,
                "cost_usd": number(result.facts["cost_usd"]),
                "width": result.size.width,
                "height": result.size.height,
            }
            return gr.FileData(path=str(offered(result.path))), facts
    raise AssertionError("a try-on that nobody cancels ends in a result or an error")


async def _estimate(studio: Studio, given: Given) -> dict[str, Any]:
    studio.free.count(visitor_of(given["request"]))
    request = await read_call(studio, given)
    backend = studio.backend_for(given["x_fal_key"])
    costs = await asyncio.to_thread(estimate, request, await live_price(request.model, backend))
    return {
        "total_usd": number(costs.total),
        "lines": [{"what": line.what, "usd": number(line.usd)} for line in costs.lines],
        "note": "Without a key this server makes free local drafts; with one, fal asks the total."
        if backend.sandbox
        else costs.note,
    }


async def _compose(studio: Studio, given: Given) -> gr.FileData:
    studio.free.count(visitor_of(given["request"]))
    roomiest = max(studio.models.values(), key=lambda model: model.max_garments)
    pixels = roomiest.garment_pixels(complete(roomiest, {}))
    garments = named(await read_garments(studio, given))
    slot = garments[0][1] if len(garments) == 1 else "Garments"
    return gr.FileData(path=str(written(await on_photos(slot, sheet_jpeg, garments, pixels), "sheet")))


async def _result(studio: Studio, given: Given) -> tuple[Optional[gr.FileData], dict[str, Any]]:
    visitor = visitor_of(given["request"])
    studio.free.count(visitor)
    found = await look_up(
        given["request_id"], studio.models, lambda key: studio.context(key, visitor), given["x_fal_key"] or None
    )
    facts = {**found.facts, **({"cost_usd": number(found.facts["cost_usd"])} if "cost_usd" in found.facts else {})}
    picture = gr.FileData(path=str(offered(found.result.path))) if found.result else None
    return picture, facts


_TRY_ON = (
    "Show a person wearing garments. With a fal key, the server's or your own in the header x-fal-key, this costs "
    "money: /estimate tells how much, for free. It takes from seconds to a minute; the progress tells the request id "
    "as soon as fal has given it. If you leave before the end, the order runs on and is paid: /result with the "
    "request id fetches the picture, for free. "
    "Returns the picture, and how it was made: model, endpoint, request_id, seed, width, height, seconds, cost_usd "
    "(null where fal publishes no price), prompt, sandbox (true: a rough draft made on the server, not AI)."
)
_LOOKS = (
    "Show a person wearing garments in several looks, at most 12: models × garments × variations. Each look costs what "
    "/try_on costs; plan_only tells how much, for free. If the owner's caps have no room for all, none is ordered. "
    "Streams the pictures and the looks that have ended, whenever a look ends; the last has all, in their order. "
    "Of each look: status (planned, done, failed, cancelled), model, garments (places from 0), cloth_types, seed, "
    "request_id, cost_usd (null where fal publishes no price), seconds, picture (its place, or null), error, and steps "
    "of {cloth_type, request_id, status, picture}, several where garments are put on one after another. "
    "If you leave before the end, what was ordered is paid, and /result fetches it; the rest is not ordered."
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
