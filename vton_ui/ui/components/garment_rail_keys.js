// One Tab stop for the whole rail; arrow keys go on inside.
const visible = (node) => node.getClientRects().length > 0;
const stops = () => [...list.querySelectorAll(".card, .add button")].filter(visible);
const controls = (card) => [...card.querySelectorAll("button, select")].filter((node) => visible(node) && !node.disabled);
let current = null;

const rove = () => {
  const all = stops();
  if (!all.includes(current)) current = all[0] ?? null;
  for (const stop of list.querySelectorAll(".card, .add button")) stop.tabIndex = stop === current ? 0 : -1;
};

const go = (step) => {
  const all = stops();
  const index = all.indexOf(current);
  const columns = Math.max(1, all.filter((stop) => stop.offsetTop === all[0].offsetTop).length);
  const to = { ArrowRight: index + 1, ArrowLeft: index - 1, ArrowDown: index + columns, ArrowUp: index - columns,
    Home: 0, End: all.length - 1 }[step];
  return { to: Math.min(Math.max(to, 0), all.length - 1), all };
};

const onCard = (event, card) => {
  const id = card.parentElement.dataset.id;
  if (event.key === "Enter" || event.key === "F2") controls(card)[0]?.focus();
  else if (event.key === "Delete" || event.key === "Backspace") remove(id);
  else if (event.key.startsWith("Arrow") && (event.altKey || event.ctrlKey || event.metaKey)) moveTo(id, go(event.key).to);
  else if (/^(Arrow|Home$|End$)/.test(event.key)) walk(event.key);
  else return false;
  return true;
};

const walk = (step) => {
  const { all, to } = go(step);
  all[to].focus();
};

const inside = (event, card) => {
  const all = controls(card);
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (event.key === "Escape") card.focus();
  else if (step && event.target.tagName === "BUTTON") all[(all.indexOf(event.target) + step + all.length) % all.length].focus();
  else return false;
  return true;
};

const listenToKeys = () => {
  list.addEventListener("keydown", (event) => {
    const card = event.target.closest(".card");
    const done = event.target === card ? onCard(event, card) : card ? inside(event, card)
      : /^(Arrow|Home$|End$)/.test(event.key) && !event.altKey && (walk(event.key), true);
    if (!done) return;
    event.preventDefault();
    event.stopPropagation();
  });

  // In a card the controls can be reached by Tab as long as the focus is there.
  list.addEventListener("focusin", ({ target }) => {
    const card = target.closest(".card");
    current = card ?? target;
    if (card && target !== card) for (const control of card.querySelectorAll("button, select")) control.tabIndex = 0;
    rove();
  });
  list.addEventListener("focusout", ({ target, relatedTarget }) => {
    const card = target.closest(".card");
    if (!card || (card.contains(relatedTarget) && relatedTarget !== card)) return;
    for (const control of card.querySelectorAll("button, select")) control.tabIndex = -1;
  });
};
