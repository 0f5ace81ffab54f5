"""The policy catalogue: grounds on which something is removed or restricted, with versions.

What is shipped (data/policies.json) is the beginning; an administrator adds versions as rows, each
with a reason, in the log. Nothing is changed or deleted: a decision keeps key and version.
"""

from datetime import datetime

from django.db import transaction

from haechi.errors import GroundUnknown, NotAllowed, ReasonRequired
from haechi.server.audit import services as audit
from haechi.server.cases.models.policy import Policy, shipped
from haechi.server.staff.models import Role, User

# What a new version takes over from the one before where nothing else is said.
CARRIED = (
    "kind", "verdicts", "title_ko", "title_zh", "title_en", "legal_ground", "explanation",
    "source", "synthetic", "minor", "offered",
)  # fmt: skip


def catalogue(at: datetime) -> dict[str, Policy]:
    """What may be decided on at `at`: the newest version of every key, unless that one ended it."""
    return {key: policy for key, policy in newest(at).items() if policy.offered}


def for_verdict(verdict: str, at: datetime) -> list[Policy]:
    """Grounds for this verdict, own rules last."""
    found = [policy for policy in catalogue(at).values() if verdict in policy.verdicts]
    return sorted(found, key=lambda policy: not policy.illegal)


def in_force(key: str, verdict: str, at: datetime) -> Policy:
    """The version that counts now. Raises GroundUnknown where the verdict cannot rest on it."""
    policy = catalogue(at).get(key)
    if policy is None or verdict not in policy.verdicts:
        raise GroundUnknown(key)
    return policy


def history(key: str) -> list[Policy]:
    """Every version of one key, newest first."""
    found = [
        policy for policy in (*shipped(), *Policy.objects.filter(key=key)) if policy.key == key
    ]
    return sorted(found, key=lambda policy: -policy.version)


@transaction.atomic
def add_version(key: str, *, reason: str, actor: User, now: datetime, **said: object) -> Policy:
    """An administrator writes a new key, or a new version of one (`offered=False` ends it).

    `said` names fields of Policy; what is left out is as it was. Raises NotAllowed for others than
    administrators, ReasonRequired without a reason.
    """
    if actor.role != Role.ADMINISTRATOR:
        raise NotAllowed("the catalogue is the administrators'")
    if not reason.strip():
        raise ReasonRequired(key)
    before = next(iter(history(key)), None)
    carried = {name: getattr(before, name) for name in CARRIED} if before else {}
    row = Policy(
        **{
            **carried,
            **said,
            "key": key,
            "version": before.version + 1 if before else 1,
            "from_at": now,
            "changed_by": actor,
            "reason": reason.strip(),
        }
    )
    row.full_clean()
    row.save(force_insert=True)
    audit.record(
        "policy:changed",
        subject=row,
        actor=actor.name_in_log,
        at=now,
        detail={"policy": key, "version": row.version, "offered": row.offered},
    )
    return row


def newest(at: datetime) -> dict[str, Policy]:
    """The version of every key that stands at `at`, ended ones too."""
    found: dict[str, Policy] = {policy.key: policy for policy in shipped()}
    for row in Policy.objects.filter(from_at__lte=at).order_by("version"):
        found[row.key] = row
    return found
