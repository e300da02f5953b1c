"""The README's command that uploads a Space, and which files it uploads."""

from __future__ import annotations

import argparse
import os
import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from huggingface_hub.utils import DEFAULT_IGNORE_PATTERNS, filter_repo_objects

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMAND = re.compile(r"^hf upload (?:\\\n|.)*", re.MULTILINE)


def command() -> list[str]:
    """The README's command."""
    (found,) = COMMAND.findall(README)
    return shlex.split(found.replace("\\\n", " "))


def excluded() -> list[str]:
    """The patterns that it excludes; it has no others."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("folder", choices=["."])
    parser.add_argument("--repo-type", choices=["space"], required=True)
    parser.add_argument("--exclude", action="append", default=[])
    return list(parser.parse_args(command()[2:]).exclude)


def uploaded(files: Iterable[str]) -> set[str]:
    """Those of these files that it uploads."""
    return set(filter_repo_objects(files, ignore_patterns=[*excluded(), *DEFAULT_IGNORE_PATTERNS]))


def held() -> Iterator[str]:
    """Every file in this folder but git's."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name != ".git"]
        yield from (Path(folder, name).relative_to(ROOT).as_posix() for name in files)
