// Faces as boxes over the picture: who they are, and a small form to say so. What can be said stands in the panel.
import { h, t } from "./dom.js";
import { get } from "./ask.js";
import { closing, shown } from "./dialog.js";

const KEPT = "faces";
const TINY = 36; // pixels
const ROOM = 12; // pixels between a form and what is around it

/** Whether boxes are to be seen, as somebody chose last. */
export const wanted = () => localStorage.getItem(KEPT) !== "no";

/** Choose that. */
export const want = (yes) => localStorage.setItem(KEPT, yes ? "yes" : "no");

/** Draw the faces of the panel over a picture, in the place of those that are drawn. */
export function draw(viewer) {
  const picture = viewer.querySelector("[data-picture]");
  if (!picture) return;
  const key = document.activeElement?.closest?.(".box")?.dataset.key;
  picture.querySelector(".boxes")?.remove();
  const boxes = [...viewer.querySelectorAll("[data-face]")].map(box);
  if (boxes.length) picture.append(h("div", { class: "boxes", role: "group", "aria-label": t("photo.people_title") }, boxes));
  if (key) picture.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
}

function box(item) {
  const { face, name, standing, label } = item.dataset;
  const made = h("button", { type: "button", class: `box ${standing}`, "data-key": `box-${face}`, "aria-label": label, "aria-haspopup": "dialog" },
    h("span", { class: "box-name" }, name || t("photo.unknown")));
  place(made, item.dataset.box.split(" ").map(Number));
  made.addEventListener("click", () => open(item, made));
  made.addEventListener("pointerenter", () => item.classList.add("lit"));
  made.addEventListener("pointerleave", () => item.classList.remove("lit"));
  return made;
}

/** Show names only below boxes that have room for one, at the scale a picture is shown at. */
export function sized(picture, scale) {
  for (const one of picture.querySelectorAll(".box[data-key]")) one.classList.toggle("tiny", one.offsetWidth * scale < TINY);
}

/** Put an element where a box is: left, top, right, bottom as fractions of what it lies in. */
export function place(element, [left, top, right, bottom]) {
  element.style.setProperty("left", `${left * 100}%`);
  element.style.setProperty("top", `${top * 100}%`);
  element.style.setProperty("width", `${(right - left) * 100}%`);
  element.style.setProperty("height", `${(bottom - top) * 100}%`);
}

function open(item, beside) {
  const acts = item.querySelector("[data-acts]").cloneNode(true);
  const title = item.dataset.name || t("photo.person_unknown");
  const made = form(title, acts, beside);
  (acts.querySelector(".primary") ?? acts.querySelector("[data-name-input]")).focus();
  return made;
}

/** A small form beside a box. */
export function form(title, body, beside) {
  const made = h("dialog", { class: "face-form", "aria-label": title }, h("header", {}, h("h2", {}, title), closing(() => made)), h("div", { class: "body" }, body));
  shown(made);
  const [around, own] = [beside.getBoundingClientRect(), made.getBoundingClientRect()];
  if (innerWidth > 700) {
    const right = around.right + ROOM + own.width < innerWidth ? around.right + ROOM : around.left - ROOM - own.width;
    made.style.setProperty("left", `${Math.max(ROOM, Math.min(right, innerWidth - own.width - ROOM))}px`);
    made.style.setProperty("top", `${Math.max(ROOM, Math.min(around.top, innerHeight - own.height - ROOM))}px`);
    made.classList.add("placed");
  }
  return made;
}

let names = null;

/** Offer the names of people wherever a face's name is typed. */
export function offerNames() {
  document.addEventListener("focusin", async (event) => {
    if (names || !event.target.matches?.("[data-name-input]")) return;
    names = get("/api/people?order=faces&limit=500");
    const found = await names.catch(() => { names = null; return { people: [] }; });
    document.querySelector("[data-names]")?.replaceChildren(...found.people.filter((one) => one.name).map((one) => h("option", { value: one.name })));
  });
}
