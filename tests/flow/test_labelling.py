"""An AI service sends a file it made, and gets it back labelled and written down."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from benchmarks import sounds
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings as django_settings
from django.test import Client, override_settings
from django.utils import timezone
from tests.conftest import NOON
from tests.flow.test_api import KEY, bearer
from tests.flow.test_tracing_api import key
from tests.unit.labelled import heard, recorded, rustle

from haechi import labels
from haechi.errors import RateLimited, StorageUnavailable
from haechi.labels import Level, writing
from haechi.labels.watermark import spelled
from haechi.labels.writing import Signer, Wanted, trying
from haechi.server.api import labelling
from haechi.server.api.places import Places
from haechi.server.matching.models import ApiKey
from haechi.server.staff.models import User
from haechi.server.tracing import asking, marks, registry
from haechi.server.tracing.asking import Question
from haechi.server.tracing.models import Finding, Generation, Purpose, Strength

__all__ = ["key"]

pytestmark = pytest.mark.django_db
HEADERS = {"haechi-account": "m%C3%ACna", "haechi-model": "painter", "haechi-language": "ko"}


def label(public: Client, data: bytes, **more: str) -> Any:
    headers = HEADERS | {f"haechi-{name.replace('_', '-')}": text for name, text in more.items()}
    return public.post(
        "/api/v1/labels",
        data,
        content_type="application/octet-stream",
        headers=bearer(KEY) | headers,
    )


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"language": "fr"}, 400, "format.invalid"),
        ({"visible": "perhaps"}, 400, "format.invalid"),
        ({"source": "camera"}, 400, "format.invalid"),
        ({"level": "4"}, 400, "format.invalid"),
        ({"account": "%00"}, 400, "format.invalid"),
        ({"account": ""}, 400, "format.invalid"),
        ({"producer": "a b"}, 400, "format.invalid"),
    ],
)
def test_wishes_that_make_no_sense_are_refused(
    public: Client, key: ApiKey, astronaut: bytes, more: dict[str, str], status: int, code: str
) -> None:
    answer = label(public, astronaut, **more)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize("data", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"\xff" * 200])
def test_what_is_no_picture_is_refused_and_not_written_down(
    public: Client, key: ApiKey, data: bytes
) -> None:
    """B16: hostile files get a stable code, and no record."""
    answer = label(public, data)
    assert answer.status_code in (415, 422)
    assert answer.json()["error"]["code"].startswith("media.")
    assert not Generation.objects.exists()


def test_a_file_that_is_too_long_is_refused(
    public: Client, key: ApiKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labelling, "LIMIT_BYTES", 1_000)
    answer = label(public, b"\xff\xd8\xff" + bytes(2_000))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "media.too_many_bytes")


def test_a_service_that_sends_slowly_locks_out_itself_alone(
    public: Client, key: ApiKey, tiny: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds its own places for what arrives, and none of those for the work."""
    slow = Places(most=3, each=2)
    monkeypatch.setattr(labelling, "ARRIVING", slow)
    with slow.one(key.platform_id + 1), slow.one(key.platform_id + 1):
        assert label(public, tiny).status_code == 200
    with slow.one(key.platform_id), slow.one(key.platform_id):
        answer = label(public, tiny)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")
    assert label(public, tiny).status_code == 200


