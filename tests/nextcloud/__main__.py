"""The stand-in as a process of its own, to measure against or to try out: `python -m tests.nextcloud FOLDER [--plain]`.

It prints one line of JSON (url, user, an app password, where the files go, the authority's certificate) and serves
until its standard input ends. Nothing goes wrong in it; for faults, have it in the test's own process.
"""

import argparse
import json
import sys
from pathlib import Path

from tests.nextcloud.server import StandIn


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="is made where it is not there; the files lie below it")
    parser.add_argument("--plain", action="store_true", help="http instead of https")
    told = parser.parse_args()
    with StandIn(told.folder, tls=not told.plain) as cloud:
        about = {"url": cloud.url, "user": cloud.user, "password": cloud.app_password(), "files": str(cloud.folder)}
        print(json.dumps(about | {"authority": cloud.authority().decode()}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
