"""Accounts, passwords and second factors."""

import base64
import hashlib
import hmac
import ipaddress
import secrets
from datetime import datetime, timedelta

import pyotp
from cryptography.fernet import Fernet
from django.conf import settings
from django.db import transaction

from haechi.errors import LoginRefused, LoginThrottled
from haechi.server.audit import services as audit
from haechi.server.staff.models import LoginAttempt, Role, User

# Ten guesses a quarter of an hour, per account and address prefix together: a stranger elsewhere
# cannot lock anybody out (B10).
ATTEMPTS = 10
WINDOW = timedelta(minutes=15)
STEP_S = 30


@transaction.atomic
def add(
    username: str, display_name: str, role: Role, password: str, *, actor: str, now: datetime
) -> tuple[User, str]:
    """Make an account; return it with its TOTP secret (base32), which is shown only now."""
    secret = pyotp.random_base32()
    user = User(
        username=username,
        display_name=display_name,
        role=role,
        totp_secret=_fernet().encrypt(secret.encode()),
        created_at=now,
    )
    user.set_password(password)
    user.save()
    audit.record("staff:added", subject=user, actor=actor, at=now, detail={"role": role.value})
    return user, secret


@transaction.atomic
def set_password(user: User, password: str, *, actor: str, now: datetime) -> None:
    """Give a new password; every session of `user` ends with this commit (B09)."""
    user.set_password(password)
    user.save(update_fields=["password"])
    audit.record("staff:password_changed", subject=user, actor=actor, at=now)


@transaction.atomic
def set_role(user: User, role: Role, *, actor: str, now: datetime) -> None:
    """Change what somebody may do; every session of `user` ends with this commit (B09)."""
    user.role = role
    user.save(update_fields=["role"])
    audit.record(
        "staff:role_changed", subject=user, actor=actor, at=now, detail={"role": role.value}
    )


@transaction.atomic
def new_second_factor(user: User, *, actor: str, now: datetime) -> str:
    """Replace the second factor; return its secret (base32), which is shown only now.

    Every session of `user` ends with this commit (B09).
    """
    secret = pyotp.random_base32()
    user.totp_secret, user.totp_last_step = _fernet().encrypt(secret.encode()), 0
    user.save(update_fields=["totp_secret", "totp_last_step"])
    audit.record("staff:second_factor_changed", subject=user, actor=actor, at=now)
    return secret


@transaction.atomic
def set_active(user: User, *, active: bool, actor: str, now: datetime) -> None:
    """Let somebody in again, or out: their sessions do not come back with them (B09)."""
    if User.objects.filter(pk=user.pk, is_active=not active).update(
        is_active=active, session_salt=secrets.token_hex(8)
    ):
        tag = "staff:enabled" if active else "staff:disabled"
        audit.record(tag, subject=user, actor=actor, at=now)


def login(username: str, password: str, token: str, *, address: str, now: datetime) -> User:
    """Check password and token together.

    A token is accepted once, also after a failed login. A refusal is logged where the account
    exists. Raises LoginRefused, which does not say what was wrong, or LoginThrottled.
    """
    account, prefix = _digest(username.casefold()), _digest(_prefix(address))
    recent = LoginAttempt.objects.filter(
        account_digest=account, prefix_digest=prefix, at__gt=now - WINDOW
    )
    if recent.count() >= ATTEMPTS:
        raise LoginThrottled
    known = User.objects.filter(username=username).first()
    user = known if known is not None and known.is_active else None
    # The password of nobody takes as long as the password of somebody.
    right_password = (user or User(password=_NOBODY)).check_password(password)
    right_token = user is not None and _use_token(user, token, now)
    if user is None or not right_password or not right_token:
        with transaction.atomic():
            LoginAttempt.objects.create(account_digest=account, prefix_digest=prefix, at=now)
            if known is not None:
                audit.record("staff:login_refused", subject=known, actor="stranger", at=now)
        raise LoginRefused
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(last_login=now)
        audit.record("staff:login", subject=user, actor=user.name_in_log, at=now)
    return user


@transaction.atomic
def logout(user: User, *, now: datetime) -> None:
    """Log that `user` left; the session is the caller's to end."""
    audit.record("staff:logout", subject=user, actor=user.name_in_log, at=now)


def totp_of(user: User) -> pyotp.TOTP:
    """The second factor of `user`."""
    return pyotp.TOTP(_fernet().decrypt(bytes(user.totp_secret)).decode())


def _use_token(user: User, token: str, now: datetime) -> bool:
    totp = totp_of(user)
    this_step = int(now.timestamp()) // STEP_S
    for step in (this_step, this_step - 1, this_step + 1):
        if hmac.compare_digest(totp.generate_otp(step), token.strip().replace(" ", "")):
            # Compare-and-swap: of two logins with one token, one wins.
            return bool(
                User.objects.filter(pk=user.pk, totp_last_step__lt=step).update(totp_last_step=step)
            )
    return False


def _fernet() -> Fernet:
    key = hashlib.sha256(b"haechi totp" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


def _digest(text: str) -> bytes:
    return hmac.digest(settings.HAECHI.digest_key, text.encode(), "sha256")


def _prefix(address: str) -> str:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network(f"{ip}/{24 if ip.version == 4 else 48}", strict=False))


# Argon2 hash of a random password nobody has.
_NOBODY = (
    "argon2$argon2id$v=19$m=102400,t=2,p=8$Y1RKNnM2SGJ0ZUVvbFBGbQ$"
    "8aZmIUn4u4FtxHyWqyWyRZ2ZPmSnOLHcZp0Zs6A3lqU"
)
