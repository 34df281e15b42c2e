// Elements out of data: text becomes text nodes, never markup. Nothing here knows of a page.
import texts from "./words.js";

const SVG = "http://www.w3.org/2000/svg";

/** An element: `h("a", {href, class, onclick}, "text", other)`. Properties that are null or false are left out. */
export function h(name, given = {}, ...children) {
  return filled(document.createElement(name), given, children);
}

/** An element of SVG, made like `h`. */
export function svg(name, given = {}, ...children) {
  return filled(document.createElementNS(SVG, name), given, children);
}

function filled(element, given, children) {
  for (const [name, value] of Object.entries(given ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "disabled" || name === "selected") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** One of the icons that the page carries. */
export function icon(name, cls = "icon") {
  return svg("svg", { class: cls, "aria-hidden": "true", focusable: "false" }, svg("use", { href: `#i-${name}` }));
}

/** A text by its key, with its values; a number `n` chooses between one and other. */
export function t(key, values = {}) {
  let text = texts[key];
  if (text === undefined) throw new Error(`no text ${key}`);
  if (typeof text === "object") text = text[values.n === 1 ? "one" : "other"];
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? told(values[name]) : whole));
}

/** The text `prefix.name`, or the name as it is where nobody wrote one. */
export function named(prefix, name) {
  const key = `${prefix}.${name.replaceAll("-", "_")}`;
  return key in texts ? t(key) : name.replaceAll("_", " ");
}

/** So many of what `prefix.n_name` counts, in words. */
export function counted(prefix, name, n) {
  const size = `${prefix}.size_${name.slice(6)}`;
  if (name.startsWith("bytes_") && size in texts) return t(size, { size: bytes(n) });
  const key = `${prefix}.n_${name.replaceAll(/[- ]/g, "_")}`;
  return key in texts ? t(key, { n }) : `${number(n)} ${name.replaceAll("_", " ")}`;
}

function told(value) {
  return typeof value === "number" ? number(value) : String(value);
}

const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
export const number = (value) => plain.format(value);

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/** Bytes in the unit that suits them. */
export function bytes(value) {
  let unit = 0;
  while (Math.abs(value) >= 1000 && unit < UNITS.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit === 0 || value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** A length of time in its largest unit. */
export function lasting(seconds) {
  const steps = [["days", 86400], ["hours", 3600], ["minutes", 60]];
  const [name, length] = steps.find(([, one]) => seconds >= one) ?? ["seconds", 1];
  return t(`shell.wait_${name}`, { n: Math.max(1, Math.round(seconds / length)) });
}

/** A time of the API as people say it now. */
function ago(iso) {
  const seconds = (Date.now() - Date.parse(iso)) / 1000;
  return seconds < 10 ? t("shell.just_now") : t("shell.ago", { time: lasting(seconds) });
}

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const moment = (iso) => exact.format(new Date(iso));

/** An element with a time that keeps being right. */
export function time(iso) {
  return h("time", { datetime: iso, title: moment(iso) }, ago(iso));
}

/** Bring the times of a page up to date, those that the server wrote too. */
export function refreshTimes(root = document) {
  for (const element of root.querySelectorAll("time[datetime]:not([data-fixed])")) {
    element.title = moment(element.dateTime);
    element.textContent = ago(element.dateTime);
  }
}

/** Replace what is in an element, and keep the focus where something with the same `data-key` has it. */
export function put(element, ...children) {
  const key = element.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  element.replaceChildren(...children.flat(9).filter(Boolean));
  if (key) element.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
  return element;
}

/** Call `act` at most once in so many milliseconds, the last time for sure. */
export function seldom(milliseconds, act) {
  let waiting = null;
  let last = 0;
  return (...given) => {
    clearTimeout(waiting);
    const rest = last + milliseconds - performance.now();
    const run = () => { last = performance.now(); act(...given); };
    if (rest <= 0) run();
    else waiting = setTimeout(run, rest);
  };
}
