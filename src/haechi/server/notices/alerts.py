"""Mail to the people who run this: deadlines of law were missed (B24).

It names cases by number and laws by name, in all three languages, and nothing of what was reported.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime

from django.conf import settings
from django.utils.translation import gettext, ngettext, override

from haechi.server.cases.models import Clock
from haechi.server.notices.services import hand_to_server

AT_MOST = 50


def tell(missed: Sequence[Clock], *, to: str, now: datetime) -> None:
    """Send one mail about all of them. Raises OSError or smtplib.SMTPException."""
    hand_to_server(_message(missed, to, now=now), sender=settings.HAECHI.mail_from)


def _message(missed: Sequence[Clock], to: str, *, now: datetime) -> EmailMessage:
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = settings.HAECHI.mail_from
    message["To"] = to
    message["Subject"] = f"[Haechi] deadlines missed: {len(missed)}"
    message["Date"] = format_datetime(now)
    # The same clocks make the same name: should it be sent twice, a mail program shows it once.
    named = ",".join(str(clock.pk) for clock in missed)
    domain = settings.HAECHI.mail_from.rpartition("@")[2]
    message["Message-ID"] = f"<missed-{hashlib.sha256(named.encode()).hexdigest()[:32]}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    parts = []
    for language, _name in settings.LANGUAGES:
        with override(language):
            parts.append(_words(missed))
    message.set_content("\n\n".join(parts))
    return message


def _words(missed: Sequence[Clock]) -> str:
    count = len(missed)
    lines = [
        ngettext(
            "%(n)s deadline of law ran out before it was met:",
            "%(n)s deadlines of law ran out before they were met:",
            count,
        )
        % {"n": count}
    ]
    lines += [
        gettext("Case {number}: {law}, due {due} UTC").format(
            number=clock.case_id, law=clock.law_in_words, due=f"{clock.due_at:%Y-%m-%d %H:%M}"
        )
        for clock in missed[:AT_MOST]
    ]
    lines.append(f"{settings.HAECHI.desk_url}/missed")
    return "\n".join(lines)
