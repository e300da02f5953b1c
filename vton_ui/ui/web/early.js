// Runs before the first script of Gradio's page, which reads its `head` only after it has started.
(() => {
  // Where a browser blocks storage, asking for it throws, and Gradio's page would stay at "Loading…".
  const memory = () =>
    Object.create({
      getItem(name) { return Object.hasOwn(this, name) ? this[name] : null; },
      setItem(name, value) { this[name] = String(value); },
      removeItem(name) { delete this[name]; },
      clear() { for (const name of Object.keys(this)) delete this[name]; },
      key(index) { return Object.keys(this)[index] ?? null; },
      get length() { return Object.keys(this).length; },
    });
  for (const name of ["localStorage", "sessionStorage"]) {
    try {
      window[name].getItem("");
    } catch {
      Object.defineProperty(window, name, { value: memory(), configurable: true });
      document.documentElement.dataset.unstored = ""; // style.css shows what that means
    }
  }

  // The loader of Gradio's page (6.31) is removed without being stopped. Its script counts seconds in frames for ever, and
  // its springs move for four seconds more, sixty times a second: on a slow phone half of what the page can do when its
  // visitor begins. Two frames a second will do for both.
  const frame = window.requestAnimationFrame.bind(window);
  const seldom = (draw) => setTimeout(() => frame(draw), 500);
  const LOADER = "/assets/statustracker-";
  const PICTURE = "svg[viewBox='-1200 -1200 3000 3000']";
  let springs; // the function that moves them: called first by the loader, then by itself
  window.requestAnimationFrame = (draw) => {
    const callers = new Error().stack.split("\n", 5); // in Firefox the first line is this function, elsewhere the second
    const caller = callers.findIndex((line) => line.includes(LOADER));
    if (caller > 2) springs = draw;
    else if (caller !== -1) return seldom(draw);
    return draw === springs && !document.querySelector(PICTURE) ? seldom(draw) : frame(draw);
  };
})();
