// The page of all photos: the timeline over what the server drew of it, its slider, and what a scan brings.
import "./shell.js";
import { seldom, t } from "./dom.js";
import { get, parameters } from "./ask.js";
import { keepPlace, placeBefore } from "./place.js";
import { scrubber } from "./scrubber.js";
import { RUNNING } from "./shell.js";
import { timeline } from "./timeline.js";
import { trying } from "./toast.js";

const EVERY = 2000; // milliseconds between two looks for new photos

const place = document.querySelector("[data-timeline]");
const slider = document.querySelector("[data-scrubber]");
const now = document.querySelector("[data-now]");
const told = document.querySelector("[data-count]");

async function start() {
  let move = () => {};
  const changed = (shown) => {
    move();
    const past = shown.y > 40;
    if (now.hidden === past) now.hidden = !past;
    const here = past ? shown.here : "";
    if (past && now.textContent !== here) now.textContent = here;
  };
  const { cursor, ...filters } = parameters(location.search);
  const photos = timeline(place, filters, { changed });
  move = scrubber(slider, photos);
  history.scrollRestoration = "manual";
  await photos.start(cursor ? null : placeBefore());
  document.querySelector("[data-pages]")?.remove();
  keepPlace(place, photos);
  const count = () => { told.textContent = t("photos.count", { n: photos.stretches.photos }); };
  count();
  listen(seldom(EVERY, () => photos.refresh().then(count, () => {})));
}

/** Look again when a job has made thumbnails or ended. */
function listen(look) {
  const before = new Map();
  document.addEventListener("jobs", ({ detail: job }) => {
    const made = (job.stages ?? []).find((one) => one.name === "thumbnails")?.done ?? 0;
    const mark = `${job.state} ${made} ${JSON.stringify(job.changed ?? null)}`;
    if (before.has(job.job_id) ? before.get(job.job_id) !== mark : RUNNING.includes(job.state)) look();
    before.set(job.job_id, mark);
  });
}

if (place) trying(start);
else if (document.querySelector("[data-no-photos]")) listen(seldom(EVERY, async () => {
  const months = await get("/api/photos/months").catch(() => null);
  if (months?.photos) location.reload();
}));
