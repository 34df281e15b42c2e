"""Where checkpoints lie, and what becomes of them when they are fetched from a hub whose branches move."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from cluster.errors import Unavailable
from cluster.settings import ModelSpec
from serve_apps.models.checkpoints import SAFE, found, locate


def spec(checkpoint: str) -> ModelSpec:
    return ModelSpec(kind="clip", checkpoint=checkpoint)


def test_an_embedded_checkpoint_lies_in_the_weights(tmp_path: Path) -> None:
    """By its name."""
    (tmp_path / "clip").mkdir()

    assert locate(spec("embedded:clip"), tmp_path) == tmp_path / "clip"


@pytest.mark.parametrize("prefix", ["", "local-dir:"])
def test_a_folder_may_be_named_with_or_without_its_prefix(prefix: str, tmp_path: Path) -> None:
    """open_clip's way of writing it, and the plain one."""
    assert locate(spec(f"{prefix}{tmp_path}"), tmp_path / "weights") == tmp_path


def test_a_missing_folder_is_said_so(tmp_path: Path) -> None:
    """With its path and the setting to mend."""
    with pytest.raises(Unavailable, match=f"{tmp_path}/none does not exist; mend `checkpoint`"):
        locate(spec(f"{tmp_path}/none"), tmp_path)


def test_the_files_of_the_first_pattern_come_first(tmp_path: Path) -> None:
    """Safe weights before pickled ones."""
    for name in ("b.safetensors", "a.pt", "a.safetensors"):
        (tmp_path / name).touch()

    names = [path.name for path in found(tmp_path, [*SAFE, "*.pt"])]

    assert names == ["a.safetensors", "b.safetensors", "a.pt"]


class Hub(ThreadingHTTPServer):
    """A hub with one repository, `owner/name`, on loopback: as much of the protocol as fetching a model takes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.commits: dict[str, dict[str, bytes]] = {}  # commit -> file -> content
        self.main = ""
        self.asked = 0

    def push(self, commit: str, **files: str) -> None:
        """Move `main` to a new commit; a double underscore in a name stands for a dot."""
        self.main = commit * 40
        self.commits[self.main] = {name.replace("__", "."): text.encode() for name, text in files.items()}


class Answer(BaseHTTPRequestHandler):
    """What the hub says to one request."""

    server: Hub

    def do_GET(self) -> None:
        self.server.asked += 1
        route = self.path.partition("?")[0].removeprefix("/api/models/owner/name").removeprefix("/owner/name")
        _, what, revision, *file = route.split("/")
        commit = self.server.main if revision == "main" else revision
        files = self.server.commits[commit]
        if what == "resolve":
            self.reply(files[file[0]], commit)
        elif what == "tree":
            listed = [
                {"type": "file", "path": name, "size": len(text), "oid": oid(text)} for name, text in files.items()
            ]
            self.reply(json.dumps(listed).encode(), commit)
        else:
            self.reply(json.dumps({"id": "owner/name", "sha": commit, "siblings": []}).encode(), commit)

    do_HEAD = do_GET

    def reply(self, content: bytes, commit: str) -> None:
        self.send_response(200)
        for header in (("ETag", f'"{oid(content)}"'), ("X-Repo-Commit", commit), ("Content-Length", len(content))):
            self.send_header(header[0], str(header[1]))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        pass


def oid(content: bytes) -> str:
    """What a hub calls a file's content."""
    return hashlib.sha1(content).hexdigest()


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A hub that answers."""
    with Hub() as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def fetched(hub: Hub, cache: Path, prefer: str = "", revision: str = "main") -> Path:
    """The folder that another process fetches `owner/name` to: the library reads its hub's address at its import."""
    script = (
        "import sys; from pathlib import Path; from serve_apps.models.checkpoints import fetch;"
        "print(fetch('owner/name', sys.argv[1], Path(sys.argv[2]), sys.argv[3]))"
    )
    address = f"http://127.0.0.1:{hub.server_port}"
    environment = {**os.environ, "HF_ENDPOINT": address, "HF_HUB_OFFLINE": "0", "NO_PROXY": "127.0.0.1"}
    command = [sys.executable, "-c", script, revision, str(cache), prefer]
    return Path(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip())


