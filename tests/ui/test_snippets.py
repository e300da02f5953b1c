"""The documents' snippets for scripts and agents, run as they stand, against the app on a fake fal."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import photo_bytes, serving
from tests.fake_fal.server import FakeFal
from vton_ui.settings import Settings

ROOT = Path(__file__).parents[2]
SECTION = (
    (ROOT / "README.md").read_text(encoding="utf-8").partition("## For scripts and agents\n")[2].partition("\n## ")[0]
)
DETAILS = (ROOT / "vton_ui" / "ui" / "API.md").read_text(encoding="utf-8")
SHORTEST, *SNIPPETS = re.findall(r"^```(\w+)\n(.*?)^```$", SECTION + DETAILS, re.MULTILINE | re.DOTALL)
KEY = "somebodys-key-id:somebodys-key-secret"


@pytest.fixture(scope="module")
def npm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where Node finds @gradio/client."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("Node and npm are not installed")
    folder = tmp_path_factory.mktemp("npm")
    command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), "@gradio/client"]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return folder


@pytest.fixture
def studio(fal: FakeFal, tmp_path: Path) -> Iterator[str]:
    """The address of the app, without a key of its own."""
    fal.keys.add(KEY)
    fal.run_seconds = 1.0
    with serving(Settings(data_dir=tmp_path / "data", fal_api_url=fal.api_url)) as url:
        yield url.rstrip("/")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the photos lie that the snippets name."""
    folder = tmp_path / "work"
    folder.mkdir()
    for name in ("me.jpg", "tee.jpg", "trousers.jpg"):
        (folder / name).write_bytes(photo_bytes(600, 800))
    return folder


def command(language: str, snippet: Path, request: pytest.FixtureRequest) -> list[str]:
    """What runs a snippet."""
    if language == "js":
        npm: Path = request.getfixturevalue("npm")
        (snippet.parent / "node_modules").symlink_to(npm / "node_modules")
        return ["node", str(snippet)]
    return [sys.executable if language == "python" else "bash", str(snippet)]


def test_there_are_six() -> None:
    """The README's, then Python for one look and for several, JavaScript, curl and MCP."""
    assert SHORTEST[0] == "python"
    assert [language for language, _ in SNIPPETS] == ["python", "python", "js", "sh", "python"]


def ran(
    language: str, text: str, studio: str, folder: Path, request: pytest.FixtureRequest
) -> subprocess.CompletedProcess[str]:
    """A snippet as it stands, but for the address and the key."""
    snippet = folder / {"python": "snippet.py", "js": "snippet.mjs", "sh": "snippet.sh"}[language]
    assert "http://127.0.0.1:7860" in text
    assert "your-key-id:your-key-secret" in text
    snippet.write_text(
        text.replace("http://127.0.0.1:7860", studio).replace("your-key-id:your-key-secret", KEY), encoding="utf-8"
    )
    run = subprocess.run(
        command(language, snippet, request), cwd=folder, env=os.environ, capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    return run


ONE_LOOK = SNIPPETS[:1] + SNIPPETS[2:]


@pytest.mark.slow
@pytest.mark.parametrize(("language", "text"), ONE_LOOK, ids=["gradio_client", "javascript", "curl", "mcp"])
def test_snippet(
    language: str, text: str, studio: str, folder: Path, fal: FakeFal, request: pytest.FixtureRequest
) -> None:
    """The picture is saved, the key in the snippet paid, and the request id came before the end."""
    run = ran(language, text, studio, folder, request)
    (job,) = fal.jobs.values()
    assert job.key == KEY
    with Image.open(folder / "result.jpg") as picture:
        picture.load()
        assert picture.width / picture.height == pytest.approx(600 / 800, abs=0.01)
    steps, _, result = run.stdout.rpartition("\n{" if language != "sh" else "event: complete")
    assert job.id in steps
    assert job.id in (result or run.stdout)


@pytest.mark.slow
def test_snippet_of_the_readme(studio: str, folder: Path, fal: FakeFal, request: pytest.FixtureRequest) -> None:
    """It prints where the picture is, its request id and what it cost."""
    path, id, cost = ran(*SHORTEST, studio, folder, request).stdout.splitlines()[-1].split()
    (job,) = fal.jobs.values()
    assert (job.key, job.id, cost) == (KEY, id, "0.0475")
    with Image.open(path) as picture:
        picture.load()


@pytest.mark.slow
def test_snippet_of_several(studio: str, folder: Path, fal: FakeFal, request: pytest.FixtureRequest) -> None:
    """The pictures of both models are saved, and what was planned is what is ordered: a sheet, and two steps."""
    fal.run_seconds = 0.05
    run = ran(*SNIPPETS[1], studio, folder, request)
    assert [job.key for job in fal.jobs.values()] == [KEY] * 3
    for model in ("flux-vto", "cat-vton"):
        with Image.open(folder / f"{model}.jpg") as picture:
            picture.load()
    assert "[('flux-vto', 0.0475), ('cat-vton', None)]\n1 of 2 looks\n2 of 2 looks\nflux-vto " in run.stdout
