"""XMP (ISO 16684-1) as a flat list of properties, read without ever making a tree."""

import re
from xml.parsers.expat import ExpatError

from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import DefusedXMLParser  # type: ignore[import-untyped]

from haechi.labels.reading.haul import Haul

XMP_BYTES = 1024 * 1024
ELEMENTS = 20_000
"""And attributes, together."""
DEPTH = 48
PROPERTIES = 400
_TEXT_CHARACTERS = 65_536
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_SILENT = frozenset(
    {f"{_RDF}about", f"{_RDF}parseType", "{http://www.w3.org/XML/1998/namespace}lang"}
)
PREFIXES = {
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "Iptc4xmpExt",
    "http://www.tc260.org.cn/ns/AIGC/1.0/": "TC260",
    "http://www.tc260.org.cn/ns/AIGC/1.0": "TC260",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://ns.adobe.com/xap/1.0/mm/": "xmpMM",
    "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#": "stEvt",
    "http://ns.adobe.com/xmp/note/": "xmpNote",
}
_WRAPPER = re.compile(rb"<\?xpacket[^>]*\?>")


class _TooDeep(Exception):
    """Elements deeper in each other than any program writes."""


class _TooMany(Exception):
    """More elements and attributes than any program writes."""


def read(packet: bytes | None, carrier: str, haul: Haul) -> None:
    """Every property of a packet, as `xmp:prefix:Name`; nested ones under their own name."""
    if packet is None:
        return
    if len(packet) > XMP_BYTES:
        haul.find("hostile.long", carrier=carrier, bytes=str(len(packet)))
        return
    target = _Flat(carrier, haul)
    try:
        parser = DefusedXMLParser(target=target, forbid_dtd=True)
        parser.feed(_WRAPPER.sub(b"", packet).strip(b"\0 \r\n\t\xef\xbb\xbf"))
        parser.close()
    except DefusedXmlException:
        haul.find("hostile.xml", carrier=carrier)
    except _TooDeep:
        haul.find("hostile.deep", carrier=carrier)
    except _TooMany:
        haul.find("hostile.greedy", carrier=carrier)
    except (ExpatError, SyntaxError, ValueError, LookupError):
        haul.find("broken.xmp", carrier=carrier)


class _Flat:
    """Takes what the parser meets; keeps names of open elements and the text of the innermost."""

    def __init__(self, carrier: str, haul: Haul) -> None:
        self._carrier, self._haul = carrier, haul
        self._open: list[str] = []
        self._text: list[list[str]] = []
        self._elements = self._kept = self._characters = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins; its attributes are properties too."""
        self._elements += 1 + len(attributes)
        if len(self._open) >= DEPTH:
            raise _TooDeep
        if self._elements > ELEMENTS:
            raise _TooMany
        self._open.append(tag)
        self._text.append([])
        for name, value in attributes.items():
            if name == f"{_RDF}resource":
                self._keep(tag, value)
            elif name not in _SILENT:
                self._keep(name, value)

    def data(self, text: str) -> None:
        """Characters of the innermost element, not kept without bound."""
        if self._text and self._characters < XMP_BYTES:
            self._characters += len(text)
            self._text[-1].append(text)

    def end(self, _tag: str) -> None:
        """An element ends: its text belongs to the innermost name that is no list or bag of RDF."""
        text = "".join(self._text.pop()).strip()
        if text:
            named = [tag for tag in self._open if not tag.startswith(_RDF)]
            self._keep(named[-1] if named else self._open[-1], text)
        self._open.pop()

    def close(self) -> None:
        """Nothing to hand over."""

    def _keep(self, name: str, value: str) -> None:
        if self._kept < PROPERTIES and value.strip():
            self._kept += 1
            self._haul.text(self._carrier, f"xmp:{_short(name)}", value[:_TEXT_CHARACTERS])


def _short(name: str) -> str:
    if not name.startswith("{"):
        return name
    uri, _, local = name[1:].partition("}")
    return f"{PREFIXES.get(uri, uri)}:{local}"
