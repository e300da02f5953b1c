"""What a keyboard and a screen reader find on the page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files

from playwright.sync_api import Page

from tests.browser import DESK, PHONE, TABLET

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
# Without its preload axe does not fetch the style sheets again, which takes two thirds of the time.
BAD = """async () => {
  const {violations} = await axe.run({resultTypes: ["violations"], preload: false});
  const found = violations.filter(({impact}) => ["serious", "critical"].includes(impact))
    .flatMap(({id, nodes}) => nodes.map(({target}) => `${id}: ${target.join(" ")}`));
  const shown = (node) => node.checkVisibility({opacityProperty: true});
  const nameless = [...document.querySelectorAll("img")].filter((img) => shown(img) && !img.alt && !img.ariaHidden);
  return [...found, ...nameless.map(({src}) => `no alt: ${src}`), ...faint()];
}"""
# What is recognised by its border alone, and where that is hard to see: boxes, radio buttons and text boxes.
FAINT = """() => {
  const paint = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (colour) => {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = colour;
    paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data];
  };
  const light = (colour) => rgba(colour).slice(0, 3).map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const ground = (node) => {
    const colour = getComputedStyle(node).backgroundColor;
    return rgba(colour)[3] === 255 || !node.parentElement ? colour : ground(node.parentElement);
  };
  const contrast = (...colours) => {
    const [dark, bright] = colours.map(light).sort((one, other) => one - other);
    return (bright + 0.05) / (dark + 0.05);
  };
  const seen = (box) => (getComputedStyle(box).opacity === "0" ? box.closest("label") : box);
  window.faint = () =>
    [...document.querySelectorAll("FIELDS")]
      .filter((box) => box.checkVisibility() && !box.checked && !box.closest(".choose"))
      .map(seen)
      .filter((box) => contrast(getComputedStyle(box).borderTopColor, ground(box.parentElement)) < 3)
      .map((box) => `faint: ${box.outerHTML.slice(0, 100)}`);
}"""
# Of a slider's number and of a dropdown what is seen is the box around them.
FIELDS = (
    "input:not([type=range], .tab-like-container *, .wrap-inner *), "
    "textarea, .tab-like-container, .wrap:has(> .wrap-inner)"
)
FOCUS = """() => {
  const node = document.activeElement;
  if (node === document.body) return ""; // past the last stop, before the first
  const boxes = [node, node.closest("label, .tab-like-container, .options .wrap:has(> .wrap-inner)")].filter(Boolean);
  const outlined = boxes.find((box) => {
    const {outlineStyle, outlineWidth} = getComputedStyle(box);
    return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 && box.checkVisibility({opacityProperty: true});
  });
  const name = node.outerHTML.slice(0, 120);
  if (!outlined) return `no outline: ${name}`;
  const {outlineWidth, outlineOffset} = getComputedStyle(outlined);
  const room = Math.max(0, parseFloat(outlineWidth) + parseFloat(outlineOffset)) - 1;
  const {left, right, top, bottom} = outlined.getBoundingClientRect();
  for (let around = outlined.parentElement; around !== document.body; around = around.parentElement) {
    if (getComputedStyle(around).overflow === "visible") continue;
    const edge = around.getBoundingClientRect();
    if (left - room < edge.left || right + room > edge.right || top - room < edge.top || bottom + room > edge.bottom)
      return `clipped by ${around.id || around.className}: ${name}`;
  }
  const over = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
  return outlined.contains(over) || over?.closest("label, .tile, .slot")?.contains(outlined) ? "" : `hidden: ${name}`;
}"""


class Inspector:
    """Says what is wrong with the page as it stands, by day and by night, in three widths."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.evaluate(AXE)
        page.evaluate(FAINT.replace("FIELDS", FIELDS))
        # A picture or a card that fades in has another contrast meanwhile.
        page.add_style_tag(content="*, ::before { transition: none !important; animation-duration: 0s !important; }")

    def problems(self) -> list[str]:
        """What axe finds serious or critical, pictures without words, and borders that are hard to see."""
        found = []
        for window in (DESK, TABLET, PHONE):
            self.page.set_viewport_size(window)  # type: ignore[arg-type]
            for dark in (False, True):
                self.page.evaluate("dark => document.body.classList.toggle('dark', dark)", dark)
                where = f"{'dark' if dark else 'light'}, {window['width']}"
                found += [f"{where}: {what}" for what in self.page.evaluate(BAD)]
        self.page.set_viewport_size(DESK)  # type: ignore[arg-type]
        self.page.evaluate("document.body.classList.remove('dark')")
        return found


def hidden_focus(page: Page) -> str:
    """Why it cannot be seen where the focus is, or nothing."""
    return str(page.evaluate(FOCUS))


class Keys:
    """Presses keys, counts them, and wants to see where the focus is."""

    def __init__(self, page: Page) -> None:
        self.page, self.count = page, 0

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.count += 1

    def tab_to(self, selector: str) -> None:
        """Tab, until the focus is there."""
        for _ in range(80):
            self.press("Tab")
            assert not hidden_focus(self.page), hidden_focus(self.page)
            if self.page.evaluate("selector => Boolean(document.activeElement.closest(selector))", selector):
                return
        raise AssertionError(f"Tab does not lead to {selector}")


@contextmanager
def heard(page: Page) -> Iterator[list[str]]:
    """What a screen reader says of the try-on meanwhile: each change of a live region; filled at the end."""
    page.evaluate("""() => {
      window.heard = [];
      const listen = (selector, words) => {
        const region = document.querySelector(selector);
        const hear = (changes) => changes.forEach((change) => window.heard.push(words(change)));
        new MutationObserver(hear).observe(region, {subtree: true, childList: true, characterData: true});
      };
      listen("#said", () => document.querySelector("#said").textContent);
      listen("#result .said", ({addedNodes}) => addedNodes[0].textContent);
    }""")
    found: list[str] = []
    yield found
    found.extend(words for words in page.evaluate("window.heard") if words)
