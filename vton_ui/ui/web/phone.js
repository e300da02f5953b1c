// What phones need of the page: its whole screen, and the keys for numbers. Gradio can be told neither.
(() => {
  const viewport = document.querySelector("meta[name=viewport]");
  if (viewport) viewport.content += ", viewport-fit=cover";

  // Boxes come and go with the model and with what is unfolded.
  const boxes = ".number input:not([inputmode]), input[type=number]:not([inputmode])";
  const mark = () => {
    for (const box of document.querySelectorAll(boxes))
      box.inputMode = Number.isInteger(Number(box.step || 1)) ? "numeric" : "decimal";
  };
  let planned = false;
  const plan = () => {
    if (planned) return;
    planned = true;
    requestAnimationFrame(() => {
      planned = false;
      mark();
    });
  };
  new MutationObserver(plan).observe(document.documentElement, { childList: true, subtree: true });
})();
