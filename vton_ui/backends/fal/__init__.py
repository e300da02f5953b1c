"""fal, through its own client. Knows no page, no ledger and no photo files."""
