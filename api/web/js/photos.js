// The page of all photos: the timeline over what the server drew of it, its slider, and what a scan brings.
import "./shell.js";
import { seldom, t } from "./dom.js";
import { timeline } from "./grid.js";
import { scrubber } from "./scrubber.js";
import { trying } from "./toast.js";

const EVERY = 2000; // milliseconds between two looks for new photos
const KEPT_EVERY = 500;
const KEPT = "timeline";

const place = document.querySelector("[data-timeline]");
const slider = document.querySelector("[data-scrubber]");
const now = document.querySelector("[data-now]");
const told = document.querySelector("[data-count]");

/** The filters in the address: each parameter with its values. */
function filters() {
  const given = new URLSearchParams(location.search);
  given.delete("cursor");
  return Object.fromEntries([...new Set(given.keys())].map((name) => [name, given.getAll(name)]));
}

function kept() {
  try {
    return history.state?.[KEPT] ?? null;
  } catch {
    return null;
  }
}

async function start() {
  let move = () => {};
  const changed = (shown) => {
    move();
    const past = shown.y > 40;
    if (now.hidden === past) now.hidden = !past;
    const here = past ? shown.here : "";
    if (past && now.textContent !== here) now.textContent = here;
  };
  const photos = timeline(place, filters(), { changed });
  move = scrubber(slider, photos);
  history.scrollRestoration = "manual";
  const keep = (focus = null) => history.replaceState({ ...history.state, [KEPT]: { ...photos.position(), focus } }, "");
  await photos.start(new URLSearchParams(location.search).has("cursor") ? null : kept());
  document.querySelector("[data-pages]")?.remove();
  place.addEventListener("click", (event) => {
    const tile = event.target.closest("a.photo");
    if (tile) keep(tile.dataset.photo);
  });
  addEventListener("scroll", seldom(KEPT_EVERY, () => keep()), { passive: true });
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
    if (before.has(job.job_id) ? before.get(job.job_id) !== mark : ["queued", "running"].includes(job.state)) look();
    before.set(job.job_id, mark);
  });
}

if (place) trying(start);
else if (document.querySelector("[data-no-photos]")) listen(seldom(EVERY, async () => {
  const answer = await fetch("/api/photos/months");
  if (answer.ok && (await answer.json()).photos) location.reload();
}));
