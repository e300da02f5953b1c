// The page for keyboards and screen readers, as far as Gradio's own components leave it open: names, one Tab stop for
// a row of pictures, arrow keys in groups of radio buttons, focus that is never lost, and what is said aloud. It is
// written for the markup of Gradio 6.31; should that change, tests/page/test_access.py tells.
(() => {
  const TWICE_MS = 800; // the second half of a double press must neither cancel nor pay
  const SETTLE_MS = 100; // Gradio draws one answer in several steps

  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const usable = (node) => node.isConnected && !node.disabled && node.getClientRects().length > 0;
  const set = (node, name, value) => node && node.getAttribute(name) !== value && node.setAttribute(name, value);

  // ---- Names -------------------------------------------------------------------------------------------------------
  const PICTURES = { person: "Photo of the person", sheet: "What the model gets to see" };

  const nameAll = () => {
    for (const [slot, words] of Object.entries(PICTURES)) for (const img of all(`#${slot} img`)) set(img, "alt", words);
    set(document.querySelector("#person button.upload-container"), "aria-label", "Choose a photo of the person, or drop one");
    for (const button of all("#sheet .image-container > button")) set(button, "tabindex", "-1"); // it does nothing
    for (const group of all("fieldset[id]:has(> .wrap > label > [type=radio])")) {
      const words = group.querySelector("[data-testid=block-info]");
      words.id = `${group.id}-name`;
      set(group, "role", "radiogroup");
      set(group, "aria-labelledby", words.id);
      // Gradio gives each radio a name of its own, and another one whenever it draws it.
      for (const radio of all("[type=radio]", group)) set(radio, "name", group.id);
    }
    for (const drawer of all(".label-wrap")) {
      set(drawer, "aria-expanded", String(drawer.classList.contains("open")));
      set(drawer.querySelector(".icon"), "aria-hidden", "true");
    }
  };

  // ---- Rows of buttons: one Tab stop, and arrow keys ---------------------------------------------------------------
  const ROWS = ".examples .gallery, .source-selection";

  const rove = (row, to) => {
    const buttons = all("button", row);
    const stop = to ?? buttons.find((button) => button.tabIndex === 0 && button.hasAttribute("tabindex")) ?? buttons[0];
    for (const button of buttons) set(button, "tabindex", button === stop ? "0" : "-1");
  };

  const step = (key, buttons, index) => {
    const columns = buttons.filter((button) => button.offsetTop === buttons[0].offsetTop).length;
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -index, End: buttons.length }[key];
    return by === undefined ? undefined : Math.min(Math.max(index + by, 0), buttons.length - 1);
  };

  document.addEventListener("keydown", (event) => {
    const row = event.target.closest?.(ROWS);
    if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
    const buttons = all("button", row);
    const to = step(event.key, buttons, buttons.indexOf(event.target));
    if (to === undefined) return;
    event.preventDefault();
    buttons[to].focus();
  });

  // ---- Focus -------------------------------------------------------------------------------------------------------
  // Buttons that start or end a try-on go away, and another one is what comes next: the first that is there.
  const ACTIONS = "#try_on, #again, #retry, #look_again, #use_model, #cancel, #confirm";
  const following = (gone) => {
    const state = document.querySelector("#status [data-state]")?.dataset.state;
    if (gone.id === "use_model") return ["#try_on"];
    if (state === "working") return ["#cancel"];
    if (state === "done") return [document.querySelector('#result [data-count="1"]') ? "#download" : "#result .face"];
    return ["#cancel", "#look_again", "#retry", "#try_on"];
  };
  const STOPS = "button, a[href], input, textarea, select, summary, [tabindex='0']";

  let held = []; // what has the focus, and all that it is in
  let byKeyboard = false;
  let handed = { node: null, at: 0 };
  let waiting = null;

  const successor = () => {
    const [node] = held;
    if (node.closest(ACTIONS)) return following(node).flatMap((selector) => all(selector)).find(usable);
    const around = held.slice(1).find((part) => part.isConnected && all(STOPS, part).some(usable));
    return around && all(STOPS, around).find((next) => usable(next) && next.tabIndex >= 0);
  };

  const regain = () => {
    waiting = null;
    if (!held.length || usable(held[0]) || ![null, document.body].includes(document.activeElement)) return;
    const next = successor();
    if (!next) return;
    handed = { node: next.matches(ACTIONS) ? next : null, at: performance.now() };
    next.focus({ preventScroll: !byKeyboard });
  };

  document.addEventListener("focusin", ({ target }) => {
    byKeyboard = target.matches(":focus-visible");
    held = [];
    for (let node = target; node && node !== document.body; node = node.parentElement) held.push(node);
    const row = target.closest(ROWS);
    if (row) rove(row, target);
  });
  // Whoever clicks beside everything has taken the focus away on purpose.
  document.addEventListener("pointerdown", () => (held = []), true);

  document.addEventListener("keydown", (event) => {
    const fresh = event.repeat || performance.now() - handed.at < TWICE_MS;
    if (event.target !== handed.node || !fresh || !["Enter", " "].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  }, true);

  document.addEventListener("click", (event) => {
    if (!event.target.closest?.(".skip")) return;
    event.preventDefault();
    const [button, place] = [document.querySelector("#action button:enabled"), document.querySelector("#action")];
    set(place, "role", "group");
    set(place, "aria-label", place.textContent.trim());
    set(place, "tabindex", "-1");
    (button && usable(button) ? button : place).focus();
  });

  // ---- Said aloud --------------------------------------------------------------------------------------------------
  // In a place that stays, since readers miss what comes together with its place; without the seconds. How a look
  // ended the station says, and a failure its own card.
  const said = Object.assign(document.createElement("p"), { role: "status", id: "said" });
  said.style.cssText = "position: absolute; width: 1px; height: 1px; margin: 0; overflow: hidden; clip-path: inset(50%)";
  const say = () => {
    const words = document.querySelector("#status [data-state]:not([data-state=done]) .words")?.textContent ?? "";
    if (said.textContent !== words) said.textContent = words;
  };

  // ---- After every change of the page ------------------------------------------------------------------------------
  const follow = () => {
    set(document.documentElement, "lang", "en"); // Gradio sets the browser's language, which the page is not in
    nameAll();
    for (const row of all(ROWS)) rove(row);
    say();
    if (held.length && !waiting && !usable(held[0])) waiting = setTimeout(regain, SETTLE_MS);
  };

  document.body.append(said); // Gradio runs this script when the page is there
  const observer = new MutationObserver(follow);
  const attributeFilter = ["name", "class", "hidden", "disabled"];
  observer.observe(document.body, { subtree: true, childList: true, characterData: true, attributeFilter });
  observer.observe(document.documentElement, { attributeFilter: ["lang"] });
  follow();
})();
