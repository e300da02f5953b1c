"""The looks by themselves, on a page with nothing else on it."""
