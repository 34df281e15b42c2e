// The search box: suggestions while one types, chips for what was chosen. Where it leads is all in the address.
import { h, icon, seldom, t } from "./dom.js";
import { recent } from "./recent.js";
import { combobox, entry, suggestions } from "./suggest.js";

const ONCE = new Set(["place", "kind", "time"]); // a search has one of each
const AGAIN = "find-again"; // the box has the focus again on the next page

/** Have a form (templates/find.html) suggest; `chips` are hidden fields in it. */
export function findBox(form) {
  const input = form.elements.q;
  const list = h("ul", { class: "find-list", role: "listbox", id: "find-list", "aria-label": t("search.suggestions"), hidden: true });
  const told = h("span", { class: "away", role: "status" });
  form.append(list, told);
  let asking = null;

  const go = (chosen) => {
    const { one, href } = chosen;
    if (href) location.assign(href);
    else if (!one) search(form);
    else if (one.kind === "event") location.assign(one.href);
    else search(form, withChip(form, one));
  };
  const { draw } = combobox(input, list, { go });
  const close = () => { asking?.abort(); draw([]); };
  const ask = seldom(90, async () => {
    const text = input.value.trim();
    asking?.abort();
    asking = new AbortController();
    if (!text) return draw(before(), { heading: t("search.recent") });
    const found = await suggestions(text, asking.signal).catch(() => null);
    if (!found || input.value.trim() !== text || document.activeElement !== input) return undefined;
    told.textContent = t("search.suggested", { n: found.length });
    return draw([{ mark: icon("search"), text: t("spotlight.search_for", { text }) }, ...found.map(entry)]);
  });
  input.addEventListener("input", ask);
  input.addEventListener("focus", () => { if (!input.value.trim()) ask(); });
  input.addEventListener("click", () => { if (list.hidden) ask(); });
  form.addEventListener("focusout", (event) => { if (!form.contains(event.relatedTarget)) close(); });
  form.addEventListener("submit", (event) => { event.preventDefault(); search(form); });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !list.hidden) { event.stopPropagation(); close(); }
    else if (event.key === "ArrowDown" && list.hidden) ask();
    else if (event.key === "Backspace" && input.selectionStart === 0 && input.selectionEnd === 0) leave(form);
  });
  afterwards(form, input);
}

function before() {
  return recent().slice(0, 6).map(({ href, text }) => ({ mark: icon("clock"), text, href }));
}

/** The fields of a form and a suggestion's, what was typed of it left out. */
function withChip(form, one) {
  const names = one.kind === "time" ? ["date_from", "date_to"] : [one.kind];
  const values = one.kind === "time" ? one.value.split("/") : [one.value];
  const kept = fields(form).filter(([name, value]) => name !== "q" && !(ONCE.has(one.kind) && names.includes(name)) && !(names.includes(name) && values.includes(value)));
  return [["q", one.rest], ...kept, ...names.map((name, i) => [name, values[i]])];
}

const fields = (form) => [...new FormData(form)].map(([name, value]) => [name, String(value)]);

/** Go to the search that fields say. */
function search(form, given = null) {
  const query = new URLSearchParams((given ?? fields(form)).map(([name, value]) => [name, value.trim()]).filter(([, value]) => value));
  if (given) sessionStorage.setItem(AGAIN, "1");
  location.assign(query.size ? `/search?${query}` : "/search");
}

/** Take the last chip out. */
function leave(form) {
  const last = form.querySelector(".find-chips li:last-child a");
  if (!last) return;
  sessionStorage.setItem(AGAIN, "1");
  location.assign(last.href);
}

function afterwards(form, input) {
  const chips = form.querySelector(".find-chips");
  if (chips) chips.scrollLeft = chips.scrollWidth;
  if (!sessionStorage.getItem(AGAIN)) return;
  sessionStorage.removeItem(AGAIN);
  input.focus({ preventScroll: true });
  input.setSelectionRange(input.value.length, input.value.length);
}
