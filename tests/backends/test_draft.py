"""The sandbox's draft: what is cut out, where it goes, and that nothing breaks it."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageStat

from vton_ui.backends.sandbox import draft as drafts
from vton_ui.backends.sandbox.draft import stamped_draft
from vton_ui.backends.sandbox.draft.dressing import ROOM, bare
from vton_ui.backends.sandbox.draft.garment import garments_of, whole
from vton_ui.pictures.figure import THROAT, Figure, measure
from vton_ui.pictures.ground import painted, things

pytestmark = pytest.mark.slow

ASSETS = Path(__file__).parents[2] / "assets"
PEOPLE = sorted(path.stem for path in (ASSETS / "people").glob("*.jpg"))
GARMENTS = {
    "tee": ("upper", "upper"),
    "shirt": ("upper", "upper"),
    "jacket": ("upper", "upper"),
    "jumper": ("inner", "upper"),
    "coat": ("outer", "outer"),
    "dress": ("overall", "overall"),
    "trousers": ("lower", "lower"),
    "skirt": ("lower", "lower"),
    "shoes": ("", "feet"),
}
"""The cloth type that a garment is worn as, if there is one, and what its outline says."""

WHOLE, FACE, CHEST, THIGHS, FEET, SHOE = (
    (0, 0, 1, 1),
    (0.3, 0, 0.7, 0.145),
    (0.45, 0.33, 0.55, 0.38),
    (0.42, 0.5, 0.58, 0.53),
    (0.3, 0.94, 0.7, 1),
    (0.41, 0.91, 0.46, 0.93),
)
"""Parts of a bundled person's picture, in shares of the frame."""


@cache
def picture(kind: str, name: str) -> Image.Image:
    """A bundled example, at half its size."""
    with Image.open(ASSETS / kind / f"{name}.jpg") as opened:
        return opened.convert("RGB").reduce(2)


def person(name: str) -> Image.Image:
    return picture("people", name)


def garment(name: str) -> Image.Image:
    return picture("garments", name)


def figure_of(photo: Image.Image) -> Figure:
    """The figure of a person who can be measured."""
    figure = measure(photo)
    assert figure is not None
    return figure


def drape(photo: Image.Image, cloth: Image.Image, *, region: str) -> Image.Image:
    return drafts.drape(photo, figure_of(photo), cloth, region=region)


def drape_sheet(photo: Image.Image, sheet: Image.Image) -> Image.Image:
    return drafts.drape_sheet(photo, figure_of(photo), sheet)


def changed(before: Image.Image, after: Image.Image, box: tuple[float, float, float, float]) -> float:
    """The share of the box that is clearly another colour than before."""
    width, height = before.size
    pixels = (round(box[0] * width), round(box[1] * height), round(box[2] * width), round(box[3] * height))
    apart = ImageChops.difference(before.crop(pixels), after.crop(pixels)).convert("L")
    return ImageStat.Stat(apart.point(lambda value: 255 * (value > 6))).mean[0] / 255


def cut(from_ground: Image.Image) -> Image.Image:
    """A mask of what stands on the plain ground."""
    return painted(from_ground.size, things(from_ground, tolerance=20))


