"""What changes on the page when something on it is changed, over HTTP as a browser sends it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.client import on_rail
from tests.conftest import photo_bytes, serving
from tests.page_client import PageClient
from vton_ui.settings import Settings


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server without a key."""
    with serving(Settings(data_dir=tmp_path_factory.mktemp("data"))) as url:
        yield url


@pytest.fixture
def page(url: str) -> PageClient:
    """A page with a person and two garments on it."""
    page = PageClient(url)
    page.give(photo_bytes(500, 600), photo_bytes(400, 400), photo_bytes(410, 400))
    return page


def paths(page: PageClient) -> list[str]:
    """The photos in both slots, the person's first."""
    return [page["person"]["path"], *(garment["path"] for garment in page["garments"])]


def test_swap(page: PageClient) -> None:
    """Person and first garment change places, and no other garment is lost."""
    person, first, second = paths(page)
    page.click("swap")
    assert paths(page) == [first, person, second]


def test_example_garment(page: PageClient) -> None:
    """An example is handed to the rail, which adds it to whatever is there by then."""
    before = paths(page)
    page["clothes"] = 0
    page.click("clothes")
    (added,) = page.part("garments")["props"]["added"]
    assert added["name"] == "Coat"
    assert page.file_status(added) == 200
    assert paths(page) == before


@pytest.mark.parametrize(("slot", "said"), [(0, "Person."), (1, "Garment 1."), (2, "Garment 2.")])
def test_a_bad_photo_is_named_by_its_slot(slot: int, said: str, page: PageClient) -> None:
    """The notice says which photo cannot be used, and the button waits for another."""
    text = page.upload(b"hello")
    if slot == 0:
        page["person"] = text
    else:
        page["garments"][slot - 1] = on_rail(text)
    page.happens("private", "change")
    assert f"<b>{said}</b>" in page["notice"]
    assert page.part("try_on")["interactive"] is False


def test_no_two_calls_of_one_event_wait(page: PageClient) -> None:
    """Gradio repeats a call that had to wait by sending its event again; two on one event would never end."""
    waits = [
        call for call in page.config["dependencies"] if call["backend_fn"] and call["trigger_mode"] == "always_last"
    ]
    events = Counter((of, event) for call in waits for of, event in call["targets"] if event != "then")
    assert len(waits) > len(events)
    assert [event for event, count in events.items() if count > 1] == []
