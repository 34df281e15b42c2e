// Answering whose faces are, quickly: by keys or buttons, shown at once, sent together, and taken back when that fails.
import { h, icon, t } from "./dom.js";
import { ask } from "./ask.js";
import { dialog } from "./dialog.js";
import { later } from "./later.js";
import { toast } from "./toast.js";
import { count, said, takeBack, trainingHelps, undoOf } from "./saying.js";

const WAIT = 1600; // milliseconds without an answer, after which those so far are sent
const MOST = 100; // faces in a request
const KEYS = [["← ↑ → ↓", "move"], ["Y / Enter", "yes"], ["N / X", "no"], ["U", "undo"], ["Space", "pick"], ["?", "help"]];

const request = (yes) => `POST /api/faces/${yes ? "confirm" : "reject"}`;

/** The tiles of faces in `grid` take answers. `again`: when all are answered, the next ones are fetched. */
export function review(grid, { again = false } = {}) {
  return grid ? new Review(grid, again) : null;
}

class Review {
  constructor(grid, again) {
    Object.assign(this, { grid, again, waiting: [], sent: [], timer: null });
    this.tiles().forEach((tile) => this.ready(tile));
    grid.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("keydown", (event) => this.keyElsewhere(event));
    grid.addEventListener("focusin", (event) => this.mark(event.target.closest("[data-face]")));
    addEventListener("pagehide", () => this.leave());
    document.addEventListener("visibilitychange", () => document.hidden && this.flush());
    document.querySelectorAll("[data-all]").forEach((button) => this.all(button));
    document.querySelectorAll("[data-no-script]").forEach((element) => { element.hidden = true; });
    document.querySelectorAll("[data-keys]").forEach((button) => { button.hidden = !this.open().length; button.addEventListener("click", () => help(again)); });
  }

  /** Say yes to all that are not answered yet. */
  all(button) {
    button.hidden = !this.open().length;
    button.addEventListener("click", () => { button.disabled = true; this.open().forEach((tile) => this.answer(tile, true)); });
  }

  tiles() { return [...this.grid.querySelectorAll("[data-face]")]; }
  open() { return this.tiles().filter((tile) => tile.dataset.standing === "inferred" && !tile.classList.contains("answered")); }

  ready(tile) {
    const box = tile.querySelector("input[type=checkbox]");
    tile.tabIndex = -1;
    if (this.again) box.hidden = true;
    if (tile.dataset.standing !== "inferred") return;
    const answer = (yes, cls, name) => h("button", { type: "button", class: cls, tabindex: "-1", "aria-label": `${t(`people.${yes ? "yes" : "no"}`)}: ${tile.querySelector("strong")?.textContent ?? ""}`, title: t(`people.${name}`), onclick: () => this.answer(tile, yes) }, icon(yes ? "check" : "close"));
    tile.append(h("div", { class: "face-answers" }, answer(true, "say-yes", "yes"), answer(false, "say-no", "no")));
    if (this.again) tile.querySelector("label").addEventListener("click", (event) => { event.preventDefault(); tile.focus(); });
    if (this.again && !this.grid.querySelector('[tabindex="0"]')) tile.tabIndex = 0;
  }

  mark(tile) {
    if (!tile || tile === this.now) return;
    this.now?.classList.remove("now");
    if (this.now) this.now.tabIndex = -1;
    tile.classList.add("now");
    tile.tabIndex = 0;
    this.now = tile;
  }

  /** Answer for one face: shown at once, sent soon. */
  answer(tile, yes) {
    if (tile.classList.contains("answered") || tile.dataset.standing !== "inferred") return;
    const next = this.following(tile);
    tile.classList.add("answered");
    tile.querySelector("label").append(h("span", { class: `verdict ${yes ? "yes" : "no"}`, role: "status" }, icon(yes ? "check" : "close"), h("span", { class: "away" }, t(`people.${yes ? "yes" : "no"}`))));
    this.waiting.push({ tile, yes, id: tile.dataset.face });
    count("sure", -1);
    next?.focus();
    clearTimeout(this.timer);
    if (this.waiting.length >= MOST || !this.open().length) this.flush();
    else this.timer = setTimeout(() => this.flush(), WAIT);
  }

  following(tile) {
    const open = this.open();
    return open[open.indexOf(tile) + 1] ?? open.find((one) => one !== tile);
  }

