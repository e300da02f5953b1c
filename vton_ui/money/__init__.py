"""What a request costs, and the owner's caps. Must not know fal or the page."""
