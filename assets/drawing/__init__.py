"""How the example people and garments are drawn: SVG from a few numbers per body and per garment."""
