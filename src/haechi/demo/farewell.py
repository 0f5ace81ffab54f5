"""What to open and how to log in, once everything is up."""

import sys
import time

import pyotp

from haechi.demo import household
from haechi.demo.household import Family
from haechi.demo.telling import Teller


def say(teller: Teller, family: Family) -> None:
    """Addresses, logins and logs."""
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
    teller.line("   tokens without a phone, each works once:")
    teller.line(f"   {sys.executable} -m haechi.demo.farewell {' '.join(family.totp.values())}")
    teller.line()
    teller.line(f"Mails   {family.mail}")
    teller.line(f"Logs    {family.home / 'logs'}")
    teller.line("Ctrl-C stops everything. The next start keeps the data; --reset deletes it.")


def tokens(secrets: list[str]) -> str:
    """The current token of each secret, and how long it stays so."""
    left_s = 30 - int(time.time()) % 30
    return f"{'  '.join(pyotp.TOTP(secret).now() for secret in secrets)}  (for {left_s} s)"


if __name__ == "__main__":
    sys.stdout.write(tokens(sys.argv[1:]) + "\n")
