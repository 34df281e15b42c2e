// The search page: more results as one scrolls, recent searches, and searching by a picture.
import "./shell.js";
import { h, icon, put, t } from "./dom.js";
import { get, parameters } from "./ask.js";
import { byPicture } from "./by_picture.js";
import { adopt } from "./grid.js";
import { items } from "./hits.js";
import { keepPlace, placeBefore } from "./place.js";
import { forget, recent, remember } from "./recent.js";
import { timeline } from "./timeline.js";
import { trying } from "./toast.js";

const page = document.querySelector(".search-page");
const AHEAD = "900px"; // of the end of what is shown, more is asked for
const STEPS = [60, 200, 500, 1000];

/** Let the link to more results fetch them into this page, when it is near. */
function goOn() {
  const link = page.querySelector("[data-more]");
  const list = page.querySelector("[data-results] [data-photo-grid]");
  if (!link || !list) return;
  let busy = false;
  const more = async () => {
    if (busy) return;
    busy = true;
    link.setAttribute("aria-busy", "true");
    const done = await trying(() => moreHits(link, list));
    link.removeAttribute("aria-busy");
    busy = false;
    if (done === false) return link.parentElement.remove();
    if (done) watch.unobserve(link), watch.observe(link); // it may be near still
    return undefined;
  };
  const watch = new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting)) more(); }, { rootMargin: AHEAD });
  watch.observe(link);
  link.addEventListener("click", (event) => { event.preventDefault(); more(); });
}

/** Fetch hits up to a larger number, and show those that are not shown. False: there are no more. */
async function moreHits(link, list) {
  const query = new URLSearchParams(new URL(link.href).search);
  const limit = Number(query.get("limit"));
  const found = await get(`/api/search?${query}`);
  const there = new Set([...list.querySelectorAll("[data-photo]")].map((one) => one.dataset.photo));
  list.append(...items(found.hits.filter((hit) => !there.has(hit.photo.photo_id)), page.dataset.photoQuery));
  page.querySelector("[data-total]").textContent = t("search.best", { n: list.children.length });
  const further = STEPS.find((step) => step > limit);
  if (!further || found.hits.length < limit) return false;
  query.set("limit", further);
  link.href = `/search?${query}`;
  return true;
}

/** Draw the photos of filters alone as a timeline, which goes on by itself; it comes back where it was left. */
async function photosOf(place) {
  const photos = timeline(place, parameters(page.dataset.search.split("?")[1]));
  await photos.start(placeBefore());
  page.querySelector("[data-more]")?.parentElement.remove();
  keepPlace(place, photos);
  place.addEventListener("click", (event) => {
    const tile = event.target.closest("a.photo");
    if (tile && !tile.search.startsWith("?q=")) tile.search = `?q=&${tile.search.slice(1)}`; // a photo's page leads back here
  });
}

function recents() {
  const { search, named } = page.dataset;
  if (search) remember(search, named);
  const section = page.querySelector("[data-recent]");
  if (!section) return;
  const draw = () => {
    const searches = recent();
    section.hidden = !searches.length;
    put(section.querySelector("[data-recent-list]"), searches.map((one) => h("li", {}, h("a", { class: "chip", href: one.href }, icon("clock"), h("span", {}, one.text)))));
  };
  section.querySelector("[data-forget]").addEventListener("click", () => { forget(); draw(); });
  draw();
}

const place = page.querySelector("[data-timeline]");
adopt();
if (place) photosOf(place);
else goOn();
recents();
byPicture(page);
