// The rail of garments. Cards are made from the template's <template> and filled by textContent and properties, so no
// name or address is ever read as HTML; the template itself never changes, so Gradio leaves the cards alone.
const rail = element.querySelector(".rail");
const host = element.closest(".block") ?? element;
const list = rail.querySelector(".cards");
const addTile = list.querySelector(".add");
const blank = rail.querySelector("template").content.firstElementChild;
const note = rail.querySelector(".note");
const spoken = rail.querySelector("[role=status]");
const keysHelp = rail.querySelector("[data-keys]");
const input = rail.querySelector("input[type=file]");

const uploads = new Map(); // id → {id, file, name, picture, state, why}: garments that are not in the value yet
const nodes = new Map(); // id → its card
const troubles = new Map(); // id → what could not be done
const seen = new Set(); // ids of garments that the server has added
let onlyKind = ""; // what the visitor said of a garment that stands alone
let sending = Promise.resolve(); // one at a time: a phone has not the memory for several decoded photos

keysHelp.id = `keys-${Math.random().toString(36).slice(2)}`;
const crop = cropEditor(rail.querySelector(".cropper"), props.min_crop);

// ---- The value -----------------------------------------------------------------------------------------------------
const garments = () => (Array.isArray(props.value) ? props.value : []);
const kindName = (kind) => props.kinds.find(([value]) => value === kind)?.[1];
const isPlain = (garment) => !garment.crop && !garment.cut_out;
const inMaking = (garment) => !isPlain(garment) && !garment.view;

const say = (text) => {
  spoken.textContent = "";
  requestAnimationFrame(() => (spoken.textContent = text)); // the same words twice are said twice
};

const changed = (next, words) => {
  if (words) say(words); // first: what the server made of it may have more to say
  if (!next.length) onlyKind = ""; // it was said of another garment
  props.value = merged(next);
  draw();
  trigger("input");
};

const change = (id, what, words) =>
  changed(garments().map((garment) => (garment.id === id ? { ...garment, ...what } : garment)), words);

