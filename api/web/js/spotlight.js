// Go anywhere: pages, actions, people, events, a search; opened with Ctrl+K or ⌘K.
import { h, icon, named, put, t } from "./dom.js";
import { ask, at, get } from "./ask.js";
import { shown } from "./dialog.js";
import { toast, trying } from "./toast.js";

const PAGES = [["photos", "/"], ["people", "/people"], ["events", "/events"], ["library", "/library"], ["trash", "/trash"], ["account", "/account"]];
const ADMIN = [["services", "/admin"], ["cluster", "/admin/cluster"], ["users", "/admin/users"], ["all_jobs", "/admin/jobs"], ["logs", "/admin/logs"], ["settings", "/admin/settings"]];
const ACTIONS = ["scan", "train-faces", "rescan-faces", "generate-events"];
const MOST = 6;

function fixed() {
  const pages = PAGES.map(([name, href]) => ({ icon: name, text: t(`shell.${name}`), kind: t("spotlight.page"), href }));
  const admin = "admin" in document.body.dataset
    ? ADMIN.map(([name, href]) => ({ icon: "admin", text: t(`spotlight.${name}`), kind: t("spotlight.page"), href })) : [];
  const actions = ACTIONS.map((name) => ({ icon: "play", text: named("library", name), kind: t("spotlight.action"), act: () => start(name) }));
  const missing = { icon: "play", text: named("library", "delete-missing"), kind: t("spotlight.action"), href: "/library/delete-missing" };
  return [...pages, ...admin, ...actions, missing];
}

async function start(action) {
  const job = await trying(() => ask(`POST /api/library/actions/${action}`));
  if (job) toast(t("library.started", { action: named("library", action) }), { action: { href: "/library#jobs", text: t("library.watch") } });
}

function fitting(entries, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return entries.filter((entry) => words.every((word) => entry.text.toLowerCase().includes(word)));
}

async function asked(text, signal) {
  const found = await get(at("/api/suggestions", { q: text }), { signal });
  return found.suggestions.map((one) => ({
    icon: { person: "people", event: "events", place: "place", tag: "tag" }[one.kind] ?? "search", text: one.text,
    kind: t(`spotlight.${one.kind}`), href: one.href,
  })).slice(0, MOST);
}

/** Open it; choosing goes there, or does it. */
export function spotlight() {
  if (document.querySelector("dialog.spotlight")) return;
  const all = fixed();
  const list = h("ul", { role: "listbox", id: "spotlight-list", "aria-label": t("shell.go_anywhere") });
  const input = h("input", {
    type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "spotlight-list", autocomplete: "off", maxlength: "1000",
    "aria-label": t("shell.go_anywhere"), placeholder: t("spotlight.hint"), "aria-autocomplete": "list",
  });
  const made = h("dialog", { class: "spotlight", "aria-label": t("shell.go_anywhere") }, h("div", { class: "find" }, icon("search"), input), list);
  let entries = [];
  let chosen = 0;
  let asking = null;

  const go = (entry) => {
    made.close();
    if (entry?.act) entry.act();
    else if (entry?.href) location.assign(entry.href);
  };
  const mark = (place) => {
    chosen = Math.max(0, Math.min(entries.length - 1, place));
    [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === chosen)));
    list.children[chosen]?.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", entries.length ? `spotlight-${chosen}` : "");
  };
  const draw = (found) => {
    entries = found;
    put(list, entries.map((entry, i) => h("li", { role: "option", id: `spotlight-${i}`, onclick: () => go(entry), onpointermove: () => chosen !== i && mark(i) },
      icon(entry.icon), h("span", {}, entry.text), h("span", { class: "faint" }, entry.kind))));
    mark(0);
  };
  const update = async () => {
    const text = input.value.trim();
    asking?.abort();
    asking = new AbortController();
    const here = fitting(all, text);
    if (!text) return draw(here);
    const search = { icon: "search", text: t("spotlight.search_for", { text }), kind: t("spotlight.search"), href: at("/search", { q: text }) };
    draw([...here.slice(0, MOST), search]);
    const more = await asked(text, asking.signal).catch(() => []);
    if (input.value.trim() === text) draw([...here.slice(0, MOST), ...more, search]);
    return undefined;
  };
  input.addEventListener("input", update);
  input.addEventListener("keydown", (event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps) { event.preventDefault(); mark(chosen + steps[event.key]); }
    else if (event.key === "Enter") { event.preventDefault(); go(entries[chosen]); }
  });
  update();
  shown(made);
  input.focus();
}
