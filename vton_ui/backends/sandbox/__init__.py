"""Free drafts made on this machine, for a server without a key. Knows no network."""
