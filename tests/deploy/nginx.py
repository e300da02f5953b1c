"""The README's nginx, run as it stands but for its ports and its certificate."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.conftest import free_port, until

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("### Behind nginx\n")[2].partition("\n##")[0]
CONFIG = re.findall(r"^```nginx\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)
COMMAND = re.findall(r"^```sh\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)
NAME = "studio.example.com"
# nginx keeps these below /var otherwise, where only root may write. As root its workers would be somebody else.
TEMPORARY = "".join(f"{kind}_temp_path {kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))


@dataclass(frozen=True, kw_only=True)
class Nginx:
    """A running nginx."""

    port: int
    certificate: Path

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/studio/"


def missing() -> str | None:
    """The program that these tests need and this machine lacks."""
    return next((name for name in ("nginx", "openssl") if find(name) is None), None)


def find(name: str) -> str | None:
    """A program; Debian keeps nginx where only root looks."""
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")


def settings() -> tuple[dict[str, str], list[int]]:
    """The settings and the ports of the replicas in the README's command."""
    (command,) = COMMAND
    found = re.findall(r"\b([A-Z_]+)=(\S+)", command)
    ports = [int(value) for name, value in found if name == "GRADIO_SERVER_PORT"]
    return {name: value for name, value in found if name != "GRADIO_SERVER_PORT"}, ports


def written(folder: Path, ports: Sequence[int], port: int) -> str:
    """The README's configuration with these ports and this folder's certificate."""
    (config,) = CONFIG
    replacements = {"listen 443 ssl": f"listen 127.0.0.1:{port} ssl", "/etc/ssl/studio.": f"{folder}/studio."}
    replacements |= {f"127.0.0.1:{old};": f"127.0.0.1:{new};" for old, new in zip(settings()[1], ports, strict=True)}
    for old, new in replacements.items():
        assert old in config, f"{old} is not in the README's nginx"
        config = config.replace(old, new)
    return config


@contextmanager
def nginx(folder: Path, ports: Sequence[int]) -> Iterator[Nginx]:
    """An nginx in front of the replicas on these ports."""
    made = Nginx(port=free_port(), certificate=certificate(folder))
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"daemon off; pid nginx.pid; error_log stderr; {user} events {{}}\n"
        f"http {{ access_log off; {TEMPORARY}\n{written(folder, ports, made.port)}}}\n"
    )
    with (folder / "nginx.log").open("wb") as log:
        program = find("nginx")
        assert program
        process = subprocess.Popen([program, "-p", str(folder), "-c", "nginx.conf"], stderr=log)
    try:
        until(lambda: process.poll() is not None or _answers(made))
        assert process.poll() is None, (folder / "nginx.log").read_text()
        yield made
    finally:
        process.terminate()
        process.wait()


def certificate(folder: Path) -> Path:
    """A certificate of our own for localhost, and its key."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=localhost", "-addext", f"subjectAltName=DNS:localhost,DNS:{NAME}"]
    command += ["-keyout", str(folder / "studio.key"), "-out", str(folder / "studio.pem")]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "studio.pem"


def _answers(server: Nginx) -> bool:
    with closing(httpx.Client(verify=False)) as client:
        try:
            return bool(client.get(server.url).status_code)
        except httpx.TransportError:
            return False
