"""What the codes of a report mean, in English: one template a code. The server translates the same.

The reader is a reviewer, a prosecutor or the person in the picture: plain words, no percentages,
what is known apart from what is estimated, and nothing that sounds surer than it is.
"""

from collections.abc import Mapping

from haechi.forensics import model_words, pixel_words, video_words
from haechi.forensics.report import BY_RULE, Region, Report, Signal, Standing, State
from haechi.labels import words as finding_words

ANSWERS: Mapping[str, str] = {
    "answer.made_by_ai.signed": (
        "Made by AI: the file carries a mark of its maker that fits and cannot be written without "
        "that maker's key."
    ),
    "answer.made_by_ai.signer_unknown": (
        "A signed mark in the file says that AI made this. The signature fits, but it is not known "
        "here who signed: anybody can make such a signature in any name."
    ),
    "answer.made_by_ai.unsigned": (
        "The file says of itself that AI made it. Nobody has signed that statement, so anybody could "
        "have written it; nothing found contradicts it."
    ),
    "answer.made_by_ai.watermark": (
        "The watermark that this installation puts into what AI makes is in the file. Such a mark can be "
        "carried over from one picture to another: compare the file with the record of what was made "
        "before you rely on it. Nothing found contradicts it."
    ),
    "answer.made_by_ai": (
        "Probably made by AI: several independent traces in the pixels point to it. This is an "
        "estimate, not a proof."
    ),
    "answer.altered.donor": (
        "Altered, or laid over: a part of this picture was found in another picture that was given, "
        "and the rest was not. Words, stickers and frames do that too, so look at both side by side."
    ),
    "answer.altered.signed": (
        "Altered by AI: the file carries a mark of its maker that fits and cannot be written without "
        "that maker's key."
    ),
    "answer.altered.signer_unknown": (
        "A signed mark in the file says that AI altered this. The signature fits, but it is not known"
        " here who signed: anybody can make such a signature in any name."
    ),
    "answer.altered.unsigned": (
        "The file says of itself that AI altered it. Nobody has signed that statement, so anybody "
        "could have written it; nothing found contradicts it."
    ),
    "answer.altered.watermark": (
        "The watermark that this installation puts into what AI edits is in the file. Such a mark can be "
        "carried over from one picture to another: compare the file with the record of what was made "
        "before you rely on it. Nothing found contradicts it."
    ),
    "answer.altered": (
        "Probably altered: several independent traces in the pixels point to it. This is an "
        "estimate, not a proof."
    ),
    "answer.no_sign_found": (
        "No sign found. That is not the same as real: good fakes may leave no sign that is looked for"
        " here."
    ),
    "answer.inconclusive": (
        "Inconclusive: nothing that was found is strong enough to say whether this picture is "
        "real, altered or made by AI."
    ),
    "answer.inconclusive.hints": (
        "Inconclusive: there are hints, and they are too weak or contradict each other. They must "
        "not be taken for an answer."
    ),
    "answer.authentic_by_signature": (
        "Authentic by signature: a camera signed this file, the signature fits, its certificate is "
        "trusted here, and nothing found contradicts it."
    ),
}

STANDINGS: Mapping[str, str] = {
    "standing.known": "What is known",
    "standing.guessed": "What is estimated",
    "standing.silent": "Looked for and not found (which does not make it real)",
    "standing.uncalibrated": "Shown, but counted for nothing",
    "standing.off": "Could not be examined",
    "standing.next": "What to do next",
}

STRENGTHS: Mapping[str, str] = {
    "strength.none": "says practically nothing either way",
    "strength.weak": "a weak hint",
    "strength.moderate": "a moderate hint",
    "strength.strong": "a strong hint",
}

_MOST_PLACES = 4

WHERE: Mapping[str, str] = {
    "where.part": (
        "Marked: %(left)s to %(right)s of the width from the left, %(top)s to %(bottom)s of the height "
        "from the top."
    ),
}

TOWARDS: Mapping[str, str] = {
    "toward.made": "made by AI",
    "toward.altered": "altered",
    "toward.camera": "straight from a camera",
}

