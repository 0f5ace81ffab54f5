"""Sessions of the desk: the database keeps a digest of the cookie, never the cookie itself."""

import base64
import hashlib
from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.utils import timezone


class SessionStore(DatabaseStore):
    """Django's database sessions, with SHA-256 of the session key as the key of the row.

    Who reads the table learns no cookie. The signature over the content covers the row's key, so
    the content of one row copied into another is not accepted either. Only the synchronous half
    of Django's interface is served; the desk runs under WSGI.
    """

    @property
    def key_salt(self) -> str:
        """What the signature over the content is bound to."""
        return f"haechi.staff.sessions:{_stored(self.session_key or '')}"

    def exists(self, session_key: str) -> bool:
        """Whether a row is kept for this cookie."""
        return self.model.objects.filter(session_key=_stored(session_key)).exists()

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        """The row as it is saved."""
        key = self._get_or_create_session_key()  # type: ignore[attr-defined]  # not in the stubs
        return self.model(
            session_key=_stored(key),
            session_data=self.encode(data),
            expire_date=self.get_expiry_date(),
        )

    def delete(self, session_key: str | None = None) -> None:
        """End the session of this cookie (default: the own one)."""
        key = session_key or self.session_key
        if key is not None:
            self.model.objects.filter(session_key=_stored(key)).delete()

    def _get_session_from_db(self) -> AbstractBaseSession | None:
        row = self.model.objects.filter(
            session_key=_stored(self.session_key or ""), expire_date__gt=timezone.now()
        ).first()
        if row is None:
            self._session_key = None
        return row


def _stored(session_key: str) -> str:
    # A session key has 165 random bits: nothing slower or salted is needed. Base 85, since Django's
    # column is 40 characters wide and 32 bytes are exactly that.
    return base64.b85encode(hashlib.sha256(session_key.encode()).digest()).decode()
