"""fal, through its own client. Knows no page, no ledger and no photo files."""

import sys
from importlib.util import find_spec

# httpcore 1.0.9 tries `import sniffio` for each of its locks, 38 times in a try-on. anyio no longer installs it, and
# Python searches all folders again for a module that is missing: 15 ms of processor for each visitor. A None here ends
# the search. Delete when httpcore imports it only once, or sniffio is installed.
if find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]
