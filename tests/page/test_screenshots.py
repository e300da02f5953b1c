"""The README's pictures can be taken of the page as it is, and show what they should."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser

from tests.screenshots import ASSETS, shoot_all


@pytest.mark.slow
def test_the_readmes_pictures(browser: Browser, free_url: str, tmp_path: Path) -> None:
    """`python -m tests.screenshots` takes all of them, as large as those in the README, and none is blank."""
    shoot_all(browser, free_url, tmp_path)
    readme = (ASSETS.parent / "README.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"(?:\]\(|src=\")assets/([^)\"]+)", readme))
    assert shown == {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    for name in sorted(shown):
        with Image.open(ASSETS / name) as old, Image.open(tmp_path / name) as new:
            assert new.size == old.size, f"{name} is out of date: run `python -m tests.screenshots`"
            assert len(set(new.convert("RGB").resize((64, 64)).getdata())) > 200, f"{name} is blank"
