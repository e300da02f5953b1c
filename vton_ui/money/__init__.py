"""What a try-on costs, and what the owner allows. Knows no fal and no page."""
