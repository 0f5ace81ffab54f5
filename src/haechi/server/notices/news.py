"""One e-mail that says "something changed" and nothing else, to whoever asked for it.

It names no service, no case and no person, and leads nowhere: a link would speak to whoever reads
it over her shoulder.
"""

import logging
import smtplib
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from django.conf import settings
from django.utils.translation import gettext, override

from haechi.errors import HaechiError
from haechi.server.notices.services import hand_to_server
from haechi.server.reports import nudges
from haechi.server.reports.models import Nudge

log = logging.getLogger(__name__)


def tell(nudge: Nudge, *, now: datetime) -> bool:
    """Send it; True where the mail server took it. A refusal is tried again the next day."""
    try:
        message = _message(nudges.address_of(nudge), nudge.report.language, now=now)
        hand_to_server(message, sender=settings.HAECHI.news_from)
    except (HaechiError, OSError, smtplib.SMTPException) as error:
        # What a mail server says may quote the address.
        log.warning("an e-mail to a reporter could not be sent: %s", type(error).__name__)
        return False
    return True


def subject() -> str:
    """The subject, in the active language; she is shown it before she asks for the mail."""
    return gettext("Information")


def body() -> str:
    """All that it says."""
    return gettext("There is something new. Come back whenever it suits you.")


def _message(address: str, language: str, *, now: datetime) -> EmailMessage:
    sender = settings.HAECHI.news_from
    with override(language):
        message = EmailMessage(policy=policy.SMTP)
        message["From"] = sender
        message["To"] = address
        message["Subject"] = subject()
        message["Date"] = format_datetime(now)
        message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(body())
    return message
