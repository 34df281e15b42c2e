// Photos in rows that fill the width, as the server drew them; timeline.js is for all photos, windowed.
import { steer } from "./steering.js";

/** Let arrow keys move between the photos of grids that the server drew. */
export function adopt(root = document) {
  for (const list of root.querySelectorAll("[data-photo-grid]")) steer(list);
}
