// How the garments stand on the page: a card for each, by id, so that focus and pictures stay when they move.
const draw = () => {
  if (sorting.underWay()) return;
  const all = garments();
  const entries = [...all, ...uploads.values()];
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  for (const [id, node] of nodes) if (!entries.some((entry) => entry.id === id)) forget(id, node);
  entries.forEach((entry, index) => {
    const node = nodes.get(entry.id) ?? newCard(entry.id);
    if (list.children[index] !== node) list.insertBefore(node, list.children[index]);
    fill(node, entry, index, all.length);
  });
  rail.setAttribute("aria-busy", String(uploads.size > 0));
  rail.toggleAttribute("data-empty", !entries.length);
  rail.toggleAttribute("data-several", all.length > 1);
  addTile.hidden = entries.length >= props.max_garments && entries.length > 0;
  addTile.querySelector(".choose span").textContent = entries.length ? "Add" : "Choose pictures";
  rail.querySelector(".order").hidden = !(props.kinds.length && all.length > 1);
  if (focused?.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
  rove();
};

const newCard = (id) => {
  const node = blank.cloneNode(true);
  node.dataset.id = id;
  node.firstElementChild.setAttribute("aria-describedby", keysHelp.id);
  nodes.set(id, node);
  return node;
};

const forget = (id, node) => {
  URL.revokeObjectURL(node.querySelector("img").src); // nothing happens where it is no upload's
  node.remove();
  nodes.delete(id);
  troubles.delete(id);
};

const fill = (node, entry, index, count) => {
  const sent = !uploads.has(entry.id);
  const part = (name) => node.querySelector(name);
  const state = !sent ? { waiting: "Waiting", sending: "Uploading", failed: "Not uploaded" }[entry.state]
    : inMaking(entry) ? (entry.cut_out ? "Cutting out" : "Cropping") : "";
  const trouble = entry.why ?? troubles.get(entry.id) ?? "";
  const asked = sent && count > 1 && props.kinds.length > 0; // of one alone it is asked elsewhere on the page
  const kind = asked && kindName(entry.kind);
  const place = sent ? `place ${index + 1} of ${count}` : state.toLowerCase();
  const facts = [entry.name, kind && (entry.guessed ? `${kind}, guessed` : kind), place, entry.crop && "cropped",
    entry.cut_out && "cut out", trouble];
  part(".card").setAttribute("aria-label", facts.filter(Boolean).join(", "));
  node.toggleAttribute("data-sent", sent);
  node.toggleAttribute("data-failed", entry.state === "failed");
  for (const [name, text] of [[".name", entry.name], [".state", state], [".trouble", trouble]]) {
    part(name).textContent = text;
    part(name).hidden = !text;
  }
  part(".name").title = entry.name;
  part(".bar").hidden = !(entry.state === "sending" || (sent && inMaking(entry)));
  part(".bar").setAttribute("aria-label", `${state}: ${entry.name}`);
  show(part("img"), sent ? entry.view ?? original(entry) : entry.picture, sent && inMaking(entry) ? entry.crop : null);
  part(".grip").hidden = part(".place").hidden = !sent || count < 2;
  choices(part(".place"), Array.from({ length: count }, (_, at) => [String(at), String(at + 1)]), String(index));
  part(".place").setAttribute("aria-label", `Place of ${entry.name}`);
  part(".kind").hidden = !asked;
  const guess = (value) => (entry.guessed && value === entry.kind ? "?" : "");
  const kinds = props.kinds.map(([value, label]) => [value, label + guess(value)]);
  choices(part(".kind"), kindName(entry.kind) ? kinds : [["", "Kind?"], ...kinds], kindName(entry.kind) ? entry.kind : "");
  part(".kind").setAttribute("aria-label", `Kind of ${entry.name}${entry.guessed ? ", guessed" : ""}`);
  part(".kind").title = entry.guessed ? "Guessed from its shape" : "";
  const words = { remove: `Remove garment ${index + 1},`, retry: "Try again:", uncrop: "Undo the crop of", crop: "Crop", cut: "Cut out" };
  for (const [what, word] of Object.entries(words)) part(`[data-do=${what}]`).setAttribute("aria-label", `${word} ${entry.name}`);
  part("img").alt = entry.name;
  part(".uncrop").hidden = !entry.crop;
  part("[data-do=cut]").setAttribute("aria-pressed", String(Boolean(entry.cut_out)));
  part("[data-do=crop]").hidden = part("[data-do=cut]").hidden = !sent;
  part("[data-do=retry]").hidden = entry.state !== "failed";
};

// The new picture takes the old one's place once it is there, so that no card blinks.
const show = (img, source, box) => {
  img.style.clipPath = box
    ? `inset(${box[1] * 100}% ${(1 - box[2]) * 100}% ${(1 - box[3]) * 100}% ${box[0] * 100}%)` : "";
  if (img.dataset.wanted === source) return;
  img.dataset.wanted = source;
  const next = new Image();
  const use = () => {
    if (img.dataset.wanted !== source) return;
    if (img.src.startsWith("blob:")) URL.revokeObjectURL(img.src);
    img.src = source;
  };
  if (!img.src) return use();
  next.onload = next.onerror = use;
  next.src = source;
};

const choices = (select, pairs, chosen) => {
  const key = JSON.stringify(pairs);
  if (select.dataset.choices !== key) select.replaceChildren(...pairs.map(([value, label]) => new Option(label, value)));
  select.dataset.choices = key;
  if (select.value !== chosen) select.value = chosen;
};
