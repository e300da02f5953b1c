"""The page in a real Chromium, as a visitor uses it."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser import DESK, PHONE, TABLET, open_page
from tests.conftest import photo_bytes, serving
from tests.fake_fal.schemas import model_error
from tests.fake_fal.server import TEST_KEY, FakeFal
from tests.models.fashn import FASHN
from tests.page.acts import WAIT, button, done, drawn, give, no_turn, ordered, result_picture, two_photos, works
from vton_ui.models import CAT_VTON, MODELS
from vton_ui.settings import Settings


def test_first_sight_says_what_is_missing(paid: Page) -> None:
    """The button is disabled and names what to add, step by step."""
    expect(paid.locator("#try_on")).to_be_disabled()
    assert button(paid) == "Add a person and a garment"
    give(paid, "person", photo_bytes(600, 800))
    expect(paid.locator("#try_on")).to_have_text("Add a garment", timeout=WAIT)
    expect(paid.locator("#try_on")).to_be_disabled()


@pytest.mark.parametrize("viewport", [DESK, TABLET, PHONE], ids=["desk", "tablet", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_never_scrolls_sideways(
    browser: Browser, paid_url: str, fal: FakeFal, viewport: dict[str, int], dark: bool
) -> None:
    """The page fits its window, empty and filled."""
    page = open_page(browser, paid_url, viewport=viewport, dark=dark)
    wide = "document.documentElement.scrollWidth - innerWidth"
    assert page.evaluate(wide) <= 0
    two_photos(page)
    page.locator("#expert button").first.click()
    assert page.evaluate(wide) <= 0
    page.context.close()


def test_two_photos_in_the_picture_out(paid: Page, fal: FakeFal) -> None:
    """The whole way: estimate, queue position, picture, seed, request id, download; and one job at fal."""
    fal.run_seconds = 2.5  # longer than it takes to look again
    two_photos(paid)
    expect(paid.locator("#try_on")).to_have_text("Try on · $0.0475")
    paid.locator("#estimate summary").click()
    assert "$0.0375" in paid.locator("#estimate ul").inner_text()
    with no_turn(fal):
        paid.click("#try_on")
        expect(paid.locator("#cancel")).to_be_visible()
        expect(paid.locator("#status")).to_contain_text(re.compile(r"Waiting, next in line · \d+ s"), timeout=WAIT)
    expect(paid.locator("#status")).to_contain_text(re.compile(r"Running, step \d of 4"), timeout=WAIT)
    done(paid)
    (job,) = fal.jobs.values()
    assert result_picture(paid).size == (866, 1154)
    paid.locator("#details summary").click()
    details = paid.locator("#details").inner_text()
    assert job.id in details
    assert str(job.arguments["seed"]) in details
    assert "$0.0475" in details
    with paid.expect_download() as download:
        paid.click("#download")
    assert Path(download.value.path()).read_bytes()[:2] == b"\xff\xd8"
    expect(paid.locator("#try_on")).to_be_visible()
    assert fal.count("submit") == 1


def test_again_takes_another_seed(paid: Page, fal: FakeFal) -> None:
    """A second picture of the same photos, without a second upload."""
    two_photos(paid)
    paid.click("#try_on")
    done(paid)
    uploads = fal.count("upload")
    with no_turn(fal):
        paid.click("#again")
        works(paid)
    done(paid)
    first, second = (job.arguments["seed"] for job in fal.jobs.values())
    assert first != second
    assert fal.count("upload") == uploads


def test_cancel_in_the_queue_is_free(paid: Page, fal: FakeFal) -> None:
    """Cancel reaches fal, the job never runs, and the page says that it cost nothing."""
    with no_turn(fal):
        ordered(paid)
        paid.click("#cancel")
        expect(paid.locator("#status")).to_contain_text("Cancelled. Nothing was charged.", timeout=WAIT)
    expect(paid.locator("#try_on")).to_be_enabled()
    (job,) = fal.jobs.values()
    assert job.cancelled
    assert fal.billed == 0


def test_a_double_click_is_one_job(paid: Page, fal: FakeFal) -> None:
    """The second click neither submits again nor cancels the job of the first."""
    two_photos(paid)
    paid.locator("#try_on").dblclick()
    done(paid)
    assert fal.count("submit") == 1
    assert fal.billed == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"hello", "not a photo"),
        (b"", "empty"),
        (photo_bytes(100, 900), "too small"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
    ],
    ids=["text", "empty", "small", "svg"],
)
def test_a_bad_photo_is_named(paid: Page, fal: FakeFal, content: bytes, says: str) -> None:
    """The message names the slot and the cause, before anything is sent; a good photo clears it."""
    give(paid, "garments", photo_bytes(800, 800))
    give(paid, "person", content)
    expect(paid.locator("#notice")).to_contain_text(says, timeout=WAIT)
    expect(paid.locator("#notice")).to_contain_text("Person.")
    expect(paid.locator("#try_on")).to_be_disabled()
    assert fal.count("upload") == fal.count("submit") == 0


def test_a_truncated_photo_is_told_at_the_click(paid: Page, fal: FakeFal) -> None:
    """Errors that only decoding shows come after the click, and before anything is sent."""
    whole = photo_bytes(900, 1200)
    give(paid, "person", whole[: len(whole) // 2])
    give(paid, "garments", photo_bytes(800, 800))
    paid.click("#try_on", timeout=WAIT)
    expect(paid.locator("#failure")).to_contain_text("cut off", timeout=WAIT)
    expect(paid.locator("#failure")).to_contain_text("Nothing was charged.")
    assert fal.count("submit") == 0


def test_an_old_result_survives_a_failure(paid: Page, fal: FakeFal) -> None:
    """When the next try fails, the picture stays, the card says why, and Try again works."""
    two_photos(paid)
    paid.click("#try_on")
    done(paid)
    before = paid.locator("#result img").get_attribute("src")
    fal.next_error = model_error("downstream_service_unavailable", "down")
    paid.click("#try_on")
    expect(paid.locator("#failure [data-state=failed]")).to_be_visible(timeout=WAIT)
    failure = paid.locator("#failure").inner_text()
    assert "A service behind the model is down." in failure
    assert list(fal.jobs)[-1] in failure
    assert paid.locator("#result img").get_attribute("src") == before
    paid.click("#retry")
    done(paid)
    expect(paid.locator("#failure [data-state=failed]")).not_to_be_visible()


def test_a_late_answer_does_not_wipe_a_failure_away(paid: Page, fal: FakeFal) -> None:
    """A late answer to typing during the run does not remove the failure."""
    fal.next_error = model_error("downstream_service_unavailable", "down")
    held: list[Route] = []
    with no_turn(fal):
        ordered(paid)
        paid.route("**/run/predict*", lambda route: held.append(route))
        with paid.expect_request("**/run/predict*"):
            paid.fill("#option-description textarea", "a tee")
    failure = paid.locator("#failure [data-state=failed]")
    expect(failure).to_be_visible(timeout=WAIT)
    assert held
    with paid.expect_event("requestfinished", lambda request: "/run/predict" in request.url):
        for route in held:
            route.continue_()
    paid.unroute("**/run/predict*")
    drawn(paid)
    expect(failure).to_be_visible()


def test_only_the_chosen_models_options(paid: Page) -> None:
    """A control appears only if the model has it, and only while it matters."""
    expect(paid.locator("#option-description")).to_be_visible()
    expect(paid.locator("#option-cloth_type")).not_to_be_visible()
    paid.locator("#model label", has_text=CAT_VTON.title).click()
    expect(paid.locator("#option-cloth_type")).to_be_visible(timeout=WAIT)
    expect(paid.locator("#option-description")).not_to_be_visible()
    expect(paid.locator("#option-width")).not_to_be_visible()
    paid.locator("#option-image_size input").click()
    paid.get_by_role("option", name="Custom").click()
    expect(paid.locator("#option-width")).to_be_visible(timeout=WAIT)


def test_the_kind_of_one_garment_is_guessed(free: Page) -> None:
    """Trousers make the options say Bottom; what the visitor says there stays."""
    free.locator("#model label", has_text=CAT_VTON.title).click()
    free.locator("#clothes button").last.click()
    kind = free.locator("#option-cloth_type label.selected")
    expect(kind).to_have_text("Bottom", timeout=WAIT)
    free.locator("#option-cloth_type label", has_text="Whole body").click()
    expect(free.locator("#garments .card")).to_have_attribute("aria-label", "Trousers, place 1 of 1")
    free.locator("#clothes button").first.click()
    expect(free.get_by_label("Kind of Trousers")).to_have_value("overall", timeout=WAIT)
    expect(free.locator("#option-cloth_type")).to_be_hidden()  # the cards ask now


def test_options_reach_fal(paid: Page, fal: FakeFal) -> None:
    """What is chosen on the page is what fal gets."""
    two_photos(paid)
    paid.locator("#model label", has_text=CAT_VTON.title).click()
    paid.locator("#option-cloth_type label", has_text="Whole body").click()
    paid.locator("#expert button").first.click()
    paid.fill("#option-seed input", "7")
    paid.locator("#option-seed input").blur()
    paid.fill("#option-num_inference_steps input[type=number]", "12")
    paid.locator("#option-num_inference_steps input[type=number]").blur()
    paid.click("#try_on")
    done(paid)
    (job,) = fal.jobs.values()
    assert {name: job.arguments[name] for name in ("cloth_type", "seed", "num_inference_steps", "image_size")} == {
        "cloth_type": "overall",
        "seed": 7,
        "num_inference_steps": 12,
        "image_size": "portrait_4_3",
    }
    assert result_picture(paid).size == (768, 1024)


def test_an_empty_seed_stays_empty(paid: Page, fal: FakeFal) -> None:
    """Opening the drawer does not fill the seed, which would make every try the same."""
    paid.locator("#expert button").first.click()
    expect(paid.locator("#option-seed input")).to_be_visible()
    two_photos(paid)
    paid.click("#try_on")
    done(paid)
    with no_turn(fal):
        paid.click("#try_on")
        works(paid)
    done(paid)
    first, second = (job.arguments["seed"] for job in fal.jobs.values())
    assert first != second


def test_a_custom_size_comes_back_cut_to_the_photo(paid: Page, fal: FakeFal) -> None:
    """An empty side has its default; the result lies over the photo; the page warns about the shape."""
    two_photos(paid)
    paid.locator("#model label", has_text=CAT_VTON.title).click()
    paid.locator("#option-image_size input").click()
    paid.get_by_role("option", name="Custom").click()
    paid.fill("#option-width input", "1000")
    paid.locator("#option-width input").blur()
    expect(paid.locator("#notice")).to_contain_text("768 × 1024", timeout=WAIT)
    paid.click("#try_on")
    done(paid)
    (job,) = fal.jobs.values()
    assert job.arguments["image_size"] == {"width": 1000, "height": 1024}
    assert result_picture(paid).size == (768, 1024)


def test_a_12_megapixel_phone_photo_comes_back_upright(paid: Page, fal: FakeFal) -> None:
    """A turned 12 MP JPEG with GPS in it is sent upright, small and without metadata."""
    before = set(fal.uploads)
    give(paid, "person", photo_bytes(4032, 3024, exif_orientation=6, gps=True))
    give(paid, "garments", photo_bytes(4000, 3000))
    paid.locator("#try_on", has_text="$0.0475").click(timeout=WAIT)
    done(paid)
    width, height = result_picture(paid).size
    assert height > width
    sent_now = [stored for url, stored in fal.uploads.items() if url not in before]
    assert len(sent_now) == 2
    for stored in sent_now:
        sent = Image.open(io.BytesIO(stored.data))
        assert sent.width * sent.height <= 1_000_000
        assert not sent.getexif()


def test_a_heic_photo_is_shown_and_sent(paid: Page, fal: FakeFal) -> None:
    """Browsers cannot show HEIC; the page shows a JPEG of it."""
    heic = io.BytesIO()
    Image.open(io.BytesIO(photo_bytes(900, 1200))).save(heic, "HEIF")
    give(paid, "person", heic.getvalue(), name="IMG_0001.HEIC")
    paid.wait_for_function("document.querySelector('#person img')?.naturalWidth > 0", timeout=WAIT)
    give(paid, "garments", photo_bytes(800, 800))
    paid.locator("#try_on", has_text="$0.0475").click(timeout=WAIT)
    done(paid)


def test_swap(paid: Page, fal: FakeFal) -> None:
    """Person and garment change places, and stay usable."""
    give(paid, "person", photo_bytes(900, 1200), name="a-garment.jpg")
    give(paid, "garments", photo_bytes(800, 800), name="a-person.jpg")
    expect(paid.locator("#try_on")).to_have_text(re.compile("Try on"), timeout=WAIT)
    paid.click("#swap")
    expect(paid.locator("#person img")).to_have_attribute("src", re.compile("a-person"), timeout=WAIT)
    expect(paid.locator("#garments .card img")).to_have_attribute("src", re.compile("a-garment"))
    expect(paid.locator("#try_on")).to_be_enabled()


def test_sandbox_makes_a_stamped_draft_of_the_examples(free: Page, fal: FakeFal) -> None:
    """Without a key two clicks on examples and one on the button make a draft that says it is one."""
    free.locator("#people button").first.click()
    free.locator("#clothes button").first.click()
    free.locator("#try_on", has_text="free draft").click(timeout=WAIT)
    expect(free.locator("#status")).to_contain_text("Running, step", timeout=WAIT)
    done(free)
    assert "free draft" in free.locator("#details summary").inner_text()
    draft = result_picture(free)
    assert '"sandbox": true' in str(draft.getexif()[0x010E])
    assert fal.count("submit") == 0


def test_a_key_of_ones_own_pays_and_is_kept_nowhere(free: Page, fal: FakeFal) -> None:
    """The visitor's key turns the sandbox into fal, and is neither in storage nor in the address."""
    fal.keys.add("visitor-id:visitor-secret")
    free.locator("#key_drawer button").first.click()
    free.fill("#fal_key input", "visitor-id:visitor-secret")
    assert free.get_attribute("#fal_key input", "type") == "password"
    two_photos(free)
    free.locator("#try_on", has_text="$0.0475").click(timeout=WAIT)
    done(free)
    (job,) = fal.jobs.values()
    assert job.key == "visitor-id:visitor-secret"
    stored = free.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])")
    assert "visitor" not in stored


