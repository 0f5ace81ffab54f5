"""Lay signed checkpoints down in other hands, so that nobody here can rewrite the past unseen.

By mail to a second party (HAECHI_LOG_MAIL), and with a time stamp authority (HAECHI_TSA_URL). Without
a setting there is none, and nothing stands in for it.
"""

import smtplib
from datetime import datetime
from email.message import EmailMessage

from django.conf import settings

from haechi.errors import DeliveryFailed
from haechi.server.audit import tsa
from haechi.server.audit.models import Anchor, AnchorKind, Checkpoint

TIMEOUT_S = 20.0


def wanted() -> list[AnchorKind]:
    """Where this installation lays its checkpoints down."""
    told = settings.HAECHI
    places = {AnchorKind.MAIL: told.log_mail, AnchorKind.STAMP: told.tsa_url}
    return [kind for kind, address in places.items() if address]


def lay_down(checkpoint: Checkpoint, kind: AnchorKind, *, now: datetime) -> Anchor:
    """Mail it or have it stamped, and keep the proof; done before, it is left at that.

    Should this process die between the answer and the commit, a mail goes out once more under the
    same Message-ID. Raises DeliveryFailed.
    """
    known = Anchor.objects.filter(checkpoint=checkpoint, kind=kind).first()
    if known is not None:
        return known
    told = settings.HAECHI
    if kind == AnchorKind.MAIL:
        to, proof = str(told.log_mail), _mail(checkpoint)
    else:
        to, proof = str(told.tsa_url), tsa.ask(str(told.tsa_url), checkpoint.note.encode())
    made, _ = Anchor.objects.get_or_create(
        checkpoint=checkpoint, kind=kind, defaults={"to": to, "proof": proof, "at": now}
    )
    return made


def _mail(checkpoint: Checkpoint) -> bytes:
    told = settings.HAECHI
    message = EmailMessage()
    domain = told.mail_from.rpartition("@")[2]
    message["From"], message["To"] = told.mail_from, told.log_mail
    message["Subject"] = f"{told.organisation}: log of {checkpoint.size} entries"
    message["Message-ID"] = f"<haechi-log-{checkpoint.size}@{domain}>"
    message["Date"] = checkpoint.at
    message.set_content(
        "Keep this mail. With it, anybody can tell whether the log was changed later:\n"
        f"haechi audit verify --note FILE, or {told.public_url}/.well-known/haechi-log\n\n"
        f"{checkpoint.verifier}\n"
    )
    # As it was signed, byte for byte; a mail's own text may be broken anew on its way.
    message.add_attachment(
        checkpoint.note.encode(),
        maintype="application",
        subtype="octet-stream",
        filename="checkpoint.txt",
    )
    try:
        with smtplib.SMTP(told.smtp_host, told.smtp_port, timeout=TIMEOUT_S) as server:
            server.send_message(message)
            return b"accepted"
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryFailed(f"checkpoint by mail: {type(error).__name__}") from error
