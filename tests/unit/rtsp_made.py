"""An RTSP server for one film and one viewer: DESCRIBE, SETUP and PLAY over one TCP connection."""

import base64
import io
import socket
import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import av


class Rtsp:
    """Serves the H.264 of a film, in a loop, interleaved (RFC 2326, 10.12)."""

    def __init__(self, film: bytes) -> None:
        self._film = film
        self._door = socket.create_server(("127.0.0.1", 0))
        self.address = f"rtsp://127.0.0.1:{self._door.getsockname()[1]}/film"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._door.close()
        self._thread.join(30)

    def _serve(self) -> None:
        try:
            viewer, _ = self._door.accept()
            with viewer:
                self._talk(viewer)
        except OSError:
            return  # the viewer left

    def _talk(self, viewer: socket.socket) -> None:
        for request in _requests(viewer):
            method = request.split(" ", 1)[0]
            number = next(
                line.split(":", 1)[1].strip()
                for line in request.split("\r\n")
                if line.lower().startswith("cseq")
            )
            head = f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\nSession: 1\r\n"
            if method == "DESCRIBE":
                sdp = _sdp(self._film)
                head += f"Content-Type: application/sdp\r\nContent-Length: {len(sdp)}\r\n\r\n{sdp}"
                viewer.sendall(head.encode())
                continue
            if method == "SETUP":
                head += "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
            if method == "OPTIONS":
                head += "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
            viewer.sendall(f"{head}\r\n".encode())
            if method == "PLAY":
                self._play(viewer)
                return

    def _play(self, viewer: socket.socket) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as heard:
            heard.bind(("127.0.0.1", 0))
            heard.settimeout(0.02)
            port = heard.getsockname()[1]
            with (
                av.open(io.BytesIO(self._film)) as film,
                av.open(f"rtp://127.0.0.1:{port}?pkt_size=1200", "w", format="rtp") as out,
            ):
                made = out.add_stream_from_template(film.streams.video[0])
                for packet in film.demux(video=0):
                    if packet.dts is None or self._over.is_set():
                        break
                    packet.stream = made
                    out.mux(packet)
                    self._pass_on(heard, viewer)
                    time.sleep(0.02)

    def _pass_on(self, heard: socket.socket, viewer: socket.socket) -> None:
        while True:
            try:
                rtp = heard.recv(2000)
            except TimeoutError:
                return
            viewer.sendall(b"$\x00" + len(rtp).to_bytes(2, "big") + rtp)


def _requests(viewer: socket.socket) -> Iterator[str]:
    gathered = b""
    while True:
        while b"\r\n\r\n" not in gathered:
            more = viewer.recv(4000)
            if not more:
                return
            gathered += more
        head, _, gathered = gathered.partition(b"\r\n\r\n")
        yield head.decode()


def _sdp(film: bytes) -> str:
    """What RFC 6184, 8.2.1 asks for: the parameter sets of the film's H.264 are in its avcC box."""
    with av.open(io.BytesIO(film)) as opened:
        box = opened.streams.video[0].codec_context.extradata or b""
    end = 8 + int.from_bytes(box[6:8], "big")
    sets = (box[8:end], box[end + 3 : end + 3 + int.from_bytes(box[end + 1 : end + 3], "big")])
    told = ",".join(base64.b64encode(one).decode() for one in sets)
    lines = [
        "v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=film", "c=IN IP4 127.0.0.1", "t=0 0",
        "m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000", "a=control:track",
        f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={told}",
    ]  # fmt: skip
    return "\r\n".join(lines) + "\r\n"
