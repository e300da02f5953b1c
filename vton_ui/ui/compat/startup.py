"""How Gradio starts. Imports Gradio inside functions only: `import_gradio` has to come first."""

from __future__ import annotations

import inspect
import os
import re
from typing import Any
from urllib.parse import unquote

_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff%?#]")


def import_gradio() -> None:
    """Import Gradio without the stubs that it writes for type checkers.

    Why: at every start Gradio parses the source of each of its components and writes a .pyi file beside it; it skips a
    class whose file cannot be found. Buys: half of the 2.4 s that the import takes.
    Relies on: `ComponentMeta`, which calls `inspect.getfile` and ignores an OSError.
    Delete when: Gradio writes the stubs only when it is developed.
    """
    getfile = inspect.getfile

    def no_component(known: Any) -> str:
        if type(known).__name__ == "ComponentMeta":
            raise OSError
        return getfile(known)

    inspect.getfile = no_component  # type: ignore[assignment]
    try:
        import gradio  # noqa: F401
    finally:
        inspect.getfile = getfile


def skip_statistics() -> None:
    """Turn off Gradio's statistics over all events, which nobody reads here.

    Why: they are computed again at every event. Buys: 70 events a second instead of 47 after 2,000 events.
    Relies on: two environment variables, read when `gradio.queueing` handles an event.
    Delete when: `analytics_enabled=False` covers them.
    """
    os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(10**9))
    os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "100")


def ignore_forwarded_headers() -> None:
    """Have uvicorn report the address that a connection really comes from.

    Why: uvicorn's `proxy_headers` believes all of X-Forwarded-For from every caller on this machine, such as a proxy in
    front of it, and with it what the visitor wrote there. Buys: the owner's limits per visitor cannot be evaded.
    Delete when: `launch` passes `proxy_headers` on to uvicorn.
    """
    os.environ["FORWARDED_ALLOW_IPS"] = ""


def clean_file_names() -> None:
    """Name uploads so that their addresses work.

    Why: Gradio keeps percent signs (browsers send a newline in a name as %0A), question marks and hashes, does not
    quote them in the address of the file, and refuses "..". Buys: such an upload does not fail.
    Relies on: `gradio_client.utils.strip_invalid_filename_characters`, looked up at every upload.
    Delete when: "a%0Ab.jpg" can be uploaded and shown.
    """
    from gradio_client import utils  # type: ignore[import-untyped]

    if getattr(utils.strip_invalid_filename_characters, "cleans", False):
        return
    strip = utils.strip_invalid_filename_characters

    def clean(filename: str, *args: Any, **kwargs: Any) -> str:
        name = _UNSAFE.sub("", unquote(filename)).strip(" .")
        return str(strip(name or "file", *args, **kwargs))

    clean.cleans = True  # type: ignore[attr-defined]
    utils.strip_invalid_filename_characters = clean
