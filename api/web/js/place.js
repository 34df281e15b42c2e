// Where a timeline was left, kept in the browser's history: going back leads there, with the focus on the same photo.
import { seldom } from "./dom.js";

const EVERY = 500;
const KEPT = "timeline";

/** The position that was kept on this page; null for none. */
export const placeBefore = () => history.state?.[KEPT] ?? null;

/** Keep a timeline's position from now on; `element` is what it is drawn into. */
export function keepPlace(element, timeline) {
  const keep = (focus = null) => history.replaceState({ ...history.state, [KEPT]: { ...timeline.position(), focus } }, "");
  element.addEventListener("click", (event) => {
    const tile = event.target.closest("a.photo");
    if (tile) keep(tile.dataset.photo);
  });
  addEventListener("scroll", seldom(EVERY, () => keep()), { passive: true });
}
