"""`haechi platform key`: several keys of one platform, each for its own purpose."""

import argparse
from datetime import timedelta

from haechi.cli.people import new_api_key, refuse


def add_key(asked: argparse.Namespace) -> int:
    """Make a key; it is shown once."""
    from haechi.cli import installation

    installation.enter()
    from django.utils import timezone

    from haechi.server.matching import api_keys
    from haechi.server.matching.models import Platform

    platform = Platform.objects.filter(name=asked.platform).first()
    if platform is None:
        return refuse(f"there is no platform named {asked.platform}")
    if asked.days is not None and not 0 < asked.days <= 36_500:
        return refuse("--days must be from 1 to 36500")
    if len(asked.name) > 80:
        return refuse("--name has at most 80 characters")
    now, key = timezone.now(), new_api_key()
    made = api_keys.add(
        platform,
        key,
        name=asked.name,
        scopes=asked.scope,
        expires_at=None if asked.days is None else now + timedelta(days=asked.days),
        actor="operator",
        now=now,
    )
    print(f"Key {made.pk}   {key}")
    print("It is shown only now; Haechi keeps a digest of it.")
    return 0


def list_keys(asked: argparse.Namespace) -> int:
    """Number, state, scopes and name of each key, the oldest first."""
    from haechi.cli import installation

    installation.enter()
    from django.utils import timezone

    from haechi.server.matching.models import ApiKey, Platform

    platform = Platform.objects.filter(name=asked.platform).first()
    if platform is None:
        return refuse(f"there is no platform named {asked.platform}")
    now = timezone.now()
    for key in ApiKey.objects.filter(platform=platform).order_by("pk"):
        state = "in force"
        if key.revoked_at:
            state = f"revoked {key.revoked_at:%Y-%m-%d}"
        elif key.expires_at:
            said = "expired" if key.expires_at <= now else "until"
            state = f"{said} {key.expires_at:%Y-%m-%d}"
        print(f"{key.pk:>6}  {state:<18}  {','.join(key.scopes)}  {key.name}".rstrip())
    return 0


def revoke_key(asked: argparse.Namespace) -> int:
    """Stop a key."""
    from haechi.cli import installation

    installation.enter()
    from django.utils import timezone

    from haechi.server.matching import api_keys
    from haechi.server.matching.models import ApiKey

    key = ApiKey.objects.filter(pk=asked.number).first()
    if key is None:
        return refuse(f"there is no key {asked.number}")
    if api_keys.revoke(key, actor="operator", now=timezone.now()):
        print(f"Key {key.pk} of {key.platform} is stopped.")
    else:
        print(f"Key {key.pk} of {key.platform} was stopped before.")
    return 0
