// Searching by a picture: chosen, dropped anywhere on the page or pasted. It is sent as it is, and shown from here.
import { bytes, h, icon, put, t } from "./dom.js";
import { at, parameters } from "./ask.js";
import { items } from "./hits.js";
import { steer } from "./steering.js";

const HITS = 60;
const FILTERS = ["person", "place", "tag", "kind", "date_from", "date_to"]; // of the page: pictures are looked for among these
const PICTURE = /\.(heic|heif|avif|dng|nef|cr2|cr3|arw|raf|orf|rw2|tiff?)$/i; // kinds that browsers may not know

/** Have a page with templates/by_picture.html take pictures. */
export function byPicture(page) {
  const section = page.querySelector("[data-by-picture]");
  const form = section.querySelector("[data-picture-form]");
  const input = form.elements.file;
  const take = (files) => { if (files?.length) look(page, files[0]); };
  form.dataset.scripted = "";
  section.querySelector("[data-drop-hint]").hidden = false;
  input.addEventListener("change", () => { take(input.files); input.value = ""; });
  form.addEventListener("submit", (event) => { event.preventDefault(); take(input.files); });
  document.addEventListener("paste", (event) => {
    if (!event.clipboardData?.files.length) return;
    event.preventDefault();
    take(event.clipboardData.files);
  });
  document.querySelector("[data-camera]")?.addEventListener("click", (event) => { event.preventDefault(); input.click(); });
  drops(take);
}

/** Take what is dropped anywhere, and say so while it hovers; what is dragged from this page itself is no file. */
function drops(take) {
  const veil = h("div", { class: "drop-here", hidden: true }, icon("camera"), h("span", {}, t("search.drop_here")));
  document.body.append(veil);
  let own = false;
  let leaving = null;
  document.addEventListener("dragstart", () => { own = true; });
  document.addEventListener("dragend", () => { own = false; });
  const files = (event) => !own && [...(event.dataTransfer?.types ?? [])].includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!files(event)) return;
    event.preventDefault();
    clearTimeout(leaving);
    veil.hidden = false;
    leaving = setTimeout(() => { veil.hidden = true; }, 400);
  });
  document.addEventListener("drop", (event) => {
    if (!files(event)) return;
    event.preventDefault();
    clearTimeout(leaving);
    veil.hidden = true;
    take(event.dataTransfer.files);
  });
}

let current = null; // the picture that is being looked for: {request, address}

/** Show a picture, send it, and show the photos that look like it. */
async function look(page, file) {
  current?.request.abort();
  if (current) URL.revokeObjectURL(current.address);
  const asking = { request: new XMLHttpRequest(), address: URL.createObjectURL(file) };
  current = asking;
  const shown = draw(page, file, asking.address);
  try {
    const why = refused(page, file);
    if (why) throw new Error(why);
    const hits = await sent(asking.request, file, shown);
    if (current === asking) results(page, shown, hits);
  } catch (problem) {
    if (current === asking) shown.failed(problem.message);
  }
}

/** Why a file is not even sent; nothing for one that may be a picture. */
function refused(page, file) {
  const most = Number(page.querySelector("[data-by-picture]").dataset.mostMb);
  if (!/^(image|video)\//.test(file.type) && !PICTURE.test(file.name)) return t("search.no_picture");
  return file.size > most * 2 ** 20 ? t("search.too_large", { mb: most }) : "";
}

/** Send a file, its progress told; resolves to the hits, or rejects with a sentence. */
function sent(request, file, shown) {
  return new Promise((resolve, reject) => {
    request.upload.addEventListener("progress", ({ loaded, total }) => shown.progress(loaded, total));
    request.upload.addEventListener("load", () => shown.waiting());
    request.addEventListener("error", () => reject(new Error(t("shell.unreachable"))));
    request.addEventListener("load", () => {
      const answer = parsed(request.responseText);
      if (request.status === 401) location.reload();
      else if (request.status === 200 && answer) resolve(answer.hits);
      else reject(new Error(answer?.detail ?? t("shell.unreachable")));
    });
    request.open("POST", at("/api/search/image", { limit: HITS, name: file.name.slice(-255), ...parameters(location.search, FILTERS) }));
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Content-Type", /^(image|video)\//.test(file.type) ? file.type : "application/octet-stream");
    request.send(file);
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The picture in the page instead of the form, with what becomes of it. */
function draw(page, file, address) {
  const section = page.querySelector("[data-by-picture]");
  const shown = section.querySelector("[data-picture-shown]");
  const results = page.querySelector("[data-results]");
  const picture = h("figure", {}, h("img", { src: address, alt: "", onerror: () => put(picture, icon("photos")) }));
  const bar = h("progress", { max: 1, "aria-label": t("search.sending") });
  const told = h("div", { class: "faint", role: "status" }, t("search.sending"));
  const again = h("button", { type: "button", class: "small", onclick: () => section.querySelector("input[type=file]").click() }, icon("camera"), t("search.other_picture"));
  const back = h("button", { type: "button", class: "plain small", onclick: () => leave(page) }, icon("close"), t("search.back_to"));
  put(shown, picture, h("div", { class: "told" }, h("p", { class: "name" }, file.name), told, bar, h("div", { class: "row" }, again, back)));
  section.hidden = shown.hidden = false;
  section.querySelector("form").hidden = true;
  if (results) results.hidden = true;
  put(page.querySelector("[data-picture-found]"));
  scrollTo({ top: 0 });
  return {
    progress(loaded, total) { bar.value = loaded / total; told.textContent = `${t("search.sending")} ${bytes(loaded)}`; },
    waiting() { bar.removeAttribute("value"); told.textContent = t("search.looking"); },
    done(text) { bar.remove(); told.textContent = text; },
    failed(sentence) { bar.remove(); put(told, h("div", { class: "note wrong", role: "alert" }, icon("warning"), h("p", {}, sentence.charAt(0).toUpperCase() + sentence.slice(1)))); },
  };
}

function results(page, shown, hits) {
  const place = page.querySelector("[data-picture-found]");
  shown.done(hits.length ? t("search.best", { n: hits.length }) : "");
  if (!hits.length) return put(place, h("div", { class: "empty-state" }, icon("search"), h("h2", {}, t("search.none_alike")), h("p", {}, t("search.none_alike_what"))));
  const list = h("ul", { class: "photo-grid found", "data-photo-grid": "" }, items(hits));
  steer(list);
  return put(place, h("div", { class: "search-head" }, h("h2", {}, t("search.alike"))), list);
}

/** Back to what the page showed before. */
function leave(page) {
  const section = page.querySelector("[data-by-picture]");
  const results = page.querySelector("[data-results]");
  current?.request.abort();
  current = null;
  section.querySelector("form").hidden = false;
  put(section.querySelector("[data-picture-shown]")).hidden = true;
  put(page.querySelector("[data-picture-found]"));
  if (results) results.hidden = false;
  section.hidden = Boolean(page.dataset.search);
}
