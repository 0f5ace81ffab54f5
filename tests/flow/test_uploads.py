"""Files that a browser has sealed and sends in pieces: B12, B13, B14, B16 and the receipt."""

import hashlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings
from tests.conftest import NOON
from tests.flow.conftest import submit
from tests.flow.envelopes import envelope
from tests.flow.test_public_report import filled, hidden, picture, text_of, without_csrf, words_in

from haechi import media, seal
from haechi.blobs import LocalStore
from haechi.errors import BlobMissing, StorageUnavailable
from haechi.seal import header
from haechi.server import flow
from haechi.server.audit.models import Entry
from haechi.server.evidence import services as evidence
from haechi.server.evidence import uploads
from haechi.server.evidence.models import Exhibit, State, Upload
from haechi.server.evidence.seen import Seen
from haechi.server.public import kept, page_token
from haechi.server.reports import services as reports
from haechi.server.reports import visits
from haechi.server.reports.models import Report

pytestmark = pytest.mark.django_db

PIECE = 64 * 1024


@dataclass
class Page:
    """What the script of one report page knows and does."""

    client: Client
    token: str = field(default_factory=page_token.issue)
    identity: str = field(default_factory=seal.new_identity)

    def ask(self, method: str, path: str = "", body: bytes = b"", **headers: object) -> Any:
        """One request of this page."""
        told = {name.replace("_", "-"): str(value) for name, value in headers.items()}
        return self.client.generic(
            method,
            f"/report/upload{path}",
            body,
            content_type="application/octet-stream",
            headers={"Upload-Page": self.token, **told},
        )

    def begin(self, length: int) -> str:
        """Room for one upload."""
        answer = self.ask("POST", upload_length=length)
        assert answer.status_code == 201, answer.content
        return str(answer.json()["upload"])

    def put(self, name: str, offset: int, piece: bytes) -> Any:
        """One piece."""
        return self.ask("PUT", f"/{name}", piece, upload_offset=offset)

    def send(self, data: bytes, *, name: str = "me.jpg", **told: str) -> dict[str, str]:
        """A whole file; gives what the page tells of it with the report."""
        sealed = envelope(data, seal.recipient_of(self.identity))
        upload = self.begin(len(sealed))
        for at in range(0, len(sealed), PIECE):
            answer = self.put(upload, at, sealed[at : at + PIECE])
            assert answer.json() == {"received": min(len(sealed), at + PIECE)}
        assert self.ask("POST", f"/{upload}").json()["finished"]
        digest = hashlib.sha256(data).hexdigest()
        return {"id": upload, "name": name, "sha256": digest, "kind": "jpeg", **told}

    def form(self, *files: dict[str, str], **fields: object) -> dict[str, Any]:
        """The fields of the report, with what the script adds."""
        told = {"sealed": json.dumps(files), "identity": self.identity} if files else {}
        return filled(submission=self.token, **{**told, **fields})

    def report(self, *files: dict[str, str], **fields: object) -> HttpResponse:
        """Send it."""
        answer: HttpResponse = self.client.post("/report", self.form(*files, **fields))  # type: ignore[assignment]
        return answer


@pytest.fixture
def page(public: Client) -> Page:
    return Page(public)


@pytest.fixture
def sealed(page: Page, astronaut: bytes) -> bytes:
    return envelope(astronaut, seal.recipient_of(page.identity))


