"""The documents, the Space's front matter and the requirements agree with the code and with each other."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests import options

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
NAMES = ("README.md", "vton_ui/ui/API.md", "tests/bench/README.md", ".github/CONTRIBUTING.md", ".github/CHANGELOG.md")
DOCUMENTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in NAMES}
FRONT = yaml.safe_load(README.split("---\n")[1])
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
KEYS = {
    "title", "emoji", "colorFrom", "colorTo", "sdk", "sdk_version", "python_version", "app_file", "short_description",
    "tags", "models", "license", "thumbnail", "pinned", "preload_from_hub", "startup_duration_timeout",
}  # fmt: skip


def test_front_matter_is_what_spaces_reads() -> None:
    """Only known keys, allowed colours, a short enough description, and an app that exists."""
    assert README.startswith("---\n")
    assert set(FRONT) <= KEYS
    assert {FRONT["colorFrom"], FRONT["colorTo"]} <= COLOURS
    assert len(FRONT["short_description"]) <= 60
    assert FRONT["sdk"] == "gradio"
    assert (ROOT / FRONT["app_file"]).is_file()
    assert isinstance(FRONT["python_version"], str)


def test_one_version_of_gradio() -> None:
    """The Space runs the very version that is pinned and tested."""
    pinned = re.search(r"^gradio\[mcp\]==(.+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert pinned
    assert FRONT["sdk_version"] == pinned[1]


def test_options_in_the_documents_are_the_registrys() -> None:
    """`python -m tests.options` would change nothing."""
    text = options.FILE.read_text(encoding="utf-8")
    assert options.table() in text
    assert options.written(text) == text


def test_the_readme_is_short() -> None:
    """Everybody reads it: details are in the documents that it links to."""
    assert len(README.splitlines()) <= 180


LINKS = sorted({(name, link) for name in NAMES for link in re.findall(r"(?:\]\(|src=\")([^)\"]+)", DOCUMENTS[name])})


@pytest.mark.parametrize(("name", "link"), [pair for pair in LINKS if not re.match(r"\w+:", pair[1])])
def test_links_to_files_and_headings_lead_somewhere(name: str, link: str) -> None:
    """Every local link and picture exists, and the heading by the name that GitHub gives it."""
    file, _, heading = link.partition("#")
    target = (ROOT / name).parent / file if file else ROOT / name
    assert target.is_file()
    if heading:
        headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
        assert heading in {re.sub(r"[^\w\- ]", "", found.lower()).replace(" ", "-") for found in headings}


@pytest.mark.parametrize("link", sorted({link for _, link in LINKS if re.match(r"\w+:", link)}))
def test_links_to_the_web_are_whole(link: str) -> None:
    """Web addresses have a host and use https; none is fetched."""
    assert re.fullmatch(r"https://[\w-]+(\.[\w-]+)+(/[\w./-]*)?(#[\w-]+)?", link)


def test_there_are_links() -> None:
    """Each document but the changelog has some, so that the tests above test something, and the README leads to all."""
    assert {name for name, _ in LINKS} >= {*NAMES} - {".github/CHANGELOG.md"}
    assert {link.partition("#")[0] for name, link in LINKS if name == "README.md"} >= {*NAMES} - {"README.md"}


def test_settings_are_documented() -> None:
    """Every variable that the settings read is in .env.example, under a comment; the README names no others."""
    source = (ROOT / "vton_ui" / "settings.py").read_text(encoding="utf-8")
    known = set(re.findall(r"\b(?:VTON|FAL)_[A-Z_]+\b", source.partition("def load")[2]))
    example = set(re.findall(r"^#.*\n([A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
    several = {"VTON_VISITOR_BUDGET_USD", "VTON_VISITOR_RATE"}  # they share a comment with the setting above them
    assert example | several == known
    assert set(re.findall(r"\b(?:VTON|FAL)_[A-Z_]+\b", README)) <= known


def test_ci_runs_the_readmes_test_command() -> None:
    """CI takes the command out of the README: one line, and it ends in pytest."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (extract,) = re.findall(r"^command=\$\((.+)\)$", script, re.MULTILINE)
    command = subprocess.run(["bash", "-c", extract], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert command.startswith("pip install -r tests/requirements.txt && ")
    assert command.strip().endswith("&& pytest")
    assert command.count("\n") == 1
