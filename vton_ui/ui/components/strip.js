// The strip "Looks": filter, sort, choose several, open one; and saving the file that Python made of those chosen.

const root = element.querySelector(".kept");
const act = makeAct(trigger);
const read = makeReader();
const viewer = makeViewer(element, { act, home: () => root.querySelector(".face") });
const chosen = new Set();
const models = root.querySelector(".models");
const sort = root.querySelector(".sort select");
let model = null; // null: all of them

const wall = makeWall(root.querySelector(".tiles"), element.querySelector("template"), {
  act,
  open: viewer.open,
  chosen: (id, ticked) => {
    if (ticked) chosen.add(id);
    else chosen.delete(id);
    drawChosen();
  },
});

const changedShare = (tile) => tile.changed?.share_outside ?? null;

// Unknown is neither little nor much: last.
const sorted = (tiles) => {
  if (sort.value === "newest") return tiles;
  const sign = sort.value === "least" ? 1 : -1;
  const rank = (tile) => (changedShare(tile) === null ? Infinity : sign * changedShare(tile));
  return [...tiles].sort((one, other) => (rank(one) === rank(other) ? 0 : rank(one) - rank(other)));
};

const stripNumbers = (tile) => {
  if (sort.value === "newest") return numbers(tile);
  return changedShare(tile) === null ? "not compared" : `${percent(changedShare(tile))} changed`;
};

const chosenInOrder = () =>
  [...root.querySelectorAll(".tile")].map((node) => node.dataset.id).filter((id) => chosen.has(id));

const drawChosen = () => {
  const visible = chosenInOrder();
  setText(root.querySelector(".count"), visible.length ? `${visible.length} chosen` : "");
  for (const button of root.querySelectorAll(".keep button")) button.disabled = !visible.length;
  root.toggleAttribute("data-choosing", visible.length > 0);
};

const chip = (words, value) => {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = words;
  button.dataset.model = value ?? "";
  button.addEventListener("click", () => {
    model = value;
    draw();
  });
  return button;
};

const drawModels = (tiles) => {
  const titles = [...new Set(tiles.map((tile) => tile.title))].sort();
  if (model !== null && !titles.includes(model)) model = null;
  const there = [...models.children].map((button) => button.dataset.model);
  const wanted = ["", ...titles];
  if (there.join("|") !== wanted.join("|"))
    models.replaceChildren(chip("All", null), ...titles.map((title) => chip(title, title)));
  for (const button of models.children) setAttribute(button, "aria-pressed", button.dataset.model === (model ?? ""));
  setHidden(models, titles.length < 2);
};

let value = {};
const draw = () => {
  const { tiles = [], now = null } = value;
  for (const id of [...chosen]) if (!tiles.some((tile) => tile.id === id)) chosen.delete(id);
  drawModels(tiles);
  const visible = sorted(tiles.filter((tile) => model === null || tile.title === model));
  setHidden(root, !tiles.length);
  setHidden(root.querySelector(".sort"), !tiles.some((tile) => changedShare(tile) !== null));
  wall.draw(visible, now, stripNumbers);
  for (const [id, node] of wall.nodes) node.querySelector(".choose input").checked = chosen.has(id);
  drawChosen();
  viewer.follow(visible.filter((tile) => tile.state === "done"));
};

let saved = null;
const save = () => {
  const url = address(value.file);
  if (!url || url === saved) return;
  saved = url;
  const link = document.createElement("a");
  link.href = url;
  link.download = fileName(url);
  link.click();
};

sort.addEventListener("change", draw);
for (const button of root.querySelectorAll(".keep button"))
  button.addEventListener("click", () => act(button.dataset.action, chosenInOrder()));
const update = () => {
  const given = read();
  if (!given) return;
  value = given;
  draw();
};
watch("value", () => {
  update();
  save();
});
update();
saved = address(value.file); // what was there when the page came up was saved before
