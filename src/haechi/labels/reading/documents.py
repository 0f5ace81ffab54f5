"""The label in documents (TC260-PG-20258A): PDF, OOXML and Markdown.

Only what lies open is read: no object stream of a PDF is unpacked, and of an OOXML package only the
one file that holds custom properties.
"""

import io
import re
import zipfile
import zlib

from haechi.labels.aigc import KEYWORD
from haechi.labels.reading import xmp
from haechi.labels.reading.haul import PIECE_BYTES, Haul, decoded

_PDF_KEY = re.compile(rb"/AIGC\s{0,8}(\(|<)")
_XMP_END = (b"</x:xmpmeta>", b"</rdf:RDF>")
_CUSTOM = "docProps/custom.xml"
_DIRECTORY_BYTES = 2 * 1024 * 1024
_HITS = 16
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_ESCAPE = re.compile(rb"\\([nrtbf()\\]|[0-7]{1,3}|\r?\n)")
_FRONT_LINE = re.compile(r"^\s+[\"']?(\w+)[\"']?\s*:\s*[\"']?(.*?)[\"']?\s*,?\s*$")


def pdf(data: bytes, haul: Haul) -> None:
    """The key /AIGC of the document's information, and XMP."""
    for number, found in enumerate(_PDF_KEY.finditer(data)):
        if number >= _HITS:
            break
        haul.step()
        part = data[found.end() : found.end() + 65_536]
        value = _literal(part) if found[1] == b"(" else _hexadecimal(part)
        haul.text("pdf:Info:AIGC", f"text:{KEYWORD}", _pdf_text(value))
    start = data.find(b"<x:xmpmeta")
    if start >= 0:
        ends = [data.find(end, start, start + PIECE_BYTES) + len(end) for end in _XMP_END[:1]]
        if ends[0] > start:
            xmp.read(haul.piece("pdf:xmp", data[start : ends[0]]), "pdf:xmp", haul)


def _literal(part: bytes) -> bytes:
    """Until the bracket that closes; brackets inside come in pairs or behind a backslash."""
    depth, at = 1, 0
    while at < len(part) and depth:
        byte = part[at : at + 1]
        at += 2 if byte == b"\\" else 1
        depth += {b"(": 1, b")": -1}.get(byte, 0)
    return _ESCAPE.sub(_unescape, part[: at - 1])


def _unescape(found: "re.Match[bytes]") -> bytes:
    told = found[1]
    if told.isdigit():
        return bytes([int(told, 8) & 0xFF])
    return b"" if told.endswith(b"\n") else _ESCAPES.get(told, told)


def _hexadecimal(part: bytes) -> bytes:
    digits = b"".join(part.partition(b">")[0].split())
    try:
        return bytes.fromhex(decoded(digits + b"0" * (len(digits) % 2)))
    except ValueError:
        return b""


def _pdf_text(value: bytes) -> str:
    if value.startswith((b"\xfe\xff", b"\xff\xfe")):
        return value.decode("utf-16", "replace")
    return decoded(value.removeprefix(b"\xef\xbb\xbf"))


def ooxml(data: bytes, haul: Haul) -> None:
    """Custom properties of a Word, Excel or PowerPoint file."""
    end = data.rfind(b"PK\x05\x06")
    length = int.from_bytes(data[end + 12 : end + 16], "little")
    if end < 0 or length > _DIRECTORY_BYTES:
        haul.find("broken.chunk" if end < 0 else "hostile.long", carrier="ooxml", bytes=str(length))
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package, package.open(_CUSTOM) as custom:
            body = custom.read(PIECE_BYTES + 1)
    except KeyError:
        return
    except (
        zipfile.BadZipFile,
        OSError,
        ValueError,
        NotImplementedError,
        RuntimeError,
        zlib.error,
        EOFError,
    ):
        haul.find("broken.chunk", carrier="ooxml")
        return
    if len(body) > PIECE_BYTES:
        haul.find("hostile.bomb", carrier=f"ooxml:{_CUSTOM}")
        return
    _properties(body, haul)


def _properties(body: bytes, haul: Haul) -> None:
    """Name and value of each property stand next to each other in the flat list."""
    inner = Haul()
    xmp.read(body, f"ooxml:{_CUSTOM}", inner)
    haul.findings.update(inner.findings)
    name = ""
    for found in inner.fields:
        local = found.name.rpartition(":")[2]
        if local == "name":
            name = found.value
        elif name and local in {"lpwstr", "lpstr", "bstr"}:
            haul.text(f"ooxml:{_CUSTOM}:{name[:64]}", f"text:{name}", found.value)
            name = ""


def markdown(data: bytes, haul: Haul) -> None:
    """The key AIGC of the front matter: JSON on one line, or fields on lines of their own."""
    lines = decoded(data[:65_536]).splitlines()
    try:
        end = lines.index("---", 1)
    except ValueError:
        return
    for number, line in enumerate(lines[1:end], start=1):
        key, found, value = line.partition(":")
        if not found or key.strip("\"' ") != KEYWORD:
            continue
        if not value.strip():
            value = _nested(lines[number + 1 : end])
        haul.text("markdown:AIGC", f"text:{KEYWORD}", value.strip().strip("'"))


def _nested(lines: list[str]) -> str:
    pairs = []
    for line in lines[:32]:
        found = _FRONT_LINE.match(line[:4096])
        if found is None:
            break
        value = found[2].replace("\\", "\\\\").replace('"', '\\"')
        pairs.append(f'"{found[1]}":"{value}"')
    return "{" + ",".join(pairs) + "}"
