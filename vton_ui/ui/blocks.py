"""The page and the API as one gr.Blocks, and how it wants to be launched."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi.exceptions import RequestValidationError
from gradio.block_function import BlockFunction
from gradio.utils import get_upload_folder
from starlette.middleware import Middleware

from vton_ui.disk import disk_full
from vton_ui.pictures.pool import warm_up
from vton_ui.studio import Studio
from vton_ui.tryon.reconcile import keep_reconciled
from vton_ui.ui.api import add_endpoints
from vton_ui.ui.compat import (
    CancelOne,
    believe_no_forwarded_headers,
    clean_file_names,
    put_outermost,
    serve_tools,
    wrong_arguments,
)
from vton_ui.ui.page import lay_out
from vton_ui.ui.sessions import forget_gone, keep_light
from vton_ui.ui.tools import answer_tool
from vton_ui.ui.web.guard import Guard, malformed, where
from vton_ui.ui.web.origins import Origins
from vton_ui.ui.web.pace import Pace
from vton_ui.ui.web.theme import palette_css, theme
from vton_ui.ui.web.uploads import MAX_FILE_BYTES, refuse_addresses, sweep
from vton_ui.ui.web.visitor import Visitors
from vton_ui.ui.wiring import wire

TITLE = "Try-on studio"
UPLOAD_SECONDS = 3600
"""How long an upload lies here."""
SWEEP_SECONDS = 300

_WEB = Path(__file__).parent / "web"
_log = logging.getLogger(__name__)


class App(gr.Blocks):
    """gr.Blocks that neither prints nor tells what goes wrong in it, and that loses no step of a try-on.

    Gradio would print a visitor's inputs. And it would tell the page only what changed inside a value from one step to
    the next; the page changes the value in place, so that a step which a slow phone had not drawn yet was lost: the
    job under way among them.
    """

    async def process_api(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """One event, from the visitor's inputs to the page's outputs."""
        try:
            return await super().process_api(*args, **kwargs)
        except gr.Error as exc:
            exc.print_exception = False
            raise
        except Exception as exc:
            full = disk_full(exc)
            if full is not None:
                raise gr.Error(str(full), print_exception=False) from None
            _log.error("failed: %s", where(exc))
            raise gr.Error("The app could not do this. Load the page again.", print_exception=False) from None

    def handle_streaming_diffs(
        self,
        block_fn: BlockFunction,
        data: list[Any],
        session_hash: str | None,
        run: str | None,
        final: bool,
        simple_format: bool = False,
    ) -> list[Any]:
        """What the page is told of a step: every value that changed, as a whole."""
        first = run not in self.pending_diff_streams.get(session_hash or "", {})
        values = list(data)
        told = super().handle_streaming_diffs(block_fn, data, session_hash, run, final, simple_format)
        if first or final or simple_format:
            return told
        return [edits and [["replace", [], value]] for edits, value in zip(told, values, strict=True)]


def build(studio: Studio) -> gr.Blocks:
    """The whole app, ready to be launched."""
    os.environ.setdefault("GRADIO_TEMP_DIR", str(_uploads(studio)))
    # Statistics over all events so far, which nobody sees, would be made anew at every event.
    os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(10**9))
    os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "100")
    with App(
        title=TITLE, analytics_enabled=False, fill_width=True, delete_cache=(SWEEP_SECONDS, UPLOAD_SECONDS)
    ) as demo:
        # First, so that the endpoints get the names they ask for; the page's own events take others.
        add_endpoints(studio)
        page = lay_out(studio)
        for component in page.inputs:
            refuse_addresses(component)
        wire(page, studio)
    # Try-ons wait for fal, not for this machine, so nobody needs to wait for another visitor's.
    demo.queue(default_concurrency_limit=None, api_open=False)
    return demo  # type: ignore[no-any-return]


def launch_options(studio: Studio) -> dict[str, Any]:
    """The arguments of `demo.launch` that the app relies on."""
    studio.store.mkdir(parents=True, exist_ok=True)
    believe_no_forwarded_headers()
    clean_file_names()
    return {
        "theme": theme(),
        "css": palette_css() + (_WEB / "style.css").read_text(encoding="utf-8"),
        "head": f"<script>{(_WEB / 'photos.js').read_text(encoding='utf-8')}</script>",
        # What the page may show; the guard lets nobody ask for a file there.
        "allowed_paths": [str(studio.store), str(studio.examples)],
        "app_kwargs": {
            "middleware": [
                Middleware(Visitors, proxies=studio.proxies),
                Middleware(Guard, uploaded=studio.uploaded, session_uploads=studio.session_uploads),
                Middleware(Pace),
                Middleware(CancelOne),
            ],
            "exception_handlers": {RequestValidationError: malformed, TypeError: wrong_arguments},
            "lifespan": _life(studio),
        },
        "max_file_size": MAX_FILE_BYTES,
        "max_threads": 200,
        "mcp_server": True,
        "footer_links": ["api"],
        "show_error": False,
        # These would serve files and take uploads past the guard.
        "num_workers": 0,
        # On by default, it writes every public event's inputs to the browser's storage in plain text.
        "run_history": False,
        "enable_monitoring": False,
        "state_session_capacity": 1000,
    }


def _uploads(studio: Studio) -> Path:
    """Where uploads lie, unless the owner says otherwise by GRADIO_TEMP_DIR."""
    return studio.store.parent / "uploads"


def _life(studio: Studio) -> Any:
    """What goes on beside the web app for as long as it runs."""

    @asynccontextmanager
    async def life(app: Any) -> AsyncIterator[None]:
        # What is there by now stays; looking through it for garbage again and again would hold up every visitor.
        gc.freeze()
        put_outermost(app, lambda inner: Origins(inner, hosts=studio.hosts, origins=studio.origins))
        warm_up()
        keep_light(app, app.get_blocks())
        serve_tools(app.get_blocks(), answer_tool)
        tidying = asyncio.create_task(_keep_tidy(app.get_blocks(), studio))
        reconciling = asyncio.create_task(keep_reconciled(studio.models, studio.means(None, ""), studio.keep_hours))
        yield
        tidying.cancel()
        reconciling.cancel()

    return life


async def _keep_tidy(demo: gr.Blocks, studio: Studio) -> None:
    folder = _uploads(studio)
    while True:
        if Path(get_upload_folder()) == folder:  # in a folder that others use too, nothing of theirs is touched
            await asyncio.to_thread(sweep, folder, older_than=UPLOAD_SECONDS, kept=str(demo.config))
        studio.session_uploads.drop_deleted()
        forget_gone(demo)
        await asyncio.sleep(SWEEP_SECONDS)
