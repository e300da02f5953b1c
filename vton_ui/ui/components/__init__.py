"""Components of the page. They know nothing of what happens on it."""
