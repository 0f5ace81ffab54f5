"""What to do next: codes, most useful first."""

from collections.abc import Sequence

from haechi.forensics.report import LOOSE, Answer, Signal, State, Toward

ALWAYS = ("next.never_lower", "next.keep_file")
"""True of every report: it decides about no request, and the file is the evidence."""


def steps(answer: Answer, signals: Sequence[Signal]) -> tuple[str, ...]:
    """What helps most from here."""
    wanted: list[str] = []
    states = {one.id: one.state for one in signals}
    if any(one.id == "pixels.opened" and one.state is State.OFF for one in signals):
        wanted.append("next.ask_readable")
    if answer in {Answer.MADE, Answer.ALTERED}:
        wanted.append("next.check_grounds")
    if any(one.kind == "donor" and one.picture is not None for one in signals):
        wanted.append("next.look_at_donor")
    if any(one.kind == "pixels" and one.regions and one.likelihood_ratio for one in signals):
        wanted.append("next.look_at_regions")
    claims = [one for one in signals if one.toward in {Toward.MADE, Toward.ALTERED}]
    if any(LOOSE.intersection(one.limits) for one in claims):
        wanted.append("next.check_mark")
    if answer in {Answer.INCONCLUSIVE, Answer.NO_SIGN}:
        if not any(name.startswith("donor.") for name in states):
            wanted.append("next.ask_donor")
        if any(_unseen(one) for one in signals):
            wanted.append("next.ask_original")
        if not any(one.kind == "models" and one.calibration is not None for one in signals):
            wanted.append("next.add_model")
        wanted.append("next.ask_person")
    if answer is Answer.AUTHENTIC:
        wanted.append("next.staged")
    return (*wanted, *ALWAYS)


def _unseen(signal: Signal) -> bool:
    """True for what another copy could show; a face is small and a picture large in any copy."""
    pixels = signal.kind == "pixels" and signal.state is State.OFF
    return pixels and not signal.id.startswith(("pixels.rest", "pixels.face.", "pixels.seam."))
