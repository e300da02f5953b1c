"""The page in a real Chromium, as a visitor uses it."""

from __future__ import annotations

import io
import re
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import APIResponse, Browser, Page, Route, expect

from tests.browser import DESK, PHONE, TABLET, open_page
from tests.conftest import photo_bytes, serving
from tests.fake_fal.schemas import model_error
from tests.fake_fal.server import TEST_KEY, FakeFal
from tests.models.fashn import FASHN
from tests.page.acts import WAIT, button, done, drawn, give, no_turn, ordered, result_picture, two_photos
from tests.page.network import slow_line
from vton_ui.models import CAT_VTON, MODELS
from vton_ui.settings import Settings
from vton_ui.ui.wiring import SHOW_KIND

QUIET_SECONDS = 0.5
"""Longer than an answer takes that leads to another question."""

CLICK_AT_GUESS = """() => new MutationObserver((_, observer) => {
  if (document.querySelector("#garments .garment .kind")?.value !== "lower") return;
  observer.disconnect();
  document.querySelector("#option-cloth_type [value=upper]").click();
  window.clicked = true;
}).observe(document.querySelector("#garments"), { subtree: true, childList: true })"""
"""Says "Top" when the rail has the guess, and the options do not show it yet."""


def test_never_scrolls_sideways(paid: Page) -> None:
    """The page fits its window, empty and filled."""
    wide = "document.documentElement.scrollWidth - innerWidth"
    windows = (DESK, TABLET, PHONE)
    for window in windows:
        paid.set_viewport_size(window)  # type: ignore[arg-type]
        assert paid.evaluate(wide) <= 0, window
    two_photos(paid)
    paid.locator("#expert button").first.click()
    for window in reversed(windows):
        paid.set_viewport_size(window)  # type: ignore[arg-type]
        assert paid.evaluate(wide) <= 0, window


def test_two_photos_in_the_picture_out(paid: Page, fal: FakeFal) -> None:
    """The whole way: what is missing, estimate, queue position, picture, seed, request id, download; one job at fal.

    Then a second picture of the same photos: another seed, and no second upload.
    """
    fal.run_seconds = 1.5  # longer than it takes to look again
    expect(paid.locator("#try_on")).to_be_disabled()
    assert button(paid) == "Add a person and a garment"
    give(paid, "person", photo_bytes(900, 1200))
    expect(paid.locator("#try_on")).to_have_text("Add a garment", timeout=WAIT)
    expect(paid.locator("#try_on")).to_be_disabled()
    give(paid, "garments", photo_bytes(800, 800))
    expect(paid.locator("#try_on")).to_have_text("Try on · $0.0475", timeout=WAIT)
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
    uploads = fal.count("upload")
    fal.run_seconds = 0.2
    paid.click("#again")
    expect(paid.locator("#looks .tile")).to_have_count(2, timeout=WAIT)
    first, second = (job.arguments["seed"] for job in fal.jobs.values())
    assert first != second
    assert fal.count("upload") == uploads


def test_click_after_click(paid: Page, fal: FakeFal) -> None:
    """A double click is one job, the seed stays empty with its drawer open, and a failure leaves the old picture."""
    paid.locator("#expert button").first.click()
    expect(paid.locator("#option-seed input")).to_be_visible()
    two_photos(paid)
    paid.locator("#try_on").dblclick()
    done(paid)
    assert fal.count("submit") == fal.billed == 1
    paid.click("#try_on")
    expect(paid.locator("#looks .tile")).to_have_count(2, timeout=WAIT)
    first, second = (job.arguments["seed"] for job in fal.jobs.values())
    assert first != second
    expect(paid.locator("#try_on")).to_be_visible(timeout=WAIT)
    before = paid.locator("#result img").get_attribute("src")
    fal.next_error = model_error("downstream_service_unavailable", "down")
    paid.click("#try_on")
    expect(paid.locator("#failure [data-state=failed]")).to_be_visible(timeout=WAIT)
    failure = paid.locator("#failure").inner_text()
    assert "A service behind the model is down." in failure
    assert list(fal.jobs)[-1] in failure
    assert paid.locator("#result img").get_attribute("src") == before
    paid.click("#retry")
    expect(paid.locator("#looks .tile")).to_have_count(3, timeout=WAIT)
    expect(paid.locator("#failure [data-state=failed]")).not_to_be_visible()


