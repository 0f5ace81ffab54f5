"""Whom a notice goes to."""

import pytest

from haechi.server.notices import directory
from haechi.server.notices import services as notices
from haechi.server.notices.models import Receiver


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://photos.example/a/1.jpg", "photos.example"),
        ("photos.example/a/1.jpg", "photos.example"),
        ("  HTTP://Photos.Example:8080/a?b#c ", "photos.example"),
        ("https://사진.example/1", "xn--vf4bi0o.example"),
        ("@channel", None),
        ("t.me room 123", None),
        ("ftp://photos.example/a", None),
        ("https://user:pass@photos.example/", None),
        ("https://photos.example/\r\nBcc: x@y.example", None),
        ("", None),
        ("https://[::1", None),
    ],
)
def test_only_a_web_address_has_a_host(address: str, host: str | None) -> None:
    """Everything else is left to a person, and never stops a decision."""
    assert notices.host_of(address) == host


@pytest.mark.django_db
def test_the_nearest_name_in_the_directory_answers() -> None:
    """A receiver answers for names under its own, never for those beside it."""
    for host in ("example.org", "photos.example.org"):
        Receiver.objects.create(host=host, name=host, email=f"a@{host}", source="test")
    assert directory.answering_for("cdn.photos.example.org").name == "photos.example.org"
    assert directory.answering_for("www.example.org").name == "example.org"
    beside = directory.answering_for("notexample.org")
    assert (beside.known, beside.email) == (False, "abuse@notexample.org")
