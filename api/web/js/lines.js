// The elements of the timeline's lines, taken again for other lines: headings and tiles where justify.js says.
import { h } from "./dom.js";
import { fill, load, release, tile } from "./tiles.js";

const MOST_SPARE = 300;

export class Lines {
  /** `hrefOf(id)`: the address of a photo's page. */
  constructor(canvas, hrefOf) {
    Object.assign(this, { canvas, hrefOf, shown: new Map(), spare: [] });
  }

  /** Show these lines and no others: `wanted` has for each, in order, `{ key, top, make }`. True when some are left over. */
  show(wanted, most) {
    const keys = new Set(wanted.map((one) => one.key));
    for (const [key, element] of this.shown) {
      if (!keys.has(key) && !element.contains(document.activeElement)) this.drop(key, element);
    }
    let before = null;
    let made = 0;
    for (const one of wanted) {
      let element = this.shown.get(one.key);
      if (!element && made >= most) continue;
      if (!element) {
        element = one.make();
        this.shown.set(one.key, element);
        made += 1;
      }
      if (element.top !== one.top) {
        element.top = one.top;
        element.style.setProperty("transform", `translateY(${one.top}px)`);
      }
      const place = before ? before.nextElementSibling : this.canvas.firstElementChild;
      if (place !== element) this.canvas.insertBefore(element, place);
      before = element;
    }
    return wanted.some((one) => !this.shown.has(one.key));
  }

  drop(key, element) {
    element.remove();
    this.shown.delete(key);
    for (const one of element.querySelectorAll("a.photo")) {
      release(one);
      if (this.spare.length < MOST_SPARE) this.spare.push(one);
    }
  }

  /** Take all lines away, as when all are to be drawn anew. */
  clear() {
    for (const [key, element] of [...this.shown]) this.drop(key, element);
  }

  heading(text, height) {
    const element = h("h2", { class: "timeline-line timeline-month" }, text);
    element.style.setProperty("height", `${height}px`);
    return element;
  }

  waiting(height) {
    const element = h("div", { class: "timeline-line timeline-waiting" });
    element.style.setProperty("height", `${height}px`);
    return element;
  }

  /** A line of photos: `photo(at)` and `day(index)` say what stands there; `later`: pictures come when asked for. */
  line(line, photo, day, later) {
    const heads = line.heads.map((one) => {
      const element = h("h3", { class: "timeline-day" }, day(one.day));
      element.style.setProperty("left", `${one.left}px`);
      element.style.setProperty("width", `${one.width}px`);
      return element;
    });
    const tiles = line.tiles.map((one) => {
      const shown = photo(one.at);
      const element = fill(this.spare.pop() ?? tile(), shown, this.hrefOf(shown.id), later);
      element.style.setProperty("left", `${one.left}px`);
      element.style.setProperty("top", `${line.head}px`);
      element.style.setProperty("width", `${one.width}px`);
      element.style.setProperty("height", `${line.height - line.head}px`);
      return element;
    });
    const element = h("div", { class: "timeline-line" }, heads, tiles);
    element.style.setProperty("height", `${line.height}px`);
    return element;
  }

  /** Ask for all pictures that wait. */
  load() {
    for (const element of this.canvas.querySelectorAll("a.photo")) load(element);
  }

  /** The tile of a photo, if it is shown. */
  tile(id) {
    return this.canvas.querySelector(`a.photo[data-photo="${CSS.escape(id)}"]`);
  }
}
