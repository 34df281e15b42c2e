// Keep what a page tells as it is now: the server says each text, switch and number by its name, in its own words, and
// only what is other is changed, so that nothing flickers and the focus stays where it is.
import { refreshTimes } from "./dom.js";
import { get } from "./ask.js";

/** Put a page's texts, switches, classes and numbers as `cells` says. */
function fill(root, cells) {
  for (const element of root.querySelectorAll("[data-cell]")) {
    const text = cells[element.dataset.cell];
    if (text !== undefined && element.textContent !== String(text)) element.textContent = text;
  }
  for (const element of root.querySelectorAll("[data-class]")) {
    const name = cells[element.dataset.class];
    if (name !== undefined && element.className !== name) element.className = name;
  }
  for (const element of root.querySelectorAll("[data-show]")) {
    const shown = cells[element.dataset.show];
    if (shown !== undefined) element.hidden = !shown;
  }
  for (const element of root.querySelectorAll("[data-value]")) {
    const value = cells[element.dataset.value];
    if (value !== undefined && element.value !== value) element.value = value;
  }
}

/** Call `act` every so many milliseconds while somebody sees the page, one call at a time; failures are the next call's. */
export function whileSeen(every, act) {
  let waiting = null;
  const again = async () => {
    clearTimeout(waiting);
    if (document.hidden) return;
    await Promise.resolve(act()).catch(() => {});
    clearTimeout(waiting);
    waiting = setTimeout(again, every);
  };
  document.addEventListener("visibilitychange", () => { if (!document.hidden) again(); });
  waiting = setTimeout(again, every);
  return again;
}

/** Keep an element with `data-keep` up to date from that address; `told` gets each whole answer. */
export function keep(root, every, told = () => {}) {
  return whileSeen(every, async () => {
    const answer = await get(root.dataset.keep);
    fill(root, answer.cells);
    told(answer);
    refreshTimes(root);
  });
}