def test_the_body_is_read_before_a_place_for_the_work_is_taken(
    public: Client, key: ApiKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = Places(most=0, each=0)
    monkeypatch.setattr(labelling, "LABELLING", none)
    monkeypatch.setattr(labelling, "LIMIT_BYTES", 1_000)
    assert label(public, bytes(2_000)).status_code == 413
    monkeypatch.setattr(labelling, "WAIT_S", 0.0)
    assert label(public, bytes(500)).status_code == 429


def test_who_works_hard_leaves_a_place_to_others() -> None:
    """Of the places one service takes all but one, and one that gets free wakes who waits for it."""
    places = Places(most=2, each=1)
    with places.one(1):
        with pytest.raises(RateLimited), places.one(1):
            pass
        with places.one(2), pytest.raises(RateLimited), places.one(3):
            pass
    held = places.one(1)
    held.__enter__()
    threading.Timer(0.05, held.__exit__, (None, None, None)).start()
    with places.one(1, wait_s=60.0):
        pass


# --- the way back


@pytest.fixture
def signed(tmp_path: Path) -> Iterator[None]:
    """The house has a certificate for C2PA."""
    tried = trying.make(timezone.now())
    chain, secret = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_text(tried.chain)
    secret.write_text(tried.key)
    told = replace(django_settings.HAECHI, c2pa_chain_file=chain, c2pa_key_file=secret)
    with override_settings(HAECHI=told):
        yield


@pytest.fixture
def tiny(astronaut: bytes) -> bytes:
    """So small that labelling takes no time."""
    rgb = cv2.imdecode(np.frombuffer(astronaut, np.uint8), cv2.IMREAD_COLOR)
    assert rgb is not None
    return cv2.imencode(".png", cv2.resize(rgb, (96, 96)))[1].tobytes()


@pytest.fixture
def made(public: Client, key: ApiKey, signed: None, astronaut: bytes) -> bytes:
    """A picture that a service had labelled."""
    answer = label(public, astronaut, account="mina", produce_id="n-1")
    assert answer.status_code == 200, answer.content
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert set(answer.headers["Haechi-Marks"].split()) == {
        "visible", "watermark", "aigc", "iptc", "c2pa",
    }  # fmt: skip
    assert answer.headers["Haechi-Watermark"] == "placed"
    assert "Haechi-Findings" not in answer.headers
    return bytes(answer.content)


def found(data: bytes, actor: User) -> Finding:
    question = Question(Purpose.CASE, "Somebody reported it.")
    return asking.ask(data, question, actor=actor, now=NOON).findings.get()


def again(data: bytes, quality: int = 60, part: float = 1.0) -> bytes:
    """Decoded, perhaps cropped, and saved anew: no metadata is left."""
    rgb = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert rgb is not None
    cut = rgb[: round(rgb.shape[0] * part), : round(rgb.shape[1] * part)]
    return cv2.imencode(".jpg", cut, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def test_every_mark_of_a_labelled_file_leads_back(made: bytes, reviewer: User) -> None:
    """Others' readers see who made it; ours finds the record by each mark."""
    kinds = {mark.kind for mark in labels.read(made).marks}
    assert {"aigc", "iptc", "c2pa"} <= kinds
    one = found(made, reviewer)
    assert one.ways.split() == ["file", "watermark", "c2pa", "aigc", "fingerprint"]
    assert (one.strength, one.alike) == (Strength.STRONG, True)


@pytest.mark.slow
def test_a_sound_that_was_sent_on_leads_back(public: Client, key: ApiKey, reviewer: User) -> None:
    """Encoded anew at 24 kbit/s, without its first seconds and all metadata, as a voice message."""
    answer = label(public, rustle("wav", 12.0), account="mina", produce_id="n-1")
    assert answer.headers["Haechi-Marks"].split() == ["visible", "watermark", "aigc"]
    assert answer.headers["Content-Type"] == "audio/wav"
    samples = heard(answer.content)[4 * 48_000 :, None]
    copy = recorded(sounds.recoded(samples, "libopus", 24)[:, 0] * 32_767, "mp3", 48_000)
    one = found(copy, reviewer)
    assert one.ways.split() == ["watermark"]
    assert (one.generation.produce_digest is not None, one.alike) == (True, None)
    assert one.strength == Strength.FAIR


def test_a_sound_too_short_for_a_mark_gets_its_other_marks(public: Client, key: ApiKey) -> None:
    answer = label(public, rustle("wav", 1.0), visible="no")
    assert answer.status_code == 200, answer.content
    assert answer.headers["Haechi-Marks"].split() == ["aigc"]
    assert answer.headers["Haechi-Watermark"] == "not_placed"
    assert answer.headers["Haechi-Findings"] == "watermark.too_short"


@pytest.mark.parametrize("part", [1.0, 0.9])
def test_a_copy_without_metadata_leads_back_by_its_watermark(
    made: bytes, reviewer: User, part: float
) -> None:
    one = found(again(made, part=part), reviewer)
    assert one.generation == Generation.objects.get()
    assert one.ways.split()[0] == "watermark"


def test_metadata_put_into_another_picture_accuses_nobody(
    made: bytes, cat: bytes, reviewer: User
) -> None:
    """A C2PA manifest does not fit another file, and an AIGC label alone is weak."""
    jumped = _with_segments_of(made, again(cat))
    one = found(jumped, reviewer)
    assert (one.ways, one.strength, one.alike) == ("aigc", Strength.WEAK, False)


def test_another_certificate_of_the_same_authority_is_not_ours(astronaut: bytes) -> None:
    """Whoever buys one where we bought ours could else put an account into a picture."""
    now = timezone.now()
    authority, ours, theirs = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    above = trying._certificate("authority", authority, None, authority, now, is_authority=True)

    def signed_by(key: ec.EllipticCurvePrivateKey) -> tuple[str, bytes]:
        leaf = trying._certificate("signer", key, above, authority, now, is_authority=False)
        chain = trying._pem(leaf) + trying._pem(above)
        signer = Signer(chain=chain, key=trying._key_pem(key))
        wanted = Wanted(
            Level.IS, "en", producer="p", produce_id="n-1", visible=False, signer=signer
        )
        return chain, writing.label(astronaut, wanted).data

    chain, made_here = signed_by(ours)
    _chain, made_there = signed_by(theirs)

    for data, signed in ((made_here, True), (made_there, False)):
        claims = marks.read(data, bytes(32), chain).claims
        assert {one.signed for one in claims if one.carrier == "c2pa"} == {signed}


def _with_segments_of(source: bytes, target: bytes) -> bytes:
    """The APPn segments of one JPEG in front of another's picture."""
    position, taken = 2, b""
    while source[position + 1] in range(0xE0, 0xF0):
        length = int.from_bytes(source[position + 2 : position + 4])
        taken += source[position : position + 2 + length]
        position += 2 + length
    assert taken
    return target[:2] + taken + target[2:]


def test_the_same_number_is_labelled_again_and_counts_once(
    public: Client, made: bytes, astronaut: bytes
) -> None:
    """B21: an answer that was lost is asked for again."""
    first = Generation.objects.get()
    answer = label(public, astronaut, account="mina", produce_id="n-1")
    assert answer.headers["Haechi-Trace-Id"] == spelled(first.trace_id)
    assert Generation.objects.get() == first


def test_another_file_under_a_number_is_refused(public: Client, made: bytes, cat: bytes) -> None:
    """Its watermark would lead to the record of another picture."""
    answer = label(public, cat, account="mina", produce_id="n-1")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "tracing.known")


def test_another_accounts_number_is_refused(public: Client, made: bytes, astronaut: bytes) -> None:
    answer = label(public, astronaut, account="another", produce_id="n-1")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "tracing.known")


def test_nothing_is_said_of_a_file_that_could_not_be_written_down(
    public: Client, key: ApiKey, astronaut: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The labelled file and its record are there together, or neither."""

    def away(*_given: object, **_named: object) -> None:
        raise StorageUnavailable

    monkeypatch.setattr(registry, "record", away)
    answer = label(public, astronaut)
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/json")


def test_a_picture_too_small_for_a_watermark_gets_its_other_marks(
    public: Client, key: ApiKey, astronaut: bytes
) -> None:
    """And the answer says which: a watermark is not promised where there is none."""
    rgb = cv2.imdecode(np.frombuffer(astronaut, np.uint8), cv2.IMREAD_COLOR)
    assert rgb is not None
    small = cv2.imencode(".png", cv2.resize(rgb, (200, 200)))[1].tobytes()
    answer = label(public, small)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Haechi-Marks"].split() == ["visible", "aigc", "iptc"]
    assert answer.headers["Haechi-Watermark"] == "not_placed"
    assert answer.headers["Haechi-Findings"] == "watermark.too_small"
