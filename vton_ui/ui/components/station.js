// The result station: draws the looks of a click as they come, and says once of each that it ended.

const SAID_AT_MOST = 24;

const ending = (tile) => {
  const why = tile.state === "failed" ? [tile.error?.cause, tile.error?.cost].filter(Boolean).join(" ") : "";
  const figures = tile.state === "done" ? numbers(tile).replaceAll(" · ", ", ") : "";
  return `${called(tile)}: ${tile.state}${figures && `, ${figures}`}. ${why}`.trim();
};

const root = element.querySelector(".looks");
const act = makeAct(trigger);
const read = makeReader();
const viewer = makeViewer(element, { act, home: () => root.querySelector(".face") });
const wall = makeWall(root.querySelector(".tiles"), element.querySelector("template"), { act, open: viewer.open });
const order = root.querySelector(".order");
order.addEventListener("click", () => {
  act("order_rest", null);
  dim(order);
});

const states = new Map();
const announce = (tiles) => {
  const said = root.querySelector(".said");
  for (const tile of tiles) {
    const before = states.get(tile.id);
    states.set(tile.id, tile.state);
    if (!before || ENDED.has(before) || !ENDED.has(tile.state)) continue;
    if (tiles.length === 1 && tile.state !== "done") continue; // the page's status and error card say it
    const line = document.createElement("p");
    line.textContent = ending(tile);
    said.append(line);
  }
  while (said.children.length > SAID_AT_MOST) said.firstChild.remove();
};

const drawRest = (tiles, words) => {
  const left = tiles.filter((tile) => tile.state === "not_ordered").length;
  const held = document.activeElement === order;
  setHidden(order.parentElement, !words);
  setText(root.querySelector(".left"), `${left} not ordered`);
  setText(order, words);
  if (held && !words) root.querySelector(".face")?.focus({ preventScroll: true });
};

const draw = () => {
  const value = read();
  if (!value) return;
  const { tiles = [], rest = "", now = null } = value;
  const running = tiles.some((tile) => RUNNING.has(tile.state));
  setAttribute(root, "data-state", tiles.length ? (running ? "working" : "done") : "empty");
  setAttribute(root, "data-count", tiles.length > 4 ? "many" : tiles.length);
  drawRest(tiles, rest);
  wall.draw(tiles, now);
  announce(tiles);
  viewer.follow(tiles.filter((tile) => tile.state === "done"));
};

watch("value", draw);
draw();
