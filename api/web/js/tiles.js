// A photo as a tile: what templates/tiles.html writes, drawn and drawn over again by script. Knows no layout.
import { h, icon, t } from "./dom.js";

const NARROWEST = 0.4;
const WIDEST = 3.5;
const SIDE = 4; // pixels of a placeholder

/** What a tile shows of a line of /api/photos (PhotoSummary). */
function ofSummary(photo) {
  return {
    id: photo.photo_id,
    ratio: photo.width / photo.height || 1.5,
    src: photo.thumbnails?.big ?? "",
    alt: photo.caption || photo.name.split("/").pop(),
    video: photo.kind === "video", raw: photo.has_raw, live: photo.has_live, missing: photo.missing,
    duration: photo.duration_s,
    placeholder: photo.placeholder ?? "",
  };
}

/** A ratio of width and height that a row can take: what is beyond is cropped. */
export const ratioOf = (photo) => Math.min(WIDEST, Math.max(NARROWEST, photo.ratio));

/** An empty tile, to be filled and filled again. */
export function tile() {
  const image = h("img", { decoding: "async", alt: "", "data-coming": "" });
  image.addEventListener("load", () => image.removeAttribute("data-coming"));
  return h("a", { class: "photo" }, h("canvas", { width: SIDE, height: SIDE, "aria-hidden": "true" }), image);
}

/** Show a photo (see `ofSummary`) in a tile; `later`: its picture comes when `load` is called. */
export function fill(element, photo, href, later = false) {
  const [canvas, image] = element.children;
  while (element.children.length > 2) element.lastChild.remove();
  element.href = href;
  element.dataset.photo = photo.id;
  canvas.hidden = !painted(canvas, photo.placeholder);
  image.hidden = !photo.src;
  image.alt = photo.src ? photo.alt : "";
  image.dataset.coming = "";
  image.removeAttribute("src");
  image.dataset.src = photo.src;
  if (!photo.src) element.append(h("span", { class: "photo-none" }, icon("photos"), h("span", {}, photo.alt)));
  const shown = badges(photo);
  if (shown.length) element.append(h("span", { class: "photo-badges" }, shown));
  if (!later) load(element);
  return element;
}

/** Ask for the picture of a filled tile, unless it was asked for. */
export function load(element) {
  const image = element.children[1];
  if (!image.dataset.src || image.hasAttribute("src")) return;
  image.src = image.dataset.src;
  if (image.complete && image.naturalWidth) image.removeAttribute("data-coming");
}

/** Let a tile go that nobody sees: its picture is not waited for. */
export function release(element) {
  element.children[1].removeAttribute("src");
}

function badges(photo) {
  const lasting = photo.duration ? clock(photo.duration) : null;
  return [
    photo.video && h("span", { class: "photo-badge" }, h("span", { class: "away" }, t("photos.video")), icon("play"), lasting),
    photo.live && h("span", { class: "photo-badge" }, icon("live"), t("photos.live")),
    photo.raw && h("span", { class: "photo-badge" }, t("photos.raw")),
    photo.missing && h("span", { class: "photo-badge careful" }, icon("warning"), t("photos.missing")),
  ].filter(Boolean);
}

/** Seconds as a clock shows them. */
function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** Paint a placeholder: 4 x 4 pixels of 12 bits, as base64. False for none, or one that is none of ours. */
function painted(canvas, placeholder) {
  const bytes = placeholder.length === 32 ? decoded(placeholder) : null;
  if (!bytes) return false;
  const pixels = new ImageData(SIDE, SIDE);
  for (let i = 0; i < 48; i += 1) {
    const nibble = i % 2 ? bytes.charCodeAt(i >> 1) & 15 : bytes.charCodeAt(i >> 1) >> 4;
    pixels.data[Math.floor(i / 3) * 4 + (i % 3)] = nibble * 17;
  }
  for (let i = 3; i < pixels.data.length; i += 4) pixels.data[i] = 255;
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  return true;
}

function decoded(text) {
  try {
    return atob(text);
  } catch {
    return null;
  }
}

/** Items of a grid for a list of photos. */
export function drawn(photos, hrefOf) {
  return photos.map((one) => {
    const photo = ofSummary(one);
    const item = h("li", {}, fill(tile(), photo, hrefOf(one)));
    item.style.setProperty("--ratio", ratioOf(photo));
    return item;
  });
}
