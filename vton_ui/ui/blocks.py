"""The page and the API as one gr.Blocks, and how it is launched."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi.exceptions import RequestValidationError
from gradio.exceptions import InvalidPathError
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse

from vton_ui.disk import disk_full
from vton_ui.pictures import photos
from vton_ui.pictures.pool import warm_up
from vton_ui.studio import Studio
from vton_ui.tryon.reconcile import keep_reconciled
from vton_ui.tryon.results import delete_expired
from vton_ui.ui.api import add_endpoints
from vton_ui.ui.compat.blocks import QuietBlocks, drop_finished_sessions, keep_sessions_light, put_outermost
from vton_ui.ui.compat.calls import CancelOne, wrong_arguments
from vton_ui.ui.compat.files import upload_folder
from vton_ui.ui.compat.mcp import serve_tools
from vton_ui.ui.compat.startup import clean_file_names, ignore_forwarded_headers, skip_statistics
from vton_ui.ui.mcp import answer_tool
from vton_ui.ui.page import lay_out
from vton_ui.ui.web.delivery import Delivery
from vton_ui.ui.web.downloads import refuse_addresses
from vton_ui.ui.web.guard import Guard, malformed, where
from vton_ui.ui.web.head import INSTALL
from vton_ui.ui.web.origins import Origins
from vton_ui.ui.web.theme import palette_css, theme, winning
from vton_ui.ui.web.uploads import delete_old, example_folders
from vton_ui.ui.web.visitor import Visitors
from vton_ui.ui.wiring import wire

TITLE = "Try-on studio"
UPLOAD_KEEP_SECONDS = 3600
UPLOAD_CHECK_SECONDS = 300

_WEB = Path(__file__).parent / "web"
_log = logging.getLogger(__name__)


class App(QuietBlocks):
    """The page and the API."""

    def explain(self, exc: Exception) -> str:
        """The message for an unexpected error; the log gets its type and its line."""
        full = disk_full(exc)
        if full is not None:
            return str(full)
        if isinstance(exc, InvalidPathError):
            return "Upload the photo; other files and addresses are not opened here."
        _log.error("failed: %s", where(exc))
        return "The app could not do this. Load the page again."


def build(studio: Studio) -> gr.Blocks:
    """The whole app, ready to be launched."""
    os.environ.setdefault("GRADIO_TEMP_DIR", str(_uploads(studio)))
    skip_statistics()
    cleaning = (UPLOAD_CHECK_SECONDS, UPLOAD_KEEP_SECONDS)
    with App(title=TITLE, analytics_enabled=False, fill_width=True, delete_cache=cleaning) as demo:
        # First, so that the endpoints get their names; the page's own events take others.
        add_endpoints(studio)
        page = lay_out(studio)
        for component in page.inputs:
            refuse_addresses(component)
        wire(page, studio, demo)
    # Try-ons wait for fal, not for this machine, so they may all run at once.
    demo.queue(default_concurrency_limit=None, api_open=False)
    return demo  # type: ignore[no-any-return]


def launch_options(studio: Studio) -> dict[str, Any]:
    """The arguments of `demo.launch` that the app relies on."""
    studio.store.mkdir(parents=True, exist_ok=True)
    ignore_forwarded_headers()
    clean_file_names()
    return {
        "theme": theme(),
        "css": palette_css() + winning("".join(_read(name) for name in ("style.css", "access.css"))),
        "head": "".join(f"<script>{_read(name)}</script>" for name in ("photos.js", "phone.js", "keys.js")),
        # From here the page may show files: results themselves, and examples as copies; the guard serves no others.
        "allowed_paths": [str(studio.store), str(studio.examples)],
        "app_kwargs": {
            "middleware": [
                Middleware(Delivery, examples=studio.examples),
                Middleware(Visitors, proxies=studio.proxies),
                Middleware(Guard, store=studio.store, uploaded=studio.uploaded, session_uploads=studio.session_uploads),
                Middleware(CancelOne),
            ],
            "exception_handlers": {RequestValidationError: malformed, TypeError: wrong_arguments},
            "lifespan": _life(studio),
        },
        "max_file_size": photos.MAX_BYTES,
        "max_threads": 200,
        "mcp_server": True,
        "footer_links": ["api"],
        # Node would serve the page past the middleware, and gain nothing: the page is drawn no sooner.
        "ssr_mode": False,
        "pwa": True,
        "show_error": False,
        # More workers would serve files and take uploads past the guard.
        "num_workers": 0,
        # On by default, it writes every public event's inputs to the browser's storage in plain text.
        "run_history": False,
        "enable_monitoring": False,
        "state_session_capacity": 1000,
    }


def _read(name: str) -> str:
    return (_WEB / name).read_text(encoding="utf-8")


def _uploads(studio: Studio) -> Path:
    """The folder of uploads, unless the owner sets GRADIO_TEMP_DIR."""
    return studio.store.parent / "uploads"


def _life(studio: Studio) -> Any:
    """The background work of a running app."""

    @asynccontextmanager
    async def life(app: Any) -> AsyncIterator[None]:
        # What exists by now stays; searching it for garbage again and again would delay every visitor.
        gc.freeze()
        for file in (_WEB / "install").iterdir():  # no StaticFiles, which loses its way behind a sub-path
            app.add_route(f"/{INSTALL}/{file.name}", partial(_sent, file))
        put_outermost(app, lambda inner: Origins(inner, hosts=studio.hosts, origins=studio.origins))
        warm_up()
        keep_sessions_light(app, app.get_blocks())
        serve_tools(app.get_blocks(), answer_tool)
        tidying = asyncio.create_task(_keep_tidy(app.get_blocks(), studio))
        reconciling = asyncio.create_task(keep_reconciled(studio.models, studio.context(None, ""), studio.keep_hours))
        yield
        tidying.cancel()
        reconciling.cancel()

    return life


async def _sent(file: Path, _: Request) -> FileResponse:
    return FileResponse(file)


async def _keep_tidy(demo: gr.Blocks, studio: Studio) -> None:
    folder = _uploads(studio)
    while True:
        if upload_folder() == folder:  # a folder of the owner's choice may hold files of other programs
            kept = example_folders(studio.examples.resolve())
            await asyncio.to_thread(delete_old, folder, older_than=UPLOAD_KEEP_SECONDS, kept=kept)
        await asyncio.to_thread(delete_expired, studio.store, studio.keep_hours)
        studio.session_uploads.drop_deleted()
        drop_finished_sessions(demo)
        await asyncio.sleep(UPLOAD_CHECK_SECONDS)