MARKS: Mapping[str, str] = {
    "marks.none": "The file carries no mark about how it was made.",
    "marks.broken": (
        "The file carries a signed mark (%(carrier)s), and the signature does not fit: the file or "
        "the mark was changed after signing."
    ),
    "marks.nothing.unsigned": "There is a mark (%(carrier)s) that says nothing about AI or a camera.",
    "marks.nothing.valid": "There is a signed mark (%(carrier)s) that says nothing about AI or a camera.",
    "marks.nothing.trusted": "There is a signed mark (%(carrier)s) that says nothing about AI or a camera.",
    "marks.nothing.ours": "There is a watermark of this installation that says nothing about AI.",
    "marks.made_by_ai.trusted": (
        "A signed mark says that AI made this (%(tool)s); the signature fits and its maker is trusted here."
    ),
    "marks.made_by_ai.valid": (
        "A signed mark says that AI made this (%(tool)s); the signature fits, but who made it is not "
        "known here."
    ),
    "marks.made_by_ai.unsigned": "The file says that AI made it (%(tool)s, in %(carrier)s); nobody signed that.",
    "marks.made_by_ai.ours": (
        "The file carries the invisible watermark that this installation puts into what AI makes."
    ),
    "marks.edited_by_ai.trusted": (
        "A signed mark says that AI edited this (%(tool)s); the signature fits and its maker is "
        "trusted here."
    ),
    "marks.edited_by_ai.valid": (
        "A signed mark says that AI edited this (%(tool)s); the signature fits, but who made it is "
        "not known here."
    ),
    "marks.edited_by_ai.unsigned": (
        "The file says that AI edited it (%(tool)s, in %(carrier)s); nobody signed that."
    ),
    "marks.edited_by_ai.ours": (
        "The file carries the invisible watermark that this installation puts into what AI edits."
    ),
    "marks.may_be_ai.trusted": "A signed mark says that AI may have made this (%(tool)s).",
    "marks.may_be_ai.valid": "A signed mark of an unknown maker says that AI may have made this (%(tool)s).",
    "marks.may_be_ai.unsigned": "The file says that AI may have made it (%(carrier)s); nobody signed that.",
    "marks.may_be_ai.ours": "A watermark of this installation says that AI may have made this.",
    "marks.suspected_ai.trusted": "A signed mark says that somebody suspected AI (%(tool)s).",
    "marks.suspected_ai.valid": "A signed mark of an unknown maker says that somebody suspected AI (%(tool)s).",
    "marks.suspected_ai.unsigned": "The file says that somebody suspected AI (%(carrier)s); nobody signed that.",
    "marks.suspected_ai.ours": "A watermark of this installation says that AI was suspected.",
    "marks.camera.trusted": (
        "A camera signed this (%(tool)s); the signature fits and its maker is trusted here."
    ),
    "marks.camera.valid": (
        "A signed mark says that a camera took this (%(tool)s); the signature fits, but who made it "
        "is not known here."
    ),
    "marks.camera.unsigned": "The file says that a camera took it (%(tool)s); nobody signed that.",
    "marks.camera.ours": "A watermark of this installation says that a camera took this.",
    "marks.edited_by_hand.trusted": "A signed mark says that a person edited this (%(tool)s).",
    "marks.edited_by_hand.valid": "A signed mark of an unknown maker says that a person edited this (%(tool)s).",
    "marks.edited_by_hand.unsigned": "The file says that it was edited by hand (%(tool)s); nobody signed that.",
    "marks.edited_by_hand.ours": "A watermark of this installation says that a person edited this.",
}

LIMITS: Mapping[str, str] = {
    "limit.marks_are_removed": (
        "Most services remove all marks when a picture is uploaded, so that none are there says nothing."
    ),
    "limit.forgeable": "Anybody can write or remove such a mark with a text editor.",
    "limit.signer_trusted": "Trusted means: its certificate leads to one that this installation chose to trust.",
    "limit.signer_unknown": "Anybody can make such a certificate; only that the file was not changed since is known.",
    "limit.broken_says_little": "Sending a picture through a messenger is enough to break a signature.",
    "limit.watermark_can_be_moved": (
        "Who has a marked picture can carry its watermark over to another one, without the key. Whether it "
        "belongs here, only the record of what was made tells."
    ),
}

