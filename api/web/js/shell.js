// What every page does: forms, times, the menu, the look, the search for anything, and how many jobs run.
import { refreshTimes, t } from "./dom.js";
import { get } from "./ask.js";
import { findBox } from "./find.js";
import { listen } from "./forms.js";
import { toldBefore } from "./later.js";
import { Live } from "./live.js";
import { toast } from "./toast.js";
import { spotlight } from "./spotlight.js";
import { follow as remember } from "./trail.js";

const YEAR = 31536000;

/** The states of jobs that something comes of by itself. */
export const RUNNING = ["queued", "running"];

const jobs = new Map(); // as they are now, by id; pages listen to `jobs` events of the document for each that changed

listen();
toldBefore();
refreshTimes();
setInterval(refreshTimes, 15000);

/** Keep a choice in a cookie that the server reads; "": it is as if nobody had chosen. */
export function keepChoice(name, value) {
  document.cookie = `${name}=${value}; path=/; max-age=${value ? YEAR : 0}; samesite=lax`;
}

function menus() {
  for (const menu of document.querySelectorAll("[data-menu]")) {
    document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
    menu.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { menu.open = false; menu.querySelector("summary").focus(); }
    });
  }
}

function themes() {
  document.querySelector("[data-themes]")?.addEventListener("change", (event) => {
    const theme = event.target.value;
    keepChoice("brightroom_theme", theme);
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
  });
}

function search() {
  const buttons = document.querySelectorAll("[data-spotlight]");
  if (!buttons.length) return;
  const mac = /Mac|iP/.test(navigator.platform);
  for (const button of buttons) {
    button.hidden = false;
    if (mac && button.querySelector("kbd")) button.querySelector("kbd").textContent = "⌘ K";
    button.addEventListener("click", () => spotlight());
  }
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    const wanted = (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) || (event.key === "/" && !typing);
    if (!wanted || event.altKey) return;
    event.preventDefault();
    spotlight();
  });
  document.querySelectorAll("[data-find]").forEach(findBox);
}

/** Take note of a job as it is now. */
function noted(job) {
  jobs.set(job.job_id, job);
  const running = [...jobs.values()].filter((one) => RUNNING.includes(one.state)).length;
  const shown = document.querySelector("[data-running]");
  if (shown) {
    shown.hidden = running === 0;
    shown.querySelector("[data-running-text]").textContent = t("shell.jobs_running", { n: running });
  }
  document.dispatchEvent(new CustomEvent("jobs", { detail: job }));
}

/** What tells people when a stream fails, and when it comes again. */
export function teller() {
  let down = null;
  return (up) => {
    if (up && down) { down.remove(); down = null; toast(t("shell.online")); }
    else if (!up && !down) down = toast(t("shell.offline"), { wrong: true });
  };
}

/** Ask for one's last jobs, where no stream tells of them. */
export async function askForJobs() {
  (await get("/api/jobs?limit=20&owner=me")).jobs.forEach(noted);
}

if (!document.body.dataset.user) sessionStorage.clear(); // who logs in next in this tab may be somebody else
menus();
remember();
themes();
search();
// One stream a page; none on pages outside, and on those that open their own.
if (document.body.dataset.user && document.body.dataset.live !== "own") {
  new Live("/api/jobs/events", { heard: (_, job) => noted(job), poll: askForJobs, state: teller() });
}
