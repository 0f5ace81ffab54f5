"""XMP packets: our two properties are put in, what others wrote stays.

The packet of a strange file is parsed by defusedxml, which refuses entities and document types; one
that is no XML, or is too long, is replaced by ours.
"""

import xml.etree.ElementTree as ET  # only builds and writes; parsing is defusedxml's
from collections.abc import Iterator
from itertools import islice

from defusedxml import ElementTree as Safe  # type: ignore[import-untyped]
from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]

from haechi.labels.aigc import KEYWORD, XMP_NAMESPACE, XMP_PREFIX

LONGEST_BYTES = 1 << 20
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_META = "adobe:ns:meta/"
_SOURCE = f"{{{IPTC}}}DigitalSourceType"
_LABEL = f"{{{XMP_NAMESPACE}}}{KEYWORD}"
_DESCRIPTION, _ABOUT = f"{{{_RDF}}}Description", f"{{{_RDF}}}about"
_MOST = 16
_PADDING = 2048
"""Spaces at the end, so that whoever changes the packet need not move the rest of the file."""

_PREFIXES = {
    XMP_PREFIX: XMP_NAMESPACE,
    "Iptc4xmpExt": IPTC,
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "rdf": _RDF,
    "x": _META,
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "xmpNote": "http://ns.adobe.com/xmp/note/",
    "stRef": "http://ns.adobe.com/xap/1.0/sType/ResourceRef#",
    "stEvt": "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "crs": "http://ns.adobe.com/camera-raw-settings/1.0/",
    "plus": "http://ns.useplus.org/ldf/xmp/1.0/",
}
for _prefix, _uri in _PREFIXES.items():
    ET.register_namespace(_prefix, _uri)


def labels(packet: bytes | None) -> list[str]:
    """The texts of AIGC properties in a packet, at most 16; none if it cannot be read."""
    root = _parsed(packet)
    return [] if root is None else list(islice(_texts(root), _MOST))


def edited(packet: bytes | None, label: str | None, source: str | None) -> bytes:
    """`packet`, or a new one, with exactly one AIGC property, or none if `label` is None.

    A `source` takes the place of the DigitalSourceType that is there; None leaves it as it is.
    """
    root = _parsed(packet)
    if root is not None:
        try:
            return _packet(_changed(root, label, source))
        except (ValueError, TypeError, RecursionError):
            pass  # a tree that cannot be written again; below it is replaced
    return _packet(_changed(_empty(), label, source))


def _parsed(packet: bytes | None) -> ET.Element | None:
    if packet is None or len(packet) > LONGEST_BYTES:
        return None
    try:
        root: ET.Element = Safe.fromstring(packet.strip(b"\x00 \r\n\t"), forbid_dtd=True)
    except (ET.ParseError, DefusedXmlException, ValueError, LookupError, RecursionError):
        return None
    return root if root.find(f".//{_DESCRIPTION}") is not None else None


def _texts(root: ET.Element) -> Iterator[str]:
    """Of each AIGC property, element or attribute, whatever its namespace is called."""
    for described in root.iter(_DESCRIPTION):
        yield from (text for key, text in described.attrib.items() if _local(key) == KEYWORD)
        yield from (
            "".join(child.itertext()) for child in described if _local(child.tag) == KEYWORD
        )


def _changed(root: ET.Element, label: str | None, source: str | None) -> ET.Element:
    for described in root.iter(_DESCRIPTION):
        for key in [key for key in described.attrib if _goes(key, source)]:
            del described.attrib[key]
        if any(_goes(child.tag, source) for child in described):
            described[:] = [child for child in described if not _goes(child.tag, source)]
    rdf = next(root.iter(f"{{{_RDF}}}RDF"), root)
    first = next(root.iter(_DESCRIPTION), None)
    about = "" if first is None else first.get(_ABOUT, "")
    if label is not None or source is not None:
        ours = ET.SubElement(rdf, _DESCRIPTION, {_ABOUT: about})
        for tag, text in ((_LABEL, label), (_SOURCE, source)):
            if text is not None:
                ET.SubElement(ours, tag).text = text
    return root


def _goes(tag: object, source: str | None) -> bool:
    """True for labels; and for the source, if there is another to take its place."""
    return _local(tag) == KEYWORD or (source is not None and tag == _SOURCE)


def _empty() -> ET.Element:
    root = ET.Element(f"{{{_META}}}xmpmeta")
    ET.SubElement(root, f"{{{_RDF}}}RDF")
    return root


def _packet(root: ET.Element) -> bytes:
    body = ET.tostring(root, encoding="unicode").encode()
    head = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'.encode()
    padding = (b" " * 99 + b"\n") * (_PADDING // 100)
    return head + body + b"\n" + padding + b'<?xpacket end="w"?>'


def _local(tag: object) -> str:
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""
