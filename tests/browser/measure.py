"""What of a page is beyond its window."""

from playwright.sync_api import Page

BEYOND = """() => {
  const wide = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= wide) return [];
  const beyond = [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > wide + 1);
  const sizes = `${document.documentElement.scrollWidth} > ${wide}`;
  return [sizes, ...beyond.slice(0, 5).map((one) => one.outerHTML.slice(0, 160))];
}"""


def beyond(page: Page) -> list[str]:
    """What makes a page scroll sideways: how wide it is, and what stands out first; nothing if it does not."""
    found: list[str] = page.evaluate(BEYOND)
    return found
