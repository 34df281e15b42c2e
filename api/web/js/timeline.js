// All photos of a library as one page that scrolls, of which only what is near is in the document. Heights are guessed
// until photos have come, and whatever changes above, what is seen stays where it is.
import { at } from "./ask.js";
import { h } from "./dom.js";
import { dayName, fullName, monthName } from "./days.js";
import { justified } from "./justify.js";
import { Lines } from "./lines.js";
import { STEPS, nextTo } from "./steering.js";
import { Stretches, daysOf, photoAt } from "./stretches.js";
import { ratioOf } from "./tiles.js";

const BEFORE = 1; // screens that are drawn before what is seen
const AFTER = 1.5;
const LINES_A_FRAME = 14;
const FAST = 1.2; // screens a frame from which on pictures wait until it is slower
const RESTS = 120; // milliseconds without a scroll that are a rest
const BARS = 102; // pixels at the window's top that bars cover
const COVERED = 90; // where a month's heading goes to, whose upper part is empty
const MONTH = 56; // pixels of a month's heading

/**
 * Draw the timeline under some filters (the parameters of /api/photos) into an element. `changed` is called after what
 * is seen has changed. Returns the timeline; `start(position)` draws it, `refresh()` looks for what is new.
 */
export function timeline(element, filters = {}, { changed = () => {} } = {}) {
  return new Timeline(element, filters, changed);
}

class Timeline {
  constructor(element, filters, changed) {
    Object.assign(this, { element, changed, room: null, tops: [0], last: 0, pending: false, resting: null, wish: null, per: null, y: 0 });
    const query = at("", filters);
    this.canvas = h("div", { class: "timeline-canvas" });
    this.lines = new Lines(this.canvas, (id) => `/photos/${id}${query}`);
    this.stretches = new Stretches(filters, () => this.keeping(() => this.measure()));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
  }

  /** Draw it, at a position that `position()` gave before or at its beginning. */
  async start(position = null) {
    await this.stretches.refresh();
    this.lay();
    this.measure();
    const goal = position?.last && this.stretches.all.find((one) => one.last === position.last || one.month === position.month);
    const first = goal ?? this.stretches.all[0];
    if (first) await this.photosOf(first);
    this.element.replaceChildren(this.canvas);
    this.measure();
    if (goal) this.restore({ ...position, stretch: goal });
    addEventListener("scroll", () => this.scrolled(), { passive: true });
    new ResizeObserver(() => this.resized()).observe(this.element);
    this.render(Infinity);
    if (position?.focus) this.lines.tile(position.focus)?.focus({ preventScroll: true });
  }

  /** Look for photos that have come or gone; what is seen stays where it is. */
  async refresh() {
    const anchor = this.anchor();
    if (await this.stretches.refresh()) {
      this.measure();
      this.restore(anchor);
      this.draw();
    }
  }

  photosOf(stretch) {
    return new Promise((resolve) => {
      const look = () => {
        if (stretch.photos) return resolve();
        this.stretches.want([stretch]);
        return setTimeout(look, 15);
      };
      look();
    });
  }

  // Heights

  lay() {
    const style = getComputedStyle(this.element);
    const px = (name) => Number.parseFloat(style.getPropertyValue(name));
    const room = { width: this.element.clientWidth, row: px("--row"), gap: px("--gap"), stretch: px("--stretch"), head: 34, apart: 18, least: 118 };
    if (this.room && this.room.width === room.width && this.room.row === room.row) return false;
    this.room = room;
    return true;
  }

  measure() {
    const { all } = this.stretches;
    let [pixels, photos] = [0, 0];
    all.forEach((one, i) => {
      if (one.photos && !one.layout) this.arrange(one, all[i - 1]);
      if (one.height !== null) { pixels += one.height; photos += one.count; }
    });
    this.per = photos ? pixels / photos : (1.5 * this.room.row ** 2) / this.room.width;
    this.tops = [0];
    all.forEach((one, i) => this.tops.push(this.tops[i] + (one.height ?? MONTH + Math.max(this.room.row, one.count * this.per))));
    this.canvas.style.setProperty("height", `${Math.ceil(this.tops.at(-1))}px`);
  }

