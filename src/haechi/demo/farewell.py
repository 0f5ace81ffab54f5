"""What to open and how to log in, once everything is up."""

import sys
import time

import pyotp

from haechi.demo import household
from haechi.demo.household import Family
from haechi.demo.tale import Tale
from haechi.demo.telling import Teller


def say(teller: Teller, family: Family, tale: Tale | None) -> None:
    """Addresses, logins, what is left to do, and logs."""
    teller.line()
    teller.line("Open in a browser:")
    for name, what in (
        ("public", "the public site"),
        ("desk", "the desk, for reviewers"),
        ("board", "the sample board"),
        ("match", "the match service (GET /v1/status)"),
    ):
        path = "/v1/status" if name == "match" else "/"
        teller.line(f"   {family.url(name)}{path:<12} {what}")
    teller.line()
    teller.line(f"Reviewers, password: {household.PASSWORD}")
    for name, secret in family.totp.items():
        address = pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="Haechi demo")
        teller.line(f"   {name}  {address}")
    named = " ".join(f"{name}={secret}" for name, secret in family.totp.items())
    teller.line("   tokens without a phone, each works once:")
    teller.line(f"   {sys.executable} -m haechi.demo.farewell {named}")
    teller.line()
    if tale is not None and tale.left_code:
        teller.line(f"Waiting for a decision: {family.url('desk')}/case/{tale.left_case_id}")
        teller.line(f"   its reporter reads along at {family.url('public')}/return with the code")
        teller.line(f"   {tale.left_code} (printed because this is a demo)")
        teller.line()
    teller.line(f"Mails   {family.mail}")
    teller.line(f"Logs    {family.home / 'logs'}")
    teller.line("Ctrl-C stops everything. The next start keeps the data; --reset deletes it.")


def tokens(named: list[str]) -> str:
    """The current token of each `name=secret`, and how long it stays so."""
    left_s = 30 - int(time.time()) % 30
    pairs = [each.split("=", 1) for each in named]
    now = "  ".join(f"{name} {pyotp.TOTP(secret).now()}" for name, secret in pairs)
    return f"{now}  (for {left_s} s)"


if __name__ == "__main__":
    sys.stdout.write(tokens(sys.argv[1:]) + "\n")
