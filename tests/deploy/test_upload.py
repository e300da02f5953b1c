"""The README's way onto a Space: one command, which uploads what the app needs and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.space import ROOT, command, held, uploaded

NEEDED = ("app.py", "requirements.txt", "README.md", "LICENSE", "vton_ui/", "assets/")
PRIVATE = [
    ".env",
    ".git/config",
    ".venv/lib/python3.12/site-packages/gradio/__init__.py",
    "venv/bin/python",
    "data/ledger.sqlite3",
    "data/results/0a1b/picture.jpg",
    "data/secret",
    "data/uploads/0a1b/me.jpg",
    "tests/fake_fal/server.py",
    "vton_ui/__pycache__/settings.cpython-312.pyc",
    "vton_ui/ui/components/slots.pyi",
]
"""What may lie in the folder of an owner, whether or not it does in this one."""


def test_what_is_uploaded() -> None:
    """Of what the folder holds: the app, its examples, the README and the licence, and nothing that was generated."""
    files = set(held())
    generated = (".pyc", ".pyi")
    assert uploaded(files) == {name for name in files if name.startswith(NEEDED) and not name.endswith(generated)}


@pytest.mark.parametrize("name", PRIVATE)
def test_what_stays_home(name: str) -> None:
    """Keys, photos, results, the environment and the tests."""
    assert uploaded({name}) == set()


@pytest.mark.slow
def test_the_command_is_understood() -> None:
    """Hugging Face's own command line takes it, and stops only because it may not go online."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_ENDPOINT": "http://127.0.0.1:9", "HF_TOKEN": "none"}
    _, *arguments = command()
    hf = [str(Path(sys.executable).parent / "hf"), *arguments]
    ran = subprocess.run(hf, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ran.returncode == 1
    assert "offline" in ran.stderr.lower()