  back({ tile }) {
    tile.classList.remove("answered");
    tile.querySelector(".verdict")?.remove();
    count("sure", 1);
  }

  /** Take the last answer back: the one that waits, or those that were sent together last. */
  async undo() {
    const last = this.waiting.pop();
    if (last) { this.back(last); last.tile.focus(); return; }
    if (this.sent.length) await this.undoBatch(this.sent.at(-1));
  }

  async undoBatch(batch) {
    batch.toast?.remove();
    this.sent = this.sent.filter((one) => one !== batch);
    for (const act of batch.acts) if (!(await takeBack(act))) return;
    batch.answers.forEach((one) => this.back(one));
    batch.answers.at(-1).tile.focus();
    toast(t("people.undone_said"));
  }

  /** Send what was answered while the page goes; nobody sees what comes of it. */
  leave() {
    const answers = this.waiting.splice(0);
    for (const yes of [true, false]) {
      const ids = answers.filter((one) => one.yes === yes).map((one) => one.id);
      if (ids.length) ask(request(yes), { face_ids: ids }, { keepalive: true }).catch(() => {});
    }
  }

  /** Send what was answered. */
  async flush() {
    clearTimeout(this.timer);
    const answers = this.waiting.splice(0);
    if (!answers.length) return;
    const acts = [];
    const noted = [];
    for (const yes of [true, false]) {
      const some = answers.filter((one) => one.yes === yes);
      if (!some.length) continue;
      try {
        const [, act] = await said(request(yes), { face_ids: some.map((one) => one.id) });
        if (act) acts.unshift(act);
        noted.push(...some);
      } catch (problem) {
        some.forEach((one) => this.back(one));
        toast(problem.message, { wrong: true });
      }
    }
    if (noted.length) this.noted(noted, acts);
  }

  noted(answers, acts) {
    const batch = { answers, acts };
    this.sent.push(batch);
    const yes = answers.filter((one) => one.yes).length;
    const no = answers.length - yes;
    const text = yes && no ? t("people.answers_both", { yes, no }) : t(yes ? "people.answers_yes" : "people.answers_no", { n: yes || no });
    trainingHelps();
    if (this.again && !this.open().length) {
      later(text, acts.length === 1 ? undoOf(acts[0]) : "");
      location.reload();
      return;
    }
    batch.toast = toast(text, { undo: acts.length ? () => this.undoBatch(batch) : null });
  }

  key(event) {
    const tile = event.target.closest("[data-face]");
    if (!tile || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input:not([type=checkbox]), a, button")) return;
    const acts = {
      ArrowRight: () => this.move(tile, 1), ArrowLeft: () => this.move(tile, -1),
      ArrowDown: () => this.move(tile, this.columns()), ArrowUp: () => this.move(tile, -this.columns()),
      y: () => this.answer(tile, true), Enter: () => this.answer(tile, true),
      n: () => this.answer(tile, false), x: () => this.answer(tile, false),
    };
    if (!this.again) acts[" "] = () => tile.querySelector("input[type=checkbox]").click();
    if (event.target.matches("input") && event.key === " ") return;
    const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  keyElsewhere(event) {
    if (event.target.closest?.("input:not([type=checkbox]), textarea, select, dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "?") { event.preventDefault(); help(this.again); }
    else if (event.key.toLowerCase() === "u") { event.preventDefault(); this.undo(); }
    else if (event.key.startsWith("Arrow") && !event.target.closest?.("[data-face]") && event.target === document.body) {
      event.preventDefault();
      (this.now ?? this.open()[0] ?? this.tiles()[0])?.focus();
    }
  }

  columns() { return getComputedStyle(this.grid).gridTemplateColumns.split(" ").length; }

  move(tile, by) {
    const tiles = this.tiles();
    tiles[Math.max(0, Math.min(tiles.length - 1, tiles.indexOf(tile) + by))].focus();
  }
}

function help(again) {
  if (document.querySelector("dialog[open]")) return;
  const list = h("dl", { class: "keys" }, KEYS.filter(([, name]) => !again || name !== "pick").map(([keys, name]) => [h("dt", {}, keys.split(" / ").map((key) => h("kbd", {}, key))), h("dd", {}, t(`people.key_${name}`))]));
  dialog(t("people.keys_title"), list);
}