def test_comes_to_rest(free: Page) -> None:
    """The page asks the server a few times about what has changed, and then no more until something does."""
    asked = [time.monotonic()]
    free.on("request", lambda request: asked.append(time.monotonic()) if "/run/" in request.url else None)
    free.locator("#model label", has_text="Both").click()
    for garment in (0, 1):
        free.locator("#clothes button").nth(garment).click()
    expect(free.locator("#sheet img")).to_be_visible(timeout=WAIT)
    with slow_line(free):
        for _ in range(4):
            free.locator("#garments .place").first.select_option("1")
        while time.monotonic() - asked[-1] < QUIET_SECONDS:
            assert len(asked) < 80
            free.wait_for_timeout(20)


def test_cancelled_and_failed(paid: Page, fal: FakeFal) -> None:
    """In the queue Cancel reaches fal and is free; a late answer to typing during a run does not remove its failure."""
    with no_turn(fal):
        ordered(paid)
        paid.click("#cancel")
        expect(paid.locator("#status")).to_contain_text("Cancelled. Nothing was charged.", timeout=WAIT)
    expect(paid.locator("#try_on")).to_be_enabled()
    (job,) = fal.jobs.values()
    assert job.cancelled
    assert fal.billed == 0
    fal.next_error = model_error("downstream_service_unavailable", "down")
    held: list[Route] = []
    with no_turn(fal):
        paid.click("#try_on")
        expect(paid.locator("#status")).to_contain_text("Waiting", timeout=WAIT)
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


def test_the_kind_of_one_garment_is_guessed(free: Page) -> None:
    """Trousers make the options say Bottom; what the visitor says there stays, whenever the guess comes."""
    free.locator("#model label", has_text=CAT_VTON.title).click()
    free.locator("#clothes button").last.click()
    kind = free.locator("#option-cloth_type label.selected")
    expect(kind).to_have_text("Bottom", timeout=WAIT)
    free.locator("#garments .remove").click()

    late: list[tuple[Route, APIResponse]] = []

    def hold_guess(route: Route) -> None:
        answer = route.fetch()
        if not late and '"previews"' in answer.text():
            late.append((route, answer))
        else:
            route.fulfill(response=answer)

    free.route("**/run/predict*", hold_guess)
    free.locator("#clothes button").last.click()
    while not late:
        drawn(free)
    free.locator("#option-cloth_type label", has_text="Whole body").click()
    expect(kind).to_have_text("Whole body")
    with free.expect_event("requestfinished", lambda request: "/run/predict" in request.url):
        late[0][0].fulfill(response=late[0][1])
    drawn(free)
    expect(kind).to_have_text("Whole body")

    free.locator("#garments .remove").click()
    free.evaluate(CLICK_AT_GUESS)
    free.locator("#clothes button").last.click()
    free.wait_for_function("window.clicked")
    drawn(free)
    expect(kind).to_have_text("Top")
    show_kind = SHOW_KIND.replace("KINDS", "['upper']")  # of a model that knows one kind
    assert free.evaluate(f"[{{kind: 'hat'}}, {{kind: 'upper'}}].map((one) => ({show_kind})([one], 'as before'))") == [
        "as before",
        "upper",
    ]
    free.locator("#option-cloth_type label", has_text="Whole body").click()
    expect(free.locator("#garments .card")).to_have_attribute("aria-label", "Trousers, place 1 of 1")
    free.locator("#clothes button").first.click()
    expect(free.get_by_label("Kind of Trousers")).to_have_value("overall", timeout=WAIT)
    expect(free.locator("#option-cloth_type")).to_be_hidden()  # the cards ask now


