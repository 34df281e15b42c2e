"""An XMP packet as a tree that can be changed and written out again, with the prefixes of the program that wrote it.

Parsed by defusedxml, as xmp.py does and after it has found no fault. Comments are lost: they are no properties. Leaves
out which properties are set (xmp_write.py).
"""

import io
from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element, SubElement

from defusedxml.ElementTree import iterparse

from serve_apps.media.xmp import RDF, UTF_16, Packet, Properties, outermost, read

META = "{adobe:ns:meta/}"
XML = "http://www.w3.org/XML/1998/namespace"
LANGUAGE, DEFAULT = f"{{{XML}}}lang", "x-default"
OPENING = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
CLOSING = '\n<?xpacket end="w"?>'
USUAL = {
    "adobe:ns:meta/": "x", "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf", "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://purl.org/dc/elements/1.1/": "dc", "http://ns.adobe.com/exif/1.0/": "exif",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop", "http://ns.adobe.com/xmp/sType/Area#": "stArea",
    "http://www.metadataworkinggroup.com/schemas/regions/": "mwg-rs",
    "http://ns.adobe.com/xap/1.0/sType/Dimensions#": "stDim", "urn:brightroom:xmp:1.0/": "brightroom",
}  # fmt: skip
TEXT = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
ATTRIBUTE = {**TEXT, '"': "&quot;", "\n": "&#10;", "\t": "&#9;"}


class Document:
    """A packet to be changed; an empty one when there is none. Raises Unreadable for what is no XMP."""

    def __init__(self, data: bytes) -> None:
        self.said = read(data) if data else Packet()  # first: it refuses what nobody should parse
        self.root, self.prefixes = parsed(data) if data else (Element(META + "xmpmeta"), {})
        if not data:
            SubElement(SubElement(self.root, RDF + "RDF"), RDF + "Description", {RDF + "about": ""})
        self.nodes = [one for rdf in outermost(self.root, RDF + "RDF") for one in rdf.iterfind(RDF + "Description")]
        self.properties = Properties(self.nodes)

    def set(self, tag: str, text: str) -> None:
        """Make a property a plain text."""
        self.put(tag).text = text

    def set_bag(self, tag: str, words: list[str]) -> None:
        """Make a property an unordered list of texts; without any, there is no such property any more."""
        if not words:
            self.remove(tag)
            return
        bag = SubElement(self.put(tag), RDF + "Bag")
        for word in words:
            SubElement(bag, RDF + "li").text = word

    def set_words(self, tag: str, text: str) -> None:
        """Make a text the default one of a property that has alternatives; those of other languages stay."""
        others = [item for item in self.alternatives(tag) if item.get(LANGUAGE, DEFAULT) != DEFAULT]
        listed = SubElement(self.put(tag), RDF + "Alt")
        SubElement(listed, RDF + "li", {LANGUAGE: DEFAULT}).text = text
        listed.extend(others)

    def alternatives(self, tag: str) -> list[Element]:
        """The items of a property that has alternatives."""
        return [item for one in self.properties.elements(tag) for item in one.iterfind(f"{RDF}Alt/{RDF}li")]

    def put(self, tag: str) -> Element:
        """A property's new, empty element in place of whatever it was."""
        self.remove(tag)
        return SubElement(self.nodes[0], tag)

    def remove(self, tag: str) -> None:
        """Take a property out, however it was written."""
        for node in self.nodes:
            node.attrib.pop(tag, None)
            for element in node.findall(tag):
                node.remove(element)

    def packet(self) -> bytes:
        """The whole packet as it goes into a file, in UTF-8."""
        return (OPENING + "".join(serialised(self.root, self.prefixes)) + CLOSING).encode()


def parsed(data: bytes) -> tuple[Element, dict[str, str]]:
    """The tree of a packet that was read without fault, and its prefixes by namespace."""
    whole = data if data.startswith(UTF_16) else data.strip(b"\0 \t\r\n")
    events = iterparse(io.BytesIO(whole), events=("start-ns", "start"), forbid_dtd=True)
    root: Element | None = None
    prefixes: dict[str, str] = {}
    for event, found in events:
        if event == "start-ns":
            prefixes.setdefault(found[1], found[0])
        elif root is None:
            root = found
    assert root is not None  # `read` has found properties in it
    return root, prefixes


def serialised(root: Element, prefixes: dict[str, str]) -> Iterator[str]:
    """A tree as text, piece by piece; its own depth does not matter."""
    names = named(root, prefixes)
    spaces = "".join(f' xmlns:{prefix}="{escaped(uri, ATTRIBUTE)}"' for uri, prefix in names.items() if uri != XML)
    waiting: list[Element | str] = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            yield node
            continue
        tag = short(node.tag, names)
        written = "".join(f' {short(key, names)}="{escaped(value, ATTRIBUTE)}"' for key, value in node.attrib.items())
        yield f"<{tag}{written}{spaces}>{escaped(node.text or '', TEXT)}"
        spaces = ""
        waiting.append(f"</{tag}>{escaped(node.tail or '', TEXT) if node is not root else ''}")
        waiting.extend(reversed(node))


def named(root: Element, prefixes: dict[str, str]) -> dict[str, str]:
    """A prefix for each namespace of a tree: the file's own, else the usual one, else a number."""
    uris = {key[1:].partition("}")[0]: "" for node in root.iter() for key in (node.tag, *node.attrib) if key[0] == "{"}
    taken = {"xml"}
    for number, uri in enumerate(uris):
        wished = prefixes.get(uri) or USUAL.get(uri) or "ns"
        uris[uri] = "xml" if uri == XML else wished if wished not in taken | {"ns"} else f"brns{number}"
        taken.add(uris[uri])
    return uris


def short(tag: str, names: dict[str, str]) -> str:
    """A tag or attribute with its prefix."""
    uri, _, local = tag[1:].partition("}") if tag[0] == "{" else ("", "", tag)
    return f"{names[uri]}:{local}" if uri else local


def escaped(text: str, signs: Mapping[str, str]) -> str:
    """Text that XML does not take for anything else."""
    return text.translate({ord(sign): written for sign, written in signs.items()})
