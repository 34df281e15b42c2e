// The list that somebody came to a photo from, where no filters name it: search hits, in their order.

const NAME = "trail";

/** Remember the list that a photo is opened from, where it is one of hits; forget it where the timeline leads on. */
export function follow() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-photo]");
    if (!link) return;
    const hits = link.closest(".found");
    try {
      if (hits) sessionStorage.setItem(NAME, JSON.stringify({ ids: [...document.querySelectorAll(".found a[data-photo]")].map((one) => one.dataset.photo) }));
      else sessionStorage.removeItem(NAME);
    } catch { /* a browser that keeps nothing goes through the timeline */ }
  }, { capture: true });
}

/** What comes before and after a photo in that list, as addresses; null where the list does not have it. */
export function beside(id) {
  let kept = null;
  try {
    kept = JSON.parse(sessionStorage.getItem(NAME) ?? "null");
  } catch { /* as above */ }
  const place = kept?.ids?.indexOf(id) ?? -1;
  if (place < 0) return null;
  const address = (other) => (other ? `/photos/${encodeURIComponent(other)}${location.search}` : null);
  return { newer: address(kept.ids[place - 1]), older: address(kept.ids[place + 1]) };
}

/** Remember where somebody came from, to go back there. */
export function cameFrom() {
  const from = document.referrer ? new URL(document.referrer) : null;
  if (!from || from.origin !== location.origin || /^\/(photos\/|login)/.test(from.pathname)) return;
  sessionStorage.setItem("from", JSON.stringify({ address: from.href.slice(from.origin.length), length: history.length }));
}

/** Go back to the list: by the browser's own way back, which keeps its position, or to an address. */
export function leave(address) {
  const from = JSON.parse(sessionStorage.getItem("from") ?? "null");
  if (from && history.length > 1 && history.length === from.length) history.back();
  else location.assign(from?.address ?? address);
}
