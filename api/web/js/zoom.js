// A picture in its view: as large as fits, larger by wheel, pinch, double tap, buttons and keys, moved by dragging.

const STEP = 1.5;
const LEAST_MOST = 4; // how much larger any picture can be made
const PIXEL = 2; // pixels of the page for one of the picture, at most where that is more
const UPSCALED = 2; // a small picture is shown at most so much larger than it is
const MOVED = 6; // pixels from which a press is a drag
const SWIPE = 60;
const TAP_MS = 300;
const HEAVY = 80e6; // bytes; originals above that are only downloaded

export class Zoom {
  /** `picture` lies in `view`; `changed(scale)` is told of each change, `swiped(1 | -1)` of a swipe to the left or right. */
  constructor(view, picture, { changed, swiped }) {
    Object.assign(this, { view, picture, changed, swiped, scale: 1, x: 0, y: 0, pointers: new Map(), tap: null, moved: false });
    this.width = Number(picture.dataset.width);
    this.height = Number(picture.dataset.height);
    this.stopping = new AbortController();
    this.watching = new ResizeObserver(() => this.fit());
    this.watching.observe(view);
    const on = (name, act, more = {}) => view.addEventListener(name, act, { signal: this.stopping.signal, ...more });
    on("wheel", (event) => this.wheeled(event), { passive: false });
    on("pointerdown", (event) => this.pressed(event));
    on("pointermove", (event) => this.dragged(event));
    on("pointerup", (event) => this.released(event));
    on("pointercancel", (event) => this.released(event, true));
    on("click", (event) => { if (this.moved) { event.preventDefault(); event.stopPropagation(); } }, { capture: true });
    on("dblclick", (event) => { if (this.kind !== "touch" && !event.target.closest("button")) this.toggle(event.clientX, event.clientY); });
    this.fit();
  }

  close() {
    this.stopping.abort();
    this.watching.disconnect();
  }

  /** Lay the picture out anew in the view, as large as fits. */
  fit() {
    const { clientWidth: wide, clientHeight: high } = this.view;
    const factor = Math.min(wide / this.width, high / this.height, UPSCALED);
    [this.w, this.h] = [this.width * factor, this.height * factor];
    this.most = Math.max(LEAST_MOST, PIXEL / factor);
    this.picture.classList.add("fitted");
    this.picture.style.setProperty("--w", `${this.w}px`);
    this.picture.style.setProperty("--h", `${this.h}px`);
    this.place(this.scale, this.x, this.y);
  }

  /** Show the picture at a scale and a place, as far as that keeps it in view. */
  place(scale, x, y, glide = false) {
    this.scale = Math.min(this.most, Math.max(1, scale));
    const { clientWidth: wide, clientHeight: high } = this.view;
    this.x = held(x, wide, this.w * this.scale);
    this.y = held(y, high, this.h * this.scale);
    this.picture.classList.toggle("gliding", glide);
    this.picture.style.setProperty("--x", `${this.x}px`);
    this.picture.style.setProperty("--y", `${this.y}px`);
    this.picture.style.setProperty("--s", this.scale);
    this.view.classList.toggle("zoomed", this.zoomed);
    if (this.zoomed) this.sharpen();
    this.changed(this.scale);
  }

  get zoomed() {
    return this.scale > 1.01;
  }

  /** Make it larger by a factor, around a point of the page, or the view's middle. */
  by(factor, clientX, clientY, glide = false) {
    const view = this.view.getBoundingClientRect();
    const [px, py] = clientX === undefined ? [view.width / 2, view.height / 2] : [clientX - view.left, clientY - view.top];
    const scale = Math.min(this.most, Math.max(1, this.scale * factor));
    const real = scale / this.scale;
    this.place(scale, px - (px - this.x) * real, py - (py - this.y) * real, glide);
  }

