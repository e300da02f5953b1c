"""The page and the API, on Gradio; which is imported here, in half the time that it takes by itself."""

from __future__ import annotations

import inspect
from typing import Any

_getfile = inspect.getfile


def _no_component(known: Any) -> str:
    """As `inspect.getfile`, but Gradio's components come out of no file."""
    if type(known).__name__ == "ComponentMeta":
        raise OSError
    return _getfile(known)


# At every start Gradio parses the source of each of its components and writes a stub for type checkers; for those that
# come out of no file it does not.
inspect.getfile = _no_component  # type: ignore[assignment]
try:
    import gradio  # noqa: F401
finally:
    inspect.getfile = _getfile
