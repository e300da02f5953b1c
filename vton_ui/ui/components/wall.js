// Tiles in a list: each keeps its nodes for as long as its look is there, one Tab stop leads to them all, and arrow
// keys go from one to the next.

const STOPS = ".face, .buttons button, .choose input";

// The tile that an arrow key leads to, by where the tiles stand.
const neighbour = (tiles, from, key) => {
  const place = tiles.indexOf(from);
  if (key === "Home") return tiles[0];
  if (key === "End") return tiles.at(-1);
  if (key === "ArrowRight") return tiles[place + 1];
  if (key === "ArrowLeft") return tiles[place - 1];
  const here = from.getBoundingClientRect();
  const inColumn = tiles.filter((tile) => Math.abs(tile.getBoundingClientRect().left - here.left) < 2);
  const row = inColumn.indexOf(from);
  if (key === "ArrowDown") return inColumn[row + 1];
  return key === "ArrowUp" ? inColumn[row - 1] : undefined;
};

const makeWall = (list, template, { act, open, chosen = null }) => {
  const nodes = new Map();
  let ahead = -Infinity; // how many seconds Python's clock is ahead of this one
  let current = null;

  const clock = () => Date.now() / 1000 + (Number.isFinite(ahead) ? ahead : 0);

  const setCurrent = (node) => {
    current = node;
    for (const tile of list.children)
      for (const stop of tile.querySelectorAll(STOPS)) setAttribute(stop, "tabindex", tile === current ? 0 : -1);
  };

  const made = (id) => {
    const node = makeTile(template);
    node.dataset.id = id;
    const face = node.querySelector(".face");
    face.addEventListener("click", () => node.dataset.state === "done" && open(id, face));
    if (chosen) {
      const box = node.querySelector(".choose input");
      box.parentElement.hidden = false;
      box.addEventListener("change", () => chosen(id, box.checked));
    }
    nodes.set(id, node);
    return node;
  };

  // New nodes go between the old ones; only those that stand elsewhere now are moved, for that takes their focus.
  const place = (ids) => {
    const focused = list.contains(document.activeElement) ? document.activeElement : null;
    for (const [id, node] of nodes)
      if (!ids.includes(id)) {
        node.remove();
        nodes.delete(id);
      }
    ids.forEach((id, at) => {
      const node = nodes.get(id) ?? made(id);
      if (list.children[at] !== node) list.insertBefore(node, list.children[at] ?? null);
    });
    if (focused?.isConnected) focused.focus({ preventScroll: true });
    else if (focused) list.querySelector(".face")?.focus({ preventScroll: true });
  };

  const draw = (tiles, now, numbersOf) => {
    // The least delayed message tells best.
    if (typeof now === "number") ahead = Math.max(ahead, now - Date.now() / 1000);
    place(tiles.map((tile) => tile.id));
    for (const tile of tiles) {
      const node = nodes.get(tile.id);
      drawTile(node, tile, { act, now: clock(), numbersOf });
      if (chosen) setAttribute(node.querySelector(".choose input"), "aria-label", `Choose ${called(tile)}`);
    }
    setCurrent(current?.isConnected ? current : list.firstElementChild);
  };

  list.addEventListener("focusin", (event) => setCurrent(event.target.closest(".tile")));
  list.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const next = neighbour([...list.children], event.target.closest(".tile"), event.key);
    if (!next) return;
    event.preventDefault();
    next.querySelector(".face").focus();
  });

  // The seconds of what is running; it ends with the component.
  const ticking = setInterval(() => {
    if (!list.isConnected) clearInterval(ticking);
    for (const node of list.children) drawClock(node, clock());
  }, 500);

  return { draw, nodes };
};
