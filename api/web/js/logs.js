// A log: followed while one looks at its end, read back on demand, searched within what is shown.
import { icon, put, t } from "./dom.js";
import { at, get } from "./ask.js";
import { whileSeen } from "./keep.js";
import { trying } from "./toast.js";

const EVERY = 2000;
const MOST = 5000; // lines of a page
const NEAR = 24; // pixels from the end that are the end
const box = document.querySelector("[data-log]");
const list = box.querySelector("[data-lines]");
const shape = document.querySelector("[data-line]").content.firstElementChild;
const find = document.querySelector("[data-find-line]");
const follow = document.querySelector("[data-follow]");
const more = document.querySelector("[data-new]");
const local = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium" });
const asked = { service: box.dataset.log, level: box.dataset.min, job: box.dataset.job, limit: box.dataset.limit };
let newest = null; // the last line that is shown, as the API told it
let following = !("past" in box.dataset);
let unseen = 0;

const atEnd = () => box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
const toEnd = () => { box.scrollTop = box.scrollHeight; };
const mark = (line) => JSON.stringify(line);

function drawn(line) {
  const made = shape.cloneNode(true);
  const field = (name) => made.querySelector(`[data-field="${name}"]`);
  made.dataset.level = line.level;
  field("at").dateTime = line.at;
  for (const name of ["level", "logger", "message", "exception"]) field(name).textContent = line[name];
  field("logger").title = `${line.node} ${line.pid}`;
  if (line.job) field("job").href = `/jobs/${encodeURIComponent(line.job)}`;
  else field("job").remove();
  if (!line.exception) made.querySelector(".trace").remove();
  clocked(made);
  return made;
}

function clocked(root) {
  for (const element of root.querySelectorAll("time")) element.textContent = local.format(new Date(element.dateTime));
}

function fits(element) {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  const text = element.textContent.toLowerCase();
  return words.every((word) => text.includes(word));
}

function search() {
  let n = 0;
  for (const element of list.children) {
    element.hidden = !fits(element);
    n += Number(!element.hidden);
  }
  document.querySelector("[data-found]").textContent = find.value ? t("admin.logs_found", { n }) : "";
  if (following) toEnd();
}

function tell() {
  more.hidden = unseen === 0;
  more.querySelector("span").textContent = t("admin.new_lines", { n: unseen });
}

function append(lines) {
  const end = atEnd();
  for (const line of lines) {
    const made = drawn(line);
    made.hidden = !fits(made);
    list.append(made);
  }
  while (list.children.length > MOST) list.firstElementChild.remove();
  box.querySelector("[data-none]").hidden = list.children.length > 0;
  if (end) toEnd();
  else unseen += lines.length;
  tell();
}

/** The lines since the newest one that is shown, oldest first. */
async function news() {
  const { lines } = await get(at("/api/server/logs", asked));
  const known = newest === null ? -1 : lines.findIndex((line) => mark(line) === newest);
  const fresh = known < 0 ? lines : lines.slice(0, known);
  if (lines.length) newest = mark(lines[0]);
  return fresh.reverse();
}

async function look() {
  if (following) append(await news());
}

function steer() {
  put(follow, icon(following ? "pause" : "play"), document.createTextNode(t(following ? "admin.pause_follow" : "admin.follow")));
  follow.setAttribute("aria-pressed", String(following));
}

async function older(event) {
  event.preventDefault();
  const link = event.currentTarget;
  const told = await trying(() => get(at("/api/server/logs", { ...asked, cursor: link.dataset.older })));
  if (!told) return;
  const before = box.scrollHeight - box.scrollTop;
  const made = told.lines.reverse().map(drawn);
  made.forEach((element) => { element.hidden = !fits(element); });
  list.prepend(...made);
  box.scrollTop = box.scrollHeight - before;
  if (told.next_cursor) link.dataset.older = told.next_cursor;
  else { link.parentElement.remove(); box.querySelector("[data-begin]").hidden = false; }
}

clocked(document);
find.hidden = false;
find.addEventListener("input", search);
box.querySelector("[data-older]")?.addEventListener("click", older);
more.addEventListener("click", () => { toEnd(); unseen = 0; tell(); });
box.addEventListener("scroll", () => { if (atEnd() && unseen) { unseen = 0; tell(); } }, { passive: true });
for (const select of document.querySelectorAll("[data-choose] select")) select.addEventListener("change", () => select.form.requestSubmit());
if (following) {
  follow.hidden = false;
  follow.addEventListener("click", () => { following = !following; steer(); if (following) { toEnd(); look().catch(() => {}); } });
  steer();
  // What is shown came with the page: what has been written since is all that is new.
  const { lines } = await get(at("/api/server/logs", asked)).catch(() => ({ lines: [] }));
  list.replaceChildren(...[...lines].reverse().map(drawn));
  if (lines.length) newest = mark(lines[0]);
  box.querySelector("[data-none]").hidden = lines.length > 0;
  toEnd();
  whileSeen(EVERY, look);
}
