"""Components of the page. They know nothing of its events."""
