"""What a replica logs and prints under Ray Serve's own configuration of logs: no secret, in its files and in ours."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.redaction import MARK

REPOSITORY = Path(__file__).resolve().parents[2]
SECRET = "correct-horse-battery"

REPLICA = """
import logging, sys, warnings
from ray.serve._private.common import ServeComponentType
from ray.serve._private.logging_utils import configure_component_logger
from ray.serve.schema import LoggingConfig

root, encoding, secret = sys.argv[1], sys.argv[2], sys.stdin.read()
configure_component_logger(
    component_name="tags", component_id="one", component_type=ServeComponentType.REPLICA, max_bytes=10**6,
    backup_count=1, logging_config=LoggingConfig(logs_dir=root + "/serve", encoding=encoding),
)

from cluster.logs import configure

configure(root, "tags")  # the first thing in a replica's constructor
serve, ours = logging.getLogger("ray.serve"), logging.getLogger("serve_apps.deployment")
print("printed password=" + secret)
print("complained token=" + secret, file=sys.stderr)
sys.stderr.write("written secret=" + secret + "\\n")
ours.warning("warned of pwd=%s", secret)
warnings.warn("api_key=" + secret)
try:
    raise ValueError("Authorization: Bearer " + secret)
except ValueError:
    serve.exception("Request failed", extra={"route": "/?token=" + secret})
    ours.exception("model failed")
"""


@pytest.mark.parametrize(("encoding", "to_stderr"), [("TEXT", "1"), ("JSON", "0")])
def test_a_replica_writes_no_secret_into_rays_files_nor_into_ours(
    tmp_path: Path, encoding: str, to_stderr: str
) -> None:
    """Whether it logs by Serve's logger or by its own, prints or warns; and what happened is told in both."""
    done = subprocess.run(
        [sys.executable, "-c", REPLICA, str(tmp_path), encoding], cwd=REPOSITORY, input=SECRET,
        env={**os.environ, "RAY_SERVE_LOG_TO_STDERR": to_stderr}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr

    (theirs,) = (path.read_text() for path in (tmp_path / "serve").iterdir())
    ours = (tmp_path / "logs" / "tags.log").read_text()
    assert SECRET not in done.stdout + done.stderr + theirs + ours
    for told in ("printed password=", "complained token=", "written secret=", "warned of pwd=", "api_key="):
        assert told + MARK in (done.stdout + done.stderr if to_stderr == "1" else theirs)
    assert "Request failed" in theirs
    assert [json.loads(line)["message"].split(" ")[0] for line in ours.splitlines() if "api_key" not in line] == [
        "warned", "Request", "model",
    ]  # fmt: skip
