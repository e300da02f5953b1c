"""The addresses of Gradio's web app that this app restricts, or writes into its answers.

Why: middleware sees a request before Gradio's router does. Gradio promises none of these addresses.
Delete when: Gradio can turn routes off, and limits bodies by itself.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

UPLOAD, MCP, CANCEL = "/gradio_api/upload", "/gradio_api/mcp", "/gradio_api/cancel"

CLOSED = re.compile(r"/(?:proxy=|process_recording|component_server|deep_link|custom_component/|dev/reload)")
"""Routes without a use here: a proxy, a video converter, state written to disk, a poll twenty times a second."""
UNCHECKED = re.compile(r"/gradio_api/(?:call/v2/|upload)")
"""Routes on which Gradio raises TypeError or KeyError where arguments or files are wrong."""

PAGE = "/"
DESCRIPTIONS = frozenset((PAGE, "/config", "/gradio_api/info"))
"""The page and what describes it: long answers whose addresses have no file extension."""
HASHED = re.compile(r"/assets/[^/]+-[A-Za-z0-9_-]{8}\d?\.(?:js|css|woff2?|svg|png)")
"""Files of Gradio's page with a hash of their content in their name."""

_FILE = re.compile(r".*/file[=/](?P<path>.*)", re.DOTALL)


def file_path(route: str) -> str | None:
    """The path of the file that a request asks for; None if it asks for no file."""
    found = _FILE.fullmatch(route)
    return found["path"] if found else None


def path_in(address: str) -> Path:
    """The path in the address of one of this server's files, "." if it is another address."""
    return Path(unquote(urlsplit(address).path.partition("/file=")[2]))


def file_address(root: str, path: str) -> str:
    """The address of a file under the app's public address."""
    return f"{root}/gradio_api/file={quote(path)}"
