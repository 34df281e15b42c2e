// A plot over time as inline SVG: axes with units, gridlines, a gap where nobody measured, several series with a legend
// that tells their values now or, by pointer and keys, at another moment. It knows nothing of what it plots.
import { h, put, svg, t } from "./dom.js";

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [400, 150, 52, 8, 8, 22];
const COLOURS = 8;
const ROWS = 13; // of the table
const MINUTE = 60000;
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

/** Round steps from 0 to `most`, at most five. */
function ticks(most, step = 0) {
  if (!step) {
    const rough = most / 4 || 1;
    const unit = 10 ** Math.floor(Math.log10(rough));
    step = [1, 2, 2.5, 5, 10].find((one) => one * unit >= rough) * unit;
  }
  return Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, i) => i * step);
}

/** A line through points `[time, value]`, with a gap where a value is null or times are further apart than `gap`. */
function line(values, x, y, gap) {
  let path = "";
  let before = null;
  for (const [time, value] of values) {
    if (value === null) { before = null; continue; }
    path += `${before !== null && time - before <= gap ? "L" : "M"}${x(time).toFixed(1)} ${y(value).toFixed(1)}`;
    if (before === null) path += "h.1"; // a point that stands alone is seen too
    before = time;
  }
  return path;
}

/** The value of a series at a moment, null where nobody measured near it. */
function at(values, time, gap) {
  let found = null;
  for (const point of values) if (!found || Math.abs(point[0] - time) <= Math.abs(found[0] - time)) found = point;
  return found && Math.abs(found[0] - time) <= gap ? found[1] : null;
}

/**
 * `{ element, draw }` of a plot. `draw(series, { from, to, most, gap })`: series are `{ name, values: [[ms, number | null]] }`,
 * `most` is the top of the axis, `gap` the milliseconds after which a line breaks; `say` writes a value with its unit.
 */