def test_a_refused_key_is_told(free: Page, fal: FakeFal) -> None:
    """fal's 401 becomes an error with a cure, without the key."""
    free.locator("#key_drawer button").first.click()
    free.fill("#fal_key input", "wrong-id:wrong-secret")
    two_photos(free)
    free.locator("#try_on", has_text="$0.0475").click(timeout=WAIT)
    expect(free.locator("#failure")).to_contain_text("fal does not accept the key.", timeout=WAIT)
    assert "wrong" not in free.locator("#failure").inner_text()
    free.fill("#fal_key input", "another-id:another-secret")
    expect(free.locator("#failure")).not_to_be_visible()


def test_on_a_phone_the_button_is_in_reach_and_the_mirror_comes_into_view(
    browser: Browser, free_url: str, fal: FakeFal
) -> None:
    """The button stays at the bottom of the window; the click brings the result's place into it."""
    page = open_page(browser, free_url, viewport=PHONE)
    box = page.locator("#try_on").bounding_box()
    assert box
    assert box["y"] + box["height"] <= PHONE["height"]
    page.locator("#people button").first.click()
    page.locator("#clothes button").first.click()
    page.locator("#try_on", has_text="free draft").tap(timeout=WAIT)
    expect(page.locator("#status [data-state=working]")).to_be_in_viewport(timeout=WAIT)
    done(page)
    page.context.close()


