"""What a browser without scripts does with pages, and what a person reads on them."""

import html
import re

import httpx


def sent(browser: httpx.Client, to: str, **fields: str) -> str:
    """What the page that follows a form says of it."""
    answer = browser.post("/form", data={"_to": to, "_back": "/admin", **fields}, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["set-cookie"]


def text_of(page: str) -> str:
    """What a page says, without its markup."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page)))
