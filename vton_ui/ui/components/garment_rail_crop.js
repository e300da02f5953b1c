// The crop editor: a box over the picture, dragged by its edges, corners or as a whole, or set by keys.
const cropEditor = (dialog, minimum) => {
  const EDGES = { left: 0, top: 1, right: 2, bottom: 3 };
  const WHOLE = [0, 0, 1, 1];
  const NEAR = 0.005; // a box this close to the whole picture is the whole picture
  const STEPS = { PageUp: -0.1, PageDown: 0.1, Home: -1, End: 1 };

  const stage = dialog.querySelector(".stage");
  const box = dialog.querySelector(".box");
  const hole = dialog.querySelector(".shade i");
  const picture = stage.querySelector("img");
  const preview = dialog.querySelector(".preview");
  let edges = WHOLE;
  let drag = null;
  let answer = () => {};

  const within = (value, low, high) => Math.min(Math.max(value, low), high);
  const percent = (share) => `${(share * 100).toFixed(2)}%`;
  const isWhole = (found) => found.every((edge, index) => Math.abs(edge - WHOLE[index]) < NEAR);

  const draw = () => {
    const [left, top, right, bottom] = edges;
    const area = { left: percent(left), top: percent(top), width: percent(right - left), height: percent(bottom - top) };
    for (const part of [box, hole]) Object.assign(part.style, area);
    for (const slider of box.querySelectorAll("[role=slider]")) {
      const name = slider.dataset.edges;
      const [low, high] = range(name);
      slider.setAttribute("aria-valuemin", Math.round(low * 100));
      slider.setAttribute("aria-valuemax", Math.round(high * 100));
      slider.setAttribute("aria-valuenow", Math.round(edges[EDGES[name]] * 100));
      const from = EDGES[name] % 2 ? "top" : "left";
      slider.setAttribute("aria-valuetext", `${Math.round(edges[EDGES[name]] * 100)} % from the ${from}`);
    }
    drawPreview();
  };

  const drawPreview = () => {
    const [left, top, right, bottom] = edges;
    const [width, height] = [(right - left) * picture.naturalWidth, (bottom - top) * picture.naturalHeight];
    if (!width || !height) return;
    const side = preview.parentElement.clientWidth;
    const scale = side / Math.max(width, height);
    Object.assign(preview.style, { width: `${width * scale}px`, height: `${height * scale}px` });
    Object.assign(preview.firstElementChild.style, {
      width: percent(1 / (right - left)),
      height: percent(1 / (bottom - top)),
      left: percent(-left / (right - left)),
      top: percent(-top / (bottom - top)),
    });
  };

  // How far an edge can go: not past the picture's, nor nearer to the opposite edge than allowed.
  const range = (name) => {
    const opposite = edges[(EDGES[name] + 2) % 4];
    return EDGES[name] < 2 ? [0, opposite - minimum] : [opposite + minimum, 1];
  };

  const put = (name, to) => {
    edges = edges.map((edge, index) => (index === EDGES[name] ? within(to, ...range(name)) : edge));
  };

  const point = (event) => {
    const area = picture.getBoundingClientRect();
    return [within((event.clientX - area.left) / area.width, 0, 1), within((event.clientY - area.top) / area.height, 0, 1)];
  };

  const start = (event) => {
    if (event.button !== 0) return;
    const handle = event.target.closest("[data-edges]");
    const [x, y] = point(event);
    if (handle) drag = { names: handle.dataset.edges.split(" ") };
    else if (event.target === box && !isWhole(edges)) drag = { from: [x, y], edges };
    else drag = { fresh: [x, y] };
    drag.pointer = event.pointerId;
    stage.setPointerCapture(event.pointerId);
    event.preventDefault(); // no text is selected, no picture dragged off
    (event.target.closest("[role=slider]") ?? document.activeElement)?.focus();
  };

  const move = (event) => {
    if (event.pointerId !== drag?.pointer) return;
    const [x, y] = point(event);
    if (drag.names) for (const name of drag.names) put(name, EDGES[name] % 2 ? y : x);
    else if (drag.from) {
      const dx = within(x - drag.from[0], -drag.edges[0], 1 - drag.edges[2]);
      const dy = within(y - drag.from[1], -drag.edges[1], 1 - drag.edges[3]);
      edges = drag.edges.map((edge, index) => edge + (index % 2 ? dy : dx));
    } else edges = drawn(drag.fresh, [x, y]);
    draw();
  };

  // A new box between two points, at least as large as allowed.
  const drawn = ([x0, y0], [x1, y1]) => {
    const span = (one, other) => {
      const low = Math.min(one, other, 1 - minimum);
      return [low, Math.max(one, other, low + minimum)];
    };
    const [left, right] = span(x0, x1);
    const [top, bottom] = span(y0, y1);
    return Math.hypot(x1 - x0, y1 - y0) < 0.02 ? edges : [left, top, right, bottom];
  };

  const key = (event) => {
    const name = event.target.closest?.("[role=slider]")?.dataset.edges;
    if (!name) return;
    const along = EDGES[name] % 2 ? { ArrowUp: -1, ArrowDown: 1 } : { ArrowLeft: -1, ArrowRight: 1 };
    const step = event.key in along ? along[event.key] * (event.shiftKey ? 0.05 : 0.01) : STEPS[event.key];
    if (event.key === "Enter") close(edges);
    else if (step) put(name, edges[EDGES[name]] + step);
    else return;
    event.preventDefault();
    draw();
  };

  const close = (found) => {
    const tell = answer;
    answer = () => {};
    dialog.close();
    tell(found && (isWhole(found) ? null : found.map((edge) => Number(edge.toFixed(4)))));
  };

  stage.addEventListener("pointerdown", start);
  stage.addEventListener("pointermove", move);
  for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, () => (drag = null));
  stage.addEventListener("keydown", key);
  picture.addEventListener("load", draw);
  dialog.addEventListener("close", () => close(undefined)); // Escape
  dialog.addEventListener("click", (event) => {
    const what = event.target.closest("[data-do]")?.dataset.do;
    if (what === "apply") close(edges);
    if (what === "whole") close(WHOLE);
    if (what === "cancel") close(undefined);
  });

  // The box that was chosen; null for the whole picture, undefined if nothing was.
  return (title, address, crop) => {
    edges = crop ?? WHOLE;
    dialog.querySelector("h3").textContent = title;
    dialog.setAttribute("aria-label", title);
    picture.src = preview.firstElementChild.src = address;
    dialog.showModal();
    draw();
    return new Promise((resolve) => (answer = resolve));
  };
};
