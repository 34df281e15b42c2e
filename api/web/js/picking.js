// Choosing several of the cards on a page: the checkboxes are the form's own, so that it works without scripts too.
import { t } from "./dom.js";

/** Let boxes in an element be ticked by the range: with Shift, all from the last one to this; `changed()` after each. */
export function ticking(element, boxes, changed) {
  let last = null;
  element.addEventListener("click", ({ target, shiftKey }) => {
    const all = boxes();
    if (!all.includes(target)) return;
    if (shiftKey && all.includes(last)) {
      const [start, end] = [all.indexOf(last), all.indexOf(target)].sort((a, b) => a - b);
      all.slice(start, end + 1).forEach((one) => { one.checked = target.checked; });
    }
    last = target;
    changed();
  });
}

/** Follow the ticked boxes in `cards`; `changed(values)` is called with those that are. Returns {values, clear, open}. */
export function picking(cards, bar, changed) {
  const boxes = () => [...cards.querySelectorAll(".pick input")];
  const values = () => boxes().filter((box) => box.checked).map((box) => box.value);
  const told = () => changed(values());
  ticking(cards, boxes, told);
  cards.addEventListener("change", told);

  function open(on) {
    cards.classList.toggle("selecting", on);
    bar.hidden = !on;
    if (!on) boxes().forEach((box) => { box.checked = false; });
    told();
  }

  for (const button of document.querySelectorAll("[data-select]")) {
    button.addEventListener("click", (event) => {
      event.preventDefault();
      open(!cards.classList.contains("selecting"));
      if (cards.classList.contains("selecting")) boxes()[0]?.focus();
      else document.querySelector("[data-opens]")?.focus();
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && cards.classList.contains("selecting") && !document.querySelector("dialog[open]")) open(false);
  });
  told();
  return { values, clear: () => open(false), open };
}

/** What the bar says of how many are chosen. */
export const picked = (n) => (n ? t("people.picked", { n }) : t("people.pick_some"));
