"""Films and live pictures: frames, faces over time, a challenge. The head is one photograph's own."""

import random
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.unit import heads
from tests.unit.rtsp_made import Rtsp
from tests.unit.videos_made import encoded, pan

from haechi.cli import main
from haechi.errors import BrokenMedia, MediaError, NoStream
from haechi.forensics import Report, examine
from haechi.forensics.live import Challenge, Outcome, Result, Step, Watcher, drawn
from haechi.forensics.report import Answer, State
from haechi.forensics.video import chart, repeats
from haechi.forensics.words import WORDS
from haechi.media.sources import From, source_of
from haechi.media.streaming import Stream
from haechi.media.streaming_child import Still, looked_at

RATE, ACT_S = 12, 2.5


@pytest.fixture(scope="module")
def flickering() -> Report:
    """Of a film in which only the face's brightness trembles."""
    film = encoded(heads.acted("flicker", 4.0, RATE), rate=RATE)
    return examine(film)


def test_a_film_gives_the_frames_that_are_wanted_in_order() -> None:
    film = encoded(pan(count=50), rate=25)

    with Stream.film(film, per_second=5, side_px=48) as stream:
        told_s, stills = stream.told_s, list(stream)

    assert told_s == pytest.approx(2.0, abs=0.1)
    assert [round(one.seconds, 1) for one in stills] == [round(0.2 * n, 1) for n in range(10)]
    assert {one.rgb.shape for one in stills} == {(48, 48, 3)}
    assert [one.skipped for one in stills] == [0] + [4] * 9


def test_of_a_long_film_only_some_seconds_are_looked_at() -> None:
    """Four hours cost no more than twenty minutes would."""
    assert all(looked_at(second) for second in range(120))
    assert sum(looked_at(second) for second in range(4 * 3600)) < 20 * 60


def test_a_film_that_cannot_be_opened_says_so_and_leaves_no_process() -> None:
    stream = Stream.film(b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 64, per_second=5)

    with pytest.raises(BrokenMedia):
        next(stream)
    stream.close()


def test_what_is_live_gives_the_newest_frame_and_counts_the_rest() -> None:
    film = encoded(pan(count=40), rate=20)

    with Stream.live(source_of("clip.mp4"), data=film) as stream:
        first = next(stream)
        time.sleep(0.7)  # somebody who is slow; how slow does not matter
        later = next(stream)

    assert later.seconds > first.seconds
    assert later.skipped == later.decoded - first.decoded - 1 >= 1


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        ("camera", From.CAMERA),
        ("/dev/video2", From.CAMERA),
        ("rtsp://127.0.0.1/a", From.NETWORK),
        ("udp://127.0.0.1:9", From.NETWORK),
        ("a film.mp4", From.FILE),
    ],
)
def test_what_is_typed_names_a_source(typed: str, kind: From) -> None:
    assert source_of(typed).kind is kind


@pytest.mark.parametrize("typed", ["file:///etc/hostname", "concat://a", "ftp://host/film.mp4"])
def test_no_other_kind_of_address_is_opened(typed: str) -> None:
    with pytest.raises(NoStream):
        source_of(typed)


def test_an_address_that_gives_no_film_is_an_error_of_our_own() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(MediaError):
            Stream.live(source_of(f"http://127.0.0.1:{taken.getsockname()[1]}/film.ts"))


class _Serving(BaseHTTPRequestHandler):
    """Sends MPEG-TS."""

    def do_GET(self) -> None:
        film = encoded(pan(count=100), "ts", rate=25)
        self.send_response(200)
        self.send_header("Content-Type", "video/mp2t")
        self.send_header("Content-Length", str(len(film)))
        self.end_headers()
        self.wfile.write(film)

    def log_message(self, *_: object) -> None:
        """Silence."""


@pytest.fixture
def served() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Serving)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/live.ts"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_stream_over_http_is_watched(served: str) -> None:
    with Stream.live(source_of(served)) as stream:
        stills = list(stream)

    assert stills[-1].decoded == 100
    assert stills[-1].rgb.shape == (96, 96, 3)


@pytest.mark.slow
def test_a_stream_over_rtsp_is_watched() -> None:
    """A server of its own over one TCP connection, with the packets that FFmpeg's muxer makes."""
    film = encoded(pan(count=60), rate=30, bf="0", g="15")
    with Rtsp(film) as server, Stream.live(source_of(server.address)) as stream:
        stills = [still for still, _ in zip(stream, range(5), strict=False)]

    assert len(stills) == 5
    assert stills[0].rgb.shape == (96, 96, 3)


def test_a_face_is_followed_and_a_plain_film_says_nothing() -> None:
    report = examine(encoded(heads.acted("straight", 2.5, RATE), rate=RATE))

    assert report.answer is Answer.INCONCLUSIVE
    assert report.signal("video.looked").params["faces"] == "1"
    assert not [one.id for one in report.signals if one.state is State.SPEAKS]
    assert report.signal("video.models").state is State.OFF
    assert report.signal("video.sound").state is State.OFF


