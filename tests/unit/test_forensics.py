"""The report of an examination: what marks alone allow to say, and its form."""

import io

import pytest
from PIL import Image

from haechi import forensics
from haechi.errors import InvalidDocument, NotMedia
from haechi.forensics import (
    Answer,
    Region,
    Report,
    Signal,
    Standing,
    State,
    Toward,
    fuse,
    marks,
    steps,
    words,
)
from haechi.forensics.report import BY_RULE
from haechi.labels import Mark, Reading, Says, Trust

SHA = "0" * 64


def picture(width: int = 64) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((width, 64)).convert("RGB").save(out, "JPEG")
    return out.getvalue()


def answered(*found: Mark) -> tuple[Answer, str]:
    """The answer that marks alone give, and the code of its sentence."""
    reading = Reading(SHA, "image/jpeg", found)
    signals = marks.signals(reading)
    fused = fuse.fuse(signals)
    report = Report(1, SHA, "image/jpeg", fused.answer, fused.because, signals, reading, ())
    return report.answer, report.answer_code


def c2pa(says: Says, trust: Trust) -> Mark:
    return Mark("c2pa", "jpeg:APP11", says, trust, "Somebody")


def test_a_picture_without_marks_is_inconclusive_and_says_what_to_do() -> None:
    report = forensics.examine(picture())
    assert report.answer is Answer.INCONCLUSIVE
    assert "next.never_lower" in report.next_steps
    assert Report.from_json(report.to_json()) == report
    with pytest.raises(NotMedia):
        forensics.examine(b"no picture at all")


@pytest.mark.parametrize(
    ("mark", "answer", "code"),
    [
        (c2pa(Says.MADE, Trust.TRUSTED), Answer.MADE, "signed"),
        (c2pa(Says.MADE, Trust.VALID), Answer.MADE, "signer_unknown"),
        (c2pa(Says.EDITED, Trust.TRUSTED), Answer.ALTERED, "signed"),
        (c2pa(Says.CAMERA, Trust.TRUSTED), Answer.AUTHENTIC, "authentic_by_signature"),
        (c2pa(Says.CAMERA, Trust.VALID), Answer.INCONCLUSIVE, "inconclusive"),
        (c2pa(Says.MADE, Trust.INVALID), Answer.INCONCLUSIVE, "inconclusive"),
        (Mark("watermark", "pixels", Says.MADE), Answer.MADE, "watermark"),
        (Mark("generator", "png:tEXt:parameters", Says.MADE), Answer.MADE, "unsigned"),
        (Mark("aigc", "xmp", Says.MAY_BE), Answer.INCONCLUSIVE, "hints"),
        (Mark("aigc", "xmp", Says.SUSPECTED), Answer.INCONCLUSIVE, "hints"),
        (Mark("exif", "jpeg:APP1", Says.CAMERA), Answer.INCONCLUSIVE, "inconclusive"),
        (Mark("iptc", "xmp", Says.HUMAN), Answer.INCONCLUSIVE, "inconclusive"),
    ],
)
def test_what_each_mark_allows_to_say(mark: Mark, answer: Answer, code: str) -> None:
    """Only a trusted camera signature is authentic, and only a signature makes a mark more than a claim."""
    given, sentence = answered(mark)
    assert given is answer
    assert sentence.endswith(code)


def test_only_a_claim_of_ai_is_to_be_compared_with_what_else_is_known() -> None:
    claim, camera = (
        marks.signals(Reading(SHA, "image/jpeg", (mark,)))
        for mark in (Mark("iptc", "xmp", Says.MADE), Mark("exif", "jpeg:APP1", Says.CAMERA))
    )
    assert "next.check_mark" in steps.steps(Answer.MADE, claim)
    assert "next.check_mark" not in steps.steps(Answer.INCONCLUSIVE, camera)


def test_marks_that_contradict_each_other_are_inconclusive() -> None:
    camera = c2pa(Says.CAMERA, Trust.TRUSTED)
    exif = Mark("exif", "jpeg:APP1", Says.CAMERA)
    for against in (
        Mark("generator", "png:tEXt:parameters", Says.MADE),
        c2pa(Says.MADE, Trust.VALID),
        Mark("watermark", "pixels", Says.MADE),
    ):
        assert answered(camera, against)[0] is Answer.INCONCLUSIVE
    assert answered(exif, Mark("iptc", "xmp", Says.MADE))[0] is Answer.INCONCLUSIVE
    # A camera's picture that AI edited says both, and truly.
    assert answered(exif, Mark("iptc", "xmp", Says.EDITED)) == (
        Answer.ALTERED,
        "answer.altered.unsigned",
    )


