"""A process that answers HTTP and is told passwords for a Nextcloud in every way there is, by `test_cloud_canaries.py`.

It logs all there is to log and takes nothing out. `python -m tests.api.confiding ROOT CA`; what it is told comes as
JSON on the first line of its standard input, what it was answered goes to ROOT/answers. It says on its output what it
waits for, and goes on with the next line.
"""

import json
import logging
import os
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from batch.submissions import job_environment
from cluster.head import head_environment
from cluster.logs import configure
from cluster.sealing import take_over
from tests.api.clouds import clouded

FIRST = "/api/nextcloud"


class Teller:
    """Sends requests, and keeps all that is answered."""

    def __init__(self, client: httpx.Client, answers: Path) -> None:
        self.client, self.answers = client, answers
        answers.mkdir()

    def __call__(self, method: str, path: str = "", **given: Any) -> Any:
        """What is answered."""
        answer = self.client.request(method, FIRST + path, **given)
        number = len(list(self.answers.iterdir()))
        (self.answers / f"{number}.txt").write_bytes(repr(answer.headers.raw).encode() + answer.content)
        return answer.json()


def wait_for(what: str) -> None:
    """Say what is waited for, and wait."""
    print(what, flush=True)
    sys.stdin.readline()


def tell(ask: Teller, told: dict[str, str]) -> None:
    """Connect in every way, and in ways that do not work."""
    account = {"server": told["url"], "login": "ann"}
    ask("PUT", json={**account, "password": told["app password"]})
    ask("GET", "/folders")
    ask("PUT", json={**account, "password": told["wrong password"]})
    ask("PUT", json={**account, "password": [told["password in a list"]]})
    ask("PUT", json={**account, "passwort": told["password under another name"]})
    ask("PUT", content=json.dumps({**account, "password": told["password in broken JSON"]})[:-1].encode())
    ask("PUT", data={"password": told["password in a form"]})
    ask("PUT", json={**account, "login": "a:b", "password": told["password of a name that is none"]})
    begun = ask("POST", "/login", json={"server": told["url"]})
    wait_for(f"grant {begun['url']}")
    ask("GET", f"/login/{begun['login_id']}")
    wait_for("revoke")
    for method, path in (("POST", "/check"), ("GET", "/folders"), ("GET", ""), ("PATCH", "")):
        ask(method, path, json={"folders": ["Photos"]} if method == "PATCH" else None)


def main(root: Path, authority: Path) -> None:
    """Be told, and show what a child of ours would inherit."""
    told: dict[str, str] = json.loads(sys.stdin.readline())
    configure(root / "home" / "data", "api", redact=str)
    logging.basicConfig(filename=root / "all.log", level=logging.DEBUG, force=True)
    with clouded(root / "home", ssl.create_default_context(cafile=authority)) as world:
        for name in ("", "httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.DEBUG)
        take_over(world.settings, os.environ)
        tell(Teller(world.as_user("ann"), root / "answers"), told)
        world.system.jobs.create(world.users["ann"].user_id, "scan-nextcloud", {})
        inherited = subprocess.check_output(["/usr/bin/env", "-0"], env=head_environment(os.environ))
        (root / "inherited").write_bytes(inherited + repr(job_environment(world.settings)).encode())
        wait_for("end")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
