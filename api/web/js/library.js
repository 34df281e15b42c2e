// The Library page alive: its figures, its jobs, what actions would do, and the Nextcloud.
import { number, seldom, t } from "./dom.js";
import { ask, get } from "./ask.js";
import { longDay } from "./days.js";
import { LIVE, place } from "./jobs.js";
import { planned } from "./plan.js";
import { nextcloud } from "./nextcloud.js";
import { toast, trying } from "./toast.js";
import "./shell.js";

const live = document.querySelector("[data-live-jobs]");
const past = document.querySelector("[data-past-jobs]");
const ENDED = ["done", "failed", "cancelled"];

const figures = seldom(3000, async () => {
  const stats = await get("/api/library/stats").catch(() => null);
  if (!stats) return;
  for (const element of document.querySelectorAll("[data-stat]")) element.textContent = number(stats[element.dataset.stat]);
  const span = stats.first_day ? `, ${t("library.photos_span", { first: longDay(stats.first_day), last: longDay(stats.last_day) })}` : "";
  document.querySelector("[data-days]").textContent = t("library.photos_days", { n: stats.days }) + span;
  const standings = ["inferred", "labeled", "unknown"].map((name) => t(`library.people_${name}`, { n: number(stats[`faces_${name}`]) }));
  document.querySelector("[data-standings]").textContent = standings.join(" · ");
  for (const button of document.querySelectorAll("button[data-needs]")) if (stats[button.dataset.needs]) able(button);
});

/** What an action needed is there: its button may be pressed, and needs no reason any more. */
function able(button) {
  button.dataset.needs = "";
  document.getElementById(button.getAttribute("aria-describedby"))?.remove();
  delete button.dataset.why;
  button.disabled = false;
  buttons();
}

/** Buttons of actions that run say so, and may be pressed again when they have ended. */
function buttons() {
  const running = new Set([...live.querySelectorAll("[data-job]")].map((job) => job.dataset.action));
  for (const button of document.querySelectorAll("button[data-action]")) {
    const runs = running.has(button.dataset.action);
    button.dataset.why ??= button.disabled && !runs ? "other" : "";
    if (button.dataset.why) continue;
    button.disabled = runs;
    button.title = runs ? t("library.why_running") : "";
  }
}

function heard(job) {
  if (job.owner !== document.body.dataset.user) return;
  place(job, live, past);
  document.querySelector("[data-no-jobs]").hidden = true;
  buttons();
  if (LIVE.includes(job.state) || ENDED.includes(job.state)) figures();
}

document.addEventListener("jobs", (event) => heard(event.detail));

document.addEventListener("sent", (event) => {
  const job = event.detail;
  if (!job?.job_id) return;
  event.preventDefault();
  heard(job);
  toast(event.target.elements._said?.value || t("shell.done"));
  document.querySelector("#jobs").scrollIntoView({ block: "nearest" });
});

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-plan]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const action = link.dataset.plan;
  const body = await planned(action);
  if (body === null) return;
  const job = await trying(() => ask(`POST /api/library/actions/${action}`, body));
  if (job) { heard(job); toast(t("library.started", { action: link.dataset.name })); }
});

buttons();
nextcloud(document.querySelector("[data-nextcloud]"));
