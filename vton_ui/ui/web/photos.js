// Shrinks photos before the upload: scaled down, upright and without metadata. A phone on a slow connection sends
// 0.3 MB instead of 3 to 12, and never where a photo was taken. Also handles drops and pastes on filled slots, which
// Gradio loses.
(() => {
  const MAX_PIXELS = 2_000_000;
  const QUALITY = 0.9;
  const LARGE_BYTES = 1_000_000;
  const SETTLE_MS = 400; // Gradio updates its slots a moment after an upload has ended

  const starts = (bytes, text, at = 0) => [...text].every((letter, i) => bytes[at + i] === letter.charCodeAt(0));

  // By its first bytes: photos from the clipboard and the webcam come without a type or a useful name.
  const kind = (bytes) =>
    bytes[0] === 0xff && bytes[1] === 0xd8 ? "jpeg"
    : starts(bytes, "\x89PNG") ? "png"
    : starts(bytes, "RIFF") && starts(bytes, "WEBP", 8) ? "webp"
    : starts(bytes, "ftypavif", 4) ? "avif"
    : starts(bytes, "BM") ? "bmp"
    : null;

  const hasMetadata = (bytes) => {
    for (let i = 0; i < bytes.length - 4; i++) {
      if (bytes[i] === 0x45 && starts(bytes, "Exif", i)) return true;
      if (bytes[i] === 0x68 && starts(bytes, "http://ns.adobe.com", i)) return true;
    }
    return false;
  };

  const isTransparent = (canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    for (let i = 3; i < data.length; i += 4) if (data[i] < 255) return true;
    return false;
  };

  const drawn = (bitmap) => {
    const scale = Math.min(1, Math.sqrt(MAX_PIXELS / (bitmap.width * bitmap.height)));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.floor(bitmap.width * scale));
    canvas.height = Math.max(1, Math.floor(bitmap.height * scale));
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    return canvas;
  };

  // The photo to upload: the original if it is small and clean, or if the browser cannot read it.
  const shrunk = async (file) => {
    try {
      const head = new Uint8Array(await file.slice(0, 65_536).arrayBuffer());
      const type = kind(head);
      if (!type) return file;
      const bitmap = await createImageBitmap(file); // upright: browsers apply the EXIF turn here
      const large = bitmap.width * bitmap.height > MAX_PIXELS || file.size > LARGE_BYTES;
      if (!large && !(type === "jpeg" && hasMetadata(head))) return file;
      const canvas = drawn(bitmap);
      bitmap.close();
      if (type !== "jpeg" && isTransparent(canvas)) return file;
      const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
      const name = (file.name || "photo").replace(/\.\w+$/, "") + ".jpg";
      return blob ? new File([blob], name, { type: "image/jpeg" }) : file;
    } catch {
      return file; // the server reads more formats than a browser, and explains what is wrong with the rest
    }
  };

  const rebuilt = async (form) => {
    const body = new FormData();
    // One at a time: a phone lacks the memory for several decoded photos.
    for (const [name, value] of form.entries()) {
      if (!(value instanceof Blob)) body.append(name, value);
      else if (name !== "files") body.append(name, value, value.name);
      else {
        const file = await shrunk(value);
        body.append(name, file, file.name || "photo");
      }
    }
    return body;
  };

  // Gradio's client uploads through the global fetch: one place for pick, drop, clipboard and webcam.
  const send = window.fetch.bind(window);
  let underWay = 0;
  window.fetch = async (input, init) => {
    const path = new URL(input.url ?? input, location.href).pathname;
    if (!(init?.body instanceof FormData) || !path.endsWith("/gradio_api/upload")) return send(input, init);
    underWay += 1;
    document.body.dataset.uploading = "true"; // style.css disables the button: a click now would send the old list
    try {
      return await send(input, { ...init, body: await rebuilt(init.body) });
    } finally {
      setTimeout(() => {
        underWay -= 1;
        if (!underWay) delete document.body.dataset.uploading;
      }, SETTLE_MS);
    }
  };

  const appears = async (selector) => {
    for (let i = 0; i < 40; i++) {
      const found = document.querySelector(selector);
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    return null;
  };

  const wear = (files) => document.querySelector("#garments").dispatchEvent(new CustomEvent("add-files", { detail: files }));

  const show = async (file) => {
    const input = await appears("#person input[type=file]");
    if (!input) return;
    const transfer = new DataTransfer();
    transfer.items.add(file);
    input.files = transfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };

  document.addEventListener("person-photo", ({ detail }) => show(detail));

  const pictures = (transfer) => [...(transfer?.files ?? [])].filter((file) => /^image\/|^$/.test(file.type));

  // Gradio loses the old photo on a drop onto a filled slot.
  const filled = (target) => target.closest?.("#person:has(img)");
  document.addEventListener("dragover", (event) => filled(event.target) && event.preventDefault(), true);
  document.addEventListener("drop", (event) => {
    const files = pictures(event.dataTransfer);
    if (!filled(event.target) || !files.length) return;
    event.preventDefault();
    event.stopPropagation();
    show(files[0]);
  }, true);

  // A drop beside the slots would leave the page for the picture. Near the garments it is meant for them.
  const misses = (event) => !event.defaultPrevented && event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => misses(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    if (!misses(event)) return;
    event.preventDefault();
    if (event.target.closest?.(".station")?.querySelector("#garments")) wear(pictures(event.dataTransfer));
  });

  document.addEventListener("paste", (event) => {
    const files = pictures(event.clipboardData);
    if (!files.length || event.target.closest?.("input, textarea")) return;
    event.preventDefault();
    if (document.querySelector("#person img")) wear(files);
    else show(files[0]);
  });
})();
