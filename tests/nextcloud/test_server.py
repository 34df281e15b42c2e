"""What the stand-in says without faults is what Nextcloud says."""

import hashlib
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest

from tests.nextcloud.conftest import DATA, NAMES, Asking
from tests.nextcloud.hostile_names import REAL_NAMES
from tests.nextcloud.server import StandIn

HOME = "/remote.php/dav/files/ann"


def test_it_says_that_it_is_nextcloud(cloud: StandIn, client: Asking):
    """/status.php tells the version and that it is installed, without a password."""
    told = httpx.get(f"{cloud.url}/status.php", verify=cloud.trust()).json()

    assert told["installed"]
    assert (told["maintenance"], told["needsDbUpgrade"], told["productname"]) == (False, False, "Nextcloud")
    assert told["version"].startswith(told["versionstring"])


def test_a_folder_lists_itself_first_and_what_is_directly_in_it(client: Asking):
    """Depth 1: the folder, then files and folders; a folder's href ends with a slash."""
    assert list(client.listed("Photos")) == [
        f"{HOME}/Photos/",
        f"{HOME}/Photos/Trip/",
        f"{HOME}/Photos/a.jpg",
        f"{HOME}/Photos/b.jpg",
    ]
    assert list(client.listed("Photos", "infinity")) == list(client.listed("Photos", "1"))
    assert list(client.listed("Photos", "0")) == [f"{HOME}/Photos/"]


def test_a_file_has_the_properties_of_nextcloud(cloud: StandIn, client: Asking):
    """Id, quoted etag, size, time, checksums; nothing that only folders have."""
    found = client.listed("Photos")[f"{HOME}/Photos/a.jpg"]
    told = {name: found.findtext(name, None, NAMES) for name in ("oc:fileid", "oc:size", "d:getcontentlength")}

    assert told == {
        "oc:fileid": str(cloud.tree().id_of("Photos/a.jpg")),
        "oc:size": "10000",
        "d:getcontentlength": "10000",
    }
    assert found.findtext("d:getetag", None, NAMES) == f'"{cloud.tree().etag_of("Photos/a.jpg")}"'
    assert found.findtext("d:getlastmodified", None, NAMES) == "Tue, 14 Nov 2023 22:13:20 GMT"
    sums = (found.findtext("oc:checksums/oc:checksum", None, NAMES) or "").split()
    assert [each.partition(":")[0] for each in sums] == ["SHA1", "MD5", "ADLER32"]
    assert sums[0] == f"SHA1:{hashlib.sha1(DATA).hexdigest()}"
    assert found.find("nc:contained-file-count", NAMES) is None


def test_a_folder_has_counts_and_room(cloud: StandIn, client: Asking):
    """Direct files and folders, the size of all below, the quota; -3 where there is none."""
    names = ("nc:contained-file-count", "nc:contained-folder-count", "oc:size", "d:quota-used-bytes")

    assert [client.prop(name, "Photos") for name in names] == ["2", "1", "10110", "10110"]
    assert client.prop("d:quota-available-bytes") == "-3"
    cloud.limit(10_200)
    assert client.prop("d:quota-available-bytes") == "90"
    cloud.limit(10)
    assert client.prop("d:quota-available-bytes") == "0"


def test_ids_follow_moves_and_a_new_file_has_a_new_one(cloud: StandIn, client: Asking):
    """Renamed, moved with its folder, overwritten: the same id. Deleted and made again: another."""
    before = client.prop("oc:fileid", "Photos/Trip/c.jpg")

    cloud.move("Photos/Trip/c.jpg", "Photos/Trip/d.jpg")
    cloud.move("Photos/Trip", "Else/where")
    cloud.put("Else/where/d.jpg", b"other")
    assert client.prop("oc:fileid", "Else/where/d.jpg") == before
    assert client.propfind("Photos/Trip/c.jpg").status_code == 404

    cloud.delete("Else/where/d.jpg")
    cloud.put("Else/where/d.jpg", b"other")
    assert client.prop("oc:fileid", "Else/where/d.jpg") not in (before, None)


def test_etags_change_up_to_the_root_and_nowhere_else(cloud: StandIn, client: Asking):
    """Of the file, of every folder above it; siblings keep theirs. A move changes the folders, not the file."""
    places = ("", "Photos", "Photos/Trip", "Photos/Trip/c.jpg", "Photos/a.jpg")

    def etags() -> list[str | None]:
        return [client.prop("d:getetag", place) for place in places]

    first = etags()
    assert etags() == first
    cloud.put("Photos/Trip/c.jpg", DATA[10:20])
    second = etags()
    cloud.touch("Photos/Trip/c.jpg", 1_600_000_000)
    third = etags()
    cloud.move("Photos/a.jpg", "Photos/z.jpg")
    cloud.move("Photos/z.jpg", "Photos/a.jpg")

    assert [old == new for old, new in zip(first, second, strict=True)] == [False, False, False, False, True]
    assert [old == new for old, new in zip(second, third, strict=True)] == [False, False, False, False, True]
    assert etags() == third
    cloud.move("Photos/Trip/c.jpg", "Photos/e.jpg")
    assert client.prop("d:getetag", "Photos/e.jpg") == third[3]
    assert client.prop("d:getetag", "Photos/Trip") != third[2]


