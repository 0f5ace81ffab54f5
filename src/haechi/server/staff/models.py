"""People who work here. There is no role that may read everything (B11)."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What somebody may do. Administrators manage people and keys, not content."""

    REVIEWER = "reviewer", _("reviewer")
    ADMINISTRATOR = "administrator", _("administrator")


class UserManager(BaseUserManager["User"]):
    """Accounts are made by `staff.services.add`."""


class User(AbstractBaseUser):
    """One person with a password and a second factor.

    totp_secret     base32, sealed with the desk's secret key (services.totp_of)
    totp_last_step  the last 30-second step whose token was accepted; never accepted again (B10)
    session_salt    part of what every session is bound to; changed, it ends them all
    """

    username = models.CharField(max_length=60, unique=True)
    display_name = models.CharField(max_length=120)
    role = models.CharField(max_length=20, choices=Role.choices)
    totp_secret = models.BinaryField()
    totp_last_step = models.BigIntegerField(default=0)
    session_salt = models.CharField(max_length=16, default="", blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    objects = UserManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["display_name", "role"]

    def __str__(self) -> str:
        return self.display_name

    def get_session_auth_hash(self) -> str:
        """Changes with password, role and second factor, which ends every session (B09)."""
        return salted_hmac(
            "haechi.staff.session",
            f"{self.password}{self.role}{bytes(self.totp_secret).hex()}{self.session_salt}",
            algorithm="sha256",
        ).hexdigest()

    @property
    def name_in_log(self) -> str:
        """How the audit log names this person."""
        return f"staff:{self.pk}"


class LoginAttempt(models.Model):
    """A failed login, kept as keyed digests only, to slow guessing down (B10)."""

    account_digest = models.BinaryField(max_length=32)
    prefix_digest = models.BinaryField(max_length=32)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["account_digest", "prefix_digest", "at"])]

    def __str__(self) -> str:
        return f"attempt at {self.at:%H:%M}"
