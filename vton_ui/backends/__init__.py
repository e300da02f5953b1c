"""Where jobs run: fal, or the sandbox on this machine. Knows jobs and events; must not know the page or the ledger."""
