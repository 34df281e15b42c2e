"""A process that is told secrets on its standard input and lets them get wherever a careless one would.

Answers HTTP, is sent the secrets in every way there is, and logs each request as it came. What it was answered is put
into ROOT/answers. `python -m tests.planting ROOT on|off`: with secrets taken out of the log, or not.
"""

import base64
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
from litestar import Request, post

from api.access import PUBLIC
from api.app import create_app
from api.cookies import PLAIN
from cluster.logs import configure
from cluster.redaction import redacted, remember
from tests.api.world import CHEAP, World, answering, build

JSON = {"Content-Type": "application/json"}
log = logging.getLogger("tests.planting")


@post("/careless", opt=PUBLIC, status_code=200)
async def careless(request: Request[Any, Any, Any]) -> None:
    """Logs all of a request, and fails with it."""
    body = await request.body()
    log.warning("%s %s %s %s", request.method, request.url, dict(request.headers), body)
    log.info("headers: %s", request.scope["headers"])
    raise RuntimeError(f"cannot do {body.decode(errors='replace')} with {request.headers!r} of {request.url}")


def requests(told: dict[str, str]) -> Iterator[dict[str, Any]]:
    """A request for each secret that comes from outside."""
    yield {"json": {"name": "ann", "password": told["right password"]}, "to": "/api/auth/login"}
    yield {"json": {"name": "ann", "password": told["right password"]}}
    yield {"json": {"name": "ann", "password": told["wrong password"]}, "to": "/api/auth/login"}
    yield {"json": {"name": "ann", "password": told["wrong password"]}}
    broken = '{"name": "ann", "password": ' + json.dumps(told["password in broken JSON"])[:-1]
    yield {"content": broken, "headers": JSON, "to": "/api/auth/login"}
    yield {"content": broken, "headers": JSON}
    yield {"json": {"body": json.dumps({"passwd": told["password in JSON in JSON"]})}}
    yield {"json": {"form": f"name=ann&pwd={quote_plus(told['password in a form'])}&next=%2F"}}
    for name in ("session token", "forged session token"):
        yield {"headers": {"Authorization": f"Bearer {told[name]}"}, "to": "/api/auth/password", "json": {"old": 1}}
        yield {"headers": {"Authorization": f"Bearer {told[name]}"}}
    yield {"headers": {"authorization": f"bearer   {told['bearer in small letters']}"}}
    yield {"headers": {"Cookie": f"{PLAIN}={told['session cookie']}", "Sec-Fetch-Site": "same-origin"}}
    yield {"headers": {"Cookie": f"theme=dark; other={told['other cookie']}; last=1"}}
    basic = base64.b64encode(f"ann:{told['basic']}".encode()).decode()
    yield {"headers": {"Authorization": f"Basic {basic}"}}
    yield {"headers": {"Proxy-Authorization": f"Digest {told['proxy']}", "X-Api-Key": told["key in a header"]}}
    yield {"params": {"q": "cat", "token": told["token in the query"], "limit": "5"}}
    yield {"params": {"access_token": told["access token in the query"], "limit": "5"}}
    yield {"params": {"X-Amz-Signature": told["signature in the query"], "limit": "5"}}
    yield {"json": {"url": f"https://ann:{quote(told['userinfo'], safe='')}@photos.example/dav"}}
    yield {"json": {"url": f"https://ann:{told['careless userinfo']}@photos.example/dav"}}


def mishaps(told: dict[str, str]) -> None:
    """Lines of a program's own that hold secrets."""
    log.error("no answer from s3 with AWS_SECRET_ACCESS_KEY=%s", told["cloud secret"])
    log.error("key %s is not known to AWS; the hub refused %s", told["cloud key"], told["hub token"])
    log.error("cannot read the claims of %s: too old", told["signed token"])
    log.error("bad key:\n-----BEGIN RSA PRIVATE KEY-----\n%s\n-----END RSA PRIVATE KEY-----", told["private key"])
    log.error("Ray says: %r is refused", told["remembered"])
    log.error("seen: %s", base64.b64encode(b"x:" + told["remembered"].encode()).decode())
    log.error("seen: %s", quote(told["remembered"], safe=""))
    log.error("the variable is %s", told["in the environment"])
    log.error("set-cookie: %s=%s; HttpOnly", PLAIN, told["cookie that is set"])
    warnings.warn(f"api_key={told['in a warning']}", stacklevel=1)
    print(f"secret: {told['printed']}", file=sys.stderr, flush=True)
    dying = threading.Thread(target=lambda: {}[f"client_secret={told['what a thread dies of']}"])
    dying.start()
    dying.join()


def ask(world: World, told: dict[str, str], answers: Path) -> None:
    """Send every request, and keep every answer and what can be downloaded."""
    answers.mkdir()
    with httpx.Client(base_url=world.http.url, trust_env=False) as client:
        for number, request in enumerate(requests(told)):
            answer = client.post(request.pop("to", "/careless"), **request)
            (answers / f"{number}.txt").write_bytes(answer.content)
            client.cookies.clear()
    mishaps(told)
    admin = world.as_user("root")
    for name, path in {"page": "/api/server/logs?service=api&limit=500", "file": "/api/server/logs/api"}.items():
        (answers / f"{name}.txt").write_bytes(admin.get(path).raise_for_status().content)


def main(root: Path, redacting: bool) -> None:
    """Plant what is read from standard input."""
    told: dict[str, str] = json.load(sys.stdin)
    configure(root / "data", "api", redact=redacted if redacting else str)
    logging.getLogger("httpx").setLevel(logging.INFO)
    remember(told["remembered"])
    world = build(root)
    world.user("ann")
    world.user("root", admin=True)
    world.system.users.set_password(world.users["ann"].user_id, CHEAP.hash(told["right password"]))
    app = create_app(world.deps)
    app.register(careless)
    with answering(world, app):
        given = {name: world.new_token("ann") for name in ("session token", "session cookie")}
        (root / "given").write_text(json.dumps(given))
        ask(world, told | given, root / "answers")
    raise RuntimeError(f"passphrase: {told['what the process dies of']}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] == "on")
