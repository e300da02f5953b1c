"""Where jobs run: fal, or the sandbox on this machine. Knows jobs and events, and must not know the page or money."""
