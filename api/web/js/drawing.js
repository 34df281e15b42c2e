// A box around a face that nobody found: drawn by pointer, or moved and sized by keys.
import { h, icon, t } from "./dom.js";
import { form, place } from "./boxes.js";

const START = 0.3; // of the shorter side
const SMALLEST = 0.01;
const STEP = 0.01;

/** Let somebody draw a box over a picture and say whose face it is; `done()` when they have, or have left. */
export function drawing(viewer, photoId, done) {
  const picture = viewer.querySelector("[data-picture]");
  const start = middle(Number(picture.dataset.width), Number(picture.dataset.height));
  let edges = start;
  const hint = h("p", { id: "drawing-hint" }, t("photo.add_hint"));
  const box = h("div", { class: "box drawn", tabindex: "0", role: "application", "aria-label": t("photo.add_box"), "aria-describedby": "drawing-hint" });
  const sheet = h("div", { class: "drawing" }, box);
  const bar = h("div", { class: "drawing-bar" }, hint, h("div", { class: "row" },
    h("button", { type: "button", class: "primary small", onclick: () => name() }, icon("check"), t("photo.add_next")),
    h("button", { type: "button", class: "small", onclick: () => leave() }, t("shell.cancel"))));

  const show = (next) => { edges = next; place(box, edges); };
  const leave = () => { sheet.remove(); bar.remove(); viewer.classList.remove("drawing-face"); done(); };
  const name = () => {
    const made = form(t("photo.add_title"), ask(photoId, edges), box);
    made.querySelector("[data-name-input]").focus();
    made.addEventListener("sent", () => { made.close(); leave(); });
  };
  box.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
    if (event.key in steps) show((event.shiftKey ? sized : moved)(edges, ...steps[event.key]));
    else if (event.key === "Enter") name();
    else if (event.key === "Escape") leave();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  bar.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); leave(); } });
  byPointer(sheet, show, name, () => show(start));
  show(start);
  viewer.classList.add("drawing-face");
  picture.append(sheet);
  viewer.querySelector("[data-stage]").append(bar);
  box.focus({ preventScroll: true });
  return leave;
}

function byPointer(sheet, show, finished, again) {
  let from = null;
  const at = (event) => {
    const around = sheet.getBoundingClientRect();
    const within = (value) => Math.min(1, Math.max(0, value));
    return [within((event.clientX - around.left) / around.width), within((event.clientY - around.top) / around.height)];
  };
  const between = ([ax, ay], [bx, by]) => [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)];
  sheet.addEventListener("pointerdown", (event) => {
    event.stopPropagation();
    event.preventDefault();
    sheet.setPointerCapture(event.pointerId);
    from = at(event);
  });
  sheet.addEventListener("pointermove", (event) => {
    event.stopPropagation();
    if (from) show(between(from, at(event)));
  });
  sheet.addEventListener("pointerup", (event) => {
    event.stopPropagation();
    const edges = from && between(from, at(event));
    from = null;
    if (edges && edges[2] - edges[0] > SMALLEST && edges[3] - edges[1] > SMALLEST) finished();
    else again();
  });
}

function middle(width, height) {
  const side = START * Math.min(width, height);
  const [across, down] = [side / width / 2, side / height / 2];
  return [0.5 - across, 0.5 - down, 0.5 + across, 0.5 + down];
}

function moved([left, top, right, bottom], dx, dy) {
  const x = Math.min(1 - right, Math.max(-left, dx));
  const y = Math.min(1 - bottom, Math.max(-top, dy));
  return [left + x, top + y, right + x, bottom + y];
}

function sized([left, top, right, bottom], dx, dy) {
  return [left, top, Math.min(1, Math.max(left + SMALLEST, right + dx)), Math.min(1, Math.max(top + SMALLEST, bottom + dy))];
}

function ask(photoId, edges) {
  const fields = ["left", "top", "right", "bottom"].map((side, i) => h("input", { type: "hidden", name: `${side}:float`, value: edges[i].toFixed(5) }));
  return h("form", { "data-to": "POST /api/faces" }, h("input", { type: "hidden", name: "photo_id", value: photoId }), fields,
    h("input", { type: "hidden", name: "_said", value: t("photo.added") }),
    h("label", {}, h("span", {}, t("photo.name_label")), h("input", { name: "name", type: "text", maxlength: "200", autocomplete: "off", list: "people-names", placeholder: t("photo.name_hint"), "data-name-input": true })),
    h("button", { type: "submit", class: "primary" }, t("photo.add_save")));
}
