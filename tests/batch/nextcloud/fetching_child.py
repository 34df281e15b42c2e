"""A process that downloads one file whenever it is told to, in a process of its own that a test can kill.

    python fetching_child.py SERVER AUTHORITY LOGIN PATH TO PARTIAL

The first line on its input is the password. For every further line it forks, kills the new process after as many
seconds as the line says, or never, and tells how it ended. Importing takes longer than downloading: it is done once.
"""

import os
import signal
import ssl
import sys
import time
from pathlib import Path

from batch.nextcloud.addresses import Addresses
from batch.nextcloud.client import Nextcloud
from batch.nextcloud.patience import Patience
from batch.nextcloud.transport import Transport

server, authority, login, path, to, partial = sys.argv[1:]
password = sys.stdin.readline().strip()
for line in sys.stdin:
    pid = os.fork()
    if not pid:
        trust = ssl.create_default_context(cafile=authority)
        nextcloud = Nextcloud(server, login, password, Transport(Addresses(["127.0.0.0/8"]), Patience(), trust))
        nextcloud.download(nextcloud.about(path), Path(to), Path(partial))
        os._exit(0)
    if line.strip() != "never":
        time.sleep(float(line))
        os.kill(pid, signal.SIGKILL)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
