"""What axe-core says of a page: WCAG 2.2 AA and good practice."""

from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

SOURCE = (files("axe_playwright_python") / "axe.min.js").read_text("utf8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


SETTLED = """async () => {
  const frame = () => new Promise(requestAnimationFrame);
  await frame();
  const ended = Promise.all(document.getAnimations().map((one) => one.finished.catch(() => null)));
  await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 1000))]);
  await frame();
}"""


def dress(page: Page, look: str) -> None:
    """Show a page light or dark, and wait for the last colour to be what it will be."""
    page.emulate_media(color_scheme=look, reduced_motion="reduce")  # type: ignore[arg-type]
    page.wait_for_timeout(100)
    page.evaluate(SETTLED)


def violations(page: Page, *rules: str) -> list[str]:
    """Each with where it is and why; only these rules if some are named."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(SOURCE)
    only = {"type": "rule", "values": list(rules)} if rules else {"type": "tag", "values": TAGS}
    found: Any = page.evaluate("only => axe.run({ runOnly: only, resultTypes: ['violations'] })", only)
    return [f"{one['id']}: {told(node)}" for one in found["violations"] for node in one["nodes"][:3]]


def told(node: Any) -> str:
    """What is wrong with an element."""
    checks = [*node["any"], *node["all"], *node["none"]]
    return f"{'; '.join(check['message'] for check in checks)} {node['html'][:160]}"
