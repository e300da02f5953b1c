// Cards put into another order by pointer: a mouse drags the picture, a finger the grip, so that the page still scrolls.
const sortable = (list, { cards, drop }) => {
  const SLACK = 5; // pixels that a click may wander
  const MARGIN = 90; // pixels from the window's top or bottom where it scrolls along
  let drag = null;

  const slot = (card) => {
    const area = card.getBoundingClientRect();
    return { x: area.left + scrollX, y: area.top + scrollY, middleX: area.width / 2, middleY: area.height / 2 };
  };

  const start = (event) => {
    const card = event.target.closest(".garment");
    const onPicture = event.target.closest(".picture") && !event.target.closest("button, select");
    const held = event.target.closest(".grip") || (onPicture && event.pointerType === "mouse");
    const all = cards();
    if (event.button !== 0 || !held || !all.includes(card) || all.length < 2) return;
    const [x, y] = [event.clientX + scrollX, event.clientY + scrollY];
    drag = { card, all, slots: all.map(slot), from: all.indexOf(card), to: all.indexOf(card), x, y };
    Object.assign(drag, { pointer: event.pointerId, client: [event.clientX, event.clientY], moving: false });
    card.setPointerCapture(event.pointerId);
  };

  const place = () => {
    const { slots, from, card, all } = drag;
    const [dx, dy] = [drag.client[0] + scrollX - drag.x, drag.client[1] + scrollY - drag.y];
    const away = (slot) => Math.hypot(
      slot.x + slot.middleX - slots[from].x - slots[from].middleX - dx,
      slot.y + slot.middleY - slots[from].y - slots[from].middleY - dy,
    );
    drag.to = slots.reduce((best, slot, index) => (away(slot) < away(slots[best]) ? index : best), 0);
    const order = moved(all, from, drag.to);
    for (const [index, other] of all.entries()) {
      const to = slots[order.indexOf(other)];
      other.style.transform = `translate(${to.x - slots[index].x}px, ${to.y - slots[index].y}px)`;
    }
    card.style.transform = `translate(${dx}px, ${dy}px)`;
  };

  const scroll = () => {
    if (!drag?.moving) return;
    const y = drag.client[1];
    const step = y < MARGIN ? y - MARGIN : Math.max(0, y - innerHeight + MARGIN);
    if (step) {
      scrollBy(0, step / 6);
      place();
    }
    requestAnimationFrame(scroll);
  };

  const move = (event) => {
    if (event.pointerId !== drag?.pointer) return;
    drag.client = [event.clientX, event.clientY];
    const far = Math.hypot(drag.client[0] + scrollX - drag.x, drag.client[1] + scrollY - drag.y) > SLACK;
    if (!drag.moving && !far) return;
    if (!drag.moving) {
      drag.moving = true;
      drag.card.dataset.dragged = list.dataset.sorting = "";
      scroll();
    }
    place();
  };

  const end = (keep) => {
    if (!drag) return;
    const { card, all, from, to, moving } = drag;
    drag = null;
    delete card.dataset.dragged;
    delete list.dataset.sorting;
    for (const other of all) other.style.transform = "";
    if (moving) drop(card, keep ? to : from);
  };

  list.addEventListener("pointerdown", start);
  list.addEventListener("pointermove", move);
  list.addEventListener("pointerup", () => end(true));
  list.addEventListener("pointercancel", () => end(false));
  list.addEventListener("keydown", (event) => {
    if (!drag?.moving || event.key !== "Escape") return;
    event.stopPropagation();
    end(false);
  }, true);
  list.addEventListener("dragstart", (event) => event.preventDefault());
  return { underWay: () => Boolean(drag?.moving) };
};

const moved = (all, from, to) => {
  const rest = all.filter((_, index) => index !== from);
  return [...rest.slice(0, to), all[from], ...rest.slice(to)];
};
