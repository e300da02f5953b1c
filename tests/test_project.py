"""The README, the Space's front matter and the requirements agree with the code."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.readme import written

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
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


def test_options_in_the_readme_are_the_registrys() -> None:
    """`python -m tests.readme` would change nothing."""
    assert written(README) == README


LINKS = sorted(set(re.findall(r"(?:\]\(|src=\")([^)\"]+)", README)))


@pytest.mark.parametrize("link", [link for link in LINKS if not re.match(r"\w+:|#", link)])
def test_links_to_files_lead_somewhere(link: str) -> None:
    """Every local link and picture in the README exists."""
    assert (ROOT / link.partition("#")[0]).is_file()


@pytest.mark.parametrize("link", [link for link in LINKS if link.startswith("#")])
def test_links_to_headings_lead_somewhere(link: str) -> None:
    """Every link inside the README has its heading, by the name that GitHub gives it."""
    headings = re.findall(r"^#+ (.+)$", README, re.MULTILINE)
    assert link[1:] in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("link", [link for link in LINKS if re.match(r"\w+:", link)])
def test_links_to_the_web_are_whole(link: str) -> None:
    """Web addresses have a host and use https; none is fetched."""
    assert re.fullmatch(r"https://[\w-]+(\.[\w-]+)+(/[\w./-]*)?(#[\w-]+)?", link)


def test_there_are_links() -> None:
    """The README has links, so that the tests above test something."""
    assert len(LINKS) > 5


def test_settings_are_documented() -> None:
    """Every variable that the settings read is in the README and in .env.example."""
    source = (ROOT / "vton_ui" / "settings.py").read_text(encoding="utf-8")
    names = set(re.findall(r"known\.get\(\"(\w+)\"", source))
    assert names
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert {name for name in names if f"`{name}`" not in README} == set()
    assert {name for name in names if f"{name}=" not in example} == set()


def test_ci_runs_the_readmes_test_command() -> None:
    """CI takes the command out of the README: one line, and it ends in pytest."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (extract,) = re.findall(r"^command=\$\((.+)\)$", script, re.MULTILINE)
    command = subprocess.run(["bash", "-c", extract], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert command.startswith("pip install -r tests/requirements.txt && ")
    assert command.strip().endswith("&& pytest")
    assert command.count("\n") == 1
