"""A network between a browser and a server that can go down: Chromium's own "offline" leaves open streams alone."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from playwright.sync_api import Page


@contextmanager
def slow_line(page: Page, milliseconds: int = 150) -> Iterator[None]:
    """In here every answer comes so much later: what happens on the page meets what is still on its way."""
    session = page.context.new_cdp_session(page)
    line = {"offline": False, "downloadThroughput": -1, "uploadThroughput": -1, "latency": milliseconds}
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", line)
    try:
        yield
    finally:
        session.detach()  # the line is as quick as before


class Network:
    """Passes connections on to a server.

    Args:
        url: The server's address.
    """

    def __init__(self, url: str) -> None:
        self._target = ("127.0.0.1", urlsplit(url).port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End every connection that is open."""
        while self._open:
            with suppress(OSError):
                self._open.pop().shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Accept no more."""
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._target)
                self._open += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=_pass_on, args=(source, sink), daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def network_to(url: str) -> Iterator[Network]:
    """A network to a server."""
    network = Network(url)
    try:
        yield network
    finally:
        network.close()