def everything_in(root: Path) -> Iterator[bytes]:
    return (path.read_bytes() for path in root.rglob("*") if path.is_file())


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_b14_what_the_browser_sealed_opens_with_the_receipts_code(
    page: Page, astronaut: bytes
) -> None:
    """The receipt is true: the code leads to the very file, and says which way it was sealed."""
    answer = page.report(page.send(astronaut))

    assert answer.status_code == 200
    assert "1 file was locked on your own device" in text_of(answer)
    assert "locked here" not in text_of(answer)
    found = visits.resume(visits.enter(words_in(answer), now=NOON), now=NOON)
    assert found is not None
    exhibit = found.report.exhibits.get()
    assert reports.story_of(found.report, found.identity).files == {"1": "me.jpg"}
    with LocalStore(django_settings.BLOBS).open(exhibit.blob) as stored:
        assert seal.open_sealed(stored.read(), found.identity) == astronaut
    assert (exhibit.way, exhibit.verified_at, exhibit.size) == ("browser", None, len(astronaut))
    assert Entry.objects.get(tag="exhibit:sealed").detail["way"] == "browser"
    assert not Upload.objects.exists()


def test_b12_nothing_readable_is_on_the_disk_or_in_the_table(
    page: Page, astronaut: bytes, settings: Settings, tmp_path: Path
) -> None:
    """While it arrives and after: neither the picture, nor its name, nor the identity."""
    settings.BLOBS = tmp_path / "blobs"
    sealed = envelope(astronaut, seal.recipient_of(page.identity))
    upload = page.begin(len(sealed))
    for at in range(0, len(sealed), PIECE):
        page.put(upload, at, sealed[at : at + PIECE])
        assert not any(astronaut[:16] in data for data in everything_in(tmp_path))
    page.ask("POST", f"/{upload}")
    page.report(page.send(astronaut, name="her-name.jpg"))
    for secret in (astronaut[:16], b"her-name", page.identity.encode()):
        assert not any(secret in data for data in everything_in(tmp_path))
    row = str(Upload.objects.values_list().get())
    assert upload not in row
    assert page.token not in row


def test_b14_an_upload_goes_on_from_what_was_acknowledged(page: Page, astronaut: bytes) -> None:
    """A piece that was written and not acknowledged is written over, shorter or longer."""
    sealed = envelope(astronaut, seal.recipient_of(page.identity))
    upload = page.begin(len(sealed))
    page.put(upload, 0, sealed[:1000])
    part = uploads._parts().path(Upload.objects.get().blob)
    part.write_bytes(part.read_bytes() + b"\xff\xd8 left by a process that died" * 999)

    assert page.ask("GET", f"/{upload}").json() == {"received": 1000, "finished": False}
    page.put(upload, 1000, sealed[1000:])
    page.ask("POST", f"/{upload}")

    stored = LocalStore(django_settings.BLOBS).open(Upload.objects.get().blob)
    with stored:
        assert stored.read() == sealed
    row = Upload.objects.get()
    assert bytes(row.cipher_sha256 or b"") == hashlib.sha256(sealed).digest()


def test_b14_a_death_between_the_disk_and_the_row_loses_nothing(page: Page, sealed: bytes) -> None:
    """The file became a blob, the row did not hear of it: finishing again is enough."""
    upload = page.begin(len(sealed))
    page.put(upload, 0, sealed)
    with (
        patch.object(Upload, "save", side_effect=RuntimeError("died")),
        pytest.raises(RuntimeError),
    ):
        uploads.finish(page.token, upload, now=timezone.now())

    assert page.ask("POST", f"/{upload}").json() == {"received": len(sealed), "finished": True}
    assert page.ask("POST", f"/{upload}").status_code == 200


def test_a_part_that_is_gone_is_said(page: Page, sealed: bytes) -> None:
    """The disk lost it: the page begins anew, and no receipt is given for it."""
    upload = page.begin(len(sealed))
    page.put(upload, 0, sealed[:1000])
    uploads._parts().discard(Upload.objects.get().blob)

    assert code_of(page.put(upload, 1000, sealed[1000:])) == (404, "blob.missing")


