"""Starts the studio: reads the settings, picks the backend, builds the page, launches it."""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path

from vton_ui.backends.fal.backend import FalBackend
from vton_ui.backends.fal.client import Connections
from vton_ui.backends.sandbox.backend import Sandbox
from vton_ui.models import MODELS
from vton_ui.money.budget import LedgerBudget
from vton_ui.money.ledger import LEDGER_FILE, Caps, Ledger
from vton_ui.quota import FreeWork, UploadQuota
from vton_ui.settings import Settings, load, secret_of
from vton_ui.studio import Studio
from vton_ui.tryon.backend import Backend
from vton_ui.ui.blocks import build, launch_options


def open_studio(settings: Settings) -> Studio:
    """The studio of this server: a visitor's own key, else the server's, else the sandbox."""
    sandbox, connections = Sandbox(), Connections()

    @lru_cache(maxsize=64)
    def fal(key: str) -> FalBackend:
        return FalBackend(key, api_url=settings.fal_api_url, connections=connections)

    def backend_for(key: str | None) -> Backend:
        paying = key or settings.fal_key
        return fal(paying) if paying else sandbox

    secret = secret_of(settings.data_dir)
    caps = Caps(
        daily_usd=settings.daily_budget_usd,
        visitor_usd=settings.visitor_budget_usd,
        visitor_rate=settings.visitor_rate,
        unknown_usd=settings.unknown_price_usd,
    )
    ledger = Ledger(settings.data_dir / LEDGER_FILE, caps, salt=secret)
    return Studio(
        models=MODELS,
        backend_for=backend_for,
        budget_for=lambda visitor: LedgerBudget(ledger=ledger, visitor=visitor),
        store=settings.data_dir / "results",
        keep_hours=settings.keep_hours,
        examples=Path(__file__).parent / "assets",
        secret=secret,
        proxies=settings.proxies,
        hosts=settings.hosts,
        origins=settings.origins,
        parallel=settings.parallel,
        confirm_usd=settings.confirm_usd,
        unknown_price_usd=settings.unknown_price_usd,
        free=FreeWork(settings.free_rate),
        uploaded=UploadQuota(settings.upload_mb),
    )


studio = open_studio(load())
demo = build(studio)

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    # httpx logs every poll with its full address.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    demo.launch(**launch_options(studio))