def test_options(paid: Page, fal: FakeFal) -> None:
    """A control appears only if the model has it, and only while it matters; what is chosen is what fal gets.

    A custom size comes back cut to the photo: an empty side has its default, and the page warns about the shape.
    """
    expect(paid.locator("#option-description")).to_be_visible()
    expect(paid.locator("#option-cloth_type")).not_to_be_visible()
    two_photos(paid)
    paid.locator("#model label", has_text=CAT_VTON.title).click()
    paid.locator("#option-cloth_type label", has_text="Whole body").click()
    expect(paid.locator("#option-description")).not_to_be_visible()
    expect(paid.locator("#option-width")).not_to_be_visible()
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
    paid.locator("#option-image_size input").click()
    paid.get_by_role("option", name="Custom").click()
    paid.fill("#option-width input", "1000")
    paid.locator("#option-width input").blur()
    expect(paid.locator("#notice")).to_contain_text("768 × 1024", timeout=WAIT)
    paid.click("#try_on")
    expect(paid.locator("#looks .tile")).to_have_count(2, timeout=WAIT)
    _, job = fal.jobs.values()
    assert job.arguments["image_size"] == {"width": 1000, "height": 1024}
    assert result_picture(paid).size == (768, 1024)


def test_photos_of_phones(paid: Page, fal: FakeFal) -> None:
    """A turned 12 MP JPEG with GPS is sent upright, small and without metadata; of a HEIC the page shows a JPEG."""
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
    heic = io.BytesIO()
    Image.open(io.BytesIO(photo_bytes(900, 1200))).save(heic, "HEIF")
    paid.locator("#person button[aria-label='Remove Image']").click()
    give(paid, "person", heic.getvalue(), name="IMG_0001.HEIC")
    paid.wait_for_function("document.querySelector('#person img')?.naturalWidth > 0", timeout=WAIT)  # no browser can
    paid.locator("#try_on", has_text="$0.0475").click(timeout=WAIT)
    expect(paid.locator("#looks .tile")).to_have_count(2, timeout=WAIT)


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


def test_a_key_of_ones_own(free: Page, fal: FakeFal) -> None:
    """It turns the sandbox into fal, and is neither in storage nor in the address; a wrong one is told, not shown."""
    free.locator("#key_drawer button").first.click()
    free.fill("#fal_key input", "wrong-id:wrong-secret")
    assert free.get_attribute("#fal_key input", "type") == "password"
    two_photos(free)
    free.locator("#try_on", has_text="$0.0475").click(timeout=WAIT)
    expect(free.locator("#failure")).to_contain_text("fal does not accept the key.", timeout=WAIT)
    assert "wrong" not in free.locator("#failure").inner_text()
    fal.keys.add("visitor-id:visitor-secret")
    free.fill("#fal_key input", "visitor-id:visitor-secret")
    expect(free.locator("#failure")).not_to_be_visible()
    free.click("#try_on")
    done(free)
    (job,) = fal.jobs.values()
    assert job.key == "visitor-id:visitor-secret"
    stored = free.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])")
    assert "visitor" not in stored


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


def test_on_a_phone(phone: Page, fal: FakeFal) -> None:
    """The button is in reach; why photos cannot be used comes into view, then a failure, then the result's place."""
    box = phone.locator("#try_on").bounding_box()
    assert box
    assert box["y"] + box["height"] <= PHONE["height"]
    give(phone, "person", b"hello")
    above_the_button(phone, "#notice .card")
    phone.locator("#person button[aria-label='Remove Image']").tap()
    fal.next_error = model_error("downstream_service_unavailable", "down")
    phone.locator("#people button").first.click()
    phone.locator("#clothes button").first.click()
    phone.locator("#try_on", has_text="$").tap(timeout=WAIT)
    above_the_button(phone, "#failure .card")
    phone.evaluate("scrollTo(0, 0)")
    with no_turn(fal):
        phone.tap("#try_on")
        expect(phone.locator("#status [data-state=working]")).to_be_in_viewport(timeout=WAIT)
    done(phone)


def test_what_fal_says_is_not_trusted(paid: Page, fal: FakeFal) -> None:
    """A picture that fal's checker blacked is never shown; markup in its message or a prompt is shown and not run."""
    fal.black = True
    two_photos(paid)
    paid.click("#try_on")
    expect(paid.locator("#failure")).to_contain_text("all black", timeout=WAIT)
    expect(paid.locator("#result img")).not_to_be_visible()
    expect(paid.locator("#again")).to_be_visible()
    evil = "<img src=x onerror=\"document.title='owned'\">"
    fal.black, fal.next_error = False, model_error("value_error", evil)
    paid.fill("#option-description textarea", evil)
    paid.click("#again")
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