def test_a_branch_that_was_fetched_means_the_same_weights_for_ever(hub: Hub, tmp_path: Path) -> None:
    """Also when the hub's branch has moved, when other weights of it are fetched, and when the files were deleted."""
    hub.push("a", model__safetensors="old", open_clip__safetensors="old clip", config__json="{}")
    folder = fetched(hub, tmp_path, "model")
    assert (folder / "model.safetensors").read_text() == "old"

    hub.push("b", model__safetensors="new", open_clip__safetensors="new clip", config__json="{}")
    asked = hub.asked
    assert fetched(hub, tmp_path, "model") == folder
    assert hub.asked == asked
    assert (fetched(hub, tmp_path, "open_clip") / "open_clip.safetensors").read_text() == "old clip"
    for path in (tmp_path / "models--owner--name").rglob("*.safetensors"):
        path.unlink()
    folder.rename(tmp_path / "gone")
    assert (fetched(hub, tmp_path, "model") / "model.safetensors").read_text() == "old"


def test_a_commit_is_another_checkpoint_than_the_branch(hub: Hub, tmp_path: Path) -> None:
    """Both are kept side by side, each under its own name."""
    hub.push("a", model__safetensors="old")
    hub.push("b", model__safetensors="new")

    assert (fetched(hub, tmp_path) / "model.safetensors").read_text() == "new"
    assert (fetched(hub, tmp_path, revision="a" * 40) / "model.safetensors").read_text() == "old"
    assert (fetched(hub, tmp_path) / "model.safetensors").read_text() == "new"


def test_pickled_weights_come_only_for_want_of_safe_ones(hub: Hub, tmp_path: Path) -> None:
    """Safe weights that begin otherwise are none."""
    hub.push("a", model__safetensors="safe", model__bin="pickled", open_clip__bin="pickled clip")

    assert [path.name for path in fetched(hub, tmp_path, "model").iterdir()] == ["model.safetensors"]
    assert (fetched(hub, tmp_path, "open_clip") / "open_clip.bin").read_text() == "pickled clip"


def test_what_a_model_needs_beside_its_weights_comes_with_them(hub: Hub, tmp_path: Path) -> None:
    """Its configuration, its words, and the template of its chats; no code."""
    beside = {"config__json": "{}", "vocab__txt": "a", "chat_template__jinja": "{{ messages }}", "modeling__py": "1/0"}
    hub.push("a", model__safetensors="safe", **beside)

    names = {path.name for path in fetched(hub, tmp_path).iterdir()}

    assert names == {"model.safetensors", "config.json", "vocab.txt", "chat_template.jinja"}


def test_a_hub_checkpoint_that_is_kept_whole_is_not_asked_for_again(tmp_path: Path) -> None:
    """At its commit, from the hub's cache in the weights, whichever way its name is written."""
    commit = tmp_path / "hub" / "models--owner--name" / "snapshots" / ("a" * 40)
    commit.mkdir(parents=True)
    (tmp_path / "hub" / "owner--name@v2.commit").write_text("a" * 40)
    (tmp_path / "hub" / "owner--name@v2+.whole").touch()

    for name in ("owner/name", "hf-hub:owner/name"):
        assert locate(ModelSpec(kind="clip", checkpoint=name, revision="v2"), tmp_path) == commit


def test_a_hub_checkpoint_that_cannot_be_had_is_unavailable(tmp_path: Path) -> None:
    """The sentence names it, the reason, and a way without the hub."""
    with pytest.raises(Unavailable, match=r"no/such/name at main could not be fetched .* name a local folder"):
        locate(spec("hf-hub:no/such/name"), tmp_path)

    assert not list(tmp_path.rglob("*.whole"))
