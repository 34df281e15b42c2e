// A slider beside the timeline: the years of the whole library, and where one is; by pointer and by keys.
import { h, put, t } from "./dom.js";
import { monthName } from "./days.js";

const LEAST_APART = 26; // pixels between years
const RESTS = 1400;

/** Put a slider into an element for a timeline; call what it returns when the timeline has changed. */
export function scrubber(element, timeline) {
  const ticks = h("div", { class: "scrubber-years", "aria-hidden": "true" });
  const label = h("span", { class: "scrubber-label", "aria-hidden": "true" });
  const handle = h("div", {
    class: "scrubber-handle", role: "slider", tabindex: "0", "aria-orientation": "vertical", "aria-label": t("photos.scrub"), "aria-valuemin": "0",
  });
  put(element, ticks, handle, label);
  const all = () => timeline.stretches.all;
  let dragged = false;
  let resting = null;
  let height = -1;

  const shareOf = (event) => {
    const box = element.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientY - box.top) / box.height));
  };
  const tell = (text, share) => {
    if (label.textContent !== text) label.textContent = text;
    label.style.setProperty("top", `${(share * 100).toFixed(3)}%`);
  };
  const monthAt = (share) => monthName(all()[timeline.indexAt(share * timeline.tops.at(-1))]?.month ?? "");
  const stir = () => {
    element.dataset.stirred = "";
    clearTimeout(resting);
    resting = setTimeout(() => { if (!dragged) delete element.dataset.stirred; }, RESTS);
  };
  const point = (event) => {
    const share = shareOf(event);
    tell(monthAt(share), share);
    timeline.go({ share });
    stir();
  };
  const years = () => {
    const total = timeline.tops.at(-1);
    if (Math.abs(total - height) < total / 500) return;
    height = total;
    const room = element.clientHeight;
    let before = -LEAST_APART;
    let year = null;
    const made = [];
    all().forEach((one, i) => {
      const own = one.month.slice(0, 4);
      if (own === year) return;
      year = own;
      const y = (timeline.tops[i] / total) * room;
      if (!own || y - before < LEAST_APART || y > room - 12) return;
      before = y;
      const tick = h("span", {}, own);
      tick.style.setProperty("top", `${y}px`);
      made.push(tick);
    });
    put(ticks, made);
  };

  element.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    dragged = true;
    element.dataset.dragged = "";
    element.setPointerCapture(event.pointerId);
    event.preventDefault();
    handle.focus({ preventScroll: true });
    point(event);
  });
  element.addEventListener("pointermove", (event) => {
    if (dragged) point(event);
    else tell(monthAt(shareOf(event)), shareOf(event));
  });
  for (const end of ["pointerup", "pointercancel"]) {
    element.addEventListener(end, () => { dragged = false; delete element.dataset.dragged; stir(); });
  }
  element.addEventListener("pointerleave", () => { if (!dragged) rest(); });

  const place = () => Math.min(1, Math.max(0, timeline.y / Math.max(1, timeline.tops.at(-1) - innerHeight)));
  const rest = () => tell(monthName(all()[now()]?.month ?? ""), place());
  const now = () => timeline.indexAt(timeline.beginning);
  const month = (from, step) => {
    let to = from + step;
    while (all()[to] && all()[to].month === all()[from].month) to += step;
    while (step < 0 && all()[to - 1]?.month === all()[to]?.month && all()[to - 1]) to -= 1;
    return to;
  };
  const year = (from, step) => {
    const own = (i) => all()[i].month.slice(0, 4);
    let to = from + step;
    while (all()[to] && own(to) === own(from)) to += step;
    while (step < 0 && all()[to - 1] && own(to - 1) === own(to)) to -= 1;
    return to;
  };
  handle.addEventListener("keydown", (event) => {
    const last = all().length - 1;
    const steps = {
      ArrowDown: month(now(), 1), ArrowRight: month(now(), 1), ArrowUp: month(now(), -1), ArrowLeft: month(now(), -1),
      PageDown: year(now(), 1), PageUp: year(now(), -1), Home: 0, End: last + 1,
    };
    if (!(event.key in steps) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    timeline.go(steps[event.key] > last ? { share: 1 } : { index: Math.max(0, steps[event.key]) });
    stir();
  });

  return () => {
    const total = timeline.tops.at(-1);
    element.hidden = total < 2.5 * innerHeight;
    if (element.hidden) return;
    years();
    handle.style.setProperty("top", `${(place() * 100).toFixed(3)}%`);
    const index = now();
    const told = monthName(all()[index]?.month ?? "");
    if (handle.getAttribute("aria-valuetext") !== told) {
      handle.setAttribute("aria-valuetext", told);
      handle.setAttribute("aria-valuemax", String(Math.max(0, all().length - 1)));
      handle.setAttribute("aria-valuenow", String(index));
    }
    if (!dragged && !element.matches(":hover")) rest();
    stir();
  };
}
