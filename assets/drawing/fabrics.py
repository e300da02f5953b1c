"""What the garments are made of: a colour, a repeating pattern and a weave each."""

# ruff: noqa: E501 (coordinates of one path, or one person, stay on one line)

from __future__ import annotations

from dataclasses import dataclass

from .shapes import blur_filter, cloth_filter, element, form_filter


@dataclass(frozen=True, kw_only=True)
class Fabric:
    """A repeat of `size` units, its ground colour and what is drawn upon it."""

    colour: str
    weave: str = "fine"
    size: tuple[float, float] = (10, 10)
    pattern: str = ""
    turned: float = 0
    """Degrees; sleeves follow the arm."""

    def svg(self, name: str) -> str:
        """The fabric as an SVG pattern to fill shapes with."""
        width, height = self.size
        ground = element("rect", x=-1, y=-1, width=width + 2, height=height + 2, fill=self.colour)
        return element(
            "pattern", ground + self.pattern, id=name, width=width, height=height,
            patternUnits="userSpaceOnUse", patternTransform=f"rotate({self.turned})",
        )  # fmt: skip


def band(x: float, y: float, width: float, height: float, colour: str, opacity: float = 1) -> str:
    """A plain rectangle of a pattern."""
    return element("rect", x=x, y=y, width=width, height=height, fill=colour, opacity=opacity)


STRIPES = band(0, 0, 20, 6.5, "#dcc8a2")
TARTAN = "".join(
    [
        band(0, 0, 13, 40, "#1f3a44", 0.55), band(0, 0, 40, 13, "#1f3a44", 0.55),
        band(25, 0, 2, 40, "#e8c88a", 0.8), band(0, 25, 40, 2, "#e8c88a", 0.8),
        band(5.5, 0, 1.4, 40, "#0d1c22", 0.6), band(0, 5.5, 40, 1.4, "#0d1c22", 0.6),
    ]
)  # fmt: skip
DOTS = "".join(element("circle", cx=x, cy=y, r=1.9, fill="#e6dcc0") for x, y in ((4, 4), (12, 12)))
TWILL = element("path", d="M-1 1L1-1M0 4L4 0M3 5L5 3", stroke="#ffffff", stroke_width=0.7, opacity=0.13)
STITCHES = element(
    "path", d="M0 0.500L3 4.500L6 0.500M0 -5.500L3 -1.500L6 -5.500", stroke="#7d5512", stroke_width=1.5, fill="none", opacity=0.5,
    stroke_linecap="round",
) + element("path", d="M0 2.800L3 6.800L6 2.800", stroke="#f4cf80", stroke_width=1, fill="none", opacity=0.45)  # fmt: skip

FABRICS = {
    "stripe": Fabric(colour="#2f5566", size=(20, 17), pattern=STRIPES),
    "stripe-arm": Fabric(colour="#2f5566", size=(20, 17), pattern=STRIPES, turned=-18.5),
    "oxford": Fabric(colour="#a9c3de", size=(3, 3), pattern=band(0, 0, 1.2, 3, "#ffffff", 0.16)),
    "denim": Fabric(colour="#46658c", weave="coarse", size=(4, 4), pattern=TWILL),
    "denim-arm": Fabric(colour="#46658c", weave="coarse", size=(4, 4), pattern=TWILL, turned=-16),
    "camel": Fabric(colour="#b98b5c", weave="woolly"),
    "knit": Fabric(colour="#cf972f", weave="woolly", size=(6, 6), pattern=STITCHES),
    "knit-arm": Fabric(colour="#cf972f", weave="woolly", size=(6, 6), pattern=STITCHES, turned=-16),
    "twill": Fabric(colour="#6c6b4a", size=(4, 4), pattern=TWILL),
    "check": Fabric(colour="#9c4a44", size=(40, 40), pattern=TARTAN),
    "dots": Fabric(colour="#25604b", size=(16, 16), pattern=DOTS),
    "leather": Fabric(colour="#702631", weave="fine"),
}
"""Fabrics by the name shapes are filled with."""

FILTERS = "".join(
    [
        form_filter("piece", "#140a1c", soft=6, dx=0, dy=-1, strength=0.5),
        '<filter id="whole" x="-5%" y="-5%" width="110%" height="110%">'
        '<feDropShadow dx="0" dy="3" stdDeviation="5" flood-color="#4d4540" flood-opacity="0.13"/></filter>',
        blur_filter("soft-1", 1),
        blur_filter("soft-2", 2),
        cloth_filter("fine", frequency="0.5 0.3", contrast=0.24, seed=2),
        cloth_filter("coarse", frequency="0.5 0.1", contrast=0.5, seed=5),
        cloth_filter("woolly", frequency="0.22", contrast=0.3, seed=9),
    ]
)
"""Shading and weaves of every garment drawing."""
