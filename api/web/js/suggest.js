// What is suggested to whoever types, as entries of a list: {key, mark, text, detail, kind, one}.
import { h, icon, put, t } from "./dom.js";
import { at, get } from "./ask.js";
import { face } from "./faces.js";

const ICONS = { person: "account", event: "events", place: "place", tag: "tag", time: "clock", kind: "camera" };

/** The API's suggestions for a text. */
export async function suggestions(text, signal, each = 3) {
  return (await get(at("/api/suggestions", { q: text, each }), { signal })).suggestions;
}

/** The sign of a suggestion: a person's face, or an icon. */
const sign = (one, size = 30) => (one.cover ? face(one.cover, size) : icon(ICONS[one.kind] ?? "search"));

/** A suggestion as an entry of a list. */
export function entry(one) {
  return { mark: sign(one), text: one.text, detail: one.detail, kind: t(`spotlight.${one.kind}`), one };
}

/**
 * A combobox: an input and the list under it. `draw(entries)` shows entries; arrow keys and the pointer choose one,
 * Enter and a click call `go(entry)`. With `first`, the first one is chosen until another is, which `keep` keeps.
 */
export function combobox(input, list, { go, first = false }) {
  let entries = [];
  let chosen = -1;
  const items = () => [...list.querySelectorAll("[role=option]")];
  const mark = (place) => {
    chosen = entries.length ? ((place % entries.length) + entries.length) % entries.length : -1;
    items().forEach((item, i) => item.setAttribute("aria-selected", String(i === chosen)));
    items()[chosen]?.scrollIntoView({ block: "nearest" });
    if (chosen < 0) input.removeAttribute("aria-activedescendant");
    else input.setAttribute("aria-activedescendant", `${list.id}-${chosen}`);
  };
  const unmark = () => { chosen = -1; items().forEach((item) => item.setAttribute("aria-selected", "false")); input.removeAttribute("aria-activedescendant"); };
  const draw = (found, { heading = "", keep = false } = {}) => {
    const before = keep && chosen > 0 ? entries[chosen] : null;
    entries = found;
    put(list, heading && h("li", { class: "heading", role: "presentation" }, heading), entries.map((one, i) => option(list.id, one, i, { go, mark, is: () => chosen === i })));
    list.hidden = !entries.length;
    input.setAttribute("aria-expanded", String(entries.length > 0));
    if (first) mark(Math.max(0, before ? found.findIndex((one) => one.text === before.text && one.kind === before.kind) : 0));
    else unmark();
  };
  input.addEventListener("keydown", (event) => {
    if (event.isComposing || list.hidden || !entries.length) return;
    if (event.key === "ArrowDown") { event.preventDefault(); mark(chosen + 1); }
    else if (event.key === "ArrowUp") { event.preventDefault(); mark(chosen < 0 ? entries.length - 1 : chosen - 1); }
    else if (event.key === "Enter" && chosen >= 0) { event.preventDefault(); go(entries[chosen]); }
  });
  for (const [name, value] of Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": list.id, "aria-autocomplete": "list" })) input.setAttribute(name, value);
  return { draw };
}

function option(id, one, i, { go, mark, is }) {
  const item = h("li", { role: "option", id: `${id}-${i}`, "aria-selected": "false", onclick: () => go(one), onpointermove: () => is() || mark(i) },
    one.mark, h("span", { class: "what" }, one.text, one.detail && h("span", { class: "faint" }, one.detail)), one.kind && h("span", { class: "kind" }, one.kind));
  item.addEventListener("pointerdown", (event) => event.preventDefault()); // the focus stays in the box
  return item;
}
