// What is told on the next page, with a way back: a request that takes back what was done on this one.
import { ask } from "./ask.js";
import { toast, trying } from "./toast.js";

const KEPT = "told";

/** Tell this on the next page; `undo` and `body`: the request that takes it back ("POST /api/..."); `after`: where to go then. */
export function later(text, undo = "", { after = "", body } = {}) {
  sessionStorage.setItem(KEPT, JSON.stringify({ text, undo, after, body }));
}

/** Tell what the page before left to be told. */
export function toldBefore() {
  const kept = sessionStorage.getItem(KEPT);
  if (!kept) return;
  sessionStorage.removeItem(KEPT);
  const { text, undo, after, body } = JSON.parse(kept);
  const back = async () => {
    if ((await trying(() => ask(undo, body))) === undefined) return;
    if (after && after !== location.pathname + location.search) location.assign(after);
    else location.reload();
  };
  toast(text, undo ? { undo: back } : {});
}
