// The trash: how many are ticked, ticking many at once, and pictures that are gone.
import "./shell.js";
import { t } from "./dom.js";

const bar = document.querySelector("[data-bar]");
const boxes = [...document.querySelectorAll('input[form="restore"]')];
let last = null;

function told() {
  const n = boxes.filter((box) => box.checked).length;
  bar.querySelector("[data-picked]").textContent = n ? t("trash.picked", { n }) : t("trash.ticked");
  bar.querySelector("button").disabled = !n;
}

/** A picture that is gone leaves its place to the sign for one. */
for (const picture of document.querySelectorAll(".trashed-picture img")) {
  if (picture.complete && picture.currentSrc && !picture.naturalWidth) picture.remove();
  else picture.addEventListener("error", () => picture.remove());
}

if (bar) {
  told();
  document.querySelector("[data-trash]").addEventListener("click", (event) => {
    const place = boxes.indexOf(event.target);
    if (place < 0) return;
    if (event.shiftKey && last !== null) {
      const [start, end] = [last, place].sort((a, b) => a - b);
      boxes.slice(start, end + 1).forEach((box) => { box.checked = event.target.checked; });
    }
    last = place;
    told();
  });
}
