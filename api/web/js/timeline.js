// All photos of a library as one page that scrolls, of which only what is near is in the document.

/** Draw the timeline under some filters (the parameters of /api/photos) into an element. */
export function timeline(element, filters) {
  return { element, filters };
}