  larger() { this.by(STEP, undefined, undefined, true); }
  smaller() { this.by(1 / STEP, undefined, undefined, true); }
  whole() { this.place(1, 0, 0, true); }
  move(dx, dy) { this.place(this.scale, this.x + dx, this.y + dy, true); }

  toggle(clientX, clientY) {
    if (this.zoomed) this.whole();
    else this.by(Math.min(this.most, 2.5), clientX, clientY, true);
  }

  wheeled(event) {
    if (!event.ctrlKey && !this.zoomed && event.deltaY > 0) return; // the page may scroll on
    event.preventDefault();
    const pixels = event.deltaMode === 1 ? event.deltaY * 16 : event.deltaY;
    this.by(Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.002)), event.clientX, event.clientY);
  }

  pressed(event) {
    if (event.button !== 0) return;
    this.kind = event.pointerType; // some browsers tell of two taps as a double click too
    if (!this.pointers.size) Object.assign(this, { moved: false, start: { x: event.clientX, y: event.clientY } });
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  }

  dragged(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = { x: event.clientX, y: event.clientY };
    if (!this.moved && Math.hypot(now.x - this.start.x, now.y - this.start.y) < MOVED && this.pointers.size === 1) return;
    if (!this.moved) this.view.setPointerCapture(event.pointerId);
    this.moved = true;
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.pointers.set(event.pointerId, now);
    if (other) this.pinched(before, now, other);
    else if (this.zoomed) this.place(this.scale, this.x + now.x - before.x, this.y + now.y - before.y);
    else if (event.pointerType !== "mouse") this.picture.style.setProperty("--x", `${this.x + now.x - this.start.x}px`);
  }

  pinched(before, now, other) {
    const apart = (a, b) => Math.hypot(a.x - b.x, a.y - b.y) || 1;
    this.start = null;
    this.by(apart(now, other) / apart(before, other), (now.x + other.x) / 2, (now.y + other.y) / 2);
    this.place(this.scale, this.x + (now.x - before.x) / 2, this.y + (now.y - before.y) / 2);
  }

  released(event, cancelled = false) {
    if (!this.pointers.delete(event.pointerId) || this.pointers.size) return;
    const [dx, dy] = this.start ? [event.clientX - this.start.x, event.clientY - this.start.y] : [0, 0];
    if (this.moved && !this.zoomed && this.start) {
      this.place(1, 0, 0, true);
      if (!cancelled && event.pointerType !== "mouse" && Math.abs(dx) > SWIPE && Math.abs(dx) > 1.5 * Math.abs(dy)) this.swiped(dx < 0 ? 1 : -1);
    } else if (!this.moved && !cancelled && event.pointerType === "touch") this.tapped(event);
    this.start = null;
    setTimeout(() => { this.moved = false; });
  }

  tapped(event) {
    if (event.target.closest("button")) return;
    const twice = this.tap && event.timeStamp - this.tap.time < TAP_MS && Math.hypot(event.clientX - this.tap.x, event.clientY - this.tap.y) < 30;
    this.tap = twice ? null : { time: event.timeStamp, x: event.clientX, y: event.clientY };
    if (twice) this.toggle(event.clientX, event.clientY);
  }

  /** Lay the original over the preview, once more of it is looked at than the preview has. */
  sharpen() {
    const { original, bytes } = this.picture.dataset;
    const preview = this.picture.querySelector("img");
    const enough = this.w * this.scale * devicePixelRatio <= preview.naturalWidth * 1.1 || preview.naturalWidth >= this.width;
    if (!original || this.sharp || Number(bytes) > HEAVY || enough) return;
    this.sharp = new Image();
    Object.assign(this.sharp, { src: original, alt: "", className: "sharp", draggable: false });
    this.sharp.decode().then(() => preview.after(this.sharp), () => {});
  }
}

/** Where a picture lies along a side: in the middle of what it does not fill, with no gap in what it does. */
function held(place, view, size) {
  return size <= view ? (view - size) / 2 : Math.min(0, Math.max(view - size, place));
}
