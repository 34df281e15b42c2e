// Arrow keys between the photos of a grid, by where they are; Home and End; Enter is the link's own.

/** Where arrow keys lead: across, down. */
export const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** The box that lies next to another in a direction: of the nearest row, the one that lies most beside it; -1: none. */
export function nextTo(boxes, from, [dx, dy]) {
  if (dx) return from + dx >= 0 && from + dx < boxes.length ? from + dx : -1;
  const own = boxes[from];
  const middle = own.left + own.width / 2;
  const beyond = boxes.map((box, i) => ({ box, i })).filter(({ box }) => (dy > 0 ? box.top >= own.bottom - 1 : box.bottom <= own.top + 1));
  if (!beyond.length) return -1;
  const nearest = dy > 0 ? Math.min(...beyond.map(({ box }) => box.top)) : Math.max(...beyond.map(({ box }) => box.bottom));
  const row = beyond.filter(({ box }) => Math.abs((dy > 0 ? box.top : box.bottom) - nearest) < 2);
  const off = ({ box }) => Math.max(0, box.left - middle, middle - box.left - box.width);
  return row.reduce((best, one) => (off(one) < off(best) ? one : best)).i;
}

/** Move the focus between the photos in an element by keys. */
export function steer(element) {
  element.addEventListener("keydown", (event) => {
    const own = event.target.closest?.("a.photo");
    if (!own || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const photos = [...element.querySelectorAll("a.photo")];
    const from = photos.indexOf(own);
    let to = -1;
    if (event.key in STEPS) to = nextTo(photos.map((one) => one.getBoundingClientRect()), from, STEPS[event.key]);
    else if (event.key === "Home") to = 0;
    else if (event.key === "End") to = photos.length - 1;
    else return;
    event.preventDefault();
    if (to >= 0) photos[to].focus();
  });
}
