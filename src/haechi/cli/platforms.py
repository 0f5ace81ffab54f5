"""`haechi platform list|set|rotate|test`: who is asked to act, and trying it out."""

import argparse
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from haechi.cli.people import refuse, webhook_secret_text

if TYPE_CHECKING:
    from haechi.server.matching.models import Platform


def list_platforms(_asked: argparse.Namespace) -> int:
    """Every platform, one a line: how many orders wait, its state, its name, how it is told."""
    from haechi.cli import installation

    installation.enter()
    from haechi.server.cases.models import Action
    from haechi.server.matching.models import Platform

    for platform in Platform.objects.order_by("name"):
        waiting = Action.objects.open().filter(platform=platform).count()
        state = "test mode" if platform.testing else "on"
        told = platform.webhook_url or "asks by itself"
        print(f"{waiting:>6}  {state if platform.enabled else 'off':<9}  {platform.name}  {told}")
    return 0


def change_platform(asked: argparse.Namespace) -> int:
    """Test mode, on or off, another webhook."""
    platform = _find(asked.name)
    if platform is None:
        return refuse(f"there is no platform named {asked.name}")
    from django.utils import timezone

    from haechi.server.matching import platforms

    changes = {
        name: value
        for name, value in (
            ("testing", asked.testing),
            ("enabled", asked.enabled),
            ("webhook_url", asked.webhook_url),
        )
        if value is not None
    }
    if not changes:
        return refuse("say what to change: --testing, --enabled, --webhook-url")
    platforms.change(platform, changes, actor="operator", now=timezone.now())
    print(f"{platform.name}: {', '.join(f'{name} is {value}' for name, value in changes.items())}")
    return 0


def rotate(asked: argparse.Namespace) -> int:
    """Make another webhook secret; messages are signed with both for a while."""
    platform = _find(asked.name)
    if platform is None:
        return refuse(f"there is no platform named {asked.name}")
    if not 0 <= asked.days <= 365:
        return refuse("--days must be from 0 to 365")
    from django.utils import timezone

    from haechi.server.matching import platforms

    secret, now = secrets.token_bytes(32), timezone.now()
    until = now + timedelta(days=asked.days)
    platforms.rotate_secret(platform, secret, old_until=until, actor="operator", now=now)
    print(f"Webhook secret  {webhook_secret_text(secret)}")
    print(
        f"Shown only now. Messages are signed with the old one too until {until:%Y-%m-%d %H:%M} UTC."
    )
    return 0


def test_platform(asked: argparse.Namespace) -> int:
    """Send one test message now, and say what the platform answered."""
    platform = _find(asked.name)
    if platform is None:
        return refuse(f"there is no platform named {asked.name}")
    from django.utils import timezone

    from haechi.errors import DeliveryFailed, NotAllowed
    from haechi.server import flow
    from haechi.server.cases import acting, delivery

    now = timezone.now()
    try:
        trial = acting.try_out(platform, asked.type, asked.content_id, actor="operator", now=now)
    except NotAllowed:
        return refuse(
            f"{platform.name} is not in test mode: haechi platform set {platform.name} --testing"
        )
    print(f"Test message    {trial.idempotency_key}")
    if not platform.webhook_url:
        print("It has no webhook: the message waits until the platform asks.")
        return 0
    try:
        said = delivery.send(trial, flow.trial_order_of(trial), now=now)
    except DeliveryFailed as error:
        return refuse(str(error))
    acting.take_trial(trial, said, now=timezone.now())
    print(f"Answer          {said.outcome} {said.reason}".rstrip())
    return 0


def _find(name: str) -> "Platform | None":
    from haechi.cli import installation

    installation.enter()
    from haechi.server.matching.models import Platform

    return Platform.objects.filter(name=name).first()
