"""Requests to fal cost little processor time."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec

import pytest

from tests.conftest import photo_bytes
from tests.fake_fal.server import FakeFal
from tests.fal_helpers import followed, ordered
from vton_ui.backends.fal.backend import FalBackend


class _Searches:
    """Counts the modules that Python searches the disk for."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        self.names.append(name)
        return None


async def test_no_search_for_missing_modules(
    fal: FakeFal, backend: FalBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python does not search the disk for a module that is not installed, again and again."""
    await followed(backend, await ordered(backend))
    searches = _Searches()
    monkeypatch.setattr(sys, "meta_path", [searches, *sys.meta_path])
    await backend.upload(photo_bytes(300, 300), role="person")
    await followed(backend, await ordered(backend))
    assert searches.names == []
