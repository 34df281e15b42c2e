// One person: rename in place, answer for faces, split some off, choose a cover, and their photos as a timeline.
import "./shell.js";
import { t } from "./dom.js";
import { bodyOf } from "./forms.js";
import { timeline } from "./timeline.js";
import { toast, trying } from "./toast.js";
import { said, undoOf } from "./saying.js";
import { asked, merge, mergedText, person } from "./merging.js";
import { name, renameInPlace } from "./naming.js";
import { review } from "./review.js";
import { later } from "./later.js";

const page = document.querySelector("[data-people]");
const me = { person_id: page.dataset.person, name: page.dataset.name, kind: page.dataset.kind };

/** Do something that is an act and load the page again, where what was said can be taken back. */
async function acted(what, body, text) {
  const done = await trying(() => said(what, body));
  if (!done) return;
  later(text, undoOf(done[1]));
  location.reload();
}

function own(form, act) {
  form?.addEventListener("submit", (event) => { event.preventDefault(); event.stopPropagation(); act(event.submitter); });
}

function renaming() {
  const form = document.getElementById("rename");
  own(form, async () => {
    const text = form.elements.name.value.trim();
    const now = text && await name({ ...me }, text);
    if (now) location.assign(`/people/${now.person_id}`);
  });
  if (me.kind !== "person") return;
  form.closest("details").remove();
  renameInPlace(document.querySelector("[data-title]"), me, (now) => {
    if (now.person_id !== me.person_id) location.assign(`/people/${now.person_id}`);
    document.title = document.title.replace(now.before, now.name);
  });
}

function merging() {
  const form = document.getElementById("merge-one");
  own(form, () => mergeWith(form.elements.into.value));
  for (const chip of document.querySelectorAll("[data-maybe]")) {
    chip.addEventListener("click", (event) => { if (!event.ctrlKey && !event.metaKey) { event.preventDefault(); mergeWith(chip.dataset.maybe); } });
  }
}

async function mergeWith(other) {
  const people = await trying(() => Promise.all([other, me.person_id].map(person)));
  const answer = people && await asked(people, other);
  const done = answer && await merge(...answer);
  if (!done) return;
  later(mergedText(done[0], answer[1]), undoOf(done[1]), { after: location.pathname });
  location.assign(`/people/${done[0].person_id}`);
}

function faces() {
  const grid = document.querySelector("[data-review]");
  const form = document.getElementById("review");
  if (!grid) return;
  review(grid);
  const picked = form.querySelector("[data-picked]");
  const ticked = () => [...grid.querySelectorAll("label > input:checked")].map((box) => box.value);
  const bar = form.closest("[data-bar]");
  bar.hidden = true;
  grid.addEventListener("change", () => {
    bar.hidden = !ticked().length;
    picked.textContent = t("people.picked", { n: ticked().length });
  });
  own(form, (button) => {
    const body = bodyOf(form);
    const to = button?.value || form.dataset.to;
    const n = ticked().length;
    if (!n) { toast(t("people.tick_first"), { wrong: true }); return; }
    const text = { confirm: "people.answers_yes", reject: "people.answers_no", split: "people.split_done" }[to.split("/").pop()];
    if (to.endsWith("/split") && !body.name) { toast(t("people.split_whom"), { wrong: true }); form.elements["name:some"].focus(); return; }
    const values = { n, name: body.name ?? "" };
    if (!to.endsWith("/split")) delete body.name;
    acted(to, body, t(text, values));
  });
  for (const cover of grid.querySelectorAll(".cover-form")) {
    own(cover, () => acted(cover.dataset.to, { cover_face_id: cover.elements.cover_face_id.value }, t("people.cover_chosen")));
  }
}

function hiding() {
  const form = document.getElementById("hide");
  own(form, async () => {
    const hidden = form.elements["hidden:bool"].value === "true";
    const done = await trying(() => said(form.dataset.to, { hidden }));
    if (!done) return;
    later(t(hidden ? "people.hidden_now" : "people.shown_now"), undoOf(done[1]));
    location.reload();
  });
}

async function photos() {
  const place = document.querySelector("[data-timeline]");
  if (place) await timeline(place, { person: me.person_id }).start();
}

renaming();
photos();
merging();
hiding();
faces();
