"""Gradio's page: its head, its scripts and its style sheets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import gradio as gr

_FOLDER = Path(gr.__file__).parent / "templates" / "frontend" / "assets"
_ENTRY = re.compile(r'src="\./assets/(index-[\w-]+\.js)"')
_NAMES = re.compile(r"m\.f=(\[[^\]]*\])")
_IMPORT = re.compile(r"import\(`\./([\w-]+)\.js`\)[^`]{0,80}?__vite__mapDeps\(\[([\d,]*)\]\)")
_KIND = re.compile(r"[{,](\w+):\{([^{}]*)\}")


def put_first(head: bytes, page: bytes) -> bytes:
    """The page with this at the beginning of its head.

    Why: Gradio's page adds `launch(head=…)` by script, after it has asked for storage and loaded its own scripts.
    Relies on: "<head>" in its template, directly before it names its character set.
    Delete when: `head` is in the page as it is sent.
    """
    before, charset, after = page.partition(b'<meta charset="utf-8" />')
    return before + charset + head + after if charset else page


def page_files(kinds: Iterable[str]) -> list[str]:
    """The files in Gradio's folder "assets" that a page with components of these kinds loads, in the order of need.

    Why: Gradio's page learns their names in five steps, each from the file of the step before. Buys: a third of the
    time to the first event's answer at 1.5 Mbit/s and 150 ms.
    Relies on: the names that its bundler, Vite, writes beside every import. A file that is not found here is loaded as
    Gradio does it, and one too many costs its bytes only.
    Delete when: Gradio's page names its files itself (`<link rel="modulepreload">`).
    """
    entry = _ENTRY.search((_FOLDER.parent / "index.html").read_text("utf-8"))
    if entry is None:
        return []
    found = [entry[1]]
    for script, chunk in ((entry[1], "Index"), (entry[1], "core"), ("", "Blocks")):
        found += _needed(script or next((name for name in found if name.startswith("Index-")), ""), chunk)
    registry = next((name for name in found if name.startswith("core-") and name.endswith(".js")), "")
    wanted = set(kinds)
    for kind, parts in _KIND.findall(_text(registry)):
        if kind in wanted:
            found += _listed(_text(registry), parts[parts.find("component:") :])
    return list(dict.fromkeys(found))


def _needed(script: str, chunk: str) -> list[str]:
    """What a script loads together with one of those that it imports when they are needed."""
    text = _text(script)
    for found in _IMPORT.finditer(text):
        if found[1].startswith(f"{chunk}-"):
            return _listed(text, found[0])
    return []


def _listed(text: str, source: str) -> list[str]:
    """The files that belong to the first import in a part of a script."""
    names, found = _NAMES.search(text), _IMPORT.search(source)
    if names is None or found is None:
        return []
    files = json.loads(names[1])
    return [files[int(number)].removeprefix("./") for number in found[2].split(",") if number]


@lru_cache(maxsize=8)
def _text(script: str) -> str:
    path = _FOLDER / script
    return path.read_text("utf-8") if script and path.is_file() else ""
