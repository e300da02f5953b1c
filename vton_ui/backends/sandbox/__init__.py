"""Free drafts made on this machine, for a server without a key. Must not use the network."""
