"""A user's photos on a Nextcloud server: found, listed and fetched over a network nobody vouches for.

    addresses.py   which hosts may be talked to; every address is checked, and the checked one is connected to
    wire.py        the connections: pinned, and ended when they crawl
    transport.py   requests over them: no redirects to elsewhere, bounded bodies, statuses as faults
    patience.py    how long all of that waits, and how often it tries again
    faults.py      what can go wrong, each with a sentence; verdicts.py: which of it a status means
    account.py     what a server says of itself and of whose files they are
    names.py       href -> remote path -> safe local name
    listing.py     what a folder holds; multistatus.py: its XML, read as a stream
    client.py      one user's account on one server
    download.py    one file to disk, whole or not at all; partial.py: the part of it that is there; sums.py
    login.py       consent in the browser instead of a password

Knows the server and the disk. Leaves out photos, the store, jobs and HTTP of our own.
"""
