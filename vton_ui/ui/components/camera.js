const input = element.querySelector("input");
element.querySelector("button").addEventListener("click", () => input.click());
input.addEventListener("change", () => {
  const [photo] = input.files;
  if (photo) document.dispatchEvent(new CustomEvent("person-photo", { detail: photo })); // photos.js puts it into the slot
  input.value = ""; // the next photo may have the same name
});