// A file of this server's; Gradio says where it serves files in the address of every upload.
const address = (path) => {
  const known = garments().map((garment) => garment.url).find((url) => url?.includes("/gradio_api/file="));
  const root = known ? known.split("/gradio_api/file=")[0] : document.baseURI.replace(/[?#].*$/, "").replace(/\/$/, "");
  return `${root}/gradio_api/file=${path.split("/").map(encodeURIComponent).join("/")}`;
};
const original = (garment) => garment.url || address(garment.path);

// With what the server made of them, as far as it made it of what they are now.
const merged = (all) => {
  if (all.length > 1) onlyKind = ""; // from now on the cards ask
  return inOrder(all.map(asMade).map(asSaid));
};

// What the visitor said of a garment that stands alone goes before any guess.
const asSaid = (garment, _, all) =>
  all.length === 1 && onlyKind ? { ...garment, kind: onlyKind, guessed: false } : garment;

const asMade = (garment) => {
  const made = props.previews.find(({ id }) => id === garment.id);
  const same = made && JSON.stringify(made.crop) === JSON.stringify(garment.crop) && made.cut_out === garment.cut_out;
  if (!same) return garment;
  if (made.refused && !isPlain(garment)) {
    troubles.set(garment.id, made.refused);
    say(`${garment.name}: ${made.refused}`);
  }
  return {
    ...garment,
    ...(made.source && { path: made.source, url: address(made.source) }),
    kind: garment.guessed && made.kind ? made.kind : garment.kind,
    crop: made.refused && !made.path ? null : garment.crop,
    cut_out: garment.cut_out && !made.refused,
    view: made.path ? address(made.path) : null,
  };
};

const inOrder = (all) => {
  const places = all.map(({ id }) => props.order.indexOf(id));
  if (places.includes(-1) || all.some((garment) => garment.placed)) return all;
  return [...all].sort((one, other) => props.order.indexOf(one.id) - props.order.indexOf(other.id));
};

// ---- What a visitor does -------------------------------------------------------------------------------------------
const OF_A_CAMERA = /^(?:img|dsc[fn]?|pxl|photo|image|picture|screenshot|p|dcim)?[\s\d]*$/i;
const tidied = (file) => {
  const words = file.replace(/\.\w{1,5}$/, "").replace(/[\s_\-.+]+/g, " ").trim();
  return OF_A_CAMERA.test(words) ? "Garment" : (words[0].toUpperCase() + words.slice(1)).slice(0, 80);
};

// As many of them as there is room for.
const fitting = (all) => {
  const taken = all.slice(0, Math.max(0, props.max_garments - garments().length - uploads.size));
  const left = all.length - taken.length;
  tell(left ? `${props.max_garments} garments fit; ${left} left out.` : "");
  return taken;
};

const add = (files) => {
  for (const file of fitting(files)) {
    const id = Array.from(crypto.getRandomValues(new Uint8Array(4)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    uploads.set(id, { id, file, name: tidied(file.name ?? ""), picture: URL.createObjectURL(file) });
    send(id);
  }
  draw();
};

const send = (id) => {
  const entry = uploads.get(id);
  Object.assign(entry, { state: "waiting", why: null });
  sending = sending.then(async () => {
    if (!uploads.has(id)) return; // removed while it waited
    entry.state = "sending";
    draw();
    try {
      const type = entry.file.type;
      if (type && !type.startsWith("image/")) throw new Error("This is no picture.");
      arrived(entry, await upload(entry.file));
    } catch (error) {
      Object.assign(entry, { state: "failed", why: reason(error) });
      if (uploads.has(id)) say(`${entry.name}: ${entry.why}`);
      draw();
    }
  });
};

const arrived = ({ id, name }, { path, url }) => {
  if (!uploads.delete(id)) return; // removed on its way
  const fresh = { kind: null, guessed: true, crop: null, cut_out: false, view: null, placed: false };
  append([{ id, path, url, name, ...fresh }]);
};

const append = (more) => {
  const next = [...garments(), ...more];
  changed(next, more.map(({ name }, index) => `${name}, added, place ${next.length - more.length + index + 1} of ${next.length}`).join("; "));
};

// What the server adds, once: it does not know what else was added meanwhile.
const handedOver = () => {
  const fresh = fitting(props.added.filter(({ id }) => !seen.has(id)));
  for (const { id } of props.added) seen.add(id);
  if (fresh.length) append(fresh);
};

const reason = (error) => {
  const text = String(error?.message ?? error);
  if (text === "This is no picture.") return text;
  if (!navigator.onLine || /fetch|network|load failed/i.test(text)) return "The connection broke off.";
  if (/size|large|413/i.test(text)) return "The file is too large.";
  return "The upload failed.";
};

const remove = (id) => {
  const all = [...garments(), ...uploads.values()];
  const index = all.findIndex((entry) => entry.id === id);
  const { name } = all[index];
  const inside = nodes.get(id).contains(document.activeElement);
  const next = all[index + 1] ?? all[index - 1];
  tell("");
  if (uploads.delete(id)) draw();
  else changed(garments().filter((garment) => garment.id !== id));
  if (inside) (next ? nodes.get(next.id).firstElementChild : stops()[0]).focus();
  say(`${name}, removed`);
};

const moveTo = (id, to) => {
  const all = garments();
  const from = all.findIndex((garment) => garment.id === id);
  const place = Math.min(Math.max(to, 0), all.length - 1);
  if (from < 0 || from === place) return draw();
  const next = moved(all, from, place).map((garment) => ({ ...garment, placed: true }));
  changed(next, `${all[from].name}, moved to place ${place + 1} of ${all.length}`);
};

const cropIt = async (garment) => {
  troubles.delete(garment.id);
  const found = await crop(`Crop ${garment.name}`, original(garment), garment.crop);
  if (found === undefined || JSON.stringify(found) === JSON.stringify(garment.crop)) return;
  change(garment.id, { crop: found, view: null }, `${garment.name}, ${found ? "cropped" : "whole picture"}`);
};

const takes = (camera) => {
  input.toggleAttribute("multiple", !camera);
  if (camera) input.setAttribute("capture", "environment");
  else input.removeAttribute("capture");
};

const pick = (camera) => {
  takes(camera);
  input.click();
};

const DO = {
  pick: () => pick(false),
  camera: () => pick(true),
  remove: (entry) => remove(entry.id),
  retry: (entry) => { send(entry.id); draw(); },
  crop: cropIt,
  uncrop: (garment, button) => {
    change(garment.id, { crop: null, view: null }, `${garment.name}, whole picture`);
    button.closest(".card").focus(); // the button is gone
  },
  cut: (garment) => {
    troubles.delete(garment.id);
    const words = garment.cut_out ? "with its ground" : "to be cut out";
    change(garment.id, { cut_out: !garment.cut_out, view: null }, `${garment.name}, ${words}`);
  },
};

const tell = (text) => {
  note.textContent = text;
  note.hidden = !text;
  if (text) say(text);
};

// ---- Clicks, choices, and files ------------------------------------------------------------------------------------
const entryOf = (node) => {
  const id = node.closest(".garment")?.dataset.id;
  return garments().find((garment) => garment.id === id) ?? uploads.get(id);
};

list.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (button) DO[button.dataset.do](entryOf(button), button);
});
list.addEventListener("change", ({ target }) => {
  const garment = entryOf(target);
  if (target.matches(".place")) moveTo(garment.id, Number(target.value));
  if (target.matches(".kind") && target.value)
    change(garment.id, { kind: target.value, guessed: false }, `${garment.name}, ${kindName(target.value)}`);
});
input.addEventListener("change", () => {
  add([...input.files]);
  input.value = ""; // the same file can be picked again
  takes(false);
});

const pictures = (transfer) => [...(transfer?.files ?? [])];
const withFiles = (event) => event.dataTransfer?.types.includes("Files");
const over = (event) => {
  if (!withFiles(event)) return;
  event.preventDefault();
  rail.toggleAttribute("data-over", event.type !== "drop");
  if (event.type !== "drop") return;
  event.stopPropagation();
  add(pictures(event.dataTransfer));
};
for (const type of ["dragenter", "dragover", "drop"]) host.addEventListener(type, over);
host.addEventListener("dragleave", (event) => {
  if (!host.contains(event.relatedTarget)) rail.removeAttribute("data-over");
});
host.addEventListener("paste", (event) => {
  const files = pictures(event.clipboardData);
  if (!files.length) return;
  event.preventDefault();
  event.stopPropagation();
  add(files);
});
host.addEventListener("add-files", ({ detail }) => add([...detail]));

const sorting = sortable(list, {
  cards: () => garments().map(({ id }) => nodes.get(id)),
  drop: (card, to) => moveTo(card.dataset.id, to),
});

const follow = () => {
  const before = garments();
  const after = merged(before);
  if (JSON.stringify(before) !== JSON.stringify(after)) props.value = after;
  if (before.some(({ id }, index) => id !== after[index].id)) say(`Put in order: ${after.map(({ name }) => name).join(", ")}`);
  draw();
};
// The browser's event, not Gradio's: that one has the value at the time it is handled, which may be a guess that arrived
// after the click.
document.addEventListener("input", ({ target }) => {
  if (!props.kind_control || !target.closest(props.kind_control)) return;
  onlyKind = target.value;
  follow();
});
listenToKeys();
watch("added", handedOver);
watch("value", () => {
  if (!garments().length) uploads.clear(); // the server cleared the rail: nothing is to arrive on it later
});
watch(["value", "kinds", "max_garments", "previews", "order"], follow);
follow();
