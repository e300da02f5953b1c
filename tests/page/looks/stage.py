"""A page with nothing on it but the looks: it shows what a test says, and keeps what is clicked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gradio as gr
from PIL import Image

from tests.conftest import free_port, poll_less
from vton_ui.ui.components import looks
from vton_ui.ui.components.actions import Action, read_action
from vton_ui.ui.components.tiles import Tile, station_value, strip_value
from vton_ui.ui.web.theme import palette_css, theme

PEOPLE = Path(__file__).parents[3] / "assets" / "people"
CSS = """
.gradio-container { background: var(--paper); }
.gradio-container .main { max-width: 1312px; margin: 0 auto; padding: 24px 16px !important; }
.block { border: 0; background: none; overflow: visible !important; }
#station { width: min(368px, 100%); }
"""


def address(path: Path) -> str:
    """Where the page finds a file."""
    return f"/gradio_api/file={quote(str(path))}"


def person(name: str) -> str:
    """An example person's address."""
    return address(PEOPLE / f"{name}.jpg")


def _values(station: Sequence[Tile], strip: Sequence[Tile]) -> list[Any]:
    return [station_value(station), strip_value(strip)]


class Stage:
    """What the page shows, and what came back from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.actions: list[Action | None] = []
        self.sent: list[Any] = []
        self._values = _values([], [])
        self._version = 0

    def clear(self) -> None:
        """Nothing is shown, nothing was clicked."""
        self.actions.clear()
        self.sent.clear()
        self._set(*_values([], []))

    def show(self, tiles: Sequence[Tile], *, rest: str = "") -> None:
        """Tiles in the station."""
        self._set(station_value(tiles, rest=rest), self._values[1])

    def keep(self, tiles: Sequence[Tile], *, file: str | None = None) -> None:
        """Tiles in the strip."""
        self._set(self._values[0], strip_value(tiles, file=file))

    def picture(self, name: str, image: Image.Image, **options: Any) -> str:
        """The address of a picture of the test's own."""
        image.save(self.folder / name, **options)
        return address(self.folder / name)

    def page(self) -> gr.Blocks:
        """The page."""
        demo: gr.Blocks
        with gr.Blocks(title="Looks") as demo:
            components = [looks.station(elem_id="station"), looks.strip(elem_id="strip")]
            for component in components:
                for event in (component.action, component.run):
                    event(self._clicked, queue=False, show_progress="hidden", trigger_mode="multiple")
            demo.load(self._stream, None, components, show_progress="hidden", concurrency_limit=None)
        return demo

    def _set(self, *values: Any) -> None:
        self._values = list(values)
        self._version += 1

    async def _stream(self) -> AsyncIterator[list[Any]]:
        """Every value, to a page that is open."""
        seen = -1
        while True:
            if self._version != seen:
                seen = self._version
                yield self._values
            await asyncio.sleep(0.03)

    def _clicked(self, event: gr.EventData) -> None:
        self.sent.append(event._data)
        self.actions.append(read_action(event))


@contextmanager
def staged(folder: Path) -> Iterator[tuple[Stage, str]]:
    """The page on a port of its own: what it shows, and its address.

    Args:
        folder: for pictures of the tests' own.
    """
    stage = Stage(folder)
    demo = stage.page()
    poll_less(demo)
    _, url, _ = demo.launch(
        prevent_thread_lock=True,
        quiet=True,
        server_name="127.0.0.1",
        server_port=free_port(),
        theme=theme(),
        css=palette_css() + CSS,
        allowed_paths=[str(PEOPLE), str(folder)],
        run_history=False,
    )
    try:
        yield stage, url
    finally:
        demo.close(verbose=False)
