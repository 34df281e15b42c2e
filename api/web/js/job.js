// One job's page, kept as the job is.
import { put, t, number } from "./dom.js";
import { LIVE, card, stages, steps } from "./jobs.js";
import "./shell.js";

const page = document.querySelector("[data-the-job]");
let before = document.querySelector("[data-job-state] .badge")?.textContent;

document.addEventListener("jobs", ({ detail: job }) => {
  if (job.job_id !== page.dataset.theJob) return;
  const drawn = card(job);
  put(page.querySelector("[data-job-state]"), drawn.querySelector(".badge"));
  put(page.querySelector("[data-job-stages]"), stages(job));
  put(page.querySelector("[data-job-steps]"), steps(job));
  const counts = page.querySelector("[data-job-counts]");
  const count = (name) => number(job.counts[name] ?? 0);
  if (counts) counts.textContent = t("library.listed_line", { listed: count("listed"), committed: count("committed"), failed: count("failed"), skipped: count("skipped") });
  const now = t(`library.${job.state}`);
  if (before !== undefined && before !== now && !LIVE.includes(job.state) && job.started_at && Date.now() - Date.parse(job.finished_at) < 5000) location.reload();
  before = now;
});
