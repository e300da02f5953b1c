"""A Space's builder and its first visitor: a fresh environment, the files that are uploaded, a user without rights.

Each takes about a minute, most of it pip's: `pytest -m space` runs them all, CI one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml
from PIL import Image

from tests.browser import in_ci
from tests.client import Client
from tests.conftest import free_port, until
from tests.deploy.space import README, ROOT, held, uploaded

pytestmark = [pytest.mark.space, pytest.mark.slow, pytest.mark.timeout(1200)]

FRONT = yaml.safe_load(README.split("---\n")[1])
GRADIO = [f"gradio[oauth,mcp]=={FRONT['sdk_version']}"]
OURS = ["-r", "requirements.txt"]
VERSIONS = {"front_matter": FRONT["python_version"], "oldest": "3.10"}
ORDERS = {"gradio_first": (GRADIO, OURS), "requirements_first": (OURS, GRADIO)}
HOST = "me-try-on-studio.hf.space"
USER = 1000
"""The user on a Space."""


def python(version: str) -> Path:
    """An interpreter of this version, the system's or pyenv's; without one CI takes its own, and others skip."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    system = shutil.which(f"python{version}")
    for found in (*([Path(system)] if system else []), *pyenv.glob(f"versions/{version}.*/bin/python")):
        told = subprocess.run(
            [found, "-c", "import sys, ensurepip; print(sys.version)"], capture_output=True, text=True
        )
        if told.stdout.startswith(f"{version}."):
            return found.resolve()
    if in_ci():
        return Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}").resolve()
    pytest.skip(f"there is no Python {version} here")


def unprivileged(interpreter: Path) -> list[str]:
    """What starts a command without root's rights. An interpreter below root's home may still be read."""
    if os.geteuid() != 0:
        return []
    command = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
    if all(folder.stat().st_mode & 0o001 for folder in interpreter.parents):
        return command
    return [*command, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]


@pytest.fixture
def home() -> Iterator[Path]:
    """The user's home; pytest's own folders are closed to others."""
    with tempfile.TemporaryDirectory(prefix="vton-space-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def app(home: Path) -> Path:
    """What the README's command uploads, as the user's own."""
    app = home / "app"
    for name in uploaded(held()):
        (app / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, app / name)
    if os.geteuid() == 0:
        for folder, _, files in os.walk(app):
            for path in (folder, *(os.path.join(folder, name) for name in files)):
                os.chown(path, USER, USER)
    return app


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("version", VERSIONS)
def test_space(version: str, order: str, home: Path, app: Path) -> None:
    """It is built, it starts, its page is served by the app itself, and a visitor gets a draft."""
    interpreter = python(VERSIONS[version])
    subprocess.run([interpreter, "-m", "venv", home / "env"], check=True)
    built = home / "env" / "bin" / "python"
    for wanted in ORDERS[order]:
        subprocess.run([built, "-m", "pip", "install", "--quiet", *wanted], cwd=app, check=True)
    subprocess.run([built, "-m", "pip", "check"], check=True)
    port = free_port()
    environment = {
        "PATH": f"{built.parent}:{os.environ['PATH']}",
        "HOME": str(app),
        "SYSTEM": "spaces",
        "SPACE_ID": "me/try-on-studio",
        "SPACE_HOST": HOST,
        "GRADIO_SERVER_NAME": "0.0.0.0",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_ANALYTICS_ENABLED": "False",
    }
    with (home / "log.txt").open("wb") as log:
        command = [*unprivileged(interpreter), str(built), "app.py"]
        process = subprocess.Popen(command, cwd=app, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        visit(f"http://127.0.0.1:{port}/", process, home / "log.txt")
    finally:
        process.kill()
        process.wait()


def visit(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """The first page, and one draft."""
    headers = {"host": HOST, "x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.7"}

    def answered() -> bool:
        try:
            return process.poll() is not None or httpx.get(url, headers=headers).is_success
        except httpx.TransportError:
            return False

    until(answered, 120)
    assert process.poll() is None, log.read_text()
    first = httpx.get(url, headers=headers)
    assert "Try-on studio" in first.text
    assert first.headers["x-content-type-options"] == "nosniff"
    assert "Partitioned" in first.headers["set-cookie"]
    client = Client(url, headers=headers)
    person, garment = (
        client.upload((ROOT / "assets" / name).read_bytes()) for name in ("people/ada.jpg", "garments/tee.jpg")
    )
    picture, facts = client.call("try_on", person=person, garments=[garment])
    assert facts["sandbox"] is True
    assert picture["url"].startswith(f"https://{HOST}/")
    with Image.open(client.http.get(f"gradio_api/file={picture['path']}")) as draft:
        draft.load()
    assert "PermissionError" not in log.read_text()
