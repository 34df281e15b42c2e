"""What axe-core says of a page: WCAG 2.2 AA and good practice."""

from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

SOURCE = (files("axe_playwright_python") / "axe.min.js").read_text("utf8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def dress(page: Page, look: str) -> None:
    """Show a page light or dark, and wait for the last colour to be what it will be."""
    page.emulate_media(color_scheme=look, reduced_motion="reduce")  # type: ignore[arg-type]
    page.wait_for_timeout(250)


def violations(page: Page, *rules: str) -> list[str]:
    """Each with where it is; only these rules if some are named."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(SOURCE)
    only = {"type": "rule", "values": list(rules)} if rules else {"type": "tag", "values": TAGS}
    found: Any = page.evaluate("only => axe.run({ runOnly: only, resultTypes: ['violations'] })", only)
    return [
        f"{one['id']}: {one['help']}: {[node['html'][:160] for node in one['nodes'][:3]]}"
        for one in found["violations"]
    ]
