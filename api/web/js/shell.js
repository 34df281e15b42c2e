// What every page does: forms, times, the menu, the look, the search for anything, and how many jobs run.
import { refreshTimes, t } from "./dom.js";
import { get } from "./ask.js";
import { findBox } from "./find.js";
import { listen } from "./forms.js";
import { Live } from "./live.js";
import { toast } from "./toast.js";
import { spotlight } from "./spotlight.js";
import { follow as remember } from "./trail.js";

const YEAR = 31536000;
const LIVE_STATES = ["queued", "running"];

/** The jobs as they are now, by id; pages listen to `jobs` events of the document for each that changed. */
export const jobs = new Map();

listen();
refreshTimes();
setInterval(refreshTimes, 15000);

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
    document.cookie = `brightroom_theme=${theme}; path=/; max-age=${theme ? YEAR : 0}; samesite=lax`;
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
export function noted(job) {
  jobs.set(job.job_id, job);
  const mine = [...jobs.values()].filter((one) => one.owner === document.body.dataset.user); // administrators hear of all
  const running = mine.filter((one) => LIVE_STATES.includes(one.state)).length;
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

function follow() {
  const poll = async () => (await get("/api/jobs?limit=20&owner=me")).jobs.forEach(noted);
  return new Live("/api/jobs/events", { heard: (_, job) => noted(job), poll, state: teller() });
}

if (!document.body.dataset.user) sessionStorage.clear(); // who logs in next in this tab may be somebody else
menus();
remember();
themes();
search();
/** The page's one stream; none on pages outside, and on those that open their own. */
export const live = document.body.dataset.user && document.body.dataset.live !== "own" ? follow() : null;
