"""Delays of the app as short as a test can wait."""

from __future__ import annotations

import fal_client.client
import pytest

from vton_ui.backends.fal import answers, follow, stream


def use_fast_timings(patch: pytest.MonkeyPatch, seconds: float = 0.02, slow: float = 0.05) -> None:
    """Until `patch` is undone, every retry, poll and tick comes after so many seconds."""
    patch.setattr(answers, "RETRY_SECONDS", seconds)
    patch.setattr(follow, "POLL_SECONDS", (seconds, slow))
    patch.setattr(stream, "TICK", seconds)
    patch.setattr(fal_client.client, "_get_retry_delay", lambda *_, **__: 0.01)
