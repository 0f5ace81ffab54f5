"""The address of one notice, where its bounces and answers arrive (VERP).

    notices+<26 characters: its id>-<8 characters: a mark only we can make>@our.example

Upper and lower case are the same, as mail servers may change it.
"""

import base64
import binascii
import hashlib
import hmac
import re
from uuid import UUID

from django.conf import settings

_OWN = re.compile(r"\+([a-z2-7]{26})-([a-z2-7]{8})@", re.IGNORECASE)
_MARK_BYTES = 5


def own_address(notice_id: UUID) -> str:
    """Where what is sent about this notice comes back to."""
    local, _, domain = settings.HAECHI.mail_from.rpartition("@")
    name = base64.b32encode(notice_id.bytes).decode().rstrip("=").lower()
    return f"{local}+{name}-{_mark(notice_id)}@{domain}"


def notices_in(text: str) -> list[UUID]:
    """The notices whose own addresses stand in `text`; an address we did not make is passed over."""
    found = []
    for name, mark in _OWN.findall(text):
        try:
            notice_id = UUID(bytes=base64.b32decode(f"{name.upper()}======"))
        except (binascii.Error, ValueError):
            continue
        if hmac.compare_digest(_mark(notice_id), mark.lower()):
            found.append(notice_id)
    return found


def message_id(notice_id: UUID) -> str:
    """The Message-ID of its e-mail, the same for each attempt."""
    return f"<{notice_id}@{settings.HAECHI.mail_from.rpartition('@')[2]}>"


def _mark(notice_id: UUID) -> str:
    key = settings.HAECHI.digest_key
    made = hmac.digest(key, b"own address\0" + notice_id.bytes, hashlib.sha256)[:_MARK_BYTES]
    return base64.b32encode(made).decode().lower()
