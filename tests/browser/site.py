"""A Brightroom as browsers see it: where it is, who may log in, and the ids of what is shown there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from api.cookies import PLAIN
from tests.api.world import PASSWORD

Json = dict[str, Any]


@dataclass
class Site:
    """A running Brightroom whose users all have the password of tests."""

    url: str
    reports: Callable[[], int] = lambda: 0  # how many reports of refusals browsers sent it
    tokens: dict[str, str] = field(default_factory=dict)

    def token(self, user: str) -> str:
        """The token of a user's session, opened once."""
        if user not in self.tokens:
            body = {"name": user, "password": PASSWORD, "bearer": True}
            answer = httpx.post(f"{self.url}/api/auth/login", json=body, timeout=60).raise_for_status()
            self.tokens[user] = answer.json()["token"]
        return self.tokens[user]

    def state(self, user: str) -> Any:
        """What a browser keeps of a user who is logged in; nothing for nobody."""
        host = httpx.URL(self.url).host
        cookie = {"name": PLAIN, "value": self.token(user) if user else "", "domain": host, "path": "/"}
        known = {"expires": -1, "httpOnly": True, "secure": False, "sameSite": "Lax"}
        return {"cookies": [{**cookie, **known}] if user else [], "origins": []}

    @contextmanager
    def api(self, user: str = "ada") -> Iterator[httpx.Client]:
        """The API as a user's program."""
        headers = {"Authorization": f"Bearer {self.token(user)}"}
        with httpx.Client(base_url=self.url, headers=headers, timeout=60) as client:
            yield client

    def get(self, path: str, user: str = "ada", **query: Any) -> Json:
        """An answer of the API."""
        with self.api(user) as client:
            found: Json = client.get(path, params=query).raise_for_status().json()
            return found

    def ids(self, user: str = "ada") -> dict[str, str]:
        """An id of each kind that pages are about, of a user's; kinds of which there is none are missing."""
        asked = {
            "photo": ("/api/photos", "photos", "photo_id", {"kind": "image"}),
            "job": ("/api/jobs", "jobs", "job_id", {}),
            "person": ("/api/people", "people", "person_id", {}),
            "event": ("/api/events", "events", "event_id", {}),
        }
        found = {kind: self.get(path, user, limit=1, **more)[many] for kind, (path, many, _, more) in asked.items()}
        return {kind: str(found[kind][0][asked[kind][2]]) for kind in asked if found[kind]}
