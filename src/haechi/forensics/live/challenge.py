"""Things that somebody is asked to do, in an order nobody can know before, and what is seen of them.

Programs that lay another face over a live picture have trouble with a profile, with a hand before the
face and with light from one side (Mittal et al., GOTCHA: Real-Time Video Deepfake Detection via
Challenge-Response, https://arxiv.org/abs/2210.06186). What is measured is that it was done; whether
the face came apart while it was done is for the person who looks.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from haechi.forensics.live.watching import Moment

LIMIT_S = 15.0
DIGITS = 4

_TURNED_DEGREES = 30.0
"""As read from five points, which reads a head turned by 45 degrees as one by some 35."""

_TURNING_DEGREES = 20.0
_GONE_S, _GONE_SOON_S = 0.3, 1.0
_COVERED = 0.4
_HELD_S = 0.3
_LIT_DOUBLINGS = 0.35
_STRAIGHT_FRAMES = 8
_SAME = 0.35
_BACK_DEGREES = 18.0
_BACK_FRAMES = 3


class Step(StrEnum):
    """What is asked."""

    STRAIGHT = "straight"
    TURN = "turn"
    HAND = "hand"
    LIGHT = "light"
    DIGITS = "digits"


class Outcome(StrEnum):
    """What became of it."""

    SEEN = "seen"
    NOT_SEEN = "not_seen"
    YOURS = "yours"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one step.

    Attributes:
        step: What was asked.
        outcome: Whether it was seen; YOURS where a person must judge.
        seconds: When that was known, of the stream.
        value: The most that was measured: degrees, part covered, doublings of light.
        same: Whether the same face was there afterwards; None where nothing was compared.
    """

    step: Step
    outcome: Outcome
    seconds: float
    value: float | None = None
    same: bool | None = None


WORDS: Mapping[str, str] = {
    "live.ask.straight": "Look straight into the camera.",
    "live.ask.turn": "Turn your head slowly to one side, until your ear is seen; then look straight again.",
    "live.ask.hand": "Pass your open hand slowly across your face; then take it away.",
    "live.ask.light": "Light your face from one side: with a lamp, a telephone, or by a window.",
    "live.ask.digits": "Say aloud: %(digits)s",
    "live.seen": "seen",
    "live.not_seen": "not seen",
    "live.yours": "for you to judge",
    "live.judge": (
        "This supports your judgement and does not replace it: what was seen can be imitated, and what "
        "was not seen may be the fault of light or camera. Look at the edge of the face, the teeth and "
        "glasses, and at the moment in which something passes before the face."
    ),
    "live.judge_digits": "Did you hear these digits, in this voice, with lips that fit?",
}


def drawn(source: random.Random) -> tuple[Step, ...]:
    """All steps: straight ahead first, the others in an order that `source` draws."""
    others = [Step.TURN, Step.HAND, Step.LIGHT, Step.DIGITS]
    source.shuffle(others)
    return (Step.STRAIGHT, *others)


class Challenge:
    """Leads through the steps; `see` takes the moments in order."""

    def __init__(
        self, steps: Sequence[Step], source: random.Random, limit_s: float = LIMIT_S
    ) -> None:
        """`source` draws the digits; each step may take `limit_s`."""
        self.digits = " ".join(str(source.randrange(10)) for _ in range(DIGITS))
        self.results: list[Result] = []
        self._left = list(steps)
        self._limit_s = limit_s
        self._trial: _Trial | None = None
        self._usual_side = 0.0

    @property
    def step(self) -> Step | None:
        """What is asked now, or None when all was asked."""
        return self._left[0] if self._left else None

    @property
    def wants_reference(self) -> bool:
        """True while the face should look straight ahead with nothing before it."""
        return self.step is Step.STRAIGHT

    def left_s(self, now_s: float) -> float:
        """How long the step may still take."""
        begun = now_s if self._trial is None else self._trial.begun_s
        return max(0.0, self._limit_s - (now_s - begun))

    def see(self, moment: Moment, *, kept: bool = False) -> Result | None:
        """The result of the step if this moment ends it. `kept`: the watcher kept its reference."""
        step = self.step
        if step is None:
            return None
        if self._trial is None:
            self._trial = _Trial(step, moment.seconds, self._usual_side)
        trial = self._trial
        trial.see(moment, kept=kept)
        done = trial.done(moment)
        if not done and self.left_s(moment.seconds) > 0:
            return None
        result = trial.result(moment, done=done)
        if step is Step.STRAIGHT and moment.side is not None:
            self._usual_side = moment.side
        self.results.append(result)
        self._left.pop(0)
        self._trial = None
        return result


