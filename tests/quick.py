"""What is slow on purpose, made quick for tests that are about something else.

Codes and passwords cost a tenth to half of a second each, for those who guess. Processes that tests
start, and the tests of codes and passwords themselves, pay it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from argon2.low_level import hash_secret_raw

# The first makes new hashes; the second reads those that are there.
HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "django.contrib.auth.hashers.Argon2PasswordHasher",
]


@contextmanager
def codes() -> Iterator[None]:
    """Return codes that are made in this process, and found by it, cost nothing."""

    def quick(**given: object) -> bytes:
        return hash_secret_raw(**(given | {"time_cost": 1, "memory_cost": 8}))  # type: ignore[arg-type]

    with patch("haechi.server.reports.return_code.hash_secret_raw", quick):
        yield