STEPS: Mapping[str, str] = {
    "next.never_lower": (
        "Whatever this report says, the request of the person depicted stands: it is not closed, "
        "delayed or put lower because a picture looks real or because it looks made."
    ),
    "next.keep_file": (
        "Keep this file as it is. Copies that were saved again, screenshots and conversions destroy "
        "traces."
    ),
    "next.ask_readable": "Ask for the file in a form that opens here.",
    "next.check_grounds": "Look at the grounds named above yourself before you rely on the answer.",
    "next.check_mark": (
        "Compare the unsigned mark with what else is known: who sent the file, through which service, "
        "and whether copies elsewhere carry the same mark."
    ),
    "next.ask_donor": (
        "Ask the person shown whether they know the picture that the face or the rest was taken from,"
        " such as a profile picture; they need not answer. Examine again with it: this is the "
        "strongest evidence there is."
    ),
    "next.ask_original": (
        "Look for an earlier or larger copy of the picture: what was sent through messengers or made "
        "smaller cannot be examined well."
    ),
    "next.ask_person": "If the answer matters, have a person trained in image forensics look at the file.",
    "next.staged": (
        "A signature says which camera took it and that nothing changed since. It does not say that "
        "what was before the camera was real, and not that it may be shown."
    ),
}

WORDS: Mapping[str, str] = {
    **ANSWERS,
    **STANDINGS,
    **STRENGTHS,
    **WHERE,
    **TOWARDS,
    **MARKS,
    **LIMITS,
    **STEPS,
    **pixel_words.PIXELS,
    **pixel_words.REST,
    **pixel_words.DONORS,
    **pixel_words.OFF,
    **pixel_words.LIMITS,
    **pixel_words.STEPS,
    **model_words.WORDS,
    **video_words.VIDEO,
    **video_words.LIMITS,
    **video_words.STEPS,
}
"""Every code of a report and its template; placeholders are %(name)s."""


def say(code: str, params: Mapping[str, str] | None = None) -> str:
    """The sentence of a code; a code that is not ours is shown as it is."""
    template = WORDS.get(code)
    return code if template is None else template % (params or {})


def lines(report: Report) -> list[str]:
    """The report in English: the answer, then signals under headings, then what to do."""
    told = [say(report.answer_code)]
    for standing in Standing:
        under = [_sentence(one) for one in report.standing(standing)]
        if standing is Standing.KNOWN:
            under += [finding_words.told(finding) for finding in report.reading.findings]
        if under:
            told += ["", f"{say(f'standing.{standing.value}')}:"]
            told += [f"  - {line}" for line in under]
    steps = [f"  - {say(code)}" for code in report.next_steps]
    return [*told, "", f"{say('standing.next')}:", *steps]


def _sentence(signal: Signal) -> str:
    parts = [f"[{signal.id}] {say(signal.meaning, signal.params)}"]
    if signal.state is State.SILENT and signal.calibration != BY_RULE:
        # What makes a finding err is of no use where nothing was found.
        return parts[0]
    if signal.strength is not None and signal.calibration is not None:
        parts.append(f"({say(f'strength.{signal.strength.value}')})")
    if signal.state is State.SPEAKS and signal.regions:
        parts += [say("where.part", _place(region)) for region in signal.regions[:_MOST_PLACES]]
    parts += [say(code) for code in signal.limits]
    return " ".join(parts)


def _place(region: Region) -> dict[str, str]:
    """For those who read a report without seeing what is marked in the picture."""
    edges = {
        "left": region.x,
        "right": region.x + region.width,
        "top": region.y,
        "bottom": region.y + region.height,
    }
    return {name: f"{edge:.0%}" for name, edge in edges.items()}
