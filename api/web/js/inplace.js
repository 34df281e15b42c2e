// A name that is changed where it stands: a button beside it turns it into a field; Enter keeps, Escape does not.
import { h, icon } from "./dom.js";

/** `holder` has an element with the text. `keep(text)` resolves to the text as it is then, or null to have the old one. */
export function inPlace(holder, { value, label, button, longest, empty = false, keep }) {
  const shown = holder.querySelector("a, [data-text]");
  const opener = h("button", { type: "button", class: "plain", "aria-label": button, title: label, onclick: edit }, icon("edit"));
  holder.append(opener);

  function edit() {
    const input = h("input", { value: value(), maxlength: longest, "aria-label": label, autocomplete: "off" });
    const form = h("form", { onsubmit: (event) => { event.preventDefault(); done(true); } }, input);
    const before = [...holder.childNodes];
    let editing = true;
    const done = (wanted) => {
      if (!editing) return;
      editing = false;
      holder.replaceChildren(...before);
      if (wanted) changed(input.value.trim());
    };
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") event.stopPropagation();
      if (event.key === "Escape" || event.key === "Enter") { event.preventDefault(); done(event.key === "Enter"); opener.focus(); }
    });
    input.addEventListener("blur", () => setTimeout(() => done(true), 0));
    holder.replaceChildren(form);
    input.focus();
    input.select();
  }

  async function changed(text) {
    if (text === value() || (!text && !empty)) return;
    const old = shown.textContent;
    if (text) shown.textContent = text;
    shown.textContent = (await keep(text)) ?? old;
  }
}