def test_a_face_that_trembles_is_told_of_but_never_counted(flickering: Report) -> None:
    """Nothing temporal is calibrated, so it may not enter the answer."""
    signal = flickering.signal("video.flicker.face1")

    assert signal.state is State.SPEAKS
    assert (signal.value or 0) > 2.5
    assert signal.calibration is None
    assert signal.regions[0].second is not None
    assert flickering.answer is Answer.INCONCLUSIVE
    assert not flickering.because
    assert "next.video_look" in flickering.next_steps


def test_the_report_of_a_film_keeps_its_timeline_and_every_code_has_words(
    flickering: Report,
) -> None:
    assert Report.from_json(flickering.to_json()) == flickering
    assert {point["second"] for point in flickering.timeline} == {0.0, 2.0}
    codes = {one.meaning for one in flickering.signals} | set(flickering.next_steps)
    codes |= {code for one in flickering.signals for code in one.limits}
    assert codes <= set(WORDS)


@pytest.mark.slow
def test_the_timeline_is_drawn(flickering: Report) -> None:
    assert chart.svg(flickering).startswith("<svg")
    assert chart.png(flickering).startswith(b"\x89PNG")


def test_a_film_cut_short_is_examined_as_far_as_it_goes() -> None:
    film = encoded(heads.acted("straight", 2.0, RATE), "ts", rate=RATE)

    report = examine(film[: len(film) // 2])

    assert 0 < int(report.signal("video.looked").params["frames"]) < 24


def test_a_passage_shown_twice_is_found_and_a_still_one_is_not() -> None:
    seen = repeats.Seen()
    once = [picture[..., 1] for picture in pan(count=30)]
    plain = [np.full((96, 96), 90, np.uint8)] * 30
    for number, picture in enumerate([*once, *plain, *once]):
        seen.see(number / 10, picture)

    found = repeats.repeat(seen.seconds, seen.glances)

    assert found is not None
    assert found.first_s == 0.0
    assert found.again_s == pytest.approx(6.0)
    assert found.length_s == pytest.approx(2.9)
    assert seen.stopped_s == pytest.approx(2.9)


@pytest.mark.slow
@pytest.mark.parametrize("obeys", [True, False])
def test_a_challenge_is_seen_where_it_was_done_and_not_where_it_was_not(*, obeys: bool) -> None:
    """The photograph turns, is covered by an oval and lit from one side; or it just sways."""
    steps = [Step.STRAIGHT, Step.TURN, Step.HAND, Step.LIGHT]

    results = _led(steps, obeys=obeys)

    wanted = Outcome.SEEN if obeys else Outcome.NOT_SEEN
    assert [one.step for one in results] == steps
    assert [one.outcome for one in results] == [Outcome.SEEN, wanted, wanted, wanted]
    assert all(one.same is not False for one in results)


def test_the_order_and_the_digits_are_drawn() -> None:
    draws = [random.Random(seed) for seed in range(40)]  # noqa: S311 - the same at every run
    orders = {drawn(one) for one in draws}
    digits = {Challenge((), one).digits for one in draws}

    assert len(orders) > 10
    assert len(digits) > 30
    assert {order[0] for order in orders} == {Step.STRAIGHT}


@pytest.mark.slow
def test_the_command_watches_a_file_and_says_how_fast(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(encoded(heads.acted("straight", 2.0, RATE), rate=RATE))

    assert main(["live", str(film)]) == 0

    said = capsys.readouterr().out
    assert "faces 1" in said
    assert "frames looked at" in said
    assert "supports your judgement" in said


def test_the_command_says_what_cannot_be_watched(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["live", "/nowhere/film.mp4"]) == 3
    assert "media.no_stream" in capsys.readouterr().err


def _led(steps: list[Step], *, obeys: bool) -> list[Result]:
    """A head before a camera of RATE frames a second, that does what is asked, or nothing."""
    watcher = Watcher()
    challenge = Challenge(steps, random.Random(1), limit_s=ACT_S)  # noqa: S311 - for repeating it
    number = asked_at = 0
    step = challenge.step
    while challenge.step is not None:
        if challenge.step is not step:
            step, asked_at = challenge.step, number
        act = (challenge.step if obeys else Step.STRAIGHT).value
        part = min(1.0, (number - asked_at) / (RATE * (ACT_S - 0.5)))
        still = _still(heads.frame(act, part, number), number)
        moment = watcher.see(still, number / RATE)
        kept = challenge.wants_reference and watcher.keep(still, moment)
        challenge.see(moment, kept=kept)
        number += 1
    return list(challenge.results)


def _still(rgb: NDArray[np.uint8], number: int) -> Still:
    return Still(number / RATE, rgb, rgb.shape[1], rgb.shape[0], number + 1, 0, 0)
