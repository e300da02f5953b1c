"""What a kept look changed: compared once, kept beside the picture, gone with it."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from vton_ui.errors import PhotoError
from vton_ui.pictures.changes import marked_changes
from vton_ui.tryon import changed
from vton_ui.tryon.changed import change_of, compare_and_keep, kept_change
from vton_ui.tryon.results import delete_expired

HOUR = 3600


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.new("RGB", (300, 400), (200, 190, 180)).save(path)
    return path


@pytest.fixture
def look(tmp_path: Path) -> Path:
    """A kept picture that differs from the photo in its corner, which is outside the body."""
    picture = Image.new("RGB", (300, 400), (200, 190, 180))
    ImageDraw.Draw(picture).rectangle((0, 0, 60, 60), fill=(20, 20, 120))
    path = tmp_path / "store" / "unguessable" / "try-on-cat-vton-7.png"
    path.parent.mkdir(parents=True)
    picture.save(path)
    return path


def test_change(photo: Path, look: Path) -> None:
    """The share and the overlay are known afterwards without the photo, and without comparing again."""
    assert kept_change(look) is None
    found = asyncio.run(change_of(photo, look))
    assert found.share_outside == pytest.approx(60 * 60 / (300 * 400 * 0.6), rel=0.3)
    with Image.open(found.overlay) as overlay:
        assert overlay.size == (300, 400)
    photo.unlink()
    assert kept_change(look) == asyncio.run(change_of(photo, look))
    assert sorted(look.parent.iterdir()) == sorted([look, found.overlay])


async def test_compared_once(photo: Path, look: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several who ask at the same time wait for one comparison."""
    begun: list[Path] = []
    real = changed._compare

    async def compare(photo: Path, result: Path) -> changed.Changed:
        begun.append(result)
        return await real(photo, result)

    monkeypatch.setattr(changed, "_compare", compare)
    found = await asyncio.gather(*(change_of(photo, look) for _ in range(5)))
    assert begun == [look]
    assert len({each.share_outside for each in found}) == 1


def test_lives_as_long_as_the_look(photo: Path, look: Path) -> None:
    """To compare a look does not make it younger, and what was found is deleted with it."""
    old = time.time() - 2 * HOUR
    os.utime(look.parent, (old, old))
    compare_and_keep(photo, look)
    assert look.parent.stat().st_mtime == pytest.approx(old, abs=1)
    delete_expired(look.parents[1], hours=1)
    assert not look.parent.exists()


def test_deleted_meanwhile(photo: Path, look: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a look that is deleted while it is compared nothing stays."""

    def compare(photo: Path, look: Path) -> tuple[float, bytes]:
        found = marked_changes(photo, look)
        look.unlink()
        return found

    monkeypatch.setattr(changed, "marked_changes", compare)
    with pytest.raises(PhotoError, match="no longer there"):
        compare_and_keep(photo, look)
    assert not look.parent.exists()


async def test_photo_that_is_gone(look: Path, tmp_path: Path) -> None:
    """Without the photo there is nothing to compare with, and nothing is kept."""
    with pytest.raises(PhotoError):
        await change_of(tmp_path / "gone.jpg", look)
    assert list(look.parent.iterdir()) == [look]