def test_what_is_not_calibrated_counts_for_nothing() -> None:
    shown = Signal("models.some", "models", State.SPEAKS, "x", Toward.MADE, 1.0, 1e9)
    assert shown.standing is Standing.UNCALIBRATED
    assert fuse.fuse([shown]) == fuse.Fused(Answer.INCONCLUSIVE, ())


def test_signals_of_one_family_count_once() -> None:
    def one(name: str, ratio: float) -> Signal:
        return Signal(name, "pixels", State.SPEAKS, "x", Toward.ALTERED, 1.0, ratio, "a set")

    grid, ghost, noise = (
        one(f"pixels.{name}", 15.0) for name in ("jpeg_grid", "jpeg_history", "noise")
    )
    assert fuse.together([grid, ghost], Toward.ALTERED) == pytest.approx(15)
    assert fuse.together([grid, ghost, noise], Toward.ALTERED) == pytest.approx(225)
    assert fuse.fuse([grid, ghost]).answer is Answer.INCONCLUSIVE
    assert fuse.fuse([grid, ghost, noise]).answer is Answer.ALTERED


def test_a_report_of_another_form_is_refused() -> None:
    told = forensics.examine(picture()).to_json()
    for broken in (
        {**told, "answer": "97 %"},
        {**told, "more": 1},
        {name: value for name, value in told.items() if name != "because"},
        {**told, "signals": [{**told["signals"][0], "heat": "no base64!"}]},
        {**told, "reading": {**told["reading"], "marks": [{"kind": "c2pa"}]}},
        [],
    ):
        with pytest.raises(InvalidDocument):
            Report.from_json(broken)


def test_every_code_of_a_mark_has_words() -> None:
    for says in Says:
        for trust in Trust:
            for kind in ("c2pa", "watermark"):
                for signal in marks.signals(
                    Reading(SHA, "image/jpeg", (Mark(kind, "a", says, trust),))
                ):
                    assert words.say(signal.meaning, signal.params) != signal.meaning
                    assert all(code in words.WORDS for code in signal.limits)
    assert not [code for code, text in words.WORDS.items() if "%%" in text or "% " in text]


def test_no_sign_is_said_only_where_much_could_look_and_all_is_silent() -> None:
    """What ships is as silent on many altered pictures, so it takes a calibrated model to say it."""

    def quiet(name: str, ratio: float, state: State = State.SILENT) -> Signal:
        return Signal(
            name, name.split(".", maxsplit=1)[0], state, "x", Toward.ALTERED, 1.0, ratio, "a set"
        )

    few = [quiet(f"pixels.{name}", 0.8) for name in ("noise", "sharpness", "copy_move")]
    model = quiet("models.some", 0.05)
    assert fuse.fuse(few).answer is Answer.INCONCLUSIVE
    assert fuse.fuse([model]).answer is Answer.INCONCLUSIVE
    assert fuse.fuse([*few, model]).answer is Answer.NO_SIGN
    hint = quiet("pixels.jpeg_history", 3.0, State.SPEAKS)
    assert fuse.fuse([*few, model, hint]) == fuse.Fused(
        Answer.INCONCLUSIVE, ("pixels.jpeg_history",)
    )


@pytest.mark.parametrize(
    ("meaning", "face", "answer"),
    [
        ("donor.replaced", (0.1, 0.1, 0.2, 0.2), Answer.ALTERED),
        ("donor.replaced", (0.7, 0.7, 0.2, 0.2), Answer.INCONCLUSIVE),
        ("donor.replaced", (0.1, 0.1, 0.2, 0.11), Answer.INCONCLUSIVE),  # words over the hair
        ("donor.replaced", None, Answer.INCONCLUSIVE),
        ("donor.inserted", None, Answer.ALTERED),
    ],
)
def test_something_else_over_a_part_counts_where_a_face_is(
    meaning: str, face: tuple[float, float, float, float] | None, answer: Answer
) -> None:
    """Words and stickers lie on real photographs too; a person is told to look all the same."""
    found = Signal(
        "donor.1",
        "donor",
        State.SPEAKS,
        meaning,
        toward=Toward.ALTERED,
        calibration=BY_RULE,
        regions=(Region(0.2, 0.2, 0.3, 0.3),),
    )
    shown = (
        []
        if face is None
        else [
            Signal(
                "pixels.face.1",
                "pixels",
                State.SILENT,
                "pixels.face.silent",
                regions=(Region(*face),),
            )
        ]
    )

    fused = fuse.fuse([found, *shown])

    assert fused.answer is answer
    assert fused.because == ("donor.1",)
