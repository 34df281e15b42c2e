// A face: the part of a photo's thumbnail where it is, drawn as templates/faces.html draws it (pages/crops.py).
import { h, icon, svg } from "./dom.js";

const ROOM = 1.35;
const SHARP = 1.6;
const BIG_PX = 500;

/** The square of a picture that shows a face `size` pixels large; null while its photo has no pictures. */
function crop(face, size) {
  if (!face?.thumbnails?.big || !face.width || !face.height) return null;
  const { width, height, box } = face;
  const [left, top, right, bottom] = [box.left * width, box.top * height, box.right * width, box.bottom * height];
  const side = Math.min(ROOM * Math.max(right - left, bottom - top), width, height);
  const within = (middle, whole) => Math.min(Math.max(middle - side / 2, 0), whole - side);
  const sharp = (side / Math.max(width, height)) * BIG_PX >= SHARP * size;
  return {
    x: Math.round(within((left + right) / 2, width)), y: Math.round(within((top + bottom) / 2, height)),
    side: Math.max(1, Math.round(side)), width, height, address: face.thumbnails[sharp ? "big" : "preview"],
  };
}

/** An element with a face (a Cover or FaceView of the API); without a label it is for the eye only. */
export function face(shown, size = 120, { label = "", cls = "" } = {}) {
  const part = crop(shown, size);
  const named = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
  if (!part) return h("span", { class: `face none ${cls}`, ...named }, icon("account"));
  return svg("svg", { class: `face ${cls}`, viewBox: `${part.x} ${part.y} ${part.side} ${part.side}`, width: size, height: size, focusable: "false", ...named },
    svg("image", { href: part.address, width: part.width, height: part.height, preserveAspectRatio: "none" }));
}
