// Hits of a search as tiles that say why they were found, as templates/search_hits.html writes them.
import { h, icon, t } from "./dom.js";
import { drawn } from "./tiles.js";

/** Items of a grid for hits of /api/search, or of /api/search/image. */
export function items(hits, query = "") {
  const made = drawn(hits.map((hit) => hit.photo), (photo) => `/photos/${photo.photo_id}${query}`);
  made.forEach((item, i) => item.append(why(hits[i])));
  return made;
}

function why(hit) {
  const reasons = "picture" in hit
    ? [hit.picture && [icon("eye"), t("search.why_picture", { n: hit.picture.rank })], hit.text && [icon("log"), t("search.why_words", { n: hit.text.rank })]]
    : [[icon("eye"), t("search.why_alike", { n: Math.max(0, Math.round(100 * hit.score)) })]];
  return h("span", { class: "found-why" }, reasons.filter(Boolean).map((reason) => h("span", {}, reason)));
}
