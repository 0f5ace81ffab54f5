"""Flood control: a member that suddenly matches very many different pictures is held back.

What is counted, and why. A member that was listed by mistake, or whose fingerprint is like a common
thing (a chat window, a form, a meme's frame), hits many *different* pictures; a genuine one that
goes round hits the *same* picture many times, and just then it must block. So only matches count
that are edited copies, and each picture once: files that look alike (PDQ within 31 bits) are one.
Uploading one file a thousand times counts nothing, and so do a thousand re-encodings of it.

Somebody can still make many different edits of a genuine picture to have it held. So a flood takes
back only what it casts doubt on: edited copies go to a person, while the same file and the same
picture go on being blocked (match_service.decide). Nothing is published because of a flood. Once a
person has let the member go on, it takes twice as many pictures to bring it back.

Very many matches of the same picture are no reason to hold, but a person is told.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from haechi.errors import InvalidDocument
from haechi.server.audit import services as audit
from haechi.server.matching.models import Bank, Check, Held, Member, Surge

ALIKE_BITS = 31
READ_AT_MOST = 2_000
WINDOWS_BEFORE = 24


@dataclass(frozen=True)
class Flood:
    """When a member of a bank is held back.

    count      more different edited pictures than this in the window; 0: never. 20 an hour: in
               practice one picture has a handful of edits going round at a time.
    times      and more than so many times the usual number
    window_s   seconds that are looked at
    """

    count: int = 20
    times: float = 10.0
    window_s: int = 3_600

    def limit(self, usual: float, released_at_pictures: int) -> float:
        """How many pictures are still no flood."""
        return max(self.count, self.times * usual, 2 * released_at_pictures)


RANGES: Mapping[str, tuple[float, float]] = {
    "count": (0, 1_000),
    "times": (1, 1_000),
    "window_s": (60, 7 * 86_400),
}


def checked(settings: Mapping[str, object]) -> dict[str, int | float]:
    """`settings` of a bank if they are in RANGES. Raises InvalidDocument, naming what is not."""
    made: dict[str, int | float] = {}
    for name, value in settings.items():
        if name not in RANGES:
            raise InvalidDocument(f"{name} is no setting of floods; there are {', '.join(RANGES)}")
        low, high = RANGES[name]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidDocument(f"{name} must be a number")
        if not low <= value <= high:
            raise InvalidDocument(f"{name} must be from {low} to {high}")
        made[name] = value if name == "times" else int(value)
    return made


def of(bank: Bank) -> Flood:
    """The settings of a bank, over the usual ones."""
    return Flood(**checked(bank.flood))  # type: ignore[arg-type]


def watch(*, now: datetime) -> list[Surge]:
    """Find members whose matches explode; hold them, and put them before a person.

    Safe to repeat: a surge that is before a person already is left as it is.
    """
    return [surge for member in _suspects(now=now) if (surge := _look(member, now=now)) is not None]


def different(
    fingerprints: Iterable[tuple[bytes | None, bytes | None]], enough: float = math.inf
) -> int:
    """How many different pictures (sha256, pdq) are: those within ALIKE_BITS of another count once.

    Greedy, and so never more than there are. Stops counting above `enough`.
    """
    files: set[bytes] = set()
    kept: list[int] = []
    unseen = 0
    for sha256, pdq in fingerprints:
        if len(kept) + unseen > enough:
            break
        if pdq is None:
            unseen += sha256 is not None and sha256 not in files
            files.update([sha256] if sha256 is not None else ())
            continue
        bits = int.from_bytes(pdq)
        if all((bits ^ other).bit_count() > ALIKE_BITS for other in kept):
            kept.append(bits)
    return len(kept) + unseen


_SUSPECTS = """
SELECT checks.member_id
FROM matching_check AS checks
JOIN matching_member AS member ON member.id = checks.member_id
JOIN matching_bank AS bank ON bank.id = member.bank_id
WHERE checks.outcome = 'block' AND checks.at <= %(now)s AND bank.policy = 'block'
  AND checks.at > %(now)s - coalesce((bank.flood->>'window_s')::int, %(window)s) * interval '1 s'
  AND checks.at > coalesce(member.released_at, '-infinity') AND member.held = ''
  AND coalesce((bank.flood->>'count')::int, %(count)s) > 0
GROUP BY checks.member_id
HAVING count(*) > min(coalesce((bank.flood->>'count')::int, %(count)s))
"""


def _suspects(*, now: datetime) -> list[Member]:
    usual = Flood()
    with connection.cursor() as cursor:
        cursor.execute(_SUSPECTS, {"now": now, "window": usual.window_s, "count": usual.count})
        keys = [row[0] for row in cursor.fetchall()]
    return list(Member.objects.filter(pk__in=keys).select_related("bank").order_by("pk"))


@transaction.atomic
def _look(member: Member, *, now: datetime) -> Surge | None:
    flood = of(member.bank)
    window = timedelta(seconds=flood.window_s)
    since = max(now - window, member.released_at or now - window)
    blocked = Check.objects.filter(member=member, outcome="block")
    recent = blocked.filter(at__gt=since, at__lte=now)
    edited = recent.filter(verdict="edited_copy").values_list("sha256", "pdq")[:READ_AT_MOST]
    before = blocked.filter(at__lte=since, at__gt=since - WINDOWS_BEFORE * window)
    usual_edited = before.filter(verdict="edited_copy").count() / WINDOWS_BEFORE
    last = Surge.objects.filter(member=member).exclude(settled_at=None).order_by("-pk").first()
    limit = flood.limit(usual_edited, last.pictures if last is not None and last.held else 0)
    pictures = different(((_bytes(sha256), _bytes(pdq)) for sha256, pdq in edited), 2 * limit)
    if pictures > limit:
        return _put(member, pictures, usual_edited, held=True, now=now)
    usual = before.count() / WINDOWS_BEFORE
    all_recent = recent.count()
    if all_recent > flood.limit(usual, last.pictures if last is not None else 0):
        return _put(member, all_recent, usual, held=False, now=now)
    return None


def _put(member: Member, pictures: int, usual: float, *, held: bool, now: datetime) -> Surge | None:
    surge, new = Surge.objects.get_or_create(
        member=member,
        settled_at=None,
        defaults={"at": now, "pictures": pictures, "usual": usual, "held": held},
    )
    if not new and held and not surge.held:
        # It was only told before; now it is held.
        Surge.objects.filter(pk=surge.pk).update(at=now, pictures=pictures, usual=usual, held=True)
        surge.refresh_from_db()
        new = True
    if new and held:
        words = f"{pictures} different pictures, {usual:.1f} usually"
        with audit.acting("worker", at=now, reason=words):
            Member.objects.filter(pk=member.pk, held=Held.NO).update(held=Held.FLOOD, held_at=now)
    return surge if new else None


def _bytes(value: object) -> bytes | None:
    return None if value is None else bytes(value)  # type: ignore[call-overload]
