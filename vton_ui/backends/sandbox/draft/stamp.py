"""The words in the corner of every draft, so that it is not mistaken for a result."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

STAMP = "draft · sandbox, not AI"
LAID_STAMP = "draft · body not found, garments laid beside\nsandbox, not AI"


def stamped(picture: Image.Image, words: str = STAMP) -> Image.Image:
    """The picture with the words in its corner, large enough to be seen in a thumbnail."""
    font, text, margin = _measured(picture.size, words)
    left, top, right, bottom = text
    marked = picture.copy()
    draw = ImageDraw.Draw(marked, "RGBA")
    x, y = margin * 2, picture.height - (bottom - top) - margin * 4
    box = (x - margin, y - margin, x + right - left + margin, y + bottom - top + margin)
    draw.rounded_rectangle(box, radius=margin, fill=(24, 22, 20, 200))
    draw.multiline_text((x - left, y - top), words, font=font, fill=(255, 255, 255, 255))
    return marked


def stamp_top(size: tuple[int, int], words: str) -> int:
    """The row of a picture of this size where the stamp begins; 0 if there is room for nothing else."""
    _, (_, top, _, bottom), margin = _measured(size, words)
    return max(0, round(size[1] - (bottom - top) - margin * 5))


def _measured(
    size: tuple[int, int], words: str
) -> tuple[ImageFont.FreeTypeFont | ImageFont.ImageFont, tuple[float, float, float, float], int]:
    """The font, the box of the words in it, and the margin around them: all of it fits the picture's width."""
    draw = ImageDraw.Draw(Image.new("L", (1, 1)))
    pixels = max(12, min(size[0], size[1] * 2) // 26)
    while True:
        font = ImageFont.load_default(pixels)
        box = draw.multiline_textbbox((0, 0), words, font=font)
        if pixels <= 5 or box[2] - box[0] + 3 * pixels // 2 <= size[0]:
            return font, box, pixels // 2
        pixels = max(5, pixels * 9 // 10)