  arrange(one, before) {
    const days = daysOf(one.photos);
    const ratios = one.photos.ratios.map((ratio) => ratioOf({ ratio }));
    const told = days.map(({ day, from, to }, i) => ({ ratios: ratios.slice(from, to), headed: day !== null && !(i === 0 && one.continued) }));
    one.days = days;
    one.head = before?.month === one.month ? 0 : MONTH;
    one.layout = justified(told, this.room);
    one.height = one.head + one.layout.height;
  }

  heightOf(i) {
    return this.tops[i + 1] - this.tops[i];
  }

  /** Where the canvas begins, on the page. */
  get offset() {
    return this.canvas.getBoundingClientRect().top + scrollY;
  }

  /** The stretch at a height of the canvas. */
  indexAt(y) {
    let [low, high] = [0, this.stretches.all.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.tops[middle] <= y) low = middle;
      else high = middle - 1;
    }
    return Math.max(0, low);
  }

  // What is seen stays

  /** The first photo that is seen, and where; null at the very beginning, which stays the beginning. */
  anchor() {
    const y = scrollY - this.offset;
    if (scrollY < 8 || !this.stretches.all.length) return null;
    const index = this.indexAt(Math.max(0, y));
    const stretch = this.stretches.all[index];
    const line = stretch.layout?.lines.find((one) => this.tops[index] + stretch.head + one.top + one.height > y);
    const share = (y - this.tops[index]) / (this.heightOf(index) || 1);
    const told = { stretch, last: stretch.last, month: stretch.month, share };
    if (!line) return told;
    return { ...told, photo: stretch.photos.photo_ids[line.tiles[0].at], off: y - this.tops[index] - stretch.head - line.top };
  }

  /** Scroll so that what an anchor names is where it was. */
  restore(anchor) {
    if (!anchor) return;
    const { all } = this.stretches;
    let index = all.findIndex((one) => one === anchor.stretch || one.last === anchor.last);
    let found = index < 0 ? -1 : all[index].photos?.photo_ids.indexOf(anchor.photo) ?? -1;
    if (found < 0 && anchor.photo) {
      const other = all.findIndex((one) => one.photos?.photo_ids.includes(anchor.photo));
      if (other >= 0) [index, found] = [other, all[other].photos.photo_ids.indexOf(anchor.photo)];
    }
    if (index < 0) return;
    const line = found >= 0 && all[index].layout?.lines.find((one) => one.tiles.at(-1).at >= found);
    const y = line ? this.tops[index] + all[index].head + line.top + anchor.off : this.tops[index] + anchor.share * this.heightOf(index);
    const goal = Math.round(y + this.offset);
    if (Math.abs(goal - scrollY) >= 1) scrollTo({ top: goal, behavior: "instant" });
    this.last = scrollY;
  }

  /** What comes back to the same place: see `start`. */
  position() {
    const { stretch, ...told } = this.anchor() ?? {};
    return stretch ? told : null;
  }

  keeping(act) {
    if (!this.canvas.isConnected) return;
    const anchor = this.anchor();
    act();
    this.restore(anchor);
    this.draw();
  }

  resized() {
    const anchor = this.anchor();
    if (!this.lay()) return;
    for (const one of this.stretches.all) Object.assign(one, { layout: null, height: null });
    this.lines.clear();
    this.measure();
    this.restore(anchor);
    this.draw();
  }

  // Drawing

  scrolled() {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => { this.lines.load(); this.draw(); }, RESTS);
    this.draw();
  }

  draw() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.render();
    });
  }

  render(most = LINES_A_FRAME) {
    const y = scrollY - this.offset;
    this.y = y;
    const fast = Math.abs(scrollY - this.last) > FAST * innerHeight;
    this.last = scrollY;
    const [from, to] = [y - BEFORE * innerHeight, y + (1 + AFTER) * innerHeight];
    const { all } = this.stretches;
    const wanted = [];
    const near = [];
    for (let i = this.indexAt(Math.max(0, from)); i < all.length && this.tops[i] < to; i += 1) {
      near.push(all[i]);
      wanted.push(...this.linesOf(all[i], i, from, to, fast));
    }
    const seen = (one) => one.top < y + innerHeight && one.top + one.height > y;
    if (this.lines.show([...wanted].filter((one) => this.lines.shown.has(one.key) || seen(one) || !fast), most)) this.draw();
    const middle = this.indexAt(Math.max(0, y + innerHeight / 2));
    if (!fast) this.stretches.want(near.sort((a, b) => Math.abs(all.indexOf(a) - middle) - Math.abs(all.indexOf(b) - middle)));
    this.granted();
    this.changed(this);
  }

  linesOf(one, index, from, to, fast) {
    const top = this.tops[index];
    if (!one.layout) return [{ key: `${one.last}:waits`, top, height: this.heightOf(index), make: () => this.lines.waiting(this.heightOf(index)) }];
    const head = one.head ? [{ key: `${one.last}:month`, top, height: one.head, make: () => this.lines.heading(monthName(one.month), one.head) }] : [];
    const photo = (i) => photoAt(one.photos, i);
    const day = (i) => dayName(one.days[i].day);
    const within = one.layout.lines.filter((line) => top + one.head + line.top + line.height > from && top + one.head + line.top < to);
    return [...head, ...within.map((line) => ({
      key: `${one.last}:${one.photos.photo_ids[line.tiles[0].at]}:${line.tiles.length}:${line.top}`, top: top + one.head + line.top, height: line.height,
      make: () => this.lines.line(line, photo, day, fast),
    }))];
  }

  /** How far down the canvas what is seen begins, below the bars. */
  get beginning() {
    return Math.max(0, this.y + BARS);
  }

  /** The day, or the month, of what is at the top. */
  get here() {
    const y = this.beginning;
    const index = this.indexAt(y);
    const one = this.stretches.all[index];
    if (!one) return "";
    const line = one.layout?.lines.find((each) => this.tops[index] + one.head + each.top + each.height > y);
    if (!line) return monthName(one.month);
    const first = line.tiles[0].at;
    return fullName(one.days.find(({ to }) => to > first).day);
  }

  /** Go to a stretch, or to a share (0 to 1) of the whole. */
  go({ index = null, share = 0 }) {
    const top = index === null ? share * Math.max(0, this.tops.at(-1) - innerHeight) : this.tops[index];
    const goal = index === 0 || (index === null && share <= 0) ? 0 : top + this.offset - COVERED;
    scrollTo({ top: share >= 1 ? document.documentElement.scrollHeight : goal, behavior: "instant" });
  }

  // Keys

  key(event) {
    const own = event.target.closest?.("a.photo");
    if (!own || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const photos = [...this.canvas.querySelectorAll("a.photo")];
    if (event.key in STEPS) {
      const to = nextTo(photos.map((one) => one.getBoundingClientRect()), photos.indexOf(own), STEPS[event.key]);
      if (to >= 0) this.focus(photos[to]);
    } else if (event.key === "Home" || event.key === "End") {
      this.wish = event.key;
      this.go(event.key === "Home" ? { share: 0 } : { index: this.stretches.all.length - 1 });
      this.draw();
    } else return;
    event.preventDefault();
  }

  focus(tile) {
    tile.focus({ preventScroll: true });
    tile.scrollIntoView({ block: "nearest" });
  }

  granted() {
    const one = this.stretches.all.at(this.wish === "End" ? -1 : 0);
    if (!this.wish || !one?.layout) return;
    const ids = one.photos.photo_ids;
    const tile = this.lines.tile(this.wish === "Home" ? ids[0] : ids.at(-1));
    if (tile) { this.wish = null; this.focus(tile); }
    else if (this.wish === "End") scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
  }
}
