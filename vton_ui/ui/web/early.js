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

  // The loader of Gradio's page (6.31) is removed without being stopped, and asks for a frame sixty times a second for
  // ever: a tenth of a core on an idle page. Its script counts seconds in these frames, for which two a second will do.
  const frame = window.requestAnimationFrame.bind(window);
  const LOADER = "/assets/statustracker-";
  window.requestAnimationFrame = (draw) => {
    const callers = new Error().stack.split("\n", 3); // in Firefox the first line is this function, elsewhere the second
    if (!callers.some((line) => line.includes(LOADER))) return frame(draw);
    return setTimeout(() => frame(draw), 500);
  };
})();
