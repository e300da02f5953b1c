// One look as a tile, from making its nodes to bringing them up to date. Words go in as text, never as HTML, and only
// where they changed: twelve tiles may be told something new ten times a second.

const RUNNING = new Set(["planned", "waiting", "working"]);
const ENDED = new Set(["done", "failed", "cancelled"]);
const TWICE_MS = 800; // the second half of a double click must neither pay twice nor hit what took the button's place
const ANSWER_MS = 2000;

const setText = (node, words) => {
  if (node.textContent !== (words ?? "")) node.textContent = words ?? "";
};

const setAttribute = (node, name, value) => {
  if (value === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
};

const setHidden = (node, hidden) => {
  if (node.hidden !== hidden) node.hidden = hidden;
};

// Whatever Python was given as an address: nothing that could run as a script.
const address = (url) => {
  try {
    const found = new URL(url || "", document.baseURI);
    return url && (/^(https?|blob):$/.test(found.protocol) || url.startsWith("data:image/")) ? found.href : null;
  } catch {
    return null;
  }
};

const setPicture = (image, url) => {
  const source = address(url);
  setHidden(image, !source);
  if (source) setAttribute(image, "src", source);
  else image.removeAttribute("src");
};

const called = (tile) => [tile.title, tile.label].filter(Boolean).join(", ");
const duration = (seconds) => (typeof seconds === "number" ? `${seconds.toFixed(1)} s` : null);
const numbers = (tile) => [duration(tile.seconds), tile.cost].filter(Boolean).join(" · ");
const percent = (share) => (share > 0 && share < 0.01 ? "under 1 %" : `${Math.round(share * 100)} %`);

const elapsed = (seconds) => {
  const whole = Math.max(0, Math.floor(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
};

// Tells Python; never the same twice within the time of a double click. What starts or follows a try-on is an event of
// its own, because its answer streams.
const RUNS = new Set(["retry", "go_on", "look_again", "again", "order_rest"]);
const makeAct = (trigger) => {
  const sent = new Map();
  return (action, id) => {
    const key = `${action} ${id}`;
    if (performance.now() - (sent.get(key) ?? -Infinity) < TWICE_MS) return;
    sent.set(key, performance.now());
    trigger(RUNS.has(action) ? "run" : "action", { id, action });
  };
};

// The value as Python gave it last. Answers of two events may overtake each other: an older one is left out.
const makeReader = () => {
  let newest = -Infinity;
  return () => {
    const given = typeof props.value === "string" ? JSON.parse(props.value) : props.value ?? {};
    if (given.now < newest) return null;
    newest = given.now ?? newest;
    const order = (given.order ?? "").split(" ").filter(Boolean);
    return { ...given, tiles: given.order === undefined ? given.tiles : order.map((id) => JSON.parse(given.tiles[id])) };
  };
};

// Shows at once that a press was felt, until Python's answer shows what came of it.
const dim = (button) => {
  button.toggleAttribute("data-sent", true);
  setTimeout(() => button.removeAttribute("data-sent"), ANSWER_MS);
};

const offersOf = (tile) => {
  if (RUNNING.has(tile.state)) return [["cancel", "Cancel"]];
  return tile.state === "done" ? [] : tile.offers ?? [];
};

const drawButtons = (holder, tile, act) => {
  const offers = offersOf(tile);
  for (const button of [...holder.children])
    if (!offers.some(([action]) => action === button.dataset.action)) button.remove();
  offers.forEach(([action, words], place) => {
    let button = [...holder.children].find((child) => child.dataset.action === action);
    if (!button) {
      button = document.createElement("button");
      button.type = "button";
      button.tabIndex = -1;
      button.dataset.action = action;
      button.addEventListener("click", () => {
        act(action, holder.closest(".tile").dataset.id);
        dim(button);
      });
      holder.insertBefore(button, holder.children[place] ?? null);
      button.animate({ pointerEvents: ["none", "none"] }, TWICE_MS / 2);
    }
    setText(button, words);
    setAttribute(button, "aria-label", `${words}: ${called(tile)}`);
  });
};

const STEP_WORDS = { done: "done", waiting: "in line", working: "being put on", failed: "failed" };

// The steps of an outfit, kept or to come; the viewer lists them too.
const drawSteps = (list, steps) => {
  while (list.children.length > steps.length) list.lastChild.remove();
  steps.forEach((step, place) => {
    let item = list.children[place];
    if (!item) {
      item = document.createElement("li");
      item.innerHTML = '<img alt="" hidden><span class="what"></span><span class="aside"></span>';
      list.append(item);
    }
    setAttribute(item, "data-state", step.state);
    setPicture(item.querySelector("img"), step.url);
    setAttribute(item.querySelector("img"), "alt", `With ${step.label}`);
    setText(item.querySelector(".what"), step.label);
    setText(item.querySelector(".aside"), `, ${STEP_WORDS[step.state] ?? "to come"}`);
  });
  setHidden(list, !steps.length);
};

// How far it is. Where nobody knows, the bar drifts, unless the visitor wants nothing to move.
const drawBar = (bar, share) => {
  const fill = bar.firstElementChild;
  const known = typeof share === "number";
  setAttribute(bar, "data-known", known);
  fill.style.width = known ? `${Math.min(1, Math.max(0, share)) * 100}%` : "30%";
  const [drift] = fill.getAnimations().filter((animation) => animation.id === "drift");
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (known || still) drift?.cancel();
  else if (!drift)
    fill.animate(
      { marginLeft: ["0", "70%"] },
      { id: "drift", duration: 1600, iterations: Infinity, direction: "alternate", easing: "ease-in-out" },
    );
};

const wordsOf = (tile) => {
  if (tile.words) return tile.words;
  return { planned: "Planned", waiting: "Waiting", working: "Working", cancelled: "Cancelled", not_ordered: "Not ordered" }[tile.state] ?? "";
};

const drawPanel = (node, tile) => {
  const failed = tile.state === "failed" && tile.error;
  setHidden(node.querySelector(".panel"), tile.state === "done");
  setHidden(node.querySelector(".now"), Boolean(failed));
  setText(node.querySelector(".words"), tile.state === "failed" ? tile.words || "Failed" : wordsOf(tile));
  const bar = node.querySelector(".bar");
  setHidden(bar, !["waiting", "working"].includes(tile.state));
  if (!bar.hidden) drawBar(bar, tile.share);
  setHidden(node.querySelector(".why"), !failed);
  setText(node.querySelector(".cause"), failed?.cause);
  setText(node.querySelector(".cure"), failed?.cure);
};

const drawClock = (node, now) => {
  const since = Number(node.dataset.startedAt);
  setText(node.querySelector(".clock"), since ? `· ${elapsed(now - since)}` : "");
};

// A picture is shown once it is all there; until then the browser shows the one before it, dimmed.
const makeTile = (template) => {
  const node = template.content.firstElementChild.cloneNode(true);
  const image = node.querySelector(".face img");
  image.addEventListener("load", () => {
    node.toggleAttribute("data-wide", image.naturalWidth > image.naturalHeight * 0.8);
    if (image.className === "look") node.toggleAttribute("data-shown", true);
  });
  return node;
};

const drawn = new WeakMap(); // what a tile shows; of twelve, one or two change at a time

const drawFace = (node, tile) => {
  const face = node.querySelector(".face");
  const image = face.querySelector("img");
  const done = tile.state === "done";
  const kept = (tile.steps ?? []).filter((step) => step.url).at(-1)?.url;
  const url = address(done ? tile.url : kept ?? tile.meanwhile ?? tile.before);
  if (image.getAttribute("src") !== url) node.removeAttribute("data-shown");
  else node.toggleAttribute("data-shown", done && image.complete && image.naturalWidth > 0);
  image.className = done ? "look" : "photo";
  setPicture(image, url);
  setAttribute(image, "alt", done ? called(tile) : "Your photo");
  const says = done ? "look closely" : tile.error?.cause ?? wordsOf(tile);
  setAttribute(face, "aria-label", [called(tile), says].filter(Boolean).join(": "));
  setAttribute(face, "aria-disabled", done ? null : true);
};

const drawTile = (node, tile, { act, now, numbersOf = numbers }) => {
  const says = JSON.stringify([tile, numbersOf(tile)]);
  if (drawn.get(node) === says) return;
  drawn.set(node, says);
  const held = node.contains(document.activeElement) ? document.activeElement : null;
  setAttribute(node, "data-state", tile.state);
  const counting = ["waiting", "working"].includes(tile.state) && tile.started_at;
  setAttribute(node, "data-started-at", counting || null);
  drawFace(node, tile);
  drawSteps(node.querySelector(".steps"), tile.state === "done" ? [] : tile.steps ?? []);
  drawPanel(node, tile);
  drawClock(node, now);
  drawButtons(node.querySelector(".buttons"), tile, act);
  setHidden(node.querySelector(".draft"), !(tile.sandbox && tile.state === "done"));
  setText(node.querySelector(".title"), tile.title);
  setText(node.querySelector(".label"), tile.label);
  setText(node.querySelector(".numbers"), tile.error?.cost ?? numbersOf(tile));
  if (held && !held.isConnected) node.querySelector(".face").focus({ preventScroll: true });
};
