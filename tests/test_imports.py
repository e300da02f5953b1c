"""Which folder may import which."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = [ROOT / "app.py", *sorted((ROOT / "vton_ui").rglob("*.py"))]
TOP = "top"
"""The modules at the top of the package: settings, errors, the studio and what it is made of."""

FOLDERS: dict[str, set[str]] = {
    "models": {TOP},
    "pictures": {TOP, "models"},
    "money": {TOP, "models"},
    "tryon": {TOP, "models", "pictures", "money"},
    "backends/fal": {TOP, "models", "money", "tryon"},
    "backends/sandbox": {TOP, "models", "money", "tryon", "pictures"},
    "ui": {TOP, "models", "pictures", "money", "tryon"},
    TOP: {"models", "money", "tryon"},
    "app": {TOP, "models", "money", "tryon", "backends/fal", "backends/sandbox", "ui"},
}
"""Each folder, and the others that it may import."""

LIBRARIES: dict[str, set[str]] = {
    "gradio": {"ui", "app"},
    "fal_client": {"backends/fal"},
    "httpx": {"backends/fal"},
}
"""Libraries that only these folders may import."""

ONLY_FOR: dict[str, set[str]] = {
    "vton_ui.studio": {"ui", "app"},
    "vton_ui.settings": {"app", "money"},
}
"""Top modules that only these folders may import: what happens to a try-on is independent of the server."""


def imports(path: Path) -> Iterator[str]:
    """The modules that a file imports, anywhere in it, by their whole names."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*above, *([node.module] if node.module else [])))
            # "from vton_ui.money import pricing" imports a module, "from vton_ui.money.pricing import money" does not.
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                yield whole if _is_module(whole) else base


def _is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or path.is_dir()


def folder_of(module: str) -> str:
    """The folder of one of our modules."""
    parts = module.split(".")[1:]
    depth = 2 if parts and parts[0] == "backends" else 1
    name = "/".join(parts[:depth])
    return "app" if module == "app" else name if name in FOLDERS else TOP


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports(path: Path) -> None:
    """A file imports only what its folder may."""
    here = folder_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
    for module in imports(path):
        if module.split(".")[0] == "vton_ui":
            assert folder_of(module) in FOLDERS[here] | {here}, module
            assert here == TOP or here in ONLY_FOR.get(module, {*FOLDERS}), module
        library = module.split(".")[0]
        assert here in LIBRARIES.get(library, {*FOLDERS}), module


def test_every_folder_is_in_the_table() -> None:
    """Every folder has a rule, and every rule a folder."""
    folders = {path.parent.relative_to(ROOT / "vton_ui").as_posix() for path in FILES[1:]}
    assert {name for name in FOLDERS if name not in (TOP, "app")} <= folders
    assert {name.split("/")[0] for name in folders} - {"."} == {name.split("/")[0] for name in FOLDERS} - {TOP, "app"}


def test_imports_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All imports are read: relative ones too, and those inside functions."""
    path = ROOT / "vton_ui" / "ui" / "page.py"
    text = "import a.b\nfrom c import d\nfrom vton_ui import models\nfrom ..money import pricing\n"
    text += "from ..tryon.job import Job\ndef f():\n    from vton_ui.backends.fal.backend import FalBackend\n"
    monkeypatch.setattr(Path, "read_text", lambda *_: text)
    ours = {"vton_ui.models", "vton_ui.money.pricing", "vton_ui.tryon.job", "vton_ui.backends.fal.backend"}
    assert set(imports(path)) == {"a.b", "c", *ours}