@pytest.mark.parametrize(
    ("offset", "start", "end"),
    [(0, 0, 500), (999, 0, 500), (1001, 0, 500), (500, 500, 1500), (999_999_999_999, 0, 10)],
)
def test_b16_a_piece_elsewhere_is_refused(
    page: Page, sealed: bytes, offset: int, start: int, end: int
) -> None:
    """Twice, over what is there, beyond the end: nothing is written, and the true end is told."""
    upload = page.begin(len(sealed))
    page.put(upload, 0, sealed[:1000])

    answer = page.put(upload, offset, sealed[start:end])

    assert code_of(answer) == (409, "upload.wrong_offset")
    assert answer.json()["received"] == 1000
    part = uploads._parts().path(Upload.objects.get().blob)
    assert part.read_bytes() == sealed[:1000]


@pytest.mark.parametrize("offset", ["-1", "", "1.5", "0x10", "٣", "1" * 13, " 1", "1e3"])
def test_b16_an_offset_that_is_no_number(page: Page, sealed: bytes, offset: str) -> None:
    upload = page.begin(len(sealed))

    assert code_of(page.ask("PUT", f"/{upload}", b"x", upload_offset=offset)) == (
        400,
        "upload.bad_piece",
    )


@pytest.mark.parametrize("length", ["-1", "", "none", "9" * 13])
def test_b16_a_length_that_is_no_number(page: Page, length: str) -> None:
    assert code_of(page.ask("POST", upload_length=length)) == (400, "upload.bad_piece")


@pytest.mark.parametrize(
    ("length", "status", "code"),
    [
        (0, 400, "upload.not_sealed"),
        (200, 400, "upload.not_sealed"),
        (header.envelope_bytes(2 * 1024**3) + 1, 413, "upload.too_long"),
    ],
)
def test_b13_lengths_that_are_refused(page: Page, length: int, status: int, code: str) -> None:
    assert code_of(page.ask("POST", upload_length=length)) == (status, code)
    assert not Upload.objects.exists()


def test_b13_two_gigabytes_are_taken_and_five_are_the_pages_end(page: Page) -> None:
    """Room is counted at the start, before a byte is sent."""
    most = header.envelope_bytes(2 * 1024**3)
    with patch("haechi.blobs.Parts.free_bytes", return_value=10**12):
        page.begin(most)
        page.begin(most)
        assert code_of(page.ask("POST", upload_length=most)) == (413, "upload.too_long")


def test_b31_a_disk_without_room_is_said_before_a_byte_is_sent(page: Page) -> None:
    with patch("haechi.blobs.Parts.free_bytes", return_value=1024**3):
        assert code_of(page.ask("POST", upload_length=5000)) == (503, "blob.unavailable")


def test_b31_a_disk_that_fills_up_keeps_what_was_acknowledged(page: Page, sealed: bytes) -> None:
    upload = page.begin(len(sealed))
    page.put(upload, 0, sealed[:1000])
    with patch("haechi.blobs.parts.os.pwrite", side_effect=OSError(28, "No space left")):
        assert code_of(page.put(upload, 1000, sealed[1000:])) == (503, "blob.unavailable")

    assert page.put(upload, 1000, sealed[1000:]).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xd8\xff\xe0" + bytes(4000),
        b"age-encryption.org/v1\n" + bytes(4000),
        seal.seal(bytes(4000), seal.recipient_of(seal.new_identity())),
    ],
    ids=["a picture", "half a header", "two stanzas"],
)
def test_b16_what_is_not_sealed_for_one_is_refused(page: Page, body: bytes) -> None:
    """A script that forgot to seal does not get its plaintext onto our disk."""
    upload = page.begin(len(envelope(bytes(5000), seal.recipient_of(page.identity))))

    assert code_of(page.put(upload, 0, body)) == (400, "upload.not_sealed")
    assert not any(everything_in(Path(django_settings.BLOBS)))


