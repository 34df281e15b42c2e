// Go anywhere: pages, actions, people, events, places, tags, times, a search; opened with Ctrl+K, ⌘K or /.
import { h, icon, named, t } from "./dom.js";
import { ask, at } from "./ask.js";
import { closing, shown } from "./dialog.js";
import { combobox, entry, suggestions } from "./suggest.js";
import { started, trying } from "./toast.js";

const PAGES = [["photos", "/"], ["search", "/search"], ["people", "/people"], ["events", "/events"], ["library", "/library"], ["trash", "/trash"], ["account", "/account"]];
const ADMIN = [["services", "/admin"], ["cluster", "/admin/cluster"], ["users", "/admin/users"], ["all_jobs", "/admin/jobs"], ["logs", "/admin/logs"], ["settings", "/admin/settings"]];
const ACTIONS = [["scan", "scan"], ["rescan", "scan", { full: true }], ["scan-nextcloud", "scan-nextcloud"], ["train-faces", "train-faces"], ["rescan-faces", "rescan-faces"], ["generate-events", "generate-events"]];
const PLANNED = ["delete-missing", "save-metadata"]; // whose dry run is to be seen first
const MOST = 5;

function fixed() {
  const pages = PAGES.map(([name, href]) => ({ mark: icon(name), text: t(`shell.${name}`), kind: t("spotlight.page"), href }));
  const picture = { mark: icon("camera"), text: t("search.by_picture"), kind: t("spotlight.page"), href: "/search/image" };
  const admin = "admin" in document.body.dataset
    ? ADMIN.map(([name, href]) => ({ mark: icon("admin"), text: t(`spotlight.${name}`), kind: t("spotlight.page"), href })) : [];
  const actions = ACTIONS.map(([name, action, body]) => ({ mark: icon("play"), text: named("library", name), kind: t("spotlight.action"), act: () => start(name, action, body) }));
  const planned = PLANNED.map((name) => ({ mark: icon("eye"), text: named("library", name), kind: t("spotlight.action"), href: `/library/${name}` }));
  return [...pages, picture, ...admin, ...actions, ...planned];
}

async function start(name, action, body) {
  const job = await trying(() => ask(`POST /api/library/actions/${action}`, body));
  if (job) started(named("library", name));
}

const plain = (text) => text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");

/** The entries in which every word begins some word, or stands somewhere. */
function fitting(entries, text) {
  const words = plain(text).split(/\s+/).filter(Boolean);
  return entries.filter((one) => words.every((word) => plain(one.text).includes(word)));
}

async function asked(text, signal) {
  const found = await suggestions(text, signal).catch(() => []);
  return found.filter((one) => !one.rest).map((one) => ({ ...entry(one), href: one.href }));
}

/** Open it; choosing goes there, or does it. */
export function spotlight() {
  if (document.querySelector("dialog[open]")) return;
  const all = fixed();
  const list = h("ul", { role: "listbox", id: "spotlight-list", "aria-label": t("shell.go_anywhere") });
  const input = h("input", { type: "text", autocomplete: "off", autocapitalize: "none", spellcheck: "false", maxlength: "1000", enterkeyhint: "go", "aria-label": t("shell.go_anywhere"), placeholder: t("spotlight.hint") });
  const made = h("dialog", { class: "spotlight", "aria-label": t("shell.go_anywhere") }, h("div", { class: "find" }, icon("search"), input, closing(() => made)), list);
  let asking = null;
  const go = (chosen) => {
    made.close();
    if (chosen?.act) chosen.act();
    else if (chosen?.href) location.assign(chosen.href);
  };
  const { draw } = combobox(input, list, { go, first: true });
  const update = async () => {
    const text = input.value.trim();
    asking?.abort();
    asking = new AbortController();
    const here = fitting(all, text);
    if (!text) return draw(here);
    const search = { mark: icon("search"), text: t("spotlight.search_for", { text }), kind: t("spotlight.search"), href: at("/search", { q: text }) };
    draw([...here.slice(0, MOST), search]);
    const more = await asked(text, asking.signal);
    if (input.value.trim() === text && made.open) draw([...here.slice(0, MOST), ...more, search], { keep: true });
    return undefined;
  };
  input.addEventListener("input", update);
  made.addEventListener("close", () => asking?.abort());
  shown(made);
  update();
  input.focus();
}
