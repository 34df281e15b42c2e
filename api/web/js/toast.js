// Short words at the page's edge about what was just done, with a way to take it back.
import { h, icon, t } from "./dom.js";

const LASTS = 6000;

/** Say something; `undo` is called when the person takes it back, and keeps the words there longer. */
export function toast(text, { wrong = false, undo = null, action = null } = {}) {
  const place = document.querySelector("[data-toasts]");
  const shown = h("div", { class: wrong ? "toast wrong" : "toast" }, h("span", {}, text));
  const gone = () => shown.remove();
  if (undo) shown.append(h("button", { type: "button", onclick: () => { gone(); undo(); } }, icon("undo"), t("shell.undo")));
  if (action) shown.append(h("a", { href: action.href }, action.text));
  shown.append(h("button", { type: "button", class: "plain", "aria-label": t("shell.close"), onclick: gone }, icon("close")));
  place.append(shown);
  while (place.children.length > 3) place.firstChild.remove();
  if (!wrong) setTimeout(gone, undo ? 2 * LASTS : LASTS);
  return shown;
}

/** Say that an action has begun, and where to watch it. */
export function started(name) {
  toast(t("library.started", { action: name }), { action: { href: "/library#jobs", text: t("library.watch") } });
}

/** Do something that may fail, and say so if it does; returns what it returns, undefined if it failed. */
export async function trying(act) {
  try {
    return await act();
  } catch (problem) {
    if (problem.name !== "AbortError") toast(problem.message, { wrong: true });
    return undefined;
  }
}