def test_b16_bodies_that_do_not_fit(page: Page, sealed: bytes) -> None:
    """Too short for a header, longer than told, longer than a piece, cut off, empty."""
    upload = page.begin(len(sealed))
    assert code_of(page.put(upload, 0, sealed[:100])) == (400, "upload.bad_piece")
    assert code_of(page.put(upload, 0, sealed + b"x")) == (413, "upload.too_long")
    assert code_of(page.put(upload, 0, b"")) == (400, "upload.bad_piece")
    long = page.ask("PUT", f"/{upload}", b"x", upload_offset=0, content_length=PIECE * 99)
    assert code_of(long) == (400, "upload.bad_piece")
    cut = page.client.put(
        f"/report/upload/{upload}",
        sealed,
        content_type="application/octet-stream",
        headers={"Upload-Page": page.token, "Upload-Offset": "0"},
        **{"wsgi.input": io.BytesIO(sealed[:-5])},
    )
    assert code_of(cut) == (400, "upload.bad_piece")
    assert code_of(page.ask("POST", f"/{upload}")) == (409, "upload.unfinished")
    assert page.ask("GET", f"/{upload}").json()["received"] == 0


def test_another_pages_upload_is_unknown(page: Page, public: Client, sealed: bytes) -> None:
    """With its id and a page of one's own one can neither read, write, finish nor drop it."""
    upload = page.begin(len(sealed))
    page.put(upload, 0, sealed[:1000])
    other = Page(public)

    answers = [
        other.ask("GET", f"/{upload}"),
        other.put(upload, 1000, sealed[1000:]),
        other.ask("POST", f"/{upload}"),
        other.ask("DELETE", f"/{upload}"),
        page.ask("GET", "/made-up"),
    ]

    assert {code_of(answer) for answer in answers} == {(404, "upload.unknown")}


@pytest.mark.parametrize("token", ["", "made up", "a1b2c3:1vMabc:forged"])
def test_a_page_that_is_none_of_ours_begins_nothing(page: Page, token: str) -> None:
    page.token = token

    assert code_of(page.ask("POST", upload_length=5000)) == (403, "upload.page_over")


def test_without_a_form_token_nothing_is_begun(page: Page) -> None:
    """CSRF: every method that changes something wants the page's own token."""
    strict = replace(page, client=Client(enforce_csrf_checks=True))

    for method in ("POST", "PUT", "DELETE"):
        assert strict.ask(method, "/x" if method != "POST" else "").status_code == 403


def test_one_page_has_a_dozen_uploads_and_may_drop_some(page: Page) -> None:
    first = page.begin(5000)
    for _ in range(django_settings.SEALED_UPLOADS_PER_PAGE - 1):
        page.begin(5000)
    assert code_of(page.ask("POST", upload_length=5000)) == (429, "upload.too_many")

    assert page.ask("DELETE", f"/{first}").status_code == 200

    page.begin(5000)


def test_a_dropped_upload_leaves_nothing(page: Page, astronaut: bytes) -> None:
    told = page.send(astronaut)

    page.ask("DELETE", f"/{told['id']}")

    assert not Upload.objects.exists()
    assert not any(everything_in(Path(django_settings.BLOBS)))


def test_what_a_browser_told_is_put_right_when_the_worker_looks(
    page: Page, astronaut: bytes
) -> None:
    """A wrong digest and kind are the browser's word until then; the log has both."""
    told = page.send(astronaut, sha256="00" * 32, kind="mp4")
    page.report(told)
    exhibit = Exhibit.objects.get()
    assert (exhibit.kind, exhibit.verified_at) == ("mp4", None)

    flow.examine(Report.objects.get(), last_try=True)

    exhibit.refresh_from_db()
    assert exhibit.state == State.FINGERPRINTED
    assert bytes(exhibit.sha256) == hashlib.sha256(astronaut).digest()
    assert exhibit.kind == "jpeg"
    assert exhibit.verified_at is not None
    detail = Entry.objects.get(tag="exhibit:corrected").detail
    assert (detail["told_sha256"], detail["told_kind"]) == ("00" * 32, "mp4")
    assert detail["sha256"] == hashlib.sha256(astronaut).hexdigest()


