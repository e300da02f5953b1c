"""The sandbox's draft: what is cut out, where it goes, and that nothing breaks it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageStat

from vton_ui.drape import FEET_TO_COAT, drape, drape_sheet, pieces_of, region_of, whole
from vton_ui.silhouette import measure, neck_hollow, subject

ASSETS = Path(__file__).parent.parent / "assets"
PEOPLE = sorted((ASSETS / "people").glob("*.jpg"))
REGIONS = {
    "tee": "upper",
    "shirt": "upper",
    "jacket": "upper",
    "jumper": "inner",
    "coat": "outer",
    "dress": "overall",
    "trousers": "lower",
    "skirt": "lower",
}
GUESSES = {
    "tee": "upper",
    "shirt": "upper",
    "jacket": "upper",
    "jumper": "upper",
    "coat": "outer",
    "dress": "overall",
    "trousers": "lower",
    "skirt": "lower",
    "shoes": "feet",
}


def picture(kind: str, name: str) -> Image.Image:
    """A bundled example."""
    with Image.open(ASSETS / kind / f"{name}.jpg") as opened:
        return opened.convert("RGB")


def changed(before: Image.Image, after: Image.Image, box: tuple[float, float, float, float]) -> float:
    """The share of the box (in shares of the frame) that is clearly another colour than before."""
    width, height = before.size
    pixels = (round(box[0] * width), round(box[1] * height), round(box[2] * width), round(box[3] * height))
    apart = ImageChops.difference(before.crop(pixels), after.crop(pixels)).convert("L")
    return ImageStat.Stat(apart.point(lambda value: 255 if value > 6 else 0)).mean[0] / 255


FACE, CHEST, THIGHS, FEET = (
    (0.3, 0, 0.7, 0.145),
    (0.45, 0.33, 0.55, 0.38),
    (0.42, 0.5, 0.58, 0.53),
    (0.3, 0.94, 0.7, 1),
)


def sheet_of(*names: str) -> Image.Image:
    """The garments two abreast on white with a gap between them."""
    cell, rows = 440, -(-len(names) // 2)
    sheet = Image.new("RGB", (2 * cell + 12, rows * cell + (rows - 1) * 12), "white")
    for index, name in enumerate(names):
        garment = picture("garments", name)
        garment.thumbnail((cell, cell))
        left, top = index % 2 * (cell + 12), index // 2 * (cell + 12)
        sheet.paste(garment, (left + (cell - garment.width) // 2, top + (cell - garment.height) // 2))
    return sheet


@pytest.mark.parametrize("name", GUESSES)
def test_garments_are_cut_from_their_ground(name: str) -> None:
    """The mask takes the garment and leaves the corners."""
    garment = picture("garments", name)
    mask = subject(garment, tolerance=20)
    assert mask is not None
    covered = ImageStat.Stat(mask).mean[0] / 255
    assert 0.15 < covered < 0.8
    assert mask.getpixel((3, 3)) == mask.getpixel((garment.width - 3, garment.height - 3)) == 0


def test_pale_patch_inside_a_garment_stays() -> None:
    """Only ground that is connected with the picture's edge is ground."""
    garment = Image.new("RGB", (200, 260), "white")
    draw = ImageDraw.Draw(garment)
    draw.rectangle((40, 40, 160, 220), fill="navy")
    draw.ellipse((80, 90, 120, 130), fill="white")
    mask = subject(garment, tolerance=20)
    assert mask is not None
    assert mask.getpixel((100, 110)) == 255
    assert mask.getbbox() == (40, 40, 161, 221)


def test_no_plain_ground_no_mask() -> None:
    """A picture that is garment all over has no ground to cut from, so all of it is the garment."""
    noise = Image.frombytes("RGB", (120, 120), random.Random(5).randbytes(120 * 120 * 3))
    assert subject(noise, tolerance=20) is None
    assert whole(noise).mask.getextrema() == (255, 255)


@pytest.mark.parametrize("name", ["tee", "shirt", "jacket", "jumper", "coat", "dress"])
def test_back_of_the_neck_is_found(name: str) -> None:
    """The garment's inside that shows through its neck is in the upper middle."""
    piece = whole(picture("garments", name))
    hollow = neck_hollow(piece.picture, piece.mask)
    assert hollow is not None
    left, _, right, bottom = hollow.getbbox() or (0, 0, 0, 0)
    assert abs((left + right) / 2 - piece.shape.middle) < 6
    assert bottom < piece.shape.at(0.3)