def test_a_file_written_into_the_folder_is_there(cloud: StandIn, client: Asking):
    """What a test copies to the disk is served, and its folders' etags change."""
    before = client.prop("d:getetag")
    (cloud.folder / "Photos" / "copied.jpg").write_bytes(b"copied")

    assert client.fetch("Photos/copied.jpg").content == b"copied"
    assert client.prop("d:getetag") != before


def test_a_download_has_etag_and_checksum_in_its_headers(cloud: StandIn, client: Asking):
    """ETag, OC-ETag, OC-Checksum, Last-Modified, with HEAD too; no checksum where none is known."""
    answered = client.fetch("Photos/a.jpg")

    assert (answered.status_code, answered.content) == (200, DATA)
    assert answered.headers["etag"] == answered.headers["oc-etag"] == client.prop("d:getetag", "Photos/a.jpg")
    assert answered.headers["oc-checksum"].startswith(f"SHA1:{hashlib.sha1(DATA).hexdigest()} MD5:")
    assert answered.headers["last-modified"] == "Tue, 14 Nov 2023 22:13:20 GMT"
    assert client.head(f"{cloud.dav}/Photos/a.jpg").headers["etag"] == answered.headers["etag"]
    cloud.tree().checksums = ()
    assert "oc-checksum" not in client.fetch("Photos/a.jpg").headers
    assert client.prop("oc:checksums/oc:checksum", "Photos/a.jpg") is None


def test_parts_are_given_while_the_version_is_the_same(cloud: StandIn, client: Asking):
    """Range with the right If-Range: 206; with another etag or an old one: 200 and the whole; beyond the end: 416."""
    for turn in range(50):  # some etags look like dates to a careless reader
        cloud.touch("Photos/a.jpg", 1_700_000_000 + turn)
        etag = client.fetch("Photos/a.jpg", range="bytes=0-0").headers["etag"]
        part = client.fetch("Photos/a.jpg", range="bytes=9000-", if_range=etag)
        assert (part.status_code, part.content) == (206, DATA[9000:])
        assert part.headers["content-range"] == "bytes 9000-9999/10000"
    cloud.touch("Photos/a.jpg")
    whole = client.fetch("Photos/a.jpg", range="bytes=9000-", if_range=etag)
    assert (whole.status_code, whole.content) == (200, DATA)
    beyond = client.fetch("Photos/a.jpg", range="bytes=10000-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */10000")


def test_whoever_has_no_password_gets_401_and_wrong_ones_are_counted(
    cloud: StandIn, client: Asking, asking: Callable[..., Asking]
):
    """A request without a password counts as none; app passwords work until they are revoked."""
    assert httpx.get(cloud.dav, verify=cloud.trust()).headers["www-authenticate"].startswith("Basic realm=")
    assert cloud.bad_logins == 0
    assert asking("wrong").propfind().status_code == 401
    assert cloud.bad_logins == 1
    by_app = asking(cloud.app_password())
    assert by_app.propfind().status_code == 207
    revoked = by_app.delete(f"{cloud.url}/ocs/v2.php/core/apppassword", headers={"OCS-APIRequest": "true"})
    assert (revoked.status_code, by_app.propfind().status_code) == (200, 401)
    assert "NotAuthenticated" in by_app.propfind().text


def test_nobody_sees_anothers_files_nor_what_is_outside(cloud: StandIn, client: Asking):
    """Another user's files, names that climb, encoded slashes, NUL, bad UTF-8, links: none is served."""
    other = cloud.add("bob", login="bob@example.org")
    other.tree.put("secret.jpg", b"secret")
    (cloud.root / "outside.jpg").write_bytes(b"outside")
    (cloud.folder / "link.jpg").symlink_to(cloud.root / "outside.jpg")

    assert client.get(f"{cloud.url}/remote.php/dav/files/bob/secret.jpg").status_code == 404
    for path in ("%2e%2e/%2e%2e/outside.jpg", "..%2f..%2foutside.jpg", "a%00.jpg", "%ff.jpg", "link.jpg"):
        assert client.fetch(path).status_code in (400, 404), path
    assert not any("link" in href for href in client.listed())
    own = httpx.get(
        f"{cloud.url}/remote.php/dav/files/bob/secret.jpg",
        auth=("bob@example.org", other.password),
        verify=cloud.trust(),
    )
    assert own.content == b"secret"


def test_a_login_name_leads_to_the_id_of_the_user(cloud: StandIn):
    """/cloud/user tells the id that is in the addresses of files; without the header of the API it tells nothing."""
    other = cloud.add("bob", login="bob@example.org")
    with httpx.Client(auth=("bob@example.org", other.password), verify=cloud.trust()) as bob:
        told = bob.get(f"{cloud.url}/ocs/v2.php/cloud/user?format=json", headers={"OCS-APIRequest": "true"})
        assert told.json()["ocs"]["data"]["id"] == "bob"
        assert bob.get(f"{cloud.url}/ocs/v2.php/cloud/user?format=json").status_code == 412
        told = bob.get(f"{cloud.url}/ocs/v2.php/cloud/capabilities", headers={"OCS-APIRequest": "true"})
        assert told.json()["ocs"]["data"]["version"]["major"] == 31


