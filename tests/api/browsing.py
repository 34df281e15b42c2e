"""A browser as far as HTTP goes: keeps cookies, asks for HTML, says that our own pages send its forms."""

from html.parser import HTMLParser
from typing import Any

import httpx

from api.cookies import PLAIN
from tests.api.world import World

HTML = "text/html,application/xhtml+xml,*/*;q=0.8"


def browser(world: World, name: str = "", **headers: str) -> httpx.Client:
    """A browser, logged in as somebody if a name is given."""
    made = world.client(**{"Accept": HTML, "Sec-Fetch-Site": "same-origin", **headers})
    if name:
        made.cookies.set(PLAIN, world.new_token(name), domain="127.0.0.1")
    return made


class Page(HTMLParser):
    """A page's elements with their attributes, and the text that people see."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.text += data

    def all(self, tag: str, **attributes: str) -> list[dict[str, str]]:
        """The attributes of all elements of a kind that have these."""
        return [has for name, has in self.elements if name == tag and attributes.items() <= has.items()]

    def form(self, action: str) -> dict[str, Any]:
        """The fields of the first form with this action, as they are filled in; fields after it count with it."""
        start = next(i for i, (tag, has) in enumerate(self.elements) if tag == "form" and has.get("action") == action)
        fields = {}
        for tag, has in self.elements[start + 1 :]:
            if tag == "form":
                break
            if tag == "input" and "name" in has:
                fields[has["name"]] = has.get("value", "")
        return fields

    def standing_for(self, to: str) -> dict[str, str]:
        """The hidden fields of the first form that stands for a request of the API."""
        start = next(i for i, (tag, has) in enumerate(self.elements) if tag == "form" and has.get("data-to") == to)
        fields = {}
        for tag, has in self.elements[start + 1 :]:
            if tag == "form":
                break
            if tag == "input" and has.get("type") == "hidden":
                fields[has["name"]] = has.get("value", "")
        return fields


def sent(client: httpx.Client, path: str, to: str, **fields: Any) -> Page:
    """The page that follows a form of a page, sent without scripts."""
    hidden = Page(client.get(path).raise_for_status()).standing_for(to)
    answer = client.post("/form", data={**hidden, **fields})
    assert answer.status_code == 303, answer.text
    return Page(client.get(answer.headers["location"]).raise_for_status())
