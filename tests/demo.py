"""`make demo`: Brightroom from nothing to a searched library, through its HTTP API as anybody's program would use it.

Writes the sample library into a folder that goes away again, scans it, prints what was found, leaves nothing running.
The composed models are kept where the settings say, for the next time.
"""

import argparse
import json
import re
import secrets
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from api.follow import RESTING, show
from api.http_server import serving
from api.passwords import Passwords
from api.signals import end_in_order
from api.up import Brightroom, running
from cluster.settings import ApiSettings, Settings, load_settings
from tests.sample_library import SampleLibrary, write_sample_library

QUERIES = ("a cat", "a cup of coffee", "rocket launch")
out = Console(highlight=False, record=True, width=None if sys.stdout.isatty() else 110)
Json = dict[str, Any]


def main() -> None:
    """Run the demo; with `--picture FILE` draw what it prints as SVG too."""
    parser = argparse.ArgumentParser(prog="python -m tests.demo")
    parser.add_argument("--picture", type=Path, help="an SVG of the output, for the README")
    picture: Path | None = parser.parse_args().picture
    end_in_order()
    state = run()
    if picture:
        picture.write_text(out.export_svg(title="make demo", code_format=without_fonts(CONSOLE_SVG_FORMAT)), "utf8")
    sys.exit(status(state))


def status(state: str) -> int:
    """The exit status of a demo whose scan ended so: a scan that is not done is no demo."""
    return 0 if state == "done" else 1


def without_fonts(svg: str) -> str:
    """The SVG without the fonts that it would fetch from another host."""
    return re.sub(r"@font-face \{\{.*?\}\}", "", svg, flags=re.DOTALL)


def run() -> str:
    """The demo itself; how its scan ended."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="brightroom-demo-") as folder:
        photos = Path(folder) / "photos"
        photos.mkdir()
        truth = write_sample_library(photos)
        out.print(f"wrote a sample library of {truth.counts['listed']} files into {photos}")
        with running(demo_settings(Path(folder)), out.print) as brightroom:
            state = tour(brightroom, truth)
    out.print(f"\n{how_to_open(load_settings().api)}")
    out.print(f"[dim]{time.monotonic() - began:.0f} s; nothing is left running[/]")
    return state


def how_to_open(api: ApiSettings) -> str:
    """What to do to have a look at the API oneself, when the demo's own server is gone."""
    host = f"[{api.host}]" if ":" in api.host else api.host
    return f"To look at the API yourself: `brightroom up`, then http://{host}:{api.port}/schema"


def demo_settings(folder: Path) -> Settings:
    """The user's settings with a root that goes away; the composed models stay."""
    settings = load_settings()
    settings.weights_dir.mkdir(parents=True, exist_ok=True)
    return settings.model_copy(update={"root": folder / "root", "weights": settings.weights_dir})


def tour(brightroom: Brightroom, truth: SampleLibrary) -> str:
    """Log in, scan, and look at what came of it; returns how the scan ended."""
    password = secrets.token_urlsafe(12)
    brightroom.system.users.create("demo", Passwords().hash(password), admin=True, scan_directory=str(truth.folder))
    brightroom.await_services()
    with serving(brightroom.application(), "127.0.0.1", 0) as server, httpx.Client(base_url=server.url) as client:
        login(client, password)
        job = scanned(client)
        account(client, job)
        if job["state"] != "done":
            return str(job["state"])
        stats = asked(client, "/api/library/stats")
        table("the library", ("", ""), [(name, told(value)) for name, value in stats.items() if name != "stages"])
        for query in QUERIES:
            searched(client, query)
        looked_alike(client)
        faces_and_places(client)
        return "done"


def login(client: httpx.Client, password: str) -> None:
    """Be the demo's user from now on."""
    answer = client.post("/api/auth/login", json={"name": "demo", "password": password, "bearer": True}, timeout=30)
    client.headers["Authorization"] = f"Bearer {answer.raise_for_status().json()['token']}"


def asked(client: httpx.Client, path: str, **query: Any) -> Json:
    """What the API answers."""
    answer: Json = client.get(path, params=query, timeout=60).raise_for_status().json()
    return answer


