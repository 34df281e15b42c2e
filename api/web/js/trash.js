// The trash: how many are ticked, ticking many at once, and pictures that are gone.
import "./shell.js";
import { t } from "./dom.js";
import { ticking } from "./picking.js";

const bar = document.querySelector("[data-bar]");
const boxes = [...document.querySelectorAll('input[form="restore"]')];

function told() {
  const n = boxes.filter((box) => box.checked).length;
  bar.querySelector("[data-picked]").textContent = n ? t("people.picked", { n }) : t("trash.ticked");
  bar.querySelector("button").disabled = !n;
}

/** A picture that is gone leaves its place to the sign for one. */
for (const picture of document.querySelectorAll(".trashed-picture img")) {
  if (picture.complete && picture.currentSrc && !picture.naturalWidth) picture.remove();
  else picture.addEventListener("error", () => picture.remove());
}

if (bar) {
  told();
  ticking(document.querySelector("[data-trash]"), () => boxes, told);
}
