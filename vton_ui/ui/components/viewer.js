// One look, large: before and after under a slider, zoomed, marked, and what can be done with it. It follows its tile
// while values stream in, and keeps what it showed last should the tile go.

const SAME_SHAPE = 0.02; // pictures whose ratios differ by less are the same shape, rounded to whole pixels
const PAN_PIXELS = 48;
// What an action fills is brought into view, and has the focus then.
const FILLS = { use_settings: "#garments", put_garments_back: "#garments", use_as_person: "#person" };
const PANS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

const factsOf = (look) => {
  const share = look.changed?.share_outside;
  const changed = typeof share === "number" ? `${percent(share)} outside the middle of the body` : null;
  return [
    ...(look.facts ?? []),
    ["Seed", look.seed],
    ["Changed", changed],
    ["Request id", look.request_id],
  ].filter(([, value]) => value !== null && value !== undefined && value !== "");
};

const fileName = (url) => {
  const last = new URL(url).pathname.split("/").pop();
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
};

const drawFacts = (list, look) => {
  const facts = factsOf(look);
  if (list.dataset.drawn === JSON.stringify(facts)) return;
  list.dataset.drawn = JSON.stringify(facts);
  list.replaceChildren(
    ...facts.flatMap(([name, value]) => {
      const [term, description] = [document.createElement("dt"), document.createElement("dd")];
      term.textContent = name;
      description.textContent = value;
      return [term, description];
    }),
  );
};