def test_what_was_told_truly_is_verified(page: Page, astronaut: bytes) -> None:
    page.report(page.send(astronaut))

    flow.examine(Report.objects.get(), last_try=True)

    assert Entry.objects.filter(tag="exhibit:verified").count() == 1
    assert Exhibit.objects.get().verified_at is not None


def test_b15_a_file_longer_than_decoders_take_is_kept_and_said(
    page: Page, astronaut: bytes, public: Client
) -> None:
    """Kept, verified, not fingerprinted; its reporter and the desk read why."""
    answer = page.report(page.send(astronaut))
    small = media.Limits(bytes=1000)
    original = Seen.of
    with patch.object(Seen, "of", lambda chunks: original(chunks, small)):
        flow.examine(Report.objects.get(), last_try=True)

    exhibit = Exhibit.objects.get()
    assert (exhibit.state, exhibit.refusal) == (State.KEPT, "media.too_many_bytes")
    assert exhibit.verified_at is not None
    public.post("/return", {"code": words_in(answer)})
    page_now = text_of(public.get("/status"))  # type: ignore[arg-type]
    assert "too long to be compared with others by machine" in page_now
    assert "1 file was locked on your own device" in page_now


def test_one_pass_holds_no_more_than_a_decoder_takes(astronaut: bytes) -> None:
    limits = media.Limits(bytes=len(astronaut) - 1)
    pieces = [astronaut[at : at + 1000] for at in range(0, len(astronaut), 1000)]

    seen = Seen.of(pieces, limits)

    assert (seen.data, seen.kind, seen.size) == (None, "jpeg", len(astronaut))
    assert seen.sha256 == hashlib.sha256(astronaut).digest()
    assert Seen.of(pieces).data == astronaut
    assert Seen.of([b"hello"]) == Seen(hashlib.sha256(b"hello").digest(), 5, "", b"hello")


def test_an_exhibit_is_read_as_a_stream_and_never_whole_beyond_the_limit(cat: bytes) -> None:
    report, _ = submit(cat)
    exhibit = report.exhibits.get()
    with evidence.opened(exhibit, actor="t", reason="t", now=NOON) as plain:
        assert hashlib.sha256(b"".join(plain)).digest() == bytes(exhibit.sha256)

    with pytest.raises(evidence.TooManyBytes):
        evidence.open_exhibit(exhibit, actor="t", reason="t", now=NOON, limit_bytes=len(cat) - 1)


def test_a_form_that_fails_keeps_the_uploads(page: Page, astronaut: bytes, cat: bytes) -> None:
    """Another field has to be put right: nothing is sent twice, and no key stands in the page."""
    first = page.report(page.send(astronaut), signature="K" * 201)
    assert first.status_code == 422
    assert page.identity not in text_of(first)
    assert seal.recipient_of(page.identity) in text_of(first)
    assert "Leave out me.jpg" in text_of(first)

    # The page goes on sealing to the recipient it was told; it has no identity of its own now.
    more = page.send(cat, name="two.jpg")
    second = page.report(more, identity="", kept=hidden(first, "kept"))

    assert second.status_code == 200
    exhibits = list(Report.objects.get().exhibits.all())
    opened = [evidence.open_exhibit(each, actor="t", reason="t", now=NOON) for each in exhibits]
    assert opened == [astronaut, cat]
    assert {exhibit.way for exhibit in exhibits} == {"browser"}
    assert not Upload.objects.exists()


def test_both_ways_in_one_report(page: Page, astronaut: bytes, cat: bytes) -> None:
    """What came open with the form is sealed to the page's key too; the receipt says both."""
    answer = page.report(page.send(astronaut), files=[picture(cat, "two.jpg")])

    assert "1 file was locked on your own device" in text_of(answer)
    assert "1 file was locked here while it arrived" in text_of(answer)
    exhibits = list(Report.objects.get().exhibits.all())
    assert [exhibit.way for exhibit in exhibits] == ["browser", "server"]
    opened = [evidence.open_exhibit(each, actor="t", reason="t", now=NOON) for each in exhibits]
    assert opened == [astronaut, cat]


