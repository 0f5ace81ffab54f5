"""The rules of law at the desk: read by everybody, confirmed by an administrator in two steps."""

from dataclasses import replace
from datetime import date

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from psycopg.errors import InsufficientPrivilege
from tests.conftest import NOON
from tests.flow.conftest import BOARD_URL, playing, submit

from haechi import law
from haechi.errors import NotAllowed, ReasonRequired, RuleChanged
from haechi.server import flow
from haechi.server.audit.models import Entry
from haechi.server.cases import rules
from haechi.server.cases.models import Case, Rule
from haechi.server.staff import services as staff
from haechi.server.staff.models import Role, User

pytestmark = pytest.mark.django_db

FORM = {
    "version": "1",
    "runs": "yes",
    "amount": "48",
    "unit": "hours",
    "event": "valid_request",
    "stopped_by": "removal",
    "paused_by": "",
    "only_minors": "no",
    "in_force_from": "2026-10-01",
    "in_force_until": "",
    "source": "S.I. 2026/999",
    "reason": "The commencement order was published.",
}
RULE = "uk_osa_48h"


@pytest.fixture
def administrator(db: None) -> User:
    """Somebody who confirms rules."""
    return staff.add("ada", "Ada", Role.ADMINISTRATOR, "a long pass phrase", actor="t", now=NOON)[0]


def test_everybody_reads_and_only_an_administrator_is_offered_the_form(
    desk: Client, reviewer: User, administrator: User
) -> None:
    desk.force_login(reviewer)
    page = desk.get("/law").content.decode()
    assert "TAKE IT DOWN" in page
    assert "It is not known since when it is in force." in page
    assert "Confirm or change" not in desk.get(f"/law/{RULE}").content.decode()
    assert desk.post(f"/law/{RULE}", FORM).status_code == 403
    desk.force_login(administrator)
    assert "Confirm or change" in desk.get(f"/law/{RULE}").content.decode()
    assert not Rule.objects.exists()


def test_a_rule_is_looked_at_then_confirmed_and_holds_from_then_on(
    desk: Client, administrator: User
) -> None:
    """Nothing is written by the first step; who, when, source and reason are kept and logged."""
    desk.force_login(administrator)
    looked = desk.post(f"/law/{RULE}", FORM)
    assert looked.status_code == 200
    assert "S.I. 2026/999" in looked.content.decode()
    assert not Rule.objects.exists()
    assert not rules.current()[RULE].enabled

    assert desk.post(f"/law/{RULE}", FORM | {"step": "save"}).status_code == 302
    row = Rule.objects.get()
    assert (row.rule, row.version, row.made_by) == (RULE, 1, administrator.name_in_log)
    entry = Entry.objects.get(tag="rule:confirmed")
    assert entry.actor == administrator.name_in_log
    assert entry.detail["source"] == "S.I. 2026/999"
    assert entry.detail["reason"] == FORM["reason"]
    page = desk.get(f"/law/{RULE}").content.decode()
    for word in ("Version 1", "S.I. 2026/999", "commencement order", "Ada"):
        assert word in page


def test_of_two_who_confirm_one_is_told(desk: Client, administrator: User) -> None:
    desk.force_login(administrator)
    desk.post(f"/law/{RULE}", FORM | {"step": "save"})
    again = desk.post(f"/law/{RULE}", FORM | {"step": "save", "amount": "24"})
    assert again.status_code == 409
    assert "law.rule_changed" in again.content.decode()
    assert Rule.objects.get().amount == 48
    assert (
        desk.post(f"/law/{RULE}", FORM | {"step": "save", "version": "2", "runs": "no"}).status_code
        == 302
    )
    assert Entry.objects.filter(tag="rule:ended").count() == 1
    assert not rules.current()[RULE].enabled


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": " "}, {"reason": ""}, {"amount": "0"}, {"amount": "x"}, {"unit": "moons"},
        {"in_force_from": "soon"}, {"in_force_until": "2020-01-01"}, {"amount": "99999"},
    ],
)  # fmt: skip
def test_what_cannot_run_comes_back_with_its_mistakes(
    desk: Client, administrator: User, wrong: dict[str, str]
) -> None:
    desk.force_login(administrator)
    answer = desk.post(f"/law/{RULE}", FORM | wrong | {"step": "save"})
    assert answer.status_code == 422
    assert 'class="notice notice--error mistakes"' in answer.content.decode()
    assert not Rule.objects.exists()


VERSION = law.Version(
    rule=RULE,
    version=1,
    runs=True,
    amount=48,
    unit="hours",
    event="valid_request",
    stopped_by="removal",
    paused_by="",
    only_minors=False,
    in_force_from=date(2026, 10, 1),
    in_force_until=None,
    source="S.I. 2026/999",
)


def test_services_refuse_who_may_not_and_what_is_not_explained(
    reviewer: User, administrator: User
) -> None:
    with pytest.raises(NotAllowed):
        rules.confirm(VERSION, reason="Because.", actor=reviewer, now=NOON)
    with pytest.raises(ReasonRequired):
        rules.confirm(VERSION, reason=" ", actor=administrator, now=NOON)
    with pytest.raises(RuleChanged):
        rules.confirm(
            replace(VERSION, version=3), reason="Because.",
            actor=administrator, now=NOON,
        )  # fmt: skip
    assert not Rule.objects.exists()


@pytest.mark.parametrize("act", ["UPDATE cases_rule SET amount = 1", "DELETE FROM cases_rule"])
def test_a_version_is_never_changed(administrator: User, act: str) -> None:
    """By the rights of every process, and by the database itself whoever asks."""
    rules.confirm(VERSION, reason="Because.", actor=administrator, now=NOON)
    for process in ("public", "desk", "worker"):
        with playing(process), pytest.raises(DatabaseError) as refused, transaction.atomic():
            connection.cursor().execute(act)
        assert isinstance(refused.value.__cause__, InsufficientPrivilege), process
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        connection.cursor().execute(act)


def test_the_public_form_reckons_with_what_was_confirmed(
    public: Client, administrator: User
) -> None:
    """With the rights of the public process, which reads neither who nor why."""
    before = public.get("/report").content.decode()
    rules.confirm(VERSION, reason="Because.", actor=administrator, now=NOON)
    rules.forget()
    after = public.get("/report").content.decode()
    assert "Online Safety Act" in before
    assert after.count("48 hours") > before.count("48 hours")


def test_the_page_of_a_case_leads_to_the_rule_and_asks_for_what_is_missing(
    desk: Client, reviewer: User
) -> None:
    report, _ = submit(places=(BOARD_URL,))
    flow.open_case(report, now=NOON)
    case = Case.objects.get()
    desk.force_login(reviewer)
    assert desk.post(f"/case/{case.pk}/ask").status_code == 403
    desk.post(f"/case/{case.pk}/open", {"purpose": "review"})
    page = desk.get(f"/case/{case.pk}").content.decode()
    assert f'action="/case/{case.pk}/ask"' in page
    assert 'href="/law/kr_tba_report_result"' in page
    assert desk.post(f"/case/{case.pk}/ask").status_code == 302
    assert report.messages.count() == 1
    assert desk.post(f"/case/{case.pk}/ask").status_code == 302
    assert report.messages.count() == 1
