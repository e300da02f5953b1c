"""The rail's events, over HTTP as a browser sends them: what is made of garments, and what is used of them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from tests.client import Client, on_rail
from tests.conftest import photo_bytes, serving
from tests.fake_fal.server import TEST_KEY, FakeFal
from tests.page_client import PageClient
from vton_ui.models import CAT_VTON, FLUX_VTO
from vton_ui.pictures.sheet import LAYOUT
from vton_ui.settings import Settings
from vton_ui.ui.rail import NOT_PLAIN

pytestmark = pytest.mark.slow

GREY, RED, WHITE = (200, 200, 200), (180, 20, 30), (255, 255, 255)
LEFT_HALF = [0, 0, 0.5, 1]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server without a key, and with patience."""
    with serving(Settings(data_dir=tmp_path_factory.mktemp("data"), free_rate=10_000)) as url:
        yield url


@pytest.fixture
def client(url: str) -> Client:
    return Client(url)


def square(width: int = 800) -> bytes:
    """A red square on plain grey, as a PNG."""
    image = Image.new("RGB", (width, 600), GREY)
    ImageDraw.Draw(image).rectangle((100, 100, 699, 499), RED)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def noise() -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((600, 600), 120).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


def looked_at(client: Client, *garments: dict[str, Any], model: str = FLUX_VTO.name) -> dict[str, Any]:
    """What the rail is told of these garments: previews, and order."""
    told: dict[str, Any] = client.event("look_at", garments=list(garments), model=model)["garments"]["props"]
    return told


def fetched(client: Client, path: str) -> Image.Image:
    return Image.open(io.BytesIO(client.http.get(f"gradio_api/file={path}").raise_for_status().content))


def near(pixel: Any, colour: tuple[int, int, int]) -> bool:
    return all(abs(one - other) < 6 for one, other in zip(pixel, colour, strict=True))


# What the rail shows


def test_crop_and_cut_out(client: Client) -> None:
    """The preview shows the part in the box, on white."""
    garment = on_rail(client.upload(square()), crop=LEFT_HALF, cut_out=True)
    (preview,) = looked_at(client, garment)["previews"]
    assert (preview["crop"], preview["cut_out"], preview["refused"]) == (LEFT_HALF, True, None)
    picture = fetched(client, preview["path"])
    assert picture.size == (400, 600)
    assert near(picture.getpixel((10, 10)), WHITE)
    assert near(picture.getpixel((300, 300)), RED)


def test_what_is_used_as_it_is(client: Client) -> None:
    """Nothing is made of a garment that is not cropped or cut out, unless a model asks for its kind."""
    garment = on_rail(client.upload(square()))
    (preview,) = looked_at(client, garment)["previews"]
    assert (preview["path"], preview["kind"]) == (None, None)
    (preview,) = looked_at(client, garment, model=CAT_VTON.name)["previews"]
    assert (preview["path"], preview["kind"]) == (None, "lower")  # as wide at its top as a skirt


def test_order(client: Client) -> None:
    """The order to put things on in is proposed where the model puts on one after another, until one was moved."""
    folder = Path(__file__).parents[2] / "assets" / "garments"
    coat, trousers = (on_rail(client.upload((folder / f"{name}.jpg").read_bytes())) for name in ("coat", "trousers"))
    told = looked_at(client, coat, trousers, model=CAT_VTON.name)
    assert [preview["kind"] for preview in told["previews"]] == ["outer", "lower"]
    assert told["order"] == [trousers["id"], coat["id"]]
    assert looked_at(client, coat, trousers)["order"] == []
    moved = {**coat, "placed": True}
    assert looked_at(client, moved, trousers, model=CAT_VTON.name)["order"] == [coat["id"], trousers["id"]]


def test_no_plain_ground(client: Client) -> None:
    """What cannot be cut out stays as it is, and the reason is told."""
    photo = client.upload(noise())
    whole, part = looked_at(client, on_rail(photo, cut_out=True), on_rail(photo, cut_out=True, crop=LEFT_HALF))[
        "previews"
    ]
    assert (whole["refused"], whole["path"]) == (NOT_PLAIN, None)
    assert part["refused"] == NOT_PLAIN
    assert fetched(client, part["path"]).size == (300, 600)


def test_too_little_is_left(client: Client) -> None:
    """A crop with too few pixels for any model is refused in words."""
    garment = on_rail(client.upload(square()), crop=[0, 0, 0.25, 1])
    (preview,) = looked_at(client, garment)["previews"]
    assert preview["path"] is None
    assert preview["refused"].startswith("The crop is too small: 200 × 600 pixels.")
    shown = client.event("refresh", person=client.upload(), garments=[garment])
    assert "The crop is too small" in shown["notice"]
    assert shown["try_on"]["value"] == "Not ready yet"


def test_heic(client: Client) -> None:
    """A photo that browsers cannot show is replaced by one that they can, which is then cropped."""
    heic = io.BytesIO()
    Image.open(io.BytesIO(square())).save(heic, "HEIF")
    garment = on_rail(client.upload(heic.getvalue(), "IMG_1.HEIC"), crop=LEFT_HALF)
    (preview,) = looked_at(client, garment)["previews"]
    assert fetched(client, preview["source"]).format == "JPEG"
    assert fetched(client, preview["path"]).size == (400, 600)