def test_the_same_page_twice_makes_one_report(page: Page, astronaut: bytes) -> None:
    """The receipt was lost on the way: sent again, the page gets the same one."""
    told = page.send(astronaut)
    first = page.report(told)

    second = page.report(told)

    assert without_csrf(text_of(second)) == without_csrf(text_of(first))
    assert Report.objects.get().exhibits.count() == 1


def test_b14_a_full_page_sent_again_with_more_leaves_the_first_exhibits(
    page: Page, astronaut: bytes
) -> None:
    """Whatever comes too much the second time is dropped alone; no exhibit's file is."""
    four = [picture(astronaut, f"{n}.jpg") for n in range(4)]
    told = page.report(check="1", files=four)
    held = kept.read(hidden(told, "kept"))
    assert held is not None
    page.identity = held.identity
    form = page.form(page.send(astronaut), kept=hidden(told, "kept"), identity="")
    assert page.client.post("/report", form).status_code == 200
    store = LocalStore(django_settings.BLOBS)
    stored = list(store.names())

    again = page.client.post("/report", {**form, "files": [picture(astronaut) for _ in range(3)]})

    assert again.status_code == 200
    assert list(store.names()) == stored
    assert {one.blob for one in Exhibit.objects.all()} == set(stored)
    kept.forget(held.files)
    assert list(store.names()) == stored


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"identity": seal.new_identity()}, "upload.wrong_key"),
        ({"identity": ""}, "upload.wrong_key"),
        ({"identity": "AGE-SECRET-KEY-1QQQ"}, "upload.wrong_key"),
        ({"sealed": "["}, "upload.unknown"),
        ({"sealed": '{"a": 1}'}, "upload.unknown"),
        ({"sealed": '[{"id": "x"}]'}, "upload.unknown"),
        ({"sealed": "[" * 5000}, "upload.unknown"),
        *(
            (
                {"sealed": json.dumps([{"kind": "png", "sha256": "0" * 64, **odd}])},
                "upload.unknown",
            )
            for odd in (
                {"id": "\ud800", "name": "n"},
                {"id": "x", "name": "\ud800"},
                {"id": "\0", "name": "n"},
            )
        ),
        ({"sealed": '[{"id":"x","name":"n","sha256":"00","kind":"jpeg"}]'}, "upload.unknown"),
        (
            {"sealed": f'[{{"id":"x","name":"n","sha256":"{"0" * 64}","kind":"a"}}]'},
            "upload.unknown",
        ),
        (
            {"sealed": f'[{{"id":"x","name":"n","sha256":"{"0" * 64}","kind":"png"}}]'},
            "upload.unknown",
        ),
    ],
)
def test_b16_what_a_hostile_page_tells(
    page: Page, astronaut: bytes, change: dict[str, str], code: str
) -> None:
    """No receipt for what nobody could open, and no error for nonsense."""
    answer = page.report(page.send(astronaut), **change)

    assert answer.status_code == 422
    assert code in text_of(answer)
    assert "It was posted" in text_of(answer)
    assert not Report.objects.exists()


def test_an_upload_that_has_not_arrived_is_no_exhibit(page: Page, sealed: bytes) -> None:
    upload = page.begin(len(sealed))
    page.put(upload, 0, sealed)
    told = {"id": upload, "name": "n", "sha256": "0" * 64, "kind": "jpeg"}

    answer = page.report(told)

    assert "upload.unfinished" in text_of(answer)
    assert not Report.objects.exists()


def test_an_upload_belongs_to_one_report(page: Page, public: Client, astronaut: bytes) -> None:
    """Not even who knows its id and its key brings it into another."""
    told = page.send(astronaut)
    page.report(told)

    other = Page(public, identity=page.identity).report(told)

    assert "upload.unknown" in text_of(other)
    assert Report.objects.count() == 1


