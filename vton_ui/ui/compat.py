"""Every reach into undocumented Gradio, Starlette and uvicorn."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from fastapi import FastAPI
from gradio_client import utils as client_utils  # type: ignore[import-untyped]
from starlette.types import ASGIApp

_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff%?#]")
_strip = client_utils.strip_invalid_filename_characters


def put_outermost(app: FastAPI, wrap: Callable[[ASGIApp], ASGIApp]) -> None:
    """Put a middleware around all others, while the app starts.

    Gradio 6.31 adds its own CORS middleware around those of `app_kwargs`: it answers preflights, and adds its headers
    to all answers. Delete when Gradio has a setting for origins (its pull request 13562), or adds its own innermost.
    """
    assert app.middleware_stack is not None
    app.middleware_stack = wrap(app.middleware_stack)


def believe_no_forwarded_headers() -> None:
    """Have the address of a connection be the one it comes from.

    Gradio 6.31 gives no way to uvicorn's `proxy_headers`, which believes X-Forwarded-For of whoever calls from this
    machine: Gradio's own MCP, and so whatever a visitor wrote there. Delete when `launch` takes that argument.
    """
    os.environ["FORWARDED_ALLOW_IPS"] = ""


def clean_file_names() -> None:
    """Have uploads named so that they can be asked for again.

    Gradio 6.31 keeps percent signs, which is how browsers send a newline in a name, question marks and hashes, and puts
    them unquoted into the address of the file; and it refuses "..". Delete when "a%0Ab.jpg" can be uploaded and shown.
    """
    client_utils.strip_invalid_filename_characters = _clean


def _clean(filename: str, *args: Any, **kwargs: Any) -> str:
    name = _UNFIT.sub("", unquote(filename)).strip(" .")
    return str(_strip(name or "file", *args, **kwargs))
