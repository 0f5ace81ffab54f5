"""A reported video meets its copy on a platform, and a clip of it later."""

import pytest
from tests.conftest import NOON
from tests.flow.conftest import BOARD_URL, host, submit
from tests.flow.test_walk import removed
from tests.unit.videos_made import encoded, pan

from haechi import fingerprint
from haechi.fingerprint import frames
from haechi.index import Query, Verdict
from haechi.server import flow
from haechi.server.cases.models import Case
from haechi.server.evidence.models import Fingerprint
from haechi.server.matching import services as matching
from haechi.server.matching.models import MemberStatus, Platform
from haechi.server.staff.models import User
from haechi.server.transparency.models import Statement

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def film() -> bytes:
    """Six seconds of a camera that moves over a photograph."""
    return encoded(pan(0, 150))


@pytest.fixture(scope="module")
def saved_again() -> bytes:
    """The same film in another container, smaller."""
    return encoded(pan(0, 150, side=80), "webm")


@pytest.fixture(scope="module")
def clip() -> bytes:
    """Two and a half seconds out of the middle."""
    return encoded(pan(50, 62, side=80), "mkv")


def test_what_is_removed_is_called_a_video(
    film: bytes, saved_again: bytes, board: Platform, reviewer: User
) -> None:
    host(board, saved_again)
    report, _ = submit(film, places=(BOARD_URL,))
    flow.examine(report, last_try=True)
    decision = removed(Case.objects.get(report=report), reviewer)
    document = Statement.objects.get(action__decision=decision).document
    assert set(document["content_type"]) == {"CONTENT_TYPE_VIDEO", "CONTENT_TYPE_SYNTHETIC_MEDIA"}


def test_a_video_is_examined_met_and_listed(
    film: bytes, saved_again: bytes, clip: bytes, board: Platform
) -> None:
    copy = host(board, saved_again)
    host(board, encoded(pan(0, 100, photo="cat")), url=f"{BOARD_URL}0", content_id="2")
    report, _ = submit(film, places=())
    flow.examine(report, last_try=True)

    kept = Fingerprint.objects.get(exhibit__report=report)
    assert len(frames.unpack(bytes(kept.frames))) > 10
    assert [hit.hosted_id for hit in Case.objects.get(report=report).report.hits.all()] == [copy.pk]

    member = matching.add_member(kept.exhibit, seen=True, case_number=1, actor="user:1", now=NOON)
    assert member is not None
    assert member.status == MemberStatus.CONFIRMED
    found = matching.known().search(Query.of(fingerprint.image(clip)), now=NOON)
    shown = {(table.__name__, key): hit for table, key, hit in found}
    hit = shown[("Member", member.pk)]
    assert (hit.verdict, hit.found_by) == (Verdict.EDITED_COPY, "vpdq")
    assert hit.clip is not None
    assert abs(hit.clip.known_from_s - hit.clip.query_from_s - 2.0) < 0.6
