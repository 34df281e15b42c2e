"""A process that fetches files of a Nextcloud into a mirror, in processes of its own that a test can kill.

    python mirror_child.py SERVER AUTHORITY LOGIN MIRROR PARTIAL ROWS

The first line on its input is the password. For every further line it forks, has all fetched that the rows in the file
ROWS are about, kills the new process after as many seconds as the line says, or never, and tells how it ended. What the
library is told of it is not done here: its threads would not live on in a fork.
"""

import os
import signal
import ssl
import sys
import time
from pathlib import Path

import msgspec

from batch.fetching import Fetching
from batch.ingest import FileSeen, Group
from batch.nextcloud.addresses import Addresses
from batch.nextcloud.client import Nextcloud
from batch.nextcloud.patience import Patience
from batch.nextcloud.transport import Transport
from batch.progress import Progress

server, authority, login, mirror, partial, told = sys.argv[1:]
password = sys.stdin.readline().strip()


def fetch_all() -> None:
    """Fetch what is not in the mirror yet, four files at once."""
    transport = Transport(Addresses(["127.0.0.0/8"]), Patience(), ssl.create_default_context(cafile=authority))
    cloud = Nextcloud(server, login, password, transport)
    rows = {row["local"]: row for row in msgspec.msgpack.decode(Path(told).read_bytes())}
    groups = [Group([FileSeen(path, "image", row["size"], row["mtime_ns"], True)]) for path, row in rows.items()]
    for fetched in Fetching(cloud, Path(mirror), Path(partial), 0, 4, Progress()).portions(groups, rows, lambda: False):
        assert not fetched.failed, fetched.failed


for line in sys.stdin:
    pid = os.fork()
    if not pid:
        fetch_all()
        os._exit(0)
    if line.strip() != "never":
        time.sleep(float(line))
        os.kill(pid, signal.SIGKILL)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
