"""Jobs at fal, through its own client. Must not know the page, the ledger or photo files."""
