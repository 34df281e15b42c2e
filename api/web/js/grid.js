// Photos in rows that fill the width. `flatGrid` is for a list that is there; `timeline` for all photos, windowed.
import { h } from "./dom.js";
import { steer } from "./steering.js";
import { drawn } from "./tiles.js";

export { timeline } from "./timeline.js";

/**
 * Draw photos (lines of /api/photos: search results, an event's, a person's) into an element, instead of what it has.
 * `query` ("?event=ID") goes on to the photos' pages; `hrefOf(photo)` may say another address. Arrow keys move between
 * them. Returns the list's element, `set(photos)` and `add(photos)`.
 */
export function flatGrid(element, photos, { query = "", hrefOf = (photo) => `/photos/${photo.photo_id}${query}` } = {}) {
  const list = h("ul", { class: "photo-grid", "data-photo-grid": "" });
  const add = (more) => list.append(...drawn(more, hrefOf));
  const set = (all) => list.replaceChildren(...drawn(all, hrefOf));
  set(photos);
  element.replaceChildren(list);
  steer(list);
  return { element: list, add, set };
}

/** Let arrow keys move between the photos of grids that the server drew. */
export function adopt(root = document) {
  for (const list of root.querySelectorAll("[data-photo-grid]")) steer(list);
}