def test_login_flow_gives_an_app_password_once_it_is_granted(cloud: StandIn, asking: Callable[..., Asking]):
    """Polling says 404 before, tells the password once, and 404 again afterwards."""
    with httpx.Client(verify=cloud.trust()) as anyone:
        begun = anyone.post(f"{cloud.url}/index.php/login/v2").json()
        form = {"token": begun["poll"]["token"]}
        assert anyone.post(begun["poll"]["endpoint"], data=form).status_code == 404
        assert anyone.get(begun["login"]).status_code == 200
        cloud.grant(begun["login"])
        told = anyone.post(begun["poll"]["endpoint"], data=form).json()
        assert anyone.post(begun["poll"]["endpoint"], data=form).status_code == 404

    assert (told["server"], told["loginName"]) == (cloud.url, "ann")
    assert asking(told["appPassword"]).propfind().status_code == 207


def test_maintenance_is_said_everywhere_but_in_the_status(cloud: StandIn, client: Asking):
    """503, the header of Nextcloud and Retry-After; /status.php answers and says so."""
    cloud.maintain(retry_after_s=7)
    for answered in (client.propfind(), client.fetch("Photos/a.jpg"), client.post(f"{cloud.url}/index.php/login/v2")):
        assert (answered.status_code, answered.headers["retry-after"]) == (503, "7")
        assert answered.headers["x-nextcloud-maintenance-mode"] == "1"
    assert client.get(f"{cloud.url}/status.php").json()["maintenance"]
    cloud.maintain(False)
    assert client.propfind().status_code == 207


def test_names_that_look_hostile_are_served_as_any_other(cloud: StandIn, client: Asking):
    """Newlines, tags, twins, 255 bytes: listed percent-encoded, and the href leads to the file."""
    for number, name in enumerate(REAL_NAMES):
        cloud.put(f"Odd/{name}", str(number).encode())
    hrefs = [href for href in client.listed("Odd") if not href.endswith("/Odd/")]

    assert sorted(client.get(cloud.url + href).text for href in hrefs) == sorted(map(str, range(len(REAL_NAMES))))


def test_what_was_asked_is_written_down_without_passwords(cloud: StandIn, client: Asking):
    """Method, path, user, the headers that matter, status and bytes, in order."""
    client.propfind("Photos")
    client.fetch("Photos/a.jpg", range="bytes=0-9")

    assert [(seen.method, seen.path, seen.status) for seen in cloud.log] == [
        ("PROPFIND", "Photos", 207),
        ("GET", "Photos/a.jpg", 206),
    ]
    (seen,) = cloud.seen("GET")
    assert (seen.user, seen.login, seen.sent, seen.headers["range"]) == ("ann", "ann", 10, "bytes=0-9")
    assert cloud.password not in repr(cloud.log) + repr(cloud.account())


def test_it_writes_nothing(cloud: StandIn, client: Asking):
    """Our client only reads; every method that writes is refused."""
    before = cloud.tree().files()
    for method in ("PUT", "DELETE", "MKCOL", "MOVE", "COPY", "PROPPATCH", "POST", "LOCK"):
        assert client.request(method, f"{cloud.dav}/Photos/a.jpg").status_code == 405, method
    assert cloud.tree().files() == before


@pytest.mark.parametrize("tls", [True, False])
def test_nothing_of_it_stays(tmp_path: Path, tls: bool):
    """After the end no thread, no socket and no open file is left, not even with a download in the middle."""
    process = psutil.Process()
    threads, files = set(threading.enumerate()), process.num_fds()
    with StandIn(tmp_path / "cloud", tls=tls) as cloud:
        cloud.put("large.jpg", bytes(20_000_000))
        port = cloud.port
        with Asking(cloud) as client, client.stream("GET", f"{cloud.dav}/large.jpg") as answered:
            next(answered.iter_raw(1000))
            cloud.close()

    assert set(threading.enumerate()) == threads
    assert process.num_fds() <= files
    with socket.socket() as sock:
        assert sock.connect_ex(("127.0.0.1", port)) != 0


def test_it_can_be_a_process_of_its_own(tmp_path: Path):
    """It says where it is and what the password is, serves, and ends with its standard input."""
    command = [sys.executable, "-m", "tests.nextcloud", str(tmp_path / "cloud"), "--plain"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        (Path(told["files"]) / "a.jpg").write_bytes(DATA)
        dav = f"{told['url']}/remote.php/dav/files/{told['user']}"
        assert httpx.get(f"{dav}/a.jpg", auth=(told["user"], told["password"])).content == DATA
        process.communicate("", timeout=30)
    assert process.returncode == 0
