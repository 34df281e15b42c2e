"""Names that nobody means well: hrefs that a listing can claim, and names that a real file may have.

`HREFS` are for the faults `href_...` of listing_faults.py. `REAL_NAMES` can be put into the stand-in and downloaded.
"""

REAL_NAMES = (
    "new\nline.jpg",
    "carriage\rreturn.jpg",
    "bell\x07.jpg",
    "\x1b[31mred.jpg",
    "<img src=x onerror=alert(1)>.jpg",
    "'; DROP TABLE photos; --.jpg",
    "$(reboot) `id`.jpg",
    "-rf.jpg",
    "back\\slash.jpg",
    "..hidden.jpg",
    ".brightroom",
    "photo.jpg.part",
    " leading and trailing .jpg ",
    "dot.",
    "100%.jpg",
    "%2e%2e%2fetc%2fpasswd",
    "question?mark#hash.jpg",
    "gpj.\u202egpj.exe",
    "zero\u200bwidth.jpg",
    "Twin.jpg",
    "twin.JPG",
    "caf\u00e9.jpg",
    "cafe\u0301.jpg",
    "CON",
    "a:b|c*d.jpg",
    "x" * 251 + ".jpg",
    "\u00fc" * 125 + ".jpg",
    "\U0001f4f7.jpg",
)

# By the last part of the kind's name: what follows the href of the listed folder, or an address of its own.
BELOW = {
    "parent": (b"../outside.jpg", b"../../../../../../etc/passwd", b"sub/../../outside.jpg", b".."),
    "parent_encoded": (b"%2e%2e/outside.jpg", b"%2E%2E%2Fetc%2Fpasswd", b"..%2foutside.jpg"),
    "parent_twice_encoded": (b"%252e%252e%252fetc%252fpasswd",),
    "slash_encoded": (b"a%2fb.jpg", b"%2fetc%2fpasswd"),
    "backslash": (b"..%5c..%5cwindows%5cwin.ini", b"a\\b.jpg"),
    "nul": (b"a%00b.jpg", b"%00"),
    "newline": (b"new%0Aline.jpg", b"head%0D%0ASet-Cookie:x=1.jpg"),
    "control": (b"bell%07.jpg", b"%1b%5b31m.jpg", b"%7f.jpg"),
    "script": (b"%3Cscript%3Ealert(1).jpg", b"%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E.jpg"),
    "not_utf8": (b"%ff%fe.jpg", b"%c3%28.jpg", b"%ed%a0%80.jpg", b"%c0%ae%c0%ae.jpg"),
    "bad_escape": (b"%zz.jpg", b"50%.jpg", b"%4"),
    "long": (b"x" * 300 + b".jpg", b"%C3%BC" * 200 + b".jpg"),
    "deep": (b"d/" * 2500 + b"deep.jpg",),
    "case_twins": (b"Twin.jpg", b"twin.JPG", b"TWIN.JPG"),
    "unicode_twins": (b"caf%C3%A9.jpg", b"cafe%CC%81.jpg"),
    "dots": (b".", b"./", b"...", b".hidden.jpg", b".brightroom", b"a.jpg.part"),
    "empty_part": (b"/a.jpg", b"sub//b.jpg"),
    "grandchild": (b"sub/not-a-child.jpg",),
    "query": (b"a.jpg?x=1", b"a.jpg#f", b"a.jpg;v=1"),
    "bidi": (b"gpj.%E2%80%AEgpj.exe", b"zero%E2%80%8Bwidth.jpg"),
    "blank": (b"", b"%20", b"%20a.jpg%20"),
}
ELSEWHERE = {
    "other_host": (
        b"http://169.254.169.254/latest/meta-data",
        b"//evil.example/a.jpg",
        b"https://evil.example/remote.php/dav/files/ann/a.jpg",
        b"file:///etc/passwd",
        b"javascript:alert(1)",
    ),
    "other_user": (b"/remote.php/dav/files/other/secret.jpg", b"/remote.php/dav/files/annabel/secret.jpg"),
    "outside": (b"/etc/passwd", b"/", b"/remote.php/dav/files/", b"relative.jpg"),
}


def hrefs(name: str, folder: bytes) -> list[bytes]:
    """The hrefs of one sort of hostile name in the listing of a folder, whose own href ends with a slash."""
    return [folder + below for below in BELOW.get(name, ())] + list(ELSEWHERE.get(name, ()))


SORTS = (*BELOW, *ELSEWHERE)
