"""What visitors call the files of this server.

Gradio gives every file by its path and asks for it by that path. To visitors the folder of uploads goes by the name
of `PUBLIC`: the guard puts its real path into what comes in and takes it out of what goes out.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from gradio.utils import get_upload_folder

PUBLIC = "/files"

_IN_JSON = re.compile(rb'("path"\s*:\s*")' + PUBLIC.encode() + rb"(?=[/\\])")


def real_path(path: str) -> str | None:
    """The real path of a file that a visitor names; None for whatever lies elsewhere."""
    inside = path.removeprefix(PUBLIC)
    if inside == path or not inside.startswith(("/", "\\")):
        return None
    return str(Path(get_upload_folder()).absolute()) + inside


def with_real_paths(body: bytes) -> bytes:
    """A request's JSON, with the real path of every file object in it."""
    folder = json.dumps(str(Path(get_upload_folder()).absolute()))[1:-1].encode()
    return _IN_JSON.sub(lambda found: found[1] + folder, body)


def with_public_paths(body: bytes) -> bytes:
    """An answer, or a part of one, without a real path."""
    return _real_paths(get_upload_folder()).sub(PUBLIC.encode(), body)


@lru_cache(maxsize=8)
def _real_paths(folder: str) -> re.Pattern[bytes]:
    """The folder as it is written in text, in JSON and in addresses."""
    paths = {str(Path(folder).absolute()), str(Path(folder).resolve())}
    spellings = {spelling for path in paths for spelling in (path, json.dumps(path)[1:-1], quote(path))}
    either = b"|".join(re.escape(spelling.encode()) for spelling in sorted(spellings, key=len, reverse=True))
    return re.compile(rb"(?<![\w/.-])(?:" + either + rb")(?=[/\\]|%5C)")
