// The page of people: rename in place, merge by dragging or choosing, hide, name groups of faces, answer for faces.
import "./shell.js";
import { h, t } from "./dom.js";
import { get } from "./ask.js";
import { started, toast, trying } from "./toast.js";
import { count, leave, said, takeBack, tell, trainingHelps } from "./saying.js";
import { asked, merge, mergedText, person } from "./merging.js";
import { picked, picking } from "./picking.js";
import { name, renameInPlace } from "./naming.js";
import { review } from "./review.js";

const page = document.querySelector("[data-people]");
const cards = document.querySelector("[data-cards]");
const bar = document.querySelector("[data-bar]");
const show = page.dataset.show;
const cardOf = (id) => cards.querySelector(`[data-person="${CSS.escape(id)}"]`);

/** Ask whether some are one person, and have them be. */
async function mergeSome(ids, first = null) {
  const people = await trying(() => Promise.all(ids.map(person)));
  const answer = people && await asked(people, first);
  if (!answer) return;
  const [into, others] = answer;
  const done = await merge(into, others);
  if (!done) return;
  choice?.clear();
  others.forEach((one) => cardOf(one.person_id) && leave(cardOf(one.person_id)));
  if (into.name && cardOf(into.person_id) && show === "unknown") leave(cardOf(into.person_id));
  count(show, -others.length);
  if (others.some((one) => !one.name)) trainingHelps();
  const counts = cardOf(done[0].person_id)?.querySelector(".counts");
  if (counts) counts.textContent = countsText(done[0]);
  tell(mergedText(done[0], others), done[1]);
}

function countsText(one) {
  return ["labeled", "inferred", "unknown"].filter((kind) => one[kind]).map((kind) => t(`people.n_${kind}`, { n: one[kind] })).join(" · ");
}

async function hideSome(ids) {
  const acts = [];
  for (const id of ids) {
    const done = await trying(() => said(`PATCH /api/people/${id}`, { hidden: true }));
    if (!done) break;
    acts.push(done[1]);
    leave(cardOf(id));
  }
  if (!acts.length) return;
  choice?.clear();
  count(show, -acts.length);
  count("hidden", acts.length);
  const undo = async () => { for (const act of acts.reverse()) if (act) await takeBack(act); location.reload(); };
  toast(acts.length === 1 ? t("people.hidden_now") : t("people.hidden_many", { n: acts.length }), { undo });
}

function choosing() {
  const merging = bar.querySelector("[data-merge]");
  const hiding = bar.querySelector("[data-hide-picked]");
  const text = bar.querySelector("[data-picked]");
  bar.querySelector("[data-into]").hidden = true;
  hiding.hidden = false;
  const made = picking(cards, bar, (ids) => {
    text.textContent = picked(ids.length);
    merging.disabled = ids.length < 2;
    hiding.disabled = !ids.length;
  });
  bar.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopPropagation();
    mergeSome(made.values());
  });
  hiding.addEventListener("click", () => hideSome(made.values()));
  return made;
}

function dragging() {
  let dragged = null;
  const cardAt = (event) => event.target.closest?.("[data-person]");
  const over = (card) => cards.querySelectorAll(".over").forEach((one) => one !== card && one.classList.remove("over"));
  for (const card of cards.children) {
    card.draggable = true;
    card.dataset.drop = t("people.drop_here");
    card.querySelectorAll("a").forEach((link) => { link.draggable = false; });
  }
  cards.addEventListener("dragstart", (event) => {
    dragged = cardAt(event);
    dragged.classList.add("dragged");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.name);
  });
  cards.addEventListener("dragover", (event) => {
    const card = cardAt(event);
    over(card);
    if (!dragged || !card || card === dragged) return;
    event.preventDefault();
    card.classList.add("over");
  });
  cards.addEventListener("dragleave", (event) => { if (!cards.contains(event.relatedTarget)) over(null); });
  cards.addEventListener("dragend", () => { dragged?.classList.remove("dragged"); over(null); dragged = null; });
  cards.addEventListener("drop", (event) => {
    const card = cardAt(event);
    if (!dragged || !card || card === dragged) return;
    event.preventDefault();
    mergeSome([card.dataset.person, dragged.dataset.person], card.dataset.person);
  });
}

