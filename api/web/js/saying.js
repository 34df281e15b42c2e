// Saying something of people and faces, so that it can be taken back: the act that came of it is undone from a toast.
import { ask, get } from "./ask.js";
import { toast, trying } from "./toast.js";

let last = document.querySelector("[data-last-act]")?.dataset.lastAct ?? "";

/** Ask the API for something that is an act; resolves to [its answer, the act's id, or "" when nothing changed]. */
export async function said(what, body, given) {
  const answer = await ask(what, body, given);
  const newest = (await get("/api/people/acts?limit=1", given).catch(() => null))?.acts[0]?.act_id ?? "";
  const act = newest === last ? "" : newest;
  last = newest || last;
  return [answer, act];
}

/** The request that takes an act back; "" for none. */
export const undoOf = (act) => (act ? `POST /api/people/acts/${act}/undo` : "");

/** Take an act back; resolves to whether that worked, having told why it did not. */
export async function takeBack(act) {
  const undone = await trying(() => ask(undoOf(act)));
  return undone !== undefined;
}

/** Tell what was done, with a way back: by default the page is loaded again after it. */
export function tell(text, act, back = () => location.reload()) {
  const undo = async () => { if (await takeBack(act)) back(); };
  return toast(text, act ? { undo } : {});
}

/** Suggest training, now that it has more to learn from. */
export function trainingHelps() {
  const note = document.querySelector("[data-train]");
  if (note) note.hidden = false;
}

/** Add to the number that a group of people is shown with. */
export function count(group, change) {
  const shown = document.querySelector(`[data-sum="${group}"]`);
  if (shown) shown.textContent = String(Math.max(0, Number(shown.textContent.replaceAll(",", "")) + change));
}

/** The person whose name it is, to be asked whether they are meant; undefined when nobody's. */
export async function called(name) {
  const key = (text) => text.normalize("NFKC").trim().replace(/\s+/g, " ").toLowerCase();
  const found = await Promise.all([false, true].map((hidden) => get(`/api/people?limit=500&hidden=${hidden}&q=${encodeURIComponent(name)}`)));
  return found.flatMap((page) => page.people).find((person) => key(person.name) === key(name));
}

/** Fade an element away, and out of the page. */
export function leave(element) {
  element.classList.add("leaving");
  setTimeout(() => element.remove(), 220);
}