def test_the_same_is_made_once(tmp_path: Path) -> None:
    """Only work that is done counts: not what was made before, by whoever."""
    with serving(Settings(data_dir=tmp_path, free_rate=1, proxies=1)) as url:
        one, other = (Client(url, headers={"x-forwarded-for": f"198.51.100.{last}"}) for last in (7, 8))
        photo = one.upload(square())
        assert other.upload(square()) == photo
        garments = [on_rail(photo, crop=LEFT_HALF)]
        paths = {looked_at(client, *garments)["previews"][0]["path"] for client in (one, one, other, other)}
        assert len(paths) == 1
        assert other.file_status({"path": paths.pop()}) == 200
        another = {**garments[0], "crop": [0.5, 0, 1, 1]}
        assert looked_at(other, another)["previews"][0]["path"]
        (refused,) = looked_at(one, another, {**another, "id": "x", "crop": [0.1, 0, 1, 1]})["previews"][1:]
        assert "free tries a minute" in refused["refused"]


def test_forgotten(url: str) -> None:
    """Forget everything deletes the pictures that were made, unless another browser has the same."""
    one, other = Client(url), Client(url)
    garments = [on_rail(client.upload(square(801)), crop=LEFT_HALF) for client in (one, other)]
    made = [looked_at(client, garment)["previews"][0] for client, garment in zip((one, other), garments, strict=True)]
    one.event("forget")
    assert other.file_status(made[0]) == 200
    (gone,) = looked_at(one, garments[0])["previews"]
    assert "no longer there" in gone["refused"]
    other.event("forget")
    assert other.file_status(made[0]) == 403


def test_made_again(client: Client, url: str) -> None:
    """A picture whose hour is over is made again: an example can be cropped as long as the page is open."""
    (example,) = client.event("example_garment", clothes=2)["garments"]["props"]["added"]
    garment = {**example, "crop": [0, 0, 1, 0.5]}
    (before,) = looked_at(client, garment)["previews"]
    client.event("forget")
    assert client.file_status(before) == 403
    (after,) = looked_at(Client(url), garment)["previews"]
    assert client.file_status(after) == 200


@pytest.mark.parametrize("path", ["/etc/hostname", "http://127.0.0.1/x.jpg", "../../etc/hostname", "\\\\x\\y"])
def test_forged_paths(path: str, client: Client) -> None:
    """Of a file that is no upload nothing is shown, and nothing used."""
    garment = {**on_rail({"path": path}), "crop": LEFT_HALF}
    (preview,) = looked_at(client, garment)["previews"]
    assert (preview["path"], preview["source"]) == (None, None)
    assert "no upload of yours" in preview["refused"]
    assert "no upload of yours" in client.event("refresh", person=client.upload(), garments=[garment])["notice"]


# What is used


@pytest.fixture
def paid(fal: FakeFal, tmp_path: Path) -> Iterator[PageClient]:
    """A page of a server with a key, with a person on it."""
    fal.queue_seconds = fal.run_seconds = 0.02
    with serving(Settings(fal_key=TEST_KEY, data_dir=tmp_path, fal_api_url=fal.api_url)) as url:
        page = PageClient(url)
        page.give(photo_bytes(500, 600))
        yield page


def sent_garment(fal: FakeFal) -> Image.Image:
    """The garment's picture of the only job."""
    (job,) = fal.jobs.values()
    return Image.open(io.BytesIO(fal.uploads[job.arguments["garment_image_url"]].data))


def test_what_is_sent(paid: PageClient, fal: FakeFal) -> None:
    """The model gets the cropped picture on white, whatever the browser says that it shows."""
    whole = paid.upload(photo_bytes(900, 900))
    view = f"/gradio_api/file={whole['path']}"
    paid["garments"] = [on_rail(paid.upload(square()), crop=LEFT_HALF, cut_out=True, view=view, url=view)]
    paid.click("try_on")
    picture = sent_garment(fal)
    assert picture.size == (400, 600)
    assert near(picture.getpixel((10, 10)), WHITE)
    assert near(picture.getpixel((300, 300)), RED)


@pytest.mark.parametrize(("layout", "wide"), [("auto", True), ("row", True), ("grid", False)])
def test_layout(layout: str, wide: bool, paid: PageClient, fal: FakeFal) -> None:
    """The sheet lies as it was chosen, on the page and at fal."""
    paid["garments"] = [on_rail(paid.upload(photo_bytes(400 + number, 400))) for number in range(2)]
    paid["layout"] = layout
    paid.happens("layout", "change")
    shown = fetched(paid, paid["sheet"]["path"])
    paid.click("try_on")
    sent = sent_garment(fal)
    assert (shown.width > shown.height) is (sent.width > sent.height) is wide
    assert shown.size == sent.size


def test_layout_that_is_none(paid: PageClient, fal: FakeFal) -> None:
    """Gradio itself refuses a choice that was not offered."""
    assert {value for value, _ in LAYOUT.choices} == {"auto", "row", "grid"}
    paid["garments"] = [on_rail(paid.upload()), on_rail(paid.upload())]
    paid["layout"] = "heap"
    with pytest.raises(AssertionError):
        paid.click("try_on")
    assert fal.count("submit") == 0


def test_kinds_are_asked_where_the_model_asks(paid: PageClient) -> None:
    """The cards ask for kinds under CatVTON, and no longer under FLUX."""
    for model, asks in ((CAT_VTON, True), (FLUX_VTO, False)):
        paid["model"] = model.name
        paid.happens("model", "change")
        assert bool(paid.part("garments")["props"]["kinds"]) is asks


def test_swap_takes_the_part(paid: PageClient) -> None:
    """A cropped garment that becomes the person is what was seen of it."""
    paid["garments"] = [on_rail(paid.upload(square()), crop=LEFT_HALF)]
    person = paid["person"]["path"]
    paid.click("swap")
    assert fetched(paid, paid["person"]["path"]).size == (400, 600)
    assert [garment["path"] for garment in paid["garments"]] == [person]
    assert paid["garments"][0]["crop"] is None