def above_the_button(page: Page, card: str) -> None:
    """On a phone: in view, and not left under the button."""
    page.wait_for_function(
        """card => {
            const [told, button] = [card, '#action'].map(each => document.querySelector(each)?.getBoundingClientRect());
            return told && told.top >= 0 && told.bottom <= button.top;
        }""",
        arg=card,
        timeout=WAIT,
    )


def test_on_a_phone_a_failure_comes_into_view(browser: Browser, paid_url: str, fal: FakeFal) -> None:
    """Why the photos cannot be used, and later why the try-on failed."""
    page = open_page(browser, paid_url, viewport=PHONE)
    give(page, "person", b"hello")
    above_the_button(page, "#notice .card")
    page.locator("#person button[aria-label='Remove Image']").tap()
    fal.next_error = model_error("downstream_service_unavailable", "down")
    two_photos(page)
    page.tap("#try_on")
    above_the_button(page, "#failure .card")
    page.context.close()


def test_an_unsafe_or_black_picture_is_reported_not_shown(paid: Page, fal: FakeFal) -> None:
    """A picture that fal's checker held back is never shown; another seed is offered."""
    fal.black = True
    two_photos(paid)
    paid.click("#try_on")
    expect(paid.locator("#failure")).to_contain_text("all black", timeout=WAIT)
    expect(paid.locator("#result img")).not_to_be_visible()
    expect(paid.locator("#again")).to_be_visible()


