"""Who may import whom."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in (ROOT / "app.py", *sorted((ROOT / "vton_ui").rglob("*.py")))
}

CORE: dict[str, set[str]] = {
    "": set(),
    "admission": set(),
    "errors": set(),
    "spec": set(),
    "settings": set(),
    "pool": set(),
    "draft.ground": set(),
    "draft.outline": {"draft.ground"},
    "draft.figure": {"draft.ground", "draft.outline"},
    "draft.garment": {"draft.ground", "draft.outline"},
    "draft.warp": {"draft.outline"},
    "draft.tops": {"draft.figure", "draft.garment", "draft.outline", "draft.warp"},
    "draft.bottoms": {"draft.figure", "draft.garment", "draft.outline", "draft.warp"},
    "draft.dressing": {"draft.bottoms", "draft.figure", "draft.garment", "draft.tops", "draft.warp"},
    "draft": {"draft.dressing", "draft.figure", "draft.garment"},
    "models": {"spec"},
    "options": {"errors", "spec"},
    "worker": {"pool"},
    "jpeg": set(),
    "tiff": set(),
    "heif": set(),
    "bounds": {"heif", "jpeg", "tiff"},
    "framing": {"spec"},
    "photos": {"bounds", "errors", "jpeg", "spec"},
    "composite": {"errors", "spec"},
    "pricing": {"spec"},
    "prepare": {"composite", "framing", "photos", "spec"},
    "marks": {"jpeg", "spec"},
    "database": set(),
    "results": {"errors", "framing", "marks", "spec"},
    "fal_errors": {"errors"},
    "job": {"errors", "framing", "pricing", "results", "spec"},
    "request": {"errors", "framing", "job", "options", "photos", "pricing", "spec"},
    "ahead": {"errors", "photos", "pool", "prepare", "request", "spec"},
    "jobs": {"database", "errors", "job"},
    "booking": {"admission", "job", "jobs"},
    "tryon": {"ahead", "booking", "errors", "job", "pool", "prepare", "pricing", "request", "results", "spec"},
    "ledger": {"database", "errors", "pricing", "settings"},
    "purse": {"ledger"},
    "fal_answers": {"errors", "fal_errors", "job"},
    "fal_stream": set(),
    "following": {"errors", "fal_answers", "fal_stream", "job"},
    "lost": {"job"},
    "backend": {"errors", "fal_answers", "following", "job", "lost", "pricing", "spec"},
    "sandbox": {"draft", "errors", "job", "photos", "pool", "pricing", "spec"},
    "seen": set(),
    "quota": {"errors"},
    "disk": {"errors"},
    "studio": {"admission", "booking", "job", "jobs", "quota", "seen", "spec"},
    "lookup": {"booking", "errors", "job", "results", "spec", "studio", "tryon"},
    "reconcile": {"booking", "errors", "job", "studio"},
}
"""What each module of the core imports of the others, no more and no less; the page may import all but `HANDED`."""

FAL = {"backend", "following", "fal_stream", "fal_answers"}
"""What knows HTTP; of these only the backend knows fal's client."""

HANDED = {*FAL, "models", "sandbox", "draft", "fal_errors", "settings", "ledger", "purse", "database", "lost"}
"""What the page is handed by app.py, or must not know of."""


def imports(path: Path) -> Iterator[str]:
    """The modules that a file imports, anywhere in it, by their whole names."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*above, *([node.module] if node.module else [])))
            # "from vton_ui import pricing" imports a module, "from vton_ui.pricing import money" does not.
            submodules = [f"{base}.{alias.name}" for alias in node.names if f"{base}.{alias.name}" in SOURCES]
            yield from submodules or [base]


def ours(path: Path) -> set[str]:
    return {name.removeprefix("vton_ui").lstrip(".") for name in imports(path) if name.split(".")[0] == "vton_ui"}


def foreign(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)} - {"vton_ui"}


def is_page(module: str) -> bool:
    return module.startswith("vton_ui.ui")


every_module = pytest.mark.parametrize("module", SOURCES)


@every_module
def test_foreign(module: str) -> None:
    """Only the page and app.py know gradio; only the backend knows fal's client, and few know HTTP."""
    names = foreign(SOURCES[module])
    if not is_page(module) and module != "app":
        assert names.isdisjoint({"gradio", "gradio_client"})
    if module != "vton_ui.backends.fal.backend":
        assert "fal_client" not in names
    if module.removeprefix("vton_ui.") not in FAL:
        assert names.isdisjoint({"httpx", "httpx_sse", "requests", "aiohttp", "urllib3"})


@every_module
def test_ours(module: str) -> None:
    """Every module imports of the others what its place in the house says, and the page nothing it is handed."""
    names = ours(SOURCES[module])
    if is_page(module):
        assert {name.split(".")[0] for name in names}.isdisjoint(HANDED)
    elif module != "app":
        assert names == CORE[module.removeprefix("vton_ui").lstrip(".")]


def test_whole_house() -> None:
    """Every module of the core has its place, and every place its module."""
    core = {module.removeprefix("vton_ui").lstrip(".") for module in SOURCES if not is_page(module) and module != "app"}
    assert core == CORE.keys()


def test_no_circles() -> None:
    """The places allow no circle, whatever is imported today."""
    order: list[str] = []
    while len(order) < len(CORE):
        free = [name for name, needs in CORE.items() if name not in order and needs <= set(order)]
        assert free
        order += free


def test_imports_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reading of imports misses none: not relative ones, not those inside functions."""
    path = ROOT / "vton_ui" / "ui" / "page.py"
    text = "import a.b\nfrom c import d\nfrom vton_ui import models\nfrom .. import pricing\nfrom ..job import Job\n"
    text += "def f():\n    from vton_ui.backend import FalBackend\n"
    monkeypatch.setattr(Path, "read_text", lambda *_: text)
    expected = {
        "a.b",
        "c",
        "vton_ui.models",
        "vton_ui.money.pricing",
        "vton_ui.tryon.job",
        "vton_ui.backends.fal.backend",
    }
    assert set(imports(path)) == expected
