"""What the tests of the pages behind the return code share."""

import html
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.http import HttpResponse
from django.test import Client, override_settings
from tests.conftest import NOON
from tests.flow.conftest import refused

from haechi.server import flow
from haechi.server.cases.models import Decision
from haechi.server.reports import visits
from haechi.server.reports.models import Report
from haechi.server.reports.return_code import ReturnCode
from haechi.server.reports.visits import Visiting
from haechi.server.staff.models import User


def text_of(response: HttpResponse) -> str:
    """The page as it is sent."""
    return response.content.decode()


def enter(client: Client, code: ReturnCode) -> None:
    """Come back with the code; the cookie is in the client."""
    assert client.post("/return", {"code": code.digits()}).status_code == 302


def visit_of(code: ReturnCode) -> Visiting:
    """The visit as the views see it."""
    visit = visits.resume(visits.enter(code.digits(), now=NOON), now=NOON)
    assert visit is not None
    return visit


def hidden(response: HttpResponse, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', text_of(response))
    assert found, name
    return html.unescape(found[1])


def code_on(response: HttpResponse) -> ReturnCode:
    """The code that a page shows."""
    found = re.search(r'code-panel__digits"[^>]*>([\d ]+)<', text_of(response))
    assert found
    return ReturnCode.parse(found[1])


def refuse(report: Report, reviewer: User) -> Decision:
    """The worker has looked; two people conclude not to remove, `reviewer` the second."""
    flow.examine(report, last_try=True)
    return refused(report.case, reviewer)


@contextmanager
def as_desk() -> Iterator[Callable[[Client, User], None]]:
    """For a while this process plays the desk; gives what logs somebody in there."""
    with override_settings(
        ROOT_URLCONF="haechi.server.config.urls_desk", MIDDLEWARE=settings.MIDDLEWARE_DESK
    ):
        yield lambda client, user: client.force_login(user)