def test_words_from_outside_are_text(paid: Page, fal: FakeFal) -> None:
    """Markup in fal's message, or in a visitor's prompt, is shown and not run."""
    evil = "<img src=x onerror=\"document.title='owned'\">"
    fal.next_error = model_error("value_error", evil)
    paid.fill("#option-description textarea", evil)
    two_photos(paid)
    paid.click("#try_on")
    expect(paid.locator("#failure")).to_contain_text("onerror", timeout=WAIT)
    paid.click("#retry")
    done(paid)
    paid.locator("#details summary").click()
    expect(paid.locator("#details dl")).to_contain_text("onerror")
    assert paid.title() != "owned"


def test_a_third_model_is_data(browser: Browser, fal: FakeFal, tmp_path: Path) -> None:
    """FASHN, added to the registry, is chosen, priced, set and run on the page with no other change."""
    settings = Settings(fal_key=TEST_KEY, data_dir=tmp_path, fal_api_url=fal.api_url)
    with serving(settings, {**MODELS, FASHN.name: FASHN}) as url:
        page = open_page(browser, url)
        page.locator("#model label", has_text=FASHN.title).click()
        page.locator("#option-category label", has_text="Whole body").click(timeout=WAIT)
        page.locator("#option-mode label", has_text="Quick").click()
        expect(page.locator("#option-num_inference_steps")).to_be_hidden()
        two_photos(page)
        expect(page.locator("#try_on")).to_have_text("Try on · $0.0750", timeout=WAIT)
        page.click("#try_on")
        done(page)
        expect(page.locator("#details summary")).to_contain_text(re.compile(r"FASHN v1.6 · .* · \$0.0750 · seed"))
        page.context.close()
    (job,) = fal.jobs.values()
    assert job.endpoint == FASHN.endpoint
    assert (job.arguments["category"], job.arguments["mode"]) == ("one-pieces", "performance")