def scanned(client: httpx.Client) -> Json:
    """A scan, followed to its end by server-sent events."""
    job_id = client.post("/api/library/actions/scan", json={}, timeout=60).raise_for_status().json()["job_id"]
    name, note = TextColumn("{task.description:<12}"), TextColumn("{task.fields[note]}")
    with Progress(name, BarColumn(), MofNCompleteColumn(), note, console=out) as bars:
        shown: dict[str, Any] = {}
        for job in events(client, job_id):
            show(bars, shown, job["stages"])
            if job["state"] in RESTING:
                return job
    raise RuntimeError("the stream of events ended before the scan did")


def events(client: httpx.Client, job_id: str) -> Any:
    """The job as it is after each of its changes."""
    with client.stream("GET", "/api/jobs/events", timeout=None) as stream:
        for line in stream.iter_lines():
            if line.startswith("data:") and (job := json.loads(line.removeprefix("data:")))["job_id"] == job_id:
                yield job


def account(client: httpx.Client, job: Json) -> None:
    """Every file by what became of it, and the failures with their reasons."""
    counts = job["counts"]
    out.print(f"\nscan {job['state']} {job['error']}: ", end="")
    out.print(" = ".join([f"{counts['listed']} listed", f"{counts['committed']} committed"]), end="")
    out.print(f" + {counts['failed']} failed + {counts['skipped']} skipped  {counts['skipped_by']}")
    for failure in asked(client, f"/api/jobs/{job['job_id']}/errors")["errors"]:
        out.print(f"  [red]{escape(failure['name'])}[/]: {escape(failure['reason'])}")


def searched(client: httpx.Client, query: str) -> None:
    """A search and its three best hits."""
    hits = asked(client, "/api/search", q=query, limit=3)["hits"]
    lines = [(f"{hit['score']:.4f}", cosine(hit), hit["photo"]["name"], hit["photo"]["caption"]) for hit in hits]
    table(f'search "{query}"', ("score", "cosine", "photo", "what it shows"), lines)


def cosine(hit: Json) -> str:
    """How like the picture is to the text, where pictures were compared."""
    return f"{hit['picture']['score']:.3f}" if hit["picture"] else ""


def looked_alike(client: httpx.Client) -> None:
    """The photos most like a portrait."""
    portrait = next(photo for photo in every_photo(client) if photo["face_count"] == 1)
    hits = asked(client, f"/api/photos/{portrait['photo_id']}/similar", limit=4)["hits"]
    lines = [(f"{hit['score']:.3f}", hit["photo"]["name"]) for hit in hits]
    table(f"similar to {portrait['name']}", ("cosine", "photo"), lines)


def faces_and_places(client: httpx.Client) -> None:
    """Where faces were found, and where photos were taken."""
    photos = list(every_photo(client))
    faces = sum(photo["face_count"] for photo in photos)
    out.print(f"\n{faces} faces in {sum(photo['face_count'] > 0 for photo in photos)} photos")
    places: dict[str, int] = {}
    for photo in photos:
        if photo["place"]:
            where = f"{photo['place']}, {photo['country']}"
            places[where] = places.get(where, 0) + 1
    table("places", ("photos", "place"), [(str(count), where) for where, count in sorted(places.items())])


def every_photo(client: httpx.Client) -> Any:
    """All photos, page by page."""
    cursor = ""
    while True:
        page = asked(client, "/api/photos", **({"cursor": cursor} if cursor else {}))
        yield from page["photos"]
        cursor = page["next_cursor"]
        if not cursor:
            return


def told(value: Any) -> str:
    """A figure for people."""
    return f"{value:,}" if isinstance(value, int) else str(value)


def table(title: str, columns: tuple[str, ...], lines: list[tuple[str, ...]]) -> None:
    """A small table under a title."""
    out.print(f"\n[bold]{title}[/]")
    body = Table(*columns, box=None, padding=(0, 2), show_header=any(columns))
    for line in lines:
        body.add_row(*[escape(text) for text in line])
    out.print(body)


if __name__ == "__main__":
    main()
