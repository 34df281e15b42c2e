// What is told on the next page, with a way back: a request that takes back what was done on this one.
import { ask } from "./ask.js";
import { toast, trying } from "./toast.js";

const KEPT = "said_undo";

/** Tell this on the next page; `undo`: the request that takes it back ("POST /api/...") and `after`, where to go then. */
export function later(text, undo = "", after = "") {
  sessionStorage.setItem(KEPT, JSON.stringify({ text, undo, after }));
}

/** Tell what the page before left to be told. */
export function toldBefore() {
  const kept = sessionStorage.getItem(KEPT);
  if (!kept) return;
  sessionStorage.removeItem(KEPT);
  const { text, undo, after } = JSON.parse(kept);
  const back = async () => {
    if ((await trying(() => ask(undo))) === undefined) return;
    if (after && after !== location.pathname + location.search) location.assign(after);
    else location.reload();
  };
  toast(text, undo ? { undo: back } : {});
}
