"""What the README says of nginx: a sub-path, TLS, large photos, events as they happen, visitors, two replicas."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser import NoBrowser, chromium, in_ci, load
from tests.client import Client
from tests.conftest import begin_anew, photo_bytes
from tests.deploy.nginx import NAME, Nginx, missing, nginx, settings
from tests.fake_fal.server import FakeFal
from tests.page.acts import WAIT, done, two_photos
from tests.page_client import PageClient
from tests.subprocess_app import SubprocessApp, subprocess_app
from vton_ui.pictures.photos import MAX_BYTES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

FREE_RATE = 40
"""Free work a minute for each visitor: more than a test needs that does not count it."""


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """Two replicas behind one nginx."""

    nginx: Nginx
    replicas: list[SubprocessApp]

    def serving(self) -> SubprocessApp:
        """The replica that nginx sends us to."""
        alive = [app for app in self.replicas if app.process and app.process.poll() is None]
        here = httpx.get(f"{self.nginx.url}gradio_api/app_id").text
        return next(app for app in alive if httpx.get(f"{app.url}gradio_api/app_id").text == here)


@pytest.fixture(scope="module")
def deployed(lasting_fal: FakeFal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The README's commands, run. Without nginx the tests skip on a laptop and fail in CI."""
    lacking = missing()
    if lacking:
        (pytest.fail if in_ci() else pytest.skip)(f"{lacking} is not installed")
    given, ports = settings()
    data, folder = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("nginx")
    environment = {**given, "VTON_DATA_DIR": str(data), "VTON_FREE_RATE": str(FREE_RATE)}
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        with ThreadPoolExecutor() as threads:
            apps = [threads.submit(_started, stack, lasting_fal, environment) for _ in ports]
        replicas = [app.result() for app in apps]
        server = stack.enter_context(nginx(folder, [app.port for app in replicas]))
        patch.setenv("SSL_CERT_FILE", str(server.certificate))
        yield Deployed(nginx=server, replicas=replicas)


def _started(stack: ExitStack, fal: FakeFal, environment: dict[str, str]) -> SubprocessApp:
    return stack.enter_context(subprocess_app(fal, Path(environment["VTON_DATA_DIR"]), environment=environment))


@pytest.fixture
def fal(lasting_fal: FakeFal) -> Iterator[FakeFal]:
    """The fal that both replicas use."""
    yield from begin_anew(lasting_fal)


@pytest.fixture
def url(deployed: Deployed, fal: FakeFal) -> str:
    """The studio's address as visitors know it."""
    return deployed.nginx.url


def page_with_photos(url: str) -> PageClient:
    page = PageClient(url)
    page.give(photo_bytes(900, 1200), photo_bytes(800, 800))
    return page


@pytest.mark.page
def test_page_below_a_path(url: str, fal: FakeFal) -> None:
    """In a browser over TLS: nothing is asked for outside the path, the picture comes, and the cookie is secure."""
    try:
        with chromium() as browser, browser.new_context(ignore_https_errors=True) as context:
            page, asked = context.new_page(), list[str]()
            page.on("request", lambda request: asked.append(request.url))
            page.on(
                "response",
                lambda response: asked.append(f"{response.status} {response.url}") if not response.ok else None,
            )
            load(page, url)
            two_photos(page)
            page.click("#try_on")
            done(page)
            expect(page.locator("#result img").first).to_have_js_property("complete", True, timeout=WAIT)
            assert page.locator("#result img").first.evaluate("(image) => image.naturalWidth") > 0
            (cookie,) = [cookie for cookie in context.cookies() if cookie["name"] == "vton-browser"]
    except NoBrowser as exc:
        (pytest.fail if in_ci() else pytest.skip)(f"no Chromium: {exc}")
    assert {address for address in asked if not re.match(rf"{re.escape(url)}|data:|blob:", address)} == set()
    assert (cookie["secure"], cookie["sameSite"]) == (True, "None")
    assert fal.count("submit") == 1


def test_only_the_owners_name(url: str) -> None:
    """The name in VTON_HOSTS is answered to, another one is not, and the page has the address it was asked for by."""
    named = httpx.get(f"{url}config", headers={"host": NAME})
    assert named.json()["root"] == f"https://{NAME}/studio"
    assert httpx.get(url, headers={"host": "evil.example"}).status_code == 400


def test_the_largest_photos(url: str) -> None:
    """Two of the largest photos arrive in one request; a larger one is refused by the app, in words."""
    client, photo = Client(url), b"\xff\xd8\xff" + bytes(MAX_BYTES - 3)
    two = [("files", (f"{number}.jpg", photo)) for number in range(2)]
    assert len(client.http.post("gradio_api/upload", files=two).raise_for_status().json()) == 2
    refused = client.http.post("gradio_api/upload", files=[("files", ("big.jpg", photo + b"more"))])
    assert refused.status_code == 413
    assert "nginx" not in refused.text


def test_events_arrive_as_they_happen(url: str, fal: FakeFal) -> None:
    """While fal holds the job back, its caller already has the request id."""
    fal.concurrent = 0
    client = Client(url)
    given = {"person": client.upload(photo_bytes(300, 400)), "garments": [client.upload()]}
    event = client.http.post("gradio_api/call/v2/try_on", json=given).json()["event_id"]
    lines = []
    with client.http.stream("GET", f"gradio_api/call/try_on/{event}") as stream:
        for line in stream.iter_lines():
            lines.append(line)
            if any(job in line for job in fal.jobs):
                fal.concurrent = None
    assert fal.concurrent is None
    assert "event: complete" in lines


def test_visitors(url: str, deployed: Deployed) -> None:
    """Visitors are told apart by the address that nginx saw; what they write there themselves counts for nothing."""

    def estimate(address: str, forged: int) -> str:
        context = ssl.create_default_context(cafile=deployed.nginx.certificate)
        client = Client(url, cookies=False)
        transport = httpx.HTTPTransport(local_address=address, verify=context)
        client.http = httpx.Client(
            base_url=url, transport=transport, headers={"x-forwarded-for": f"203.0.113.{forged}"}
        )
        with client.http:
            return str(client.call("estimate", **photos))

    sender = Client(url)
    photos = {"person": sender.upload(photo_bytes(300, 400)), "garments": [sender.upload()]}
    answers = [estimate("127.0.0.2", forged) for forged in range(FREE_RATE + 1)]
    assert "total_usd" in answers[0]
    assert "a minute" in answers[-1]
    assert "total_usd" in estimate("127.0.0.3", 1)


def test_a_replica_is_killed(url: str, deployed: Deployed, fal: FakeFal) -> None:
    """The other takes over its visitors: the job comes back to them with its picture, ordered and paid once.

    The last test of this file: one replica is left.
    """
    fal.concurrent = 0
    page = page_with_photos(url)
    steps = page.following("try_on")
    page.until("Waiting", steps)
    killed = deployed.serving()
    killed.kill()
    with pytest.raises(httpx.HTTPError):
        list(steps)
    later = page.reloaded()
    assert deployed.serving() is not killed
    steps = later.following("come_back")
    later.until("Waiting", steps)
    fal.concurrent = None
    later.until("Done in", steps)
    assert httpx.get(later.picture()).headers["content-type"].startswith("image/")
    assert fal.count("submit") == fal.billed == 1
