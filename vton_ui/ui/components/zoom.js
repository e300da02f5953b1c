// Where the picture stands in the viewer: as large as its place allows, zoomed and moved from there. The photo and the
// look are laid out by the same four numbers, so that they line up whatever is done.

const MOST = 8;
const TAP_PIXELS = 6;
const DOUBLE_TAP_MS = 350;
const WHEEL_PACE = 0.0015;

// Args: split(share) puts the slider where a finger or the mouse is, from 0 to 1; told() hears of a new zoom.
const makeZoom = (pane, stage, { split, told }) => {
  let ratio = 3 / 4;
  let zoom = 1;
  let [x, y] = [0, 0]; // how far the picture's middle is from the stage's

  const sizes = () => {
    const [wide, high] = [pane.clientWidth, pane.clientHeight];
    const width = Math.floor(Math.min(wide, high * ratio));
    const height = Math.round(width / ratio);
    const [zoomedWidth, zoomedHeight] = [Math.round(width * zoom), Math.round(height * zoom)];
    // Zoomed in, the stage takes what room there is.
    return {
      width: zoomedWidth,
      height: zoomedHeight,
      stageWidth: Math.min(wide, zoomedWidth),
      stageHeight: Math.min(high, zoomedHeight),
    };
  };

  // In whole pixels, so that no edge is blurred.
  const set = (numbers) => {
    for (const [name, pixels] of Object.entries(numbers)) stage.style.setProperty(`--${name}`, `${Math.round(pixels)}px`);
  };

  const lay = () => {
    const { width, height, stageWidth, stageHeight } = sizes();
    const [farX, farY] = [(width - stageWidth) / 2, (height - stageHeight) / 2];
    x = Math.min(farX, Math.max(-farX, x));
    y = Math.min(farY, Math.max(-farY, y));
    const [left, top] = [(pane.clientWidth - stageWidth) / 2, (pane.clientHeight - stageHeight) / 2];
    set({ "stage-left": left, "stage-top": top, "stage-width": stageWidth, "stage-height": stageHeight });
    set({ left: x - farX, top: y - farY, width, height });
    stage.toggleAttribute("data-zoomed", zoom > 1);
  };

  // The point of the picture under (clientX, clientY) stays there.
  const to = (wanted, clientX, clientY) => {
    const box = pane.getBoundingClientRect();
    const [fromX, fromY] = [
      (clientX ?? box.left + box.width / 2) - box.left - box.width / 2,
      (clientY ?? box.top + box.height / 2) - box.top - box.height / 2,
    ];
    const next = Math.min(MOST, Math.max(1, wanted));
    const factor = next / zoom;
    [x, y] = [fromX - (fromX - x) * factor, fromY - (fromY - y) * factor];
    zoom = next;
    lay();
    told(zoom);
  };

  const move = (byX, byY) => {
    x += byX;
    y += byY;
    lay();
  };

  const splitAt = (clientX) => {
    const box = stage.getBoundingClientRect();
    split((clientX - box.left) / box.width);
  };

  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === 1 ? 16 : 1);
    to(zoom * Math.exp(-pixels * WHEEL_PACE * (event.ctrlKey ? 5 : 1)), event.clientX, event.clientY);
  }, { passive: false });

  const fingers = new Map();
  let start = null; // of the press under way: where, and whether it is a tap so far
  let tap = null; // the last one

  const between = () => {
    const [one, other] = [...fingers.values()];
    return {
      distance: Math.hypot(one.x - other.x, one.y - other.y) || 1,
      middle: [(one.x + other.x) / 2, (one.y + other.y) / 2],
    };
  };

  const pinch = (was) => {
    const is = between();
    move(is.middle[0] - was.middle[0], is.middle[1] - was.middle[1]);
    to((zoom * is.distance) / was.distance, ...is.middle);
  };

  stage.addEventListener("pointerdown", (event) => {
    if (event.target.matches(".split") || event.button > 0) return;
    stage.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    start = { x: event.clientX, y: event.clientY, tap: fingers.size === 1 };
  });

  stage.addEventListener("pointermove", (event) => {
    const last = fingers.get(event.pointerId);
    if (!last) return;
    const was = fingers.size === 2 ? between() : null;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (Math.hypot(event.clientX - start.x, event.clientY - start.y) > TAP_PIXELS) start.tap = false;
    if (was) pinch(was);
    else if (zoom > 1) move(event.clientX - last.x, event.clientY - last.y);
    else if (!start.tap) splitAt(event.clientX);
  });

  const released = (event) => {
    if (!fingers.delete(event.pointerId) || event.type === "pointercancel" || !start.tap) return;
    const near = tap && event.timeStamp - tap.at < DOUBLE_TAP_MS && Math.hypot(tap.x - start.x, tap.y - start.y) < 30;
    tap = near ? null : { at: event.timeStamp, x: start.x, y: start.y };
    if (near) to(zoom > 1 ? 1 : 2.5, event.clientX, event.clientY);
  };
  stage.addEventListener("pointerup", released);
  stage.addEventListener("pointercancel", released);

  new ResizeObserver(lay).observe(pane);
  return {
    by: (factor) => to(zoom * factor),
    reset: () => to(1),
    move,
    level: () => zoom,
    shape: (wide, high) => {
      ratio = wide / high;
      lay();
    },
  };
};
