// One photo: zoom, faces, the panel, and going from photo to photo without leaving.
import { RUNNING, keepChoice } from "./shell.js";
import { refreshTimes, t } from "./dom.js";
import { get } from "./ask.js";
import { takeBack } from "./saying.js";
import { toast } from "./toast.js";
import { draw, offerNames, sized, want, wanted } from "./boxes.js";
import { drawing } from "./drawing.js";
import { motion } from "./motion.js";
import * as trail from "./trail.js";
import { expect, expected, forget, pageOf, swapped } from "./visit.js";
import { Zoom } from "./zoom.js";

const PAN = 80; // pixels
const REST_MS = 400; // on a photo, before more is asked about it
let viewer = null;
let zoom = null;
let leaveDrawing = null;
let going = 0;

const find = (selector) => viewer.querySelector(selector);

/** Bring the viewer that is in the page to life. */
function start() {
  viewer = document.querySelector("[data-viewer]");
  zoom?.close();
  const [view, picture] = [find("[data-view]"), find("[data-picture]")];
  zoom = view && picture ? new Zoom(view, picture, { changed: zoomed, swiped: (way) => step(way > 0 ? "older" : "newer") }) : null;
  for (const shown of viewer.querySelectorAll("[data-zoom], [data-faces-toggle], [data-info-toggle], [data-add-face]")) shown.hidden = false;
  faces(wanted());
  drawn();
  motion(viewer);
  find("[data-picture] > img")?.addEventListener("error", () => toast(t("photo.picture_gone"), { wrong: true }), { once: true });
  along();
  similar();
  refreshTimes(viewer);
}

function zoomed(scale) {
  sized(viewer, scale);
  const told = `${Math.round(scale * 100)}%`;
  find("[data-zoom-now]").textContent = told;
  find('[data-zoom-by="out"]').disabled = scale <= 1;
  find('[data-zoom-by="in"]').disabled = zoom ? scale >= zoom.most : false;
}

function zoomBy(how) {
  if (how === "in") zoom?.larger();
  else if (how === "out") zoom?.smaller();
  else zoom?.whole();
  if (zoom) find("[data-zoom-told]").textContent = t("photo.zoom_now", { n: Math.round(zoom.scale * 100) });
}

function faces(shown) {
  viewer.classList.toggle("no-faces", !shown);
  find("[data-faces-toggle]")?.setAttribute("aria-pressed", String(shown));
}

function info(open) {
  viewer.toggleAttribute("data-closed", !open);
  find("[data-info-toggle]").setAttribute("aria-expanded", String(open));
  keepChoice("brightroom_panel", open ? "" : "closed");
  if (open && innerWidth <= 960) find("[data-panel]").scrollIntoView({ block: "start", behavior: "smooth" });
}

/** Lead on along the list that somebody came from, and have what comes next ready. */
function along() {
  const kept = trail.beside(viewer.dataset.viewer);
  for (const which of ["newer", "older"]) {
    const link = find(`[data-beside="${which}"]`);
    if (!kept || !link) continue;
    link.hidden = !kept[which];
    if (kept[which]) link.href = kept[which];
    delete link.dataset.preview;
  }
  const next = [...viewer.querySelectorAll("[data-beside]:not([hidden])")];
  const ready = () => next.forEach((link) => {
    expect(link.getAttribute("href"));
    if (link.dataset.preview) new Image().src = link.dataset.preview;
  });
  setTimeout(ready, REST_MS / 2);
}

async function similar() {
  const here = viewer;
  await new Promise((resolve) => { setTimeout(resolve, REST_MS); });
  if (here !== viewer) return;
  const place = find("[data-similar]");
  const page = await pageOf(place.dataset.similar);
  const found = page?.querySelector("[data-similar-found]");
  if (found && here === viewer) place.querySelector("[data-similar-go]").replaceWith(document.adoptNode(found));
}

/** Go to the photo before or after. */
async function step(which) {
  const link = find(`[data-beside="${which}"]:not([hidden])`);
  if (!link) return;
  const [address, mine] = [link.getAttribute("href"), (going += 1)];
  const focused = document.activeElement?.dataset?.beside;
  const page = await expected(address);
  if (mine !== going) return;
  if (!page) { location.replace(address); return; }
  leaveDrawing?.();
  history.replaceState(null, "", address);
  document.title = page.title;
  viewer.replaceWith(document.adoptNode(page.querySelector("[data-viewer]")));
  start();
  if (focused) (find(`[data-beside="${focused}"]:not([hidden])`) ?? find("[data-beside]:not([hidden])"))?.focus();
  find("[data-told]").textContent = viewer.getAttribute("aria-label");
  if (innerWidth <= 960) scrollTo({ top: 0 });
}

