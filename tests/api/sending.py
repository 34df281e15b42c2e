"""Secrets sent to a whole Brightroom in every way there is, as its users, its administrators and strangers send them.

What was answered is kept, but for the answers that a secret is the very thing of: a new session's token.
"""

import base64
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx

from api.cookies import PLAIN
from cluster.settings import KEYS_VARIABLE

Request = dict[str, Any]

TYPED = (
    "new user's password", "own new password", "wrong own password", "password that is reset", "wrong password",
    "password of nobody", "password in broken JSON", "password in a list", "password under another name",
    "password in a form", "password in the query", "basic", "userinfo in a checkpoint", "userinfo in a revision",
    "userinfo in words", "userinfo in a referer", "password for a Nextcloud", "userinfo in its address",
)  # fmt: skip
MADE = (
    "forged token", "token in small letters", "forged cookie", "other cookie", "proxy", "key in a header",
    "token in the query", "access token in the query", "key in the query", "token in a checkpoint",
)  # fmt: skip


def typed() -> str:
    """A secret as people type it, at most so strange that it can be in every place."""
    return secrets.token_hex(6) + "/\"+ &=',ü;" + secrets.token_hex(6)


def variables() -> dict[str, str]:
    """Secrets that an operator has in the environment, for other programs and for ours."""
    return {
        "HF_TOKEN": "hf_" + secrets.token_hex(17), "AWS_SECRET_ACCESS_KEY": "aB1/" + secrets.token_urlsafe(27),
        "MAIL_PASSWORD": typed(), "GITHUB_TOKEN": secrets.token_urlsafe(30), "DATABASE_PASSWD": typed(),
        KEYS_VARIABLE: secrets.token_hex(32),
    }  # fmt: skip


class Sent:
    """Secrets, and what was answered to who sent them."""

    def __init__(self, admin: httpx.Client, stranger: httpx.Client) -> None:
        """`stranger` has no session, and keeps none."""
        self.admin, self.stranger = admin, stranger
        self.told = {name: typed() for name in TYPED} | {name: secrets.token_urlsafe(32) for name in MADE}
        self.answers: list[bytes] = []

    def everything(self) -> None:
        """Send each of them."""
        self.lives()
        for request in self.of_strangers():
            self.stranger.cookies.clear()
            self.ask(self.stranger, request)
        for request in self.of_administrators():
            self.ask(self.admin, request)

    def ask(self, client: httpx.Client, request: Request) -> httpx.Response:
        """Send a request, and keep its answer with its headers."""
        answer = client.request(request.pop("method", "POST"), request.pop("to"), **request)
        self.answers.append(repr(answer.headers.raw).encode() + answer.content)
        return answer

    def lives(self) -> None:
        """A user is made, logs in with token and cookie, changes the password, and it is reset for them."""
        told = self.told
        name = {"name": "kim"}
        made = self.ask(self.admin, {"to": "/api/users", "json": {**name, "password": told["new user's password"]}})
        user = made.raise_for_status().json()["user_id"]
        login = {**name, "password": told["new user's password"]}
        answer = self.stranger.post("/api/auth/login", json={**login, "bearer": True}).raise_for_status()
        told["token of a session"] = answer.json()["token"]
        answer = self.stranger.post("/api/auth/login", json=login).raise_for_status()
        told["cookie of a session"] = answer.cookies[PLAIN]
        self.stranger.cookies.clear()
        bearer = {"Authorization": f"Bearer {told['token of a session']}"}
        wrong = {"old": told["wrong own password"], "new": told["own new password"]}
        right = {"old": told["new user's password"], "new": told["own new password"]}
        cookie = {"Cookie": f"{PLAIN}={told['cookie of a session']}", "Sec-Fetch-Site": "same-origin"}
        assert self.ask(self.stranger, {"method": "GET", "to": "/api/auth/me", "headers": cookie}).status_code == 200
        for headers, body, status in ((bearer, wrong, 403), (bearer, right, 204)):
            asked = {"to": "/api/auth/password", "headers": headers, "json": body}
            assert self.ask(self.stranger, asked).status_code == status
        reset = {"to": f"/api/users/{user}/password", "json": {"password": told["password that is reset"]}}
        assert self.ask(self.admin, reset).status_code == 204

    def of_strangers(self) -> Iterator[Request]:
        """What people without a session send; all of it is refused."""
        told, login = self.told, "/api/auth/login"
        yield {"to": login, "json": {"name": "kim", "password": told["wrong password"]}}
        yield {"to": login, "json": {"name": "nobody", "password": told["password of nobody"]}}
        yield {"to": login, "content": f'{{"name": "kim", "password": "{told["password in broken JSON"]}'.encode()}
        yield {"to": login, "json": {"name": "kim", "password": [told["password in a list"]]}}
        yield {"to": login, "json": {"name": "kim", "passwort": told["password under another name"]}}
        yield {"to": login, "data": {"name": "kim", "password": told["password in a form"]}}
        yield {"to": login, "params": {"name": "kim", "password": told["password in the query"]}}
        pair = base64.b64encode(f"kim:{told['basic']}".encode()).decode()
        for header in (
            {"Authorization": f"Bearer {told['forged token']}"},
            {"authorization": f"bearer {told['token in small letters']}"},
            {"Authorization": f"Basic {pair}"}, {"Proxy-Authorization": f"Digest {told['proxy']}"},
            {"X-Api-Key": told["key in a header"]}, {"Cookie": f"{PLAIN}={told['forged cookie']}"},
            {"Cookie": f"theme=dark; other={told['other cookie']}"},
            {"Referer": f"https://kim:{quote(told['userinfo in a referer'], safe='')}@photos.example/"},
        ):  # fmt: skip
            yield {"method": "GET", "to": "/api/photos", "headers": header}
        for name in ("token", "access_token", "api_key"):
            where = {"token": "token", "access_token": "access token", "api_key": "key"}[name]
            yield {"method": "GET", "to": "/api/search", "params": {"q": "cat", name: told[f"{where} in the query"]}}

    def of_administrators(self) -> Iterator[Request]:
        """Addresses with secrets in them, in place of models and servers: refused, so that no table or log has them."""
        told, to = self.told, "/api/services/tags/model"

        def address(name: str) -> str:
            return f"https://kim:{quote(told[name], safe='')}@hub.example/x"

        for change in (
            {"checkpoint": address("userinfo in a checkpoint")},
            {"checkpoint": f"https://hub.example/x?token={told['token in a checkpoint']}"},
            {"revision": address("userinfo in a revision")},
            {"kind": "zero-shot-tags", "options": {"vocabulary": address("userinfo in words")}},
        ):
            yield {"method": "PUT", "to": to, "json": change}
        account = {"server": "https://10.0.0.1", "login": "kim", "password": told["password for a Nextcloud"]}
        yield {"method": "PUT", "to": "/api/nextcloud", "json": account}
        yield {"to": "/api/nextcloud/login", "json": {"server": address("userinfo in its address")}}
