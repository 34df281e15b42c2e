// Pages of ours as documents, to take parts of: so that what a page says is written in one place, its template.

const KEPT_MS = 60000;
const coming = new Map();

/** The page at an address, as a document without scripts running; null where there is none now. */
export function pageOf(address) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("GET", address);
    request.responseType = "document";
    request.setRequestHeader("Accept", "text/html");
    request.onload = () => resolve(request.status === 200 && new URL(request.responseURL).pathname === new URL(address, location).pathname ? request.response : null);
    request.onerror = () => resolve(null);
    request.send();
  });
}

/** Ask for a page that is likely to be wanted next. */
export function expect(address) {
  const known = coming.get(address);
  if (known && performance.now() - known.asked < KEPT_MS) return;
  coming.set(address, { asked: performance.now(), page: pageOf(address) });
}

/** A page that was expected, or asked for now; each is given once. */
export function expected(address) {
  const known = coming.get(address);
  coming.delete(address);
  return known && performance.now() - known.asked < KEPT_MS ? known.page : pageOf(address);
}

/** Forget what was asked for ahead: something was changed. */
export const forget = () => coming.clear();

/** Put a part of a page in the place of the same part here; the focus stays where something with its `data-key` is. */
export function swapped(here, page, selector) {
  const [mine, theirs] = [here.querySelector(selector), page?.querySelector(selector)];
  if (!mine || !theirs) return null;
  const key = mine.contains(document.activeElement) ? document.activeElement.closest("[data-key]")?.dataset.key : null;
  const open = [...mine.querySelectorAll("details[open]")].map((one) => one.parentElement.dataset.face);
  const fresh = document.adoptNode(theirs);
  for (const one of fresh.querySelectorAll("details")) one.open = open.includes(one.parentElement.dataset.face);
  mine.replaceWith(fresh);
  if (key) fresh.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
  return fresh;
}