/** Take over what changed in parts of the page. */
async function refresh(...parts) {
  forget();
  const here = viewer;
  const page = await pageOf(location.pathname + location.search);
  if (here !== viewer) return;
  for (const part of parts) swapped(viewer, page, `[data-part="${part}"]`);
  for (const shown of viewer.querySelectorAll("[data-add-face]")) shown.hidden = false;
  drawn();
}

function drawn() {
  draw(viewer);
  sized(viewer, zoom?.scale ?? 1);
}

async function said(form) {
  const text = form.elements._said?.value ?? t("shell.done");
  form.closest("dialog")?.close();
  const last = form.dataset.to.endsWith("/undo") ? null : (await get("/api/people/acts?limit=1").catch(() => null))?.acts[0];
  const undo = last && !last.undone_at ? async () => {
    if (await takeBack(last.act_id)) { toast(t("library.undone")); refresh("people"); }
  } : null;
  toast(text, { undo });
  await refresh("people");
}

document.addEventListener("sent", (event) => {
  const { to } = event.target.dataset;
  if (!/^POST \/api\/(faces|people\/acts|photos)\b/.test(to)) return;
  event.preventDefault();
  if (!to.endsWith("/caption")) { said(event.target); return; }
  toast(event.target.elements._said.value);
  refresh("about");
});

document.addEventListener("submit", (event) => {
  const button = event.target.querySelector("[data-busy]");
  if (!button) return;
  const label = button.querySelector("span");
  const before = label.textContent;
  label.textContent = button.dataset.busy;
  button.dataset.working = "";
  const over = new MutationObserver(() => {
    if (button.disabled) return;
    over.disconnect();
    label.textContent = before;
    delete button.dataset.working;
  });
  over.observe(button, { attributes: true, attributeFilter: ["disabled"] });
});

document.addEventListener("click", (event) => {
  const target = event.target.closest?.("[data-zoom-by], [data-faces-toggle], [data-info-toggle], [data-add-face], [data-beside], [data-back]");
  if (!target || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const { dataset } = target;
  if (dataset.zoomBy) zoomBy(dataset.zoomBy);
  else if ("facesToggle" in dataset) toggleFaces();
  else if ("infoToggle" in dataset) info(viewer.hasAttribute("data-closed"));
  else if ("addFace" in dataset) add();
  else if (dataset.beside) { event.preventDefault(); step(dataset.beside); }
  else { event.preventDefault(); trail.leave(target.getAttribute("href")); }
});

function toggleFaces() {
  if (!find("[data-faces-toggle]")) return;
  want(!wanted());
  faces(wanted());
}

function add() {
  if (leaveDrawing) return;
  zoom?.whole();
  const back = document.activeElement;
  leaveDrawing = drawing(viewer, viewer.dataset.viewer, () => { leaveDrawing = null; back?.focus?.({ preventScroll: true }); });
  if (innerWidth <= 960) find("[data-stage]").scrollIntoView({ block: "start" });
}

const KEYS = {
  "+": () => zoomBy("in"), "=": () => zoomBy("in"), "-": () => zoomBy("out"), 0: () => zoomBy("fit"),
  i: () => info(viewer.hasAttribute("data-closed")), f: toggleFaces,
  Escape: () => { if (leaveDrawing) leaveDrawing(); else if (zoom?.zoomed) zoom.whole(); else trail.leave(find("[data-back]").getAttribute("href")); },
  ArrowLeft: () => (zoom?.zoomed ? zoom.move(PAN, 0) : step("newer")),
  ArrowRight: () => (zoom?.zoomed ? zoom.move(-PAN, 0) : step("older")),
};

document.addEventListener("keydown", (event) => {
  const busy = event.target.closest?.("input, textarea, select, video, dialog") || document.querySelector("dialog[open]");
  if (busy || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (zoom?.zoomed && ["ArrowUp", "ArrowDown"].includes(event.key)) zoom.move(0, event.key === "ArrowUp" ? PAN : -PAN);
  else if (event.key in KEYS && !(leaveDrawing && event.key.startsWith("Arrow"))) KEYS[event.key]();
  else return;
  event.preventDefault();
});

const working = new Set();

document.addEventListener("jobs", ({ detail: job }) => {
  const ended = job.state === "done" && working.delete(job.job_id);
  if (RUNNING.includes(job.state)) working.add(job.job_id);
  if (ended && !find("[data-picture], [data-video]")) location.reload(); // its picture may be there now
});

trail.cameFrom();
offerNames();
start();