export function plot({ title, label, say, step = 0 }) {
  const grid = svg("g", { class: "grid" });
  const lines = svg("g", { class: "lines" });
  const cursor = svg("line", { class: "cursor", y1: TOP, y2: HEIGHT - BOTTOM, visibility: "hidden" });
  const image = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", tabindex: "0" }, grid, lines, cursor);
  const moment = h("span", { class: "faint number" });
  const spoken = h("span", { class: "away", "aria-live": "polite" });
  const legend = h("ul", { class: "legend" });
  const table = h("table", {});
  const details = h("details", { ontoggle: () => details.open && tabulate() }, h("summary", {}, t("admin.plot_table")), h("div", { class: "scroll-x" }, table));
  const element = h("figure", { class: "plot" }, h("figcaption", {}, h("span", {}, title), moment), image, spoken, legend, details);
  let drawn = { series: [], from: 0, to: 1, most: 1, gap: 0 };
  let looked = null; // at which moment; null: now

  const x = (time) => LEFT + ((time - drawn.from) / (drawn.to - drawn.from)) * (WIDTH - LEFT - RIGHT);
  const y = (value) => HEIGHT - BOTTOM - (Math.min(value, drawn.most) / (drawn.most || 1)) * (HEIGHT - TOP - BOTTOM);
  const told = (value) => (value === null ? t("admin.plot_gap") : say(value));

  function axes() {
    const levels = ticks(drawn.most, step).map((value) => [
      svg("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }),
      svg("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, say(value).replace(".0 ", " ")),
    ]);
    const first = Math.ceil(drawn.from / (15 * MINUTE)) * 15 * MINUTE;
    const times = Array.from({ length: 5 }, (_, i) => first + i * 15 * MINUTE).filter((time) => time <= drawn.to).map((time) => [
      svg("line", { x1: x(time), x2: x(time), y1: TOP, y2: HEIGHT - BOTTOM }),
      svg("text", { x: Math.min(Math.max(x(time), LEFT + 14), WIDTH - RIGHT), y: HEIGHT - 6, "text-anchor": x(time) > WIDTH - 34 ? "end" : "middle" }, clock.format(time)),
    ]);
    grid.replaceChildren(...levels.flat(), ...times.flat());
  }

  function read() {
    const time = looked ?? drawn.to;
    const values = drawn.series.map((one) => at(one.values, time, drawn.gap));
    moment.textContent = looked === null ? t("admin.plot_now") : t("admin.plot_at", { time: clock.format(looked) });
    [...legend.children].forEach((item, i) => { item.lastChild.textContent = told(values[i]); });
    cursor.setAttribute("visibility", looked === null ? "hidden" : "visible");
    if (looked !== null) for (const end of ["x1", "x2"]) cursor.setAttribute(end, x(looked));
    return values;
  }

  function look(time, aloud = false) {
    looked = time === null ? null : Math.min(Math.max(time, drawn.from), drawn.to);
    const values = read();
    if (aloud) spoken.textContent = `${moment.textContent}: ${drawn.series.map((one, i) => `${one.name} ${told(values[i])}`).join(", ")}`;
  }

  function summed(one) {
    const known = one.values.map(([, value]) => value).filter((value) => value !== null);
    if (!known.length) return t("admin.plot_nothing", { name: one.name });
    const [least, most] = [known, known].map((all, i) => all.reduce((a, b) => (i ? Math.max(a, b) : Math.min(a, b))));
    return t("admin.plot_told", { name: one.name, now: told(at(one.values, drawn.to, drawn.gap)), least: say(least), most: say(most) });
  }

  function tabulate() {
    const times = Array.from({ length: ROWS }, (_, i) => drawn.to - (i * (drawn.to - drawn.from)) / (ROWS - 1));
    put(table, h("thead", {}, h("tr", {}, [t("admin.plot_time"), ...drawn.series.map((one) => one.name)].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, times.map((time) => h("tr", {}, h("th", { scope: "row", class: "number" }, clock.format(time)),
        drawn.series.map((one) => h("td", { class: "number" }, told(at(one.values, time, drawn.gap))))))));
  }

  function draw(series, given) {
    if (series.length !== drawn.series.length) {
      lines.replaceChildren(...series.map((_, i) => svg("path", { class: `s${i % COLOURS}${i >= COLOURS ? " dashed" : ""}` })));
      put(legend, series.map((one, i) => h("li", {}, svg("svg", { class: "key", viewBox: "0 0 12 12", "aria-hidden": "true" }, svg("path", { class: `s${i % COLOURS}`, d: "M1 6h10" })), h("span", {}, one.name), h("span", { class: "number" }))));
    }
    drawn = { series, ...given };
    axes();
    series.forEach((one, i) => lines.children[i].setAttribute("d", line(one.values, x, y, drawn.gap)));
    image.setAttribute("aria-label", `${label}. ${series.map(summed).join(". ")}. ${t("admin.plot_keys")}`);
    if (looked !== null && looked < drawn.from) looked = drawn.from;
    read();
    if (details.open && !details.contains(document.activeElement)) tabulate();
  }

  image.addEventListener("pointermove", (event) => {
    const box = image.getBoundingClientRect();
    const place = ((event.clientX - box.left) / box.width) * WIDTH;
    look(drawn.from + ((place - LEFT) / (WIDTH - LEFT - RIGHT)) * (drawn.to - drawn.from));
  });
  image.addEventListener("pointerleave", () => look(null));
  image.addEventListener("blur", () => look(null));
  image.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -MINUTE, ArrowRight: MINUTE, PageUp: -10 * MINUTE, PageDown: 10 * MINUTE };
    if (event.key in steps) look((looked ?? drawn.to) + steps[event.key], true);
    else if (event.key === "Home") look(drawn.from, true);
    else if (event.key === "End" || event.key === "Escape") look(null, true);
    else return;
    event.preventDefault();
  });
  return { element, draw };
}
