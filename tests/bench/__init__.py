"""How fast, cheap and steady the studio is, beside what anyone would write by hand: `python -m tests.bench`."""
