"""`haechi staff` and `haechi platform`: who may come in, and with which key."""

import argparse
import base64
import getpass
import secrets
import sys


def add_staff(asked: argparse.Namespace) -> int:
    """Make an account; show the second factor once, as text and as a code to scan."""
    from haechi.cli import installation

    installation.enter()
    from django.utils import timezone

    from haechi.server.staff import services as staff
    from haechi.server.staff.models import Role, User

    if User.objects.filter(username=asked.name).exists():
        return refuse(f"there is an account named {asked.name} already")
    password = _password(from_pipe=asked.password_stdin)
    if wrong := _unfit(password):
        return refuse(wrong)
    _, secret = staff.add(
        asked.name,
        asked.display_name or asked.name,
        Role(asked.role),
        password,
        actor="operator",
        now=timezone.now(),
    )
    _show_second_factor(asked.name, secret)
    return 0


def list_staff(_asked: argparse.Namespace) -> int:
    """Everybody with an account, one a line."""
    from haechi.cli import installation

    installation.enter()
    from haechi.server.staff.models import User

    for user in User.objects.order_by("username"):
        state = "" if user.is_active else "  disabled"
        print(f"{user.username:<24} {user.role:<14} {user.display_name}{state}")
    return 0


def change_staff(asked: argparse.Namespace) -> int:
    """Change password, role, second factor or access of one account; its sessions end at once."""
    from haechi.cli import installation

    installation.enter()
    from django.utils import timezone

    from haechi.server.staff import services as staff
    from haechi.server.staff.models import Role, User

    user = User.objects.filter(username=asked.name).first()
    if user is None:
        return refuse(f"there is no account named {asked.name}")
    now = timezone.now()
    if asked.change == "password":
        password = _password(from_pipe=asked.password_stdin)
        if wrong := _unfit(password):
            return refuse(wrong)
        staff.set_password(user, password, actor="operator", now=now)
    elif asked.change == "role":
        staff.set_role(user, Role(asked.role), actor="operator", now=now)
    elif asked.change == "second-factor":
        secret = staff.new_second_factor(user, actor="operator", now=now)
        _show_second_factor(user.username, secret)
    else:
        staff.set_active(user, active=asked.change == "enable", actor="operator", now=now)
    return 0


def _unfit(password: str) -> str:
    """What is wrong with a password, or ""."""
    from django.contrib.auth import password_validation
    from django.core.exceptions import ValidationError

    try:
        password_validation.validate_password(password)
    except ValidationError as error:
        return " ".join(error.messages)
    return ""


def add_platform(asked: argparse.Namespace) -> int:
    """Register a platform; show its key and its webhook secret once."""
    from haechi.cli import installation

    installation.enter()
    from django.db import transaction
    from django.utils import timezone

    from haechi.server.matching import api_keys
    from haechi.server.matching import services as matching
    from haechi.server.matching.models import Platform

    if Platform.objects.filter(name=asked.name).exists():
        return refuse(f"there is a platform named {asked.name} already")
    api_key, webhook_secret = new_api_key(), secrets.token_bytes(32)
    with transaction.atomic():
        platform = matching.register_platform(
            asked.name, asked.base_url, asked.webhook_url, webhook_secret=webhook_secret
        )
        api_keys.add(
            platform,
            api_key,
            name="first",
            scopes=[*api_keys.FIRST_SCOPES, *(["curate"] if asked.may_curate else [])],
            expires_at=None,
            actor="operator",
            now=timezone.now(),
        )
    print(f"API key         {api_key}")
    print(f"Webhook secret  {webhook_secret_text(webhook_secret)}")
    print("Both are shown only now; Haechi keeps a digest of the key.")
    print(f"The key is the one named first in: haechi platform key list {asked.name}")
    return 0


def new_api_key() -> str:
    """A fresh key for a platform: 256 random bits, easy to find by secret scanners."""
    return f"haechi_{secrets.token_urlsafe(32)}"


def webhook_secret_text(secret: bytes) -> str:
    """A webhook secret as Standard Webhooks writes it."""
    return f"whsec_{base64.b64encode(secret).decode()}"


def _password(*, from_pipe: bool) -> str:
    if from_pipe:
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("Password (12 characters or more): ")
    if getpass.getpass("Once more: ") != first:
        raise OSError("the two passwords differ; nothing was made")
    return first


def _show_second_factor(name: str, secret: str) -> None:
    import pyotp
    import segno

    address = pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="Haechi")
    print(f"Second factor   {secret}")
    print(f"Address         {address}")
    print("Scan this with an authenticator app. It is shown only now.")
    segno.make(address).terminal(out=sys.stdout, compact=True)


def refuse(text: str) -> int:
    """Say why nothing was done; the exit code for it."""
    print(f"haechi: {text}", file=sys.stderr)
    return 3