/** A group of faces gets a name, or is hidden. */
function groups() {
  cards.addEventListener("submit", async (event) => {
    const card = event.target.closest("[data-person]");
    if (!card) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.target.matches(".hide-form")) { hideSome([card.dataset.person]); return; }
    const text = event.target.elements.name.value.trim();
    if (text) named(card, text);
  });
  const seen = new IntersectionObserver((entries) => entries.filter((one) => one.isIntersecting).forEach((one) => { seen.unobserve(one.target); maybe(one.target); }));
  [...cards.children].forEach((card) => seen.observe(card));
}

async function named(card, text) {
  const next = card.nextElementSibling?.querySelector("input[name=name]") ?? card.previousElementSibling?.querySelector("input[name=name]");
  card.inert = true;
  const now = await name({ person_id: card.dataset.person, name: "" }, text);
  card.inert = false;
  if (!now) { card.querySelector("input[name=name]").select(); return; }
  leave(card);
  next?.focus();
  count("unknown", -1);
  if (now.person_id === card.dataset.person) count("named", 1);
  trainingHelps();
}

/** Offer whom a group of faces looks like. */
async function maybe(card) {
  const about = await get(`/api/people/${card.dataset.person}/about`).catch(() => null);
  const one = about?.maybe.find((other) => other.name);
  if (!one) return;
  const button = h("button", { type: "button", class: "chip", onclick: () => named(card, one.name) }, t("people.maybe_one", { name: one.name }),
    h("span", { class: "faint number" }, t("people.percent", { n: Math.round(100 * one.probability) })));
  card.querySelector("[data-maybe]").append(button);
}

function confidence() {
  const slider = document.querySelector("[data-confidence]");
  const shown = document.querySelector("[data-confidence-now]");
  slider?.addEventListener("input", () => { shown.textContent = t("people.percent", { n: Math.round(1000 * slider.value) / 10 }); });
  slider?.form.addEventListener("sent", (event) => { event.preventDefault(); toast(t("people.confidence_kept")); trainingHelps(); });
}

function training() {
  const mine = new Set();
  for (const form of document.querySelectorAll('form[data-to="POST /api/library/actions/train-faces"]')) {
    form.addEventListener("sent", (event) => {
      event.preventDefault();
      mine.add(event.detail.job_id);
      document.querySelector("[data-train]").hidden = true;
      started(t("library.train_faces"));
    });
  }
  document.addEventListener("jobs", ({ detail: job }) => {
    if (!mine.has(job.job_id) || job.state !== "done") return;
    mine.delete(job.job_id);
    toast(t("people.trained"), { action: { href: "/people?show=sure", text: t("people.see_found") } });
  });
}

function showing() {
  for (const form of document.querySelectorAll(".show-form")) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      event.stopPropagation();
      const card = form.closest("[data-person]");
      const done = await trying(() => said(form.dataset.to, { hidden: false }));
      if (!done) return;
      leave(card);
      count("hidden", -1);
      tell(t("people.shown_now"), done[1]);
    });
  }
}

const choice = cards && bar ? choosing() : null;
if (cards && show === "named") {
  dragging();
  for (const card of cards.children) {
    const one = { person_id: card.dataset.person, name: card.dataset.name };
    renameInPlace(card.querySelector(".person-name"), one, (now) => { if (now.person_id !== card.dataset.person) leave(card); else card.dataset.name = now.name; });
  }
}
if (cards && show === "unknown") groups();
confidence();
training();
showing();
review(document.querySelector("[data-review]"), { again: show === "sure" });