@pytest.mark.parametrize("path", PEOPLE, ids=lambda path: path.stem)
def test_people_are_measured(path: Path) -> None:
    """Neck, shoulders, armpits and crotch come in this order and where a standing body has them."""
    figure = measure(picture("people", path.stem))
    assert figure.mask is not None
    shares = [(row - figure.top) / figure.height for row in (figure.neck, figure.tip, figure.armpit, figure.crotch)]
    assert shares == sorted(shares)
    assert 0.1 < shares[0] < 0.16 < shares[1] < 0.24 < shares[2] < 0.37 < 0.5 < shares[3] < 0.58
    assert figure.middle == pytest.approx(480, abs=6)


@pytest.mark.parametrize("name", REGIONS)
@pytest.mark.parametrize("path", PEOPLE, ids=lambda path: path.stem)
def test_garment_goes_where_it_is_worn(path: Path, name: str) -> None:
    """Tops dress the chest, bottoms the thighs; no garment reaches the face or the feet."""
    person, region = picture("people", path.stem), REGIONS[name]
    draft = drape(person, picture("garments", name), region=region)
    assert (draft.size, draft.mode) == (person.size, "RGB")
    assert changed(person, draft, FACE) < 0.002
    assert changed(person, draft, FEET) < 0.02
    assert (changed(person, draft, CHEST) > 0.7) == (region != "lower")
    if region == "lower":
        assert changed(person, draft, CHEST) < 0.01
    if region in ("lower", "overall", "outer"):
        assert changed(person, draft, THIGHS) > 0.7


@pytest.mark.parametrize("name", GUESSES)
def test_kind_is_guessed_from_the_outline(name: str) -> None:
    """Every bundled garment is recognised without being told its kind."""
    assert [region_of(piece) for piece in pieces_of(picture("garments", name))] == [GUESSES[name]]


def test_sheet_is_cut_into_its_garments() -> None:
    """Each garment of a sheet is found once; a pair of shoes is one garment."""
    found = sorted(map(region_of, pieces_of(sheet_of("tee", "coat", "trousers", "shoes"))))
    assert found == ["feet", "lower", "outer", "upper"]
    assert set(found) <= set(FEET_TO_COAT)


def test_sheet_dresses_from_chest_to_feet() -> None:
    """All the garments of a sheet end up on the person, the face stays free."""
    person = picture("people", "mei")
    draft = drape_sheet(person, sheet_of("jumper", "trousers", "shoes"))
    for box in (CHEST, THIGHS, (0.41, 0.91, 0.46, 0.93)):
        assert changed(person, draft, box) > 0.6
    assert changed(person, draft, FACE) < 0.002


def test_arguments_stay_as_they_were() -> None:
    """Neither picture is drawn upon."""
    person, garment = picture("people", "ada"), picture("garments", "tee")
    before = person.tobytes(), garment.tobytes()
    drape(person, garment, region="upper")
    drape_sheet(person, garment)
    assert (person.tobytes(), garment.tobytes()) == before


def odd_pictures() -> dict[str, Image.Image]:
    """What visitors might bring instead."""
    ada, coat = picture("people", "ada"), picture("garments", "coat")
    return {
        "tiny": ada.resize((192, 256)),
        "square": ada.resize((256, 256)),
        "landscape": ada.resize((600, 250)),
        "half body": ada.crop((200, 50, 760, 700)).resize((280, 325)),
        "upside down": ada.rotate(180).resize((240, 320)),
        "noise": Image.frombytes("RGB", (150, 200), random.Random(2).randbytes(90_000)),
        "scene": Image.effect_mandelbrot((200, 280), (-3, -2.5, 2, 2.5), 100).convert("RGB"),
        "blank": Image.new("RGB", (120, 160), "white"),
        "one pixel": Image.new("RGB", (1, 1)),
        "sliver": Image.new("RGB", (3, 400), "red"),
        "garment": coat.resize((225, 300)),
        "turned garment": coat.rotate(45).resize((225, 300)),
        "cropped garment": coat.crop((300, 300, 600, 700)).resize((150, 200)),
    }


ODD = odd_pictures()


PAIRS = [(person, garment) for person in ODD for garment in ("garment", "noise")]
PAIRS += [(person, garment) for person in ("tiny", "one pixel") for garment in ODD]


@pytest.mark.parametrize(("person", "garment"), PAIRS)
def test_odd_pictures_do_not_break_it(person: str, garment: str) -> None:
    """Whatever comes, a picture of the person's size goes back."""
    for region in ("upper", "lower", "overall"):
        assert drape(ODD[person], ODD[garment], region=region).size == ODD[person].size
    assert drape_sheet(ODD[person], ODD[garment]).size == ODD[person].size