def test_six_files_are_five_and_a_kind_word(page: Page) -> None:
    told = [page.send(b"\xff\xd8\xff" + bytes([n]) * 200) for n in range(6)]

    answer = page.report(*told)

    assert answer.status_code == 422
    assert "up to 5 files" in text_of(answer)
    assert text_of(answer).count("Leave out") == 5


def test_what_nobody_goes_on_with_is_forgotten(page: Page, sealed: bytes, cat: bytes) -> None:
    """Unfinished after three hours, finished after a day and three hours; the bytes go too."""
    half = page.begin(len(sealed))
    page.put(half, 0, sealed[:1000])
    page.send(cat)
    now = timezone.now()

    assert uploads.forget_old(now=now + timedelta(hours=2)) == 0
    assert uploads.forget_old(now=now + timedelta(hours=4)) == 1
    assert code_of(page.ask("GET", f"/{half}")) == (404, "upload.unknown")
    assert uploads.forget_old(now=now + timedelta(hours=28)) == 1
    assert not any(everything_in(Path(django_settings.BLOBS)))
    assert uploads.forget_old(now=now + timedelta(hours=28)) == 0


def test_an_upload_that_was_forgotten_meanwhile_is_said(page: Page, astronaut: bytes) -> None:
    """Between the look and the transaction: no report without its picture, no lost words."""
    told = page.send(astronaut)
    claim = uploads.claim

    def forgotten_first(files: Any) -> None:
        Upload.objects.all().delete()
        claim(files)

    with patch("haechi.server.flow.intake.uploads.claim", forgotten_first):
        answer = page.report(told)

    assert answer.status_code == 422
    assert "upload.unknown" in text_of(answer)
    assert not Report.objects.exists()


def test_with_scripts_off_the_page_is_what_it_was(public: Client, astronaut: bytes) -> None:
    """B28: the list is hidden, the field is there, and the server seals."""
    page_now = text_of(public.get("/report"))  # type: ignore[arg-type]
    box = re.search(r"<div class=\"exhibits\"[^>]*>", page_now)
    assert box is not None
    assert " hidden" in box[0]

    answer = public.post(
        "/report", filled(files=[SimpleUploadedFile("a.jpg", astronaut, "image/jpeg")])
    )

    assert "1 file was locked here while it arrived" in text_of(answer)  # type: ignore[arg-type]
    assert Exhibit.objects.get().way == "server"


def test_an_unmounted_disk_refuses_no_exhibit(
    page: Page, astronaut: bytes, settings: Settings
) -> None:
    """While its folder is empty nothing is concluded; mounted again, all goes on."""
    page.report(page.send(astronaut))
    exhibit = Exhibit.objects.get()
    disk = settings.BLOBS.with_name("disk")
    settings.BLOBS.rename(disk)
    settings.BLOBS.mkdir()
    with pytest.raises(StorageUnavailable):
        evidence.take_fingerprint(exhibit, now=NOON)
    with pytest.raises(StorageUnavailable):
        evidence.forget_blobs(exhibit.report)
    settings.BLOBS.rmdir()
    disk.rename(settings.BLOBS)
    exhibit.refresh_from_db()
    assert evidence.take_fingerprint(exhibit, now=NOON) is not None


def test_a_missing_file_is_held_against_the_exhibit_at_last_alone(
    page: Page, astronaut: bytes
) -> None:
    page.report(page.send(astronaut))
    exhibit = Exhibit.objects.get()
    LocalStore(django_settings.BLOBS).delete(exhibit.blob)
    with pytest.raises(BlobMissing):
        evidence.take_fingerprint(exhibit, now=NOON, last_try=False)
    assert evidence.take_fingerprint(exhibit, now=NOON) is None
    assert Exhibit.objects.get().refusal == "blob.missing"
