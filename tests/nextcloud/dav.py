"""WebDAV as Nextcloud speaks it: wsgidav over a tree, with the properties and headers of Nextcloud. Only reading.

One application a user. It leaves out who asks: `front.py` has checked that.
"""

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, register_namespace

from wsgidav.dav_error import HTTP_NOT_FOUND, DAVError
from wsgidav.error_printer import ErrorPrinter
from wsgidav.fs_dav_provider import FileResource, FilesystemProvider, FolderResource
from wsgidav.request_resolver import RequestResolver
from wsgidav.wsgidav_app import WsgiDAVApp

from tests.nextcloud.tree import Tree

OC = "{http://owncloud.org/ns}"
NC = "{http://nextcloud.org/ns}"
FILES = "/remote.php/dav/files"

for prefix, namespace in (("d", "DAV:"), ("oc", OC[1:-1]), ("nc", NC[1:-1])):
    register_namespace(prefix, namespace)
logging.getLogger("wsgidav").addHandler(logging.NullHandler())


def checksums(tree: Tree, path: str, is_folder: bool) -> Element | None:
    """`oc:checksums`, with one `oc:checksum` that has them all."""
    told = "" if is_folder else tree.checksums_of(path)
    if not told:
        return None
    element = Element(f"{OC}checksums")
    SubElement(element, f"{OC}checksum").text = told
    return element


PROPERTIES: dict[str, Callable[[Tree, str, bool], Any]] = {
    "{DAV:}getetag": lambda tree, path, _: f'"{tree.etag_of(path)}"',
    "{DAV:}quota-used-bytes": lambda tree, path, is_folder: tree.size_of(path) if is_folder else None,
    "{DAV:}quota-available-bytes": lambda tree, _, is_folder: tree.available() if is_folder else None,
    f"{OC}fileid": lambda tree, path, _: tree.id_of(path),
    f"{OC}id": lambda tree, path, _: f"{tree.id_of(path):08}ocstandin",
    f"{OC}size": lambda tree, path, _: tree.size_of(path),
    f"{OC}permissions": lambda _, __, is_folder: "RGDNVCK" if is_folder else "RGDNVW",
    f"{OC}checksums": checksums,
    f"{NC}contained-file-count": lambda tree, path, is_folder: tree.counts_of(path)[0] if is_folder else None,
    f"{NC}contained-folder-count": lambda tree, path, is_folder: tree.counts_of(path)[1] if is_folder else None,
}


class Dressed:
    """What files and folders have in common: the properties of Nextcloud."""

    path: str
    provider: "Files"
    is_collection: bool

    @property
    def below(self) -> str:
        """The path in the tree."""
        return self.path.strip("/")

    def get_etag(self) -> str:
        """The etag without its quotes, as wsgidav wants it."""
        return self.provider.tree.etag_of(self.below)

    def get_property_value(self, name: str) -> Any:
        """A property of Nextcloud's, else of wsgidav's own."""
        if name not in PROPERTIES:
            return super().get_property_value(name)  # type: ignore[misc]
        value = PROPERTIES[name](self.provider.tree, self.below, self.is_collection)
        if value is None:
            raise DAVError(HTTP_NOT_FOUND)
        return value if isinstance(value, Element) else str(value)


class File(Dressed, FileResource):  # type: ignore[misc]
    """A file: with the checksums and both etags in its headers."""

    def finalize_headers(self, _environ: dict[str, Any], response_headers: list[tuple[str, str]]) -> None:
        """Add what Nextcloud adds to a download."""
        tree = self.provider.tree
        response_headers.append(("OC-ETag", f'"{tree.etag_of(self.below)}"'))
        response_headers.append(("Content-Disposition", f"attachment; filename*=UTF-8''{quote(self.name, safe='')}"))
        if told := tree.checksums_of(self.below):
            response_headers.append(("OC-Checksum", told))


class Folder(Dressed, FolderResource):  # type: ignore[misc]
    """A folder."""

    def get_member_names(self) -> list[str]:
        """The names in it."""
        return [name for name, _ in self.provider.tree.members(self.below)]


class Files(FilesystemProvider):  # type: ignore[misc]
    """A tree for wsgidav."""

    def __init__(self, tree: Tree) -> None:
        super().__init__(str(tree.folder), readonly=True, fs_opts={"follow_symlinks": False})
        self.tree = tree

    def is_readonly(self) -> bool:
        """Whether methods that write are refused: always."""
        return True

    def get_resource_inst(self, path: str, environ: dict[str, Any]) -> File | Folder | None:
        """The file or folder at a path; None where there is none."""
        place = self.tree.on_disk(path.strip("/"))
        if "\0" in path or not place.exists() or place.is_symlink():
            return None
        return Folder(path, environ, str(place)) if place.is_dir() else File(path, environ, str(place))


def application(user: str, tree: Tree) -> WsgiDAVApp:
    """The WSGI application for the files of one user; paths come without `FILES` and the user."""
    return WsgiDAVApp(
        {
            "mount_path": f"{FILES}/{user}",
            "provider_mapping": {"/": Files(tree)},
            "middleware_stack": [ErrorPrinter, RequestResolver],
            "logging": {"enable": False},
            "http_authenticator": {"accept_basic": False},
            "lock_storage": False,
            "block_size": 1 << 16,
            "add_header_MS_Author_Via": False,
            "verbose": 0,
        }
    )
