const dialog = element.querySelector(".question");
const focusSoon = (find, how) => requestAnimationFrame(() => find()?.focus(how));

const show = () => {
  const wasInside = element.contains(document.activeElement);
  dialog.hidden = !props.value;
  dialog.querySelector("p").textContent = props.value || "";
  // To the question and not to a button: a held Enter key must not answer it.
  if (props.value) focusSoon(() => dialog);
  else if (wasInside) focusSoon(() => document.querySelector("BACK"), { preventScroll: true });
};

element.querySelector(".order").addEventListener("click", () => trigger("submit"));
element.querySelector(".leave").addEventListener("click", () => trigger("clear"));
element.addEventListener("keydown", ({ key }) => key === "Escape" && trigger("clear"));
watch("value", show);
