"""Where live pictures come from: a camera, the screen, an address, a file that is played."""

import os
import re
from dataclasses import dataclass, field
from enum import StrEnum

from haechi.errors import NoStream

_CAMERA = re.compile(r"camera(?::(\d{1,2}))?|(/dev/video\d{1,3})")
_SCREEN = re.compile(r"screen(?::(\d{1,5}),(\d{1,5}),(\d{2,5})x(\d{2,5}))?")
_ADDRESS = re.compile(r"(rtsp|rtsps|http|https|udp)://[^\s]{1,2000}", re.IGNORECASE)

_NETWORK = {
    "rtsp": ("rtsp", "rtsp,rtp,rtcp,srtp,udp,tcp,tls,crypto"),
    "http": (None, "http,https,tcp,tls"),
    "udp": ("mpegts", "udp"),
}
"""The demuxer an address may reach, or None for those of _CONTAINERS, and its protocols."""

_CONTAINERS = "mpegts,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mpjpeg"
"""What is played from http: no playlist, which could name other addresses."""


class From(StrEnum):
    """What kind of source it is."""

    CAMERA = "camera"
    SCREEN = "screen"
    NETWORK = "network"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Source:
    """One source, as FFmpeg is asked for it.

    Attributes:
        kind: What it is.
        address: A device, a display, an address or a path.
        demuxer: The one that may look, or None for those that the options name.
        options: What FFmpeg is told.
        environment: Variables that it needs; a sandbox process has hardly any.
    """

    kind: From
    address: str
    demuxer: str | None = None
    options: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)


def source_of(typed: str) -> Source:
    """`camera`, `camera:1`, `/dev/video0`, `screen`, `screen:X,Y,WxH`, an address or a path.

    Raises NoStream for an address of another kind, and for the screen where there is none.
    """
    if found := _CAMERA.fullmatch(typed):
        device = found[2] or f"/dev/video{found[1] or 0}"
        return Source(From.CAMERA, device, "v4l2", {"framerate": "30"})
    if found := _SCREEN.fullmatch(typed):
        return _screen(*found.groups())
    if found := _ADDRESS.fullmatch(typed):
        return _network(typed, found[1].lower())
    if "://" in typed:
        raise NoStream(f"{typed.split('://', maxsplit=1)[0]}: no such kind of address is opened")
    return Source(From.FILE, typed)


def _screen(x: str | None, y: str | None, width: str | None, height: str | None) -> Source:
    display = os.environ.get("DISPLAY")
    if not display:
        raise NoStream("there is no X11 display here (DISPLAY is not set)")
    options = {"framerate": "15", "draw_mouse": "0"}
    if width and height:
        options["video_size"] = f"{width}x{height}"
    place = f"+{x},{y}" if x and y else ""
    kept = {name: os.environ[name] for name in ("DISPLAY", "XAUTHORITY") if name in os.environ}
    return Source(From.SCREEN, display + place, "x11grab", options, kept)


def _network(address: str, scheme: str) -> Source:
    demuxer, protocols = _NETWORK[scheme.removesuffix("s")]
    options = {"protocol_whitelist": protocols}
    if demuxer is None:
        options["format_whitelist"] = _CONTAINERS
    if demuxer == "rtsp":
        # Interleaved in the one connection that was asked for: no port is opened for anybody.
        options |= {"rtsp_transport": "tcp", "allowed_media_types": "video"}
    return Source(From.NETWORK, address, demuxer, options)
