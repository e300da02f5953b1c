"""Who runs a try-on: fal, or the sandbox on this machine. They know jobs and events, and no page."""
