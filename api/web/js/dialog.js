// Dialogs: the browser's own, which keeps the focus inside, closes on Escape and gives the focus back.
import { h, icon, t } from "./dom.js";

/** The button that closes a dialog; `made()` is the dialog. */
export function closing(made) {
  return h("button", { type: "button", class: "plain round", "aria-label": t("shell.close"), onclick: () => made().close() }, icon("close"));
}

/** A dialog with a title, what is in it, and buttons; removed when it closes. Returns the element, open. */
export function dialog(title, body, buttons = [], cls = "") {
  const heading = h("h2", { id: `d${Date.now()}` }, title);
  const made = h("dialog", { class: cls, "aria-labelledby": heading.id },
    h("header", {}, heading, closing(() => made)), h("div", { class: "body" }, body), buttons.length ? h("footer", {}, buttons) : null);
  return shown(made);
}

/** Open a dialog over the page; clicking beside it closes it. */
export function shown(made) {
  const before = document.activeElement;
  made.addEventListener("click", (event) => { if (event.target === made) made.close(); });
  made.addEventListener("close", () => { made.remove(); before?.focus?.({ preventScroll: true }); });
  document.body.append(made);
  made.showModal();
  return made;
}

/** Ask before something is done; resolves to whether the person said yes. */
export function confirmed(title, body, yes, danger = false) {
  return new Promise((resolve) => {
    let said = false;
    const go = h("button", { type: "button", class: danger ? "danger" : "primary", onclick: () => { said = true; made.close(); } }, yes);
    const no = h("button", { type: "button", onclick: () => made.close() }, t("shell.cancel"));
    const made = dialog(title, body, [no, go]);
    made.addEventListener("close", () => resolve(said));
    go.focus();
  });
}
