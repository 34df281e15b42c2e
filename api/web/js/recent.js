// What was searched for lately in this browser, by this user: kept here only.

const MOST = 8;
const key = () => `searches:${document.body.dataset.user}`;

/** The latest searches, newest first: {href, text}. */
export function recent() {
  try {
    const kept = JSON.parse(localStorage.getItem(key()) ?? "[]");
    return kept.filter((one) => typeof one?.text === "string" && typeof one.href === "string" && one.href.startsWith("/search?")).slice(0, MOST);
  } catch {
    return [];
  }
}

/** Remember a search. */
export function remember(href, text) {
  const others = recent().filter((one) => one.href !== href);
  keep([{ href, text }, ...others].slice(0, MOST));
}

/** Forget them all. */
export const forget = () => keep([]);

function keep(searches) {
  try {
    localStorage.setItem(key(), JSON.stringify(searches));
  } catch {
    // A browser that keeps nothing has no recent searches.
  }
}