def sheet_of(*names: str) -> Image.Image:
    """The garments two abreast on white with a gap between them."""
    cell, rows = 440, -(-len(names) // 2)
    sheet = Image.new("RGB", (2 * cell + 12, rows * cell + (rows - 1) * 12), "white")
    for index, name in enumerate(names):
        each = garment(name).copy()
        each.thumbnail((cell, cell))
        left, top = index % 2 * (cell + 12), index // 2 * (cell + 12)
        sheet.paste(each, (left + (cell - each.width) // 2, top + (cell - each.height) // 2))
    return sheet


@pytest.mark.parametrize("name", GARMENTS)
def test_garments_are_cut_from_their_ground(name: str) -> None:
    """The mask takes the garment and leaves the corners."""
    mask = cut(garment(name))
    assert 0.15 < ImageStat.Stat(mask).mean[0] / 255 < 0.8
    assert mask.getpixel((3, 3)) == mask.getpixel((mask.width - 3, mask.height - 3)) == 0


def test_pale_patch_inside_a_garment_stays() -> None:
    """Only ground that is connected with the picture's edge is ground."""
    navy = Image.new("RGB", (200, 260), "white")
    draw = ImageDraw.Draw(navy)
    draw.rectangle((40, 40, 160, 220), fill="navy")
    draw.ellipse((80, 90, 120, 130), fill="white")
    mask = cut(navy)
    assert mask.getpixel((100, 110)) == 255
    assert mask.getbbox() == (40, 40, 161, 221)


def test_areas_are_told_apart_by_what_connects_them() -> None:
    """A U is one area although its arms begin apart; what touches only at a corner is another."""
    mask = Image.new("L", (40, 40))
    draw = ImageDraw.Draw(mask)
    for box in ((5, 5, 9, 20), (20, 5, 24, 20), (5, 18, 24, 20), (25, 21, 30, 25)):
        draw.rectangle(box, fill=255)
    found = things(Image.merge("RGB", (mask,) * 3), tolerance=20)
    assert [each.box for each in found] == [(5, 5, 25, 21), (25, 21, 31, 26)]
    assert [each.area for each in found] == [5 * 16 * 2 + 10 * 3, 30]


def test_no_plain_ground_no_mask() -> None:
    """A picture that is garment all over has no ground to cut from, so all of it is the garment."""
    noise = Image.frombytes("RGB", (120, 120), random.Random(5).randbytes(120 * 120 * 3))
    assert things(noise, tolerance=20) == []
    assert ImageStat.Stat(whole(noise).mask).sum[0] == 255 * noise.width * noise.height


@pytest.mark.parametrize("name", ["tee", "shirt", "jacket", "jumper", "coat", "dress"])
def test_back_of_the_neck_is_cut_out(name: str) -> None:
    """The garment's inside that shows through its neck is in the upper middle, and clear where the neck is open."""
    cloth = whole(garment(name))
    hollow = cloth.hollow()
    assert hollow is not None
    left, top, right, bottom = hollow.getbbox() or (0, 0, 0, 0)
    assert abs((left + right) / 2 - cloth.shape.middle) < 6
    assert bottom < cloth.shape.at(0.3)
    inside = (round(cloth.shape.middle), (top + bottom) // 2)
    assert cloth.cut(open_neck=True).getchannel("A").getpixel(inside) == 0
    assert cloth.cut(open_neck=False).getchannel("A").getpixel(inside) == 255


@pytest.mark.parametrize("name", PEOPLE)
def test_people_are_measured(name: str) -> None:
    """Neck, shoulders, armpits and crotch come in this order and where a standing body has them."""
    figure = figure_of(person(name))
    shares = [(row - figure.top) / figure.height for row in (figure.neck, figure.tip, figure.armpit, figure.crotch)]
    assert shares == sorted(shares)
    assert 0.1 < shares[0] < 0.16 < shares[1] < 0.24 < shares[2] < 0.37 < 0.5 < shares[3] < 0.58
    assert figure.middle == pytest.approx(figure.photo.width / 2, abs=3)


def test_size_of_the_photo_does_not_matter() -> None:
    """A large photo is measured small, and gets the same draft."""
    small, large = (
        drape(photo, garment("coat"), region="outer")
        for photo in (person("mei"), person("mei").resize((1200, 1600), Image.Resampling.LANCZOS))
    )
    assert figure_of(large).zoom > figure_of(small).zoom == 1
    assert changed(small.reduce(4), large.resize(small.size).reduce(4), WHOLE) < 0.02


WORN = [name for name, (region, _) in GARMENTS.items() if region]


@pytest.mark.parametrize(("who", "name"), zip(PEOPLE * 2, WORN, strict=False))
def test_garment_goes_where_it_is_worn(who: str, name: str) -> None:
    """Tops dress the chest, bottoms the thighs; no garment reaches the face or the feet."""
    before, region = person(who), GARMENTS[name][0]
    draft = drape(before, garment(name), region=region)
    assert (draft.size, draft.mode) == (before.size, "RGB")
    assert changed(before, draft, FACE) < 0.002
    assert changed(before, draft, FEET) < 0.02
    assert (changed(before, draft, CHEST) > 0.7) == (region != "lower")
    if region == "lower":
        assert changed(before, draft, CHEST) < 0.01
    if region in ("lower", "overall", "outer"):
        assert changed(before, draft, THIGHS) > 0.7


@pytest.mark.parametrize("name", GARMENTS)
def test_kind_is_guessed_from_the_outline(name: str) -> None:
    """The kind of every bundled garment is recognised from its outline."""
    assert [each.region() for each in garments_of(garment(name))] == [GARMENTS[name][1]]


def test_head_and_hands_stay_in_front() -> None:
    """No garment covers the throat, and not even a poncho covers the hands."""
    poncho = Image.new("RGB", (400, 400), "white")
    ImageDraw.Draw(poncho).polygon([(170, 20), (230, 20), (390, 390), (10, 390)], fill="purple")
    before = person("ada")
    figure, draft = figure_of(before), drape(before, poncho, region="overall")
    assert bare(figure, "upper").getpixel((round(figure.middle), figure.row(THROAT))) == 255
    assert bare(figure, "lower").getpixel((round(figure.middle), figure.row(THROAT))) == 0
    for arm in figure.arms:
        for y in (figure.row(530), figure.row(560)):
            palm = (round(sum(arm[y]) / 2), y)
            assert draft.getpixel(palm) == pytest.approx(before.getpixel(palm), abs=12)
    assert changed(before, draft, CHEST) > 0.7


def test_sheet_is_cut_into_its_garments() -> None:
    """Each garment of a sheet is found once; a pair of shoes is one garment."""
    found = sorted(each.region() for each in garments_of(sheet_of("tee", "coat", "trousers", "shoes")))
    assert found == ["feet", "lower", "outer", "upper"]
    assert set(found) <= set(ROOM)


def test_sheet_dresses_from_chest_to_feet() -> None:
    """All the garments of a sheet end up on the person, the face stays free."""
    before = person("mei")
    draft = drape_sheet(before, sheet_of("jumper", "trousers", "shoes"))
    for box in (CHEST, THIGHS, SHOE):
        assert changed(before, draft, box) > 0.6
    assert changed(before, draft, FACE) < 0.002


def test_arguments_stay_as_they_were() -> None:
    """Neither input picture is changed."""
    pictures = person("ada"), garment("tee")
    before = [each.tobytes() for each in pictures]
    drape(*pictures, region="upper")
    drape_sheet(*pictures)
    assert [each.tobytes() for each in pictures] == before


def odd_pictures() -> dict[str, Image.Image]:
    """Other pictures that visitors may upload."""
    ada, coat = person("ada"), garment("coat")
    return {
        "tiny": ada.resize((192, 256)),
        "square": ada.resize((256, 256)),
        "landscape": ada.resize((600, 250)),
        "half body": ada.crop((100, 25, 380, 350)),
        "upside down": ada.rotate(180).resize((240, 320)),
        "noise": Image.frombytes("RGB", (150, 200), random.Random(2).randbytes(90_000)),
        "scene": Image.effect_mandelbrot((150, 200), (-3, -2.5, 2, 2.5), 100).convert("RGB"),
        "blank": Image.new("RGB", (120, 160), "white"),
        "one pixel": Image.new("RGB", (1, 1)),
        "sliver": Image.new("RGB", (3, 400), "red"),
        "garment": coat.resize((225, 300)),
        "turned garment": coat.rotate(45).resize((225, 300)),
        "cropped garment": coat.crop((150, 150, 300, 350)),
    }


ODD = odd_pictures()


@pytest.mark.parametrize(("who", "what"), zip(ODD, [*list(ODD)[5:], *list(ODD)[:5]], strict=True))
def test_odd_pictures_do_not_break_it(who: str, what: str) -> None:
    """Any input gives a picture of the person's size."""
    for region in ("upper", "lower", None):
        assert stamped_draft(ODD[who], ODD[what], region).size == ODD[who].size
