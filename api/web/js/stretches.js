// The photos of the timeline, as far as they are wanted: stretches of months, asked for when they come near, let go
// when they are far, so that a page that scrolls for hours takes no more than one that has just begun.
import { at, get } from "./ask.js";
import { dayOf } from "./days.js";

const MOST_ASKED = 1000; // photos of one request
const MOST_KEPT = 12000; // photos in memory
const MOST_AT_ONCE = 2; // requests

/** One photo of a stretch, as tiles show it (see `ofSummary` in tiles.js). */
export function photoAt(photos, i) {
  const id = photos.photo_ids[i];
  const version = photos.versions[i] || id;
  const marks = photos.marks[i];
  return {
    id, ratio: photos.ratios[i], alt: photos.alts[i], placeholder: photos.placeholders[i], duration: photos.durations[i],
    src: version === "-" ? "" : `/api/photos/${id}/thumbnail/big?v=${version}`,
    video: marks.includes("v"), raw: marks.includes("r"), live: marks.includes("l"), missing: marks.includes("m"),
  };
}

/** The days of some photos: `{ day, from, to }`, in their order. */
export function daysOf(photos) {
  const days = [];
  photos.taken_at.forEach((taken, i) => {
    const day = dayOf(taken, photos.taken_offset_min[i]);
    if (days.length && days.at(-1).day === day) days.at(-1).to = i + 1;
    else days.push({ day, from: i, to: i + 1 });
  });
  return days;
}

export class Stretches {
  /** `filters` are parameters of /api/photos; `came(stretch)` is called when photos of one have come. */
  constructor(filters, came) {
    Object.assign(this, { filters, came, all: [], photos: 0, asking: 0, queue: [], used: 0 });
  }

  /** Ask how long the timeline is; what has not changed keeps its photos and its place. True when anything has. */
  async refresh() {
    const answer = await get(at("/api/photos/months", this.filters));
    const before = new Map(this.all.map((one) => [one.last, one]));
    const same = answer.stretches.length === this.all.length
      && answer.stretches.every((one, i) => this.all[i].after === one.after && this.all[i].last === one.last && this.all[i].count === one.count);
    if (same) return false;
    this.all = answer.stretches.map((one) => this.renewed(one, before.get(one.last)));
    this.photos = answer.photos;
    return true;
  }

  renewed(told, before) {
    const fresh = { ...told, photos: null, layout: null, height: null, asked: false, stale: false, used: 0 };
    if (!before) return fresh;
    if (before.after === told.after && before.count === told.count) return Object.assign(before, told);
    return { ...before, ...told, stale: true, asked: false };
  }

  /** Have the photos of some stretches come, the first ones first. */
  want(stretches) {
    this.used += 1;
    for (const one of stretches) one.used = this.used;
    this.queue = stretches.filter((one) => (!one.photos || one.stale) && !one.asked);
    this.next();
  }

  next() {
    if (!this.queue.length || this.asking >= MOST_AT_ONCE) return;
    const run = [this.queue.shift()];
    let count = run[0].count;
    let index = this.all.indexOf(run[0]);
    while (this.queue[0] && this.all[index + 1] === this.queue[0] && count + this.queue[0].count <= MOST_ASKED) {
      count += this.queue[0].count;
      run.push(this.queue.shift());
      index += 1;
    }
    this.ask(run);
    this.next();
  }

  async ask(run) {
    for (const one of run) one.asked = true;
    this.asking += 1;
    try {
      const answer = await get(at("/api/photos/tiles", { ...this.filters, cursor: run[0].after, last: run.at(-1).last }));
      this.share(run, answer);
    } catch {
      setTimeout(() => { for (const one of run) one.asked = false; }, 3000); // whoever still wants them asks again
    }
    this.asking -= 1;
    this.next();
  }

  /** Give each stretch its photos: up to the one its cursor names. */
  share(run, answer) {
    let from = 0;
    for (const one of run) {
      const end = answer.photo_ids.indexOf(idOf(one.last), from) + 1;
      const to = one === run.at(-1) ? answer.photo_ids.length : end || Math.min(from + one.count, answer.photo_ids.length);
      one.photos = Object.fromEntries(Object.entries(answer).map(([name, list]) => [name, list.slice(from, to)]));
      Object.assign(one, { layout: null, asked: false, stale: false });
      from = to;
      if (this.all.includes(one)) this.came(one);
    }
    this.forget();
  }

  /** Let the photos go that were wanted longest ago. */
  forget() {
    const kept = this.all.filter((one) => one.photos).sort((a, b) => b.used - a.used);
    let count = 0;
    for (const one of kept) {
      count += one.count;
      if (count > MOST_KEPT && one.used !== this.used) Object.assign(one, { photos: null, layout: null });
    }
  }
}

/** The photo that a cursor names. */
function idOf(cursor) {
  return atob(cursor.replaceAll("-", "+").replaceAll("_", "/")).split(",")[1];
}
