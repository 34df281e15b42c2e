// Everybody's jobs: asked for every few seconds, since the stream tells of one's own alone; a card is drawn anew only
// when its job is other than before.
import { t } from "./dom.js";
import { at, get } from "./ask.js";
import { card } from "./jobs.js";
import { whileSeen } from "./keep.js";

const EVERY = 4000;
const list = document.querySelector("[data-jobs]");
const names = JSON.parse(list.dataset.names);
const states = list.dataset.states.split(" ").filter(Boolean);
const drawn = new Map(); // by id: what was drawn, and the card

function asker(job) {
  if (job.by in names) return t("admin.asked_by_name", { name: names[job.by] });
  return t(["watch", "schedule"].includes(job.by) ? `library.asked_by_${job.by}` : "library.asked_by_shell");
}

function cardOf(job) {
  const text = JSON.stringify(job);
  if (drawn.get(job.job_id)?.text !== text) drawn.set(job.job_id, { text, element: card(job, `${t("admin.of_owner", { name: names[job.owner] ?? job.owner })} · ${asker(job)}`) });
  return drawn.get(job.job_id).element;
}

function show(jobs) {
  const key = list.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  const cards = jobs.map(cardOf);
  cards.forEach((one, i) => {
    if (list.children[i] !== one) list.insertBefore(one, list.children[i] ?? null);
  });
  while (list.children.length > cards.length) list.lastElementChild.remove();
  if (key && document.activeElement?.dataset.key !== key) list.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
  document.querySelector("[data-empty]").hidden = cards.length > 0;
}

const look = async () => show((await get(at("/api/jobs", { state: states, limit: list.dataset.limit }))).jobs);

if (!("past" in list.dataset)) {
  whileSeen(EVERY, look)();
  document.addEventListener("jobs", () => look().catch(() => {}));
}
