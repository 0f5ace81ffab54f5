"""One house of two, as a program: what its people do, asked for in lines of JSON. See test_two_houses."""

import json
import os
import secrets
import sys
from typing import Any

from haechi.cli import installation

os.environ["HAECHI_HOME"] = sys.argv[1]
installation.enter()

from django.conf import settings  # noqa: E402  # Django first
from django.utils import timezone  # noqa: E402

from haechi import seal  # noqa: E402
from haechi.fingerprint.address import url_digest  # noqa: E402
from haechi.formats import notice  # noqa: E402
from haechi.server import flow  # noqa: E402
from haechi.server.audit import services as audit  # noqa: E402
from haechi.server.cases import claims  # noqa: E402
from haechi.server.cases.models import Case, Ground, Verdict  # noqa: E402
from haechi.server.matching import services as matching  # noqa: E402
from haechi.server.matching.models import Hosted, Platform  # noqa: E402
from haechi.server.notices.incoming_models import Incoming, NoticeSender  # noqa: E402
from haechi.server.notices.models import Notice, Receiver  # noqa: E402
from haechi.server.reports.models import Age, Harm  # noqa: E402
from haechi.server.reports.services import Submission  # noqa: E402
from haechi.server.reports.story import Story  # noqa: E402
from haechi.server.staff import services as staff  # noqa: E402
from haechi.server.staff.models import Role, User  # noqa: E402


def key() -> str:
    """What its documents are signed with."""
    return notice.key_text(audit.signing_key().public_key())


def person() -> None:
    """Somebody who decides."""
    staff.add("rim", "Rim", Role.REVIEWER, "a long pass phrase", actor="test", now=timezone.now())


def directory(host: str, url: str, key: str) -> None:
    """Who answers for a host outside: another Haechi."""
    Receiver.objects.create(
        host=host, name="The platform", haechi_url=url, haechi_key=key, source="test"
    )


def knows(name: str, url: str, key: str, event: str) -> None:
    """A known sender."""
    NoticeSender.objects.create(
        name=name, kind="haechi", event=event, public_key=key, base_url=url, within_h=24,
        created_at=timezone.now(),
    )  # fmt: skip


def board(webhook: str, secret: str, urls: list[str]) -> None:
    """A platform of this house, and what it publishes."""
    platform: Platform = matching.register_platform(
        "board", "https://board.example", webhook, webhook_secret=bytes.fromhex(secret)
    )
    for number, url in enumerate(urls):
        Hosted.objects.create(
            platform=platform,
            content_id=f"post-{number}",
            url_digest=url_digest(settings.HAECHI.digest_key, url),
            account_digest=bytes(32),
            registered_at=timezone.now(),
            sha256=secrets.token_bytes(32),
            md5=secrets.token_bytes(16),
        )


def report(places: list[str]) -> str:
    """A person reports places; returns the report's number."""
    submission = Submission(
        token=secrets.token_urlsafe(32),
        identity=seal.new_identity(),
        language="ko",
        age=Age.ADULT,
        harms=(Harm.MADE, Harm.SHARED),
        story=Story(told="Somebody posted this.", declared=True, signature="K."),
        locations=tuple(places),
    )
    return str(flow.submit_report(submission, [], now=timezone.now())[0].pk)


def cases_open() -> list[dict[str, Any]]:
    """Every case, with the clocks that run and what it met."""
    return [
        {
            "case": case.pk,
            "state": case.state,
            "clocks": sorted(case.clocks.values_list("rule", flat=True)),
            "places": case.report.locations.count(),
            "found": case.report.hits.count(),
        }
        for case in Case.objects.order_by("pk")
    ]


def decide(case: int) -> None:
    """Remove everything that the report met."""
    found, actor, now = Case.objects.get(pk=case), User.objects.get(username="rim"), timezone.now()
    claims.claim(found, actor, now=now)
    remove = [hit.hosted for hit in found.report.hits.all() if hit.hosted is not None]
    flow.decide(
        found, Verdict.REMOVE, Ground.DEEPFAKE, reason="Seen.", remove=remove, actor=actor, now=now
    )


def sent_notices() -> list[dict[str, Any]]:
    """What this house asked of others, and what it was answered."""
    return [
        {
            "state": one.state,
            "channel": one.channel,
            "replies": sorted(one.replies.values_list("kind", flat=True)),
            "items": sorted(one.items.values_list("outcome", flat=True)),
        }
        for one in Notice.objects.order_by("created_at")
    ]


def came() -> list[dict[str, Any]]:
    """What came in."""
    return [
        {
            "stage": one.stage,
            "items": list(one.items.values_list("number", "outcome")),
            "answers": sorted(one.answers.values_list("kind", flat=True)),
            "unsent": one.answers.filter(sent_at=None).count(),
        }
        for one in Incoming.objects.order_by("received_at")
    ]


def log_holds() -> int:
    """How many entries the log has, every one verified."""
    return audit.verify(audit.signing_key().public_key())


def main() -> None:
    """Answer line by line until the input ends."""
    known = {each.__name__: each for each in (
        key, person, directory, knows, board, report, cases_open, decide, sent_notices, came, log_holds,
    )}  # fmt: skip
    print("ready", flush=True)  # noqa: T201  # it talks by lines
    for line in sys.stdin:
        asked = json.loads(line)
        answer = known[asked.pop("do")](**asked)
        print(json.dumps(answer, default=str), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