// It is in the page only while it is open: the pictures of a page are its looks. Args: home() is what has the focus
// afterwards should the tile be gone.
const makeViewer = (element, { act, home }) => {
  const dialog = element.querySelector(".viewer-template").content.firstElementChild;
  const find = (selector) => dialog.querySelector(selector);
  const [room, stage, slider] = [find(".room"), find(".stage"), find(".split")];
  const [photo, picture, overlay] = [find(".photo"), find("img.look"), find(".overlay")];
  let looks = []; // the ones that are done
  let look = null;
  let marked = false;
  let opener = null;
  let filled = null;

  const drawSplit = () => {
    const share = Number(slider.value) / 100;
    // The slider's knob stays inside the picture; the edge between before and after runs through its middle.
    stage.style.setProperty("--split", share);
    stage.dataset.split = share === 0 ? "after" : share === 1 ? "before" : "both";
    slider.setAttribute("aria-valuetext", `${slider.value} % before`);
  };

  const setSplit = (share) => {
    slider.value = Math.round(Math.min(1, Math.max(0, share)) * 100);
    drawSplit();
  };

  const zoom = makeZoom(find(".pane"), stage, {
    split: (share) => slider.disabled || setSplit(share),
    told: (level) => setText(find(".level"), `${Math.round(level * 100)} %`),
  });

  // The look's shape is the stage's; a photo of the same shape fills it to the pixel.
  const shape = () => {
    if (!picture.naturalWidth) return;
    const [wide, high] = [picture.naturalWidth, picture.naturalHeight];
    zoom.shape(wide, high);
    const off = photo.naturalWidth ? (photo.naturalWidth / photo.naturalHeight) * (high / wide) - 1 : 0;
    stage.toggleAttribute("data-other-shape", Math.abs(off) > SAME_SHAPE);
  };

  const drawBefore = (there) => {
    slider.disabled = find(".flip").disabled = !there;
    stage.toggleAttribute("data-alone", !there);
  };

  const setMarked = (on) => {
    const there = Boolean(look?.changed?.overlay);
    marked = on && there;
    setPicture(overlay, marked ? look.changed.overlay : null);
    setAttribute(find(".mark"), "aria-pressed", marked);
    setHidden(find(".mark"), !there);
  };

  const draw = () => {
    setAttribute(dialog, "data-id", look.id);
    setText(find("h2"), [look.title, look.label].filter(Boolean).join(" · "));
    const place = looks.findIndex(({ id }) => id === look.id);
    const which = looks.length > 1 && place >= 0 ? `${place + 1} of ${looks.length}` : "";
    const draft = look.sandbox ? "draft, not AI" : "";
    setText(find(".line"), [which, draft, numbers(look)].filter(Boolean).join(" · "));
    setPicture(picture, look.url);
    setAttribute(picture, "alt", `The look: ${called(look)}`);
    if (photo.getAttribute("src") !== address(look.before)) drawBefore(Boolean(address(look.before)));
    setPicture(photo, look.before);
    setMarked(marked);
    const download = find(".download");
    const url = address(look.url);
    setHidden(download, !url);
    setAttribute(download, "href", url);
    setAttribute(download, "download", url && fileName(url));
    setText(find("[data-action=again]"), ["Again with another seed", look.again].filter(Boolean).join(" · "));
    drawSteps(find(".steps"), look.steps ?? []);
    drawFacts(find(".facts"), look);
    for (const button of dialog.querySelectorAll(".actions [data-action]"))
      setHidden(button, !(look.can ?? []).includes(button.dataset.action));
    for (const turn of dialog.querySelectorAll(".turn")) setHidden(turn, looks.length < 2);
  };

  const open = (id, from) => {
    look = looks.find((one) => one.id === id);
    if (!look) return;
    opener = from;
    filled = null;
    draw();
    element.append(dialog);
    dialog.showModal();
    find("h2").focus();
    room.scrollTop = 0;
    zoom.reset();
    drawSplit();
  };

  const follow = (tiles) => {
    looks = tiles;
    if (!dialog.open) return;
    look = looks.find((one) => one.id === look.id) ?? look;
    draw();
  };

  const turn = (by) => {
    if (looks.length < 2) return;
    const place = looks.findIndex(({ id }) => id === look.id);
    look = looks[(place + by + looks.length) % looks.length];
    zoom.reset();
    draw();
  };

  const flip = () => slider.disabled || setSplit(slider.value === "0" ? 1 : 0);

  const mark = () => {
    setMarked(!marked);
    if (marked && !slider.disabled) setSplit(0);
  };

  const fullScreen = () => (document.fullscreenElement ? document.exitFullscreen() : room.requestFullscreen());

  const KEYS = {
    "+": () => zoom.by(1.25),
    "=": () => zoom.by(1.25),
    "-": () => zoom.by(0.8),
    0: zoom.reset,
    b: flip,
    c: mark,
    f: () => document.fullscreenEnabled && fullScreen(),
    PageUp: () => turn(-1),
    PageDown: () => turn(1),
    ...Object.fromEntries(
      Object.entries(PANS).map(([key, [x, y]]) => [
        key,
        () => (zoom.level() > 1 ? zoom.move(x * PAN_PIXELS, y * PAN_PIXELS) : x && turn(-x)),
      ]),
    ),
  };

  dialog.addEventListener("keydown", (event) => {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.altKey || event.ctrlKey || event.metaKey || !KEYS[key]) return;
    // On the slider these are its own; where only the page scrolls, up and down are the page's.
    if (event.target === slider && /^(Arrow|Page)/.test(key)) return;
    if (/^Arrow(Up|Down)$/.test(key) && zoom.level() === 1) return;
    event.preventDefault();
    KEYS[key]();
  });

  const on = (selector, does) => find(selector).addEventListener("click", does);
  on(".close", () => dialog.close());
  on(".previous", () => turn(-1));
  on(".next", () => turn(1));
  on(".flip", flip);
  on(".out", () => zoom.by(0.8));
  on(".in", () => zoom.by(1.25));
  on(".mark", mark);
  on(".full", fullScreen);
  for (const button of dialog.querySelectorAll("[data-action]"))
    button.addEventListener("click", () => {
      act(button.dataset.action, look.id);
      const target = FILLS[button.dataset.action];
      filled = target ? document.querySelector(target) : null;
      dialog.close(); // what was asked for shows on the page
    });
  slider.addEventListener("input", drawSplit);
  picture.addEventListener("load", shape);
  photo.addEventListener("load", shape);
  photo.addEventListener("error", () => drawBefore(false)); // some photos no browser can show
  dialog.addEventListener("close", () => {
    if (dialog.open) return; // opened again before this event came
    dialog.remove();
    if (filled) {
      filled.tabIndex = -1;
      filled.focus({ preventScroll: true });
      filled.scrollIntoView({ block: "center" });
    } else (opener.isConnected ? opener : home())?.focus();
  });
  room.addEventListener("fullscreenchange", () => setAttribute(find(".full"), "aria-pressed", Boolean(document.fullscreenElement)));
  setHidden(find(".full"), !document.fullscreenEnabled);
  return { open, follow };
};