class _Trial:
    """One step while it is being done."""

    def __init__(self, step: Step, begun_s: float, usual_side: float) -> None:
        self.step = step
        self.begun_s = begun_s
        self._usual_side = usual_side
        self._most = 0.0
        self._straight = 0
        self._since: float | None = None
        self._turning_s: float | None = None
        self._happened = False
        self._back = 0
        self._same: list[float] = []

    def see(self, moment: Moment, *, kept: bool) -> None:
        """Measure what this step is about."""
        match self.step:
            case Step.STRAIGHT:
                self._straight = self._straight + 1 if kept else 0
            case Step.TURN:
                self._turn(moment)
            case Step.HAND:
                turned = moment.pose is not None and abs(moment.pose.turn) > _BACK_DEGREES
                self._hold(moment, 0.0 if turned else moment.covered or 0.0, _COVERED)
            case Step.LIGHT:
                side = 0.0 if moment.side is None else moment.side - self._usual_side
                straight = moment.pose is not None and abs(moment.pose.turn) <= _BACK_DEGREES
                self._hold(moment, abs(side) if straight else 0.0, _LIT_DOUBLINGS)
            case Step.DIGITS:
                pass
        if self._happened and _front(moment):
            self._back += 1
            if moment.same is not None:
                self._same.append(moment.same)

    def done(self, moment: Moment) -> bool:
        """True if there is nothing more to wait for."""
        if self.step is Step.STRAIGHT:
            return self._straight >= _STRAIGHT_FRAMES
        if self.step is Step.DIGITS:
            return moment.seconds - self.begun_s >= 2.0 * DIGITS
        if self.step is Step.LIGHT:
            return self._happened
        return self._happened and self._back >= _BACK_FRAMES

    def result(self, moment: Moment, *, done: bool) -> Result:
        """What became of it."""
        if self.step is Step.DIGITS:
            return Result(self.step, Outcome.YOURS, moment.seconds)
        seen = Outcome.SEEN if done or self._happened else Outcome.NOT_SEEN
        value = None if self.step is Step.STRAIGHT else self._most
        same = max(self._same) >= _SAME if len(self._same) >= _BACK_FRAMES else None
        return Result(self.step, seen, moment.seconds, value, same)

    def _turn(self, moment: Moment) -> None:
        if moment.pose is not None:
            turn = abs(moment.pose.turn)
            self._most = max(self._most, turn)
            if turn >= _TURNING_DEGREES:
                self._turning_s = moment.seconds
            self._happened |= turn >= _TURNED_DEGREES
        elif self._turning_s is not None and moment.away_s >= _GONE_S:
            # Faces in profile are not found: one that goes while it turns went on turning.
            gone_at = moment.seconds - moment.away_s
            self._happened |= gone_at - self._turning_s <= _GONE_SOON_S

    def _hold(self, moment: Moment, value: float, least: float) -> None:
        self._most = max(self._most, value)
        if value < least:
            self._since = None
            return
        self._since = moment.seconds if self._since is None else self._since
        self._happened |= moment.seconds - self._since >= _HELD_S


def _front(moment: Moment) -> bool:
    turn = None if moment.pose is None else abs(moment.pose.turn)
    clear = moment.covered is None or moment.covered < _COVERED
    return turn is not None and turn <= _BACK_DEGREES and clear
