"""What a reviewer may conclude, on which grounds, and that two people refuse."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from procrastinate.contrib.django.models import ProcrastinateJob
from tests.conftest import NOON
from tests.flow.conftest import BOARD_URL, OUTSIDE_URL, submit
from tests.flow.status import enter, text_of

from haechi.errors import (
    AlreadyLooked,
    CaseClaimed,
    CaseClosed,
    GroundUnknown,
    HaechiError,
    NotAllowed,
    ReasonRequired,
    SecondNeeded,
)
from haechi.fingerprint.address import url_digest
from haechi.server import flow
from haechi.server.audit import services as audit
from haechi.server.audit.models import Entry
from haechi.server.cases import claims, clocks, pauses, policies, reviews
from haechi.server.cases import services as cases
from haechi.server.cases.models import (
    Action,
    Case,
    Clock,
    Decision,
    For,
    Ground,
    Opinion,
    Pause,
    Restriction,
    Review,
    State,
    Verdict,
)
from haechi.server.cases.models.policy import shipped
from haechi.server.cases.ruling import Ruling, Said
from haechi.server.matching import services as matching
from haechi.server.matching.models import Hosted, Member, Platform
from haechi.server.notices.models import Notice
from haechi.server.reports.return_code import ReturnCode
from haechi.server.staff import services as staff
from haechi.server.staff.models import Role, User
from haechi.server.transparency import services as transparency
from haechi.server.transparency.models import Statement

KEEP = Ruling(Verdict.KEEP, reason="A holiday photo.")
NOT_OURS = Ruling(Verdict.NOT_OURS, reason="A quarrel about a bill.")
REMOVE = Ruling(Verdict.REMOVE, Ground.DEEPFAKE, "The same picture.")
WEEK = timedelta(days=7)


def person(name: str, role: Role = Role.REVIEWER) -> User:
    """Somebody more who works here."""
    return staff.add(name, name.title(), role, "a long pass phrase", actor="test", now=NOON)[0]


def told_of(board: Platform) -> Hosted:
    """A picture the board publishes; nothing here looks at what it shows."""
    key = settings.HAECHI.digest_key
    return Hosted.objects.create(
        platform=board,
        content_id="1",
        url_digest=url_digest(key, BOARD_URL),
        account_digest=bytes(32),
        registered_at=NOON,
        sha256=bytes(32),
    )


def opened(picture: bytes) -> tuple[Case, ReturnCode]:
    """A case of an adult, with a place on the board and one outside; the worker found the copies."""
    report, code = submit(picture, places=(BOARD_URL, OUTSIDE_URL))
    for hosted in Hosted.objects.all():
        report.hits.create(
            hosted=hosted, verdict="identical_file", found_by="sha256", found_at=NOON
        )
    return flow.open_case(report, now=NOON), code


@pytest.fixture
def case(db: None, astronaut: bytes, board: Platform) -> Case:
    """A case with a copy on the board."""
    told_of(board)
    return opened(astronaut)[0]


def judge(case: Case, ruling: Ruling, actor: User, place: int = 1) -> Decision | None:
    """One person's conclusion, with everything that was found."""
    hosted = list(Hosted.objects.filter(hit__report=case.report).distinct())
    return flow.judge(case, ruling, remove=hosted, place=place, actor=actor, now=NOON)


class TestTwoPeopleRefuse:
    """B23, B24: nothing is refused by one alone; clocks run meanwhile."""

    @pytest.mark.parametrize("ruling", [KEEP, NOT_OURS])
    def test_the_second_of_the_same_mind_decides(
        self, case: Case, reviewer: User, second_reviewer: User, ruling: Ruling
    ) -> None:
        """Between the two, nothing is decided, nothing is told and every clock runs."""
        assert judge(case, ruling, reviewer) is None

        case.refresh_from_db()
        assert (case.state, case.claimed_by) == (State.SECOND, None)
        assert not Decision.objects.exists()
        assert not case.clocks.exclude(stopped_at=None).exists()
        assert list(Case.objects.queue()) == [case]

        decision = judge(case, ruling, second_reviewer, place=2)

        assert decision is not None
        assert (decision.verdict, decision.actor) == (ruling.verdict, second_reviewer)
        case.refresh_from_db()
        assert case.state == State.DECIDED
        assert not case.clocks.filter(stopped_at=None).exists()
        assert not Action.objects.exists()
        settled = Entry.objects.get(tag="review:settled")
        assert settled.detail["opinions"] == [
            f"staff:{reviewer.pk} {ruling.verdict}",
            f"staff:{second_reviewer.pk} {ruling.verdict}",
        ]

    def test_one_call_does_not_refuse(self, case: Case, reviewer: User) -> None:
        """Whoever calls flow.decide() with a refusal is told, and nothing is written."""
        entries = Entry.objects.count()
        with pytest.raises(SecondNeeded):
            flow.decide(
                case, Verdict.KEEP, Ground.NONE, reason="No.", remove=(), actor=reviewer, now=NOON
            )
        case.refresh_from_db()
        assert (case.state, Entry.objects.count()) == (State.OPEN, entries)

    def test_nobody_is_their_own_second(self, case: Case, reviewer: User) -> None:
        """Neither by deciding nor by taking the case."""
        judge(case, KEEP, reviewer)
        with pytest.raises(AlreadyLooked):
            judge(case, KEEP, reviewer, place=2)
        with pytest.raises(AlreadyLooked):
            claims.claim(case, reviewer, now=NOON)
        assert Opinion.objects.count() == 1

    def test_where_two_differ_a_third_decides(
        self, case: Case, reviewer: User, second_reviewer: User
    ) -> None:
        """With everything that follows from what the third concludes."""
        judge(case, KEEP, reviewer)
        assert judge(case, REMOVE, second_reviewer, place=2) is None
        assert not Action.objects.exists()
        for earlier in (reviewer, second_reviewer):
            with pytest.raises(AlreadyLooked):
                judge(case, REMOVE, earlier, place=3)

        decision = judge(case, REMOVE, person("third"), place=3)

        assert decision is not None
        assert decision.verdict == Verdict.REMOVE
        assert Action.objects.count() == 1
        assert Statement.objects.count() == 1
        assert Review.objects.get().settled_at == NOON

    def test_a_second_opinion_that_comes_late_is_not_the_third(
        self, case: Case, reviewer: User, second_reviewer: User
    ) -> None:
        """B19: whoever decides as the third knows both; this one knew none."""
        judge(case, KEEP, reviewer)
        judge(case, REMOVE, second_reviewer, place=2)
        with pytest.raises(CaseClosed):
            judge(case, KEEP, person("late"), place=2)
        assert Opinion.objects.count() == 2

    @pytest.mark.parametrize("verdict", [Verdict.REFER, Verdict.NEED_MORE])
    def test_a_second_look_ends_with_a_conclusion(
        self, case: Case, reviewer: User, second_reviewer: User, verdict: Verdict
    ) -> None:
        """It cannot send the case away."""
        judge(case, KEEP, reviewer)
        with pytest.raises(NotAllowed):
            judge(case, Ruling(verdict, reason="x"), second_reviewer, place=2)

    def test_a_missed_clock_is_found_while_a_second_is_waited_for(
        self, case: Case, reviewer: User
    ) -> None:
        """B24: and the reporter may object to the silence."""
        judge(case, KEEP, reviewer)
        late = max(case.clocks.values_list("due_at", flat=True)) + timedelta(seconds=1)
        missed = clocks.find_missed(now=late)
        assert len(missed) == case.clocks.count() > 0

    def test_a_report_taken_back_meanwhile_is_looked_at_by_nobody(
        self, case: Case, reviewer: User, second_reviewer: User
    ) -> None:
        """The second is told; the first opinion counts for nothing."""
        judge(case, KEEP, reviewer)
        flow.withdraw_report(case.report, now=NOON)
        flow.wind_down(str(case.report.pk))
        with pytest.raises(CaseClosed):
            judge(case, KEEP, second_reviewer, place=2)
        assert not Review.objects.unsettled().exists()

    def test_after_a_won_appeal_none_of_the_two_decides_anew(
        self, case: Case, reviewer: User, second_reviewer: User
    ) -> None:
        """B22: another person does, and two others where it is refused again."""
        judge(case, KEEP, reviewer)
        decision = judge(case, KEEP, second_reviewer, place=2)
        assert decision is not None
        third, fourth = person("third"), person("fourth")
        with transaction.atomic():
            cases.reopen(decision, actor=third, now=NOON)
        case.refresh_from_db()
        for earlier in (reviewer, second_reviewer):
            for ruling in (REMOVE, KEEP):
                with pytest.raises(NotAllowed):
                    judge(case, ruling, earlier)
        assert judge(case, KEEP, third) is None
        assert not reviews.enough_people(case, besides=third) or fourth.is_active
        with pytest.raises(NotAllowed):
            judge(case, KEEP, reviewer, place=2)
        assert judge(case, KEEP, fourth, place=2) is not None


class TestBlind:
    """Nobody is shown the first opinion before giving theirs."""

    @pytest.fixture
    def seen(
        self, desk: Client, case: Case, reviewer: User, second_reviewer: User
    ) -> Callable[[str], str]:
        """Pages as the second person sees them, with the case open to them."""
        ruling = Ruling(Verdict.NOT_OURS, reason="Only a bill, I think.")
        judge(case, ruling, reviewer)
        desk.force_login(second_reviewer)
        desk.post(f"/case/{case.pk}/claim")
        return lambda address: desk.get(address).content.decode()

    def test_neither_case_page_nor_log_tells(
        self, seen: Callable[[str], str], case: Case, reviewer: User
    ) -> None:
        """Not the words, not the verdict, not who, not when."""
        for page in (seen(f"/case/{case.pk}"), seen("/log"), seen("/")):
            assert "Only a bill" not in page
            assert "Opinion given" not in page
        # In the list of colleagues a case may be given to stands everybody who works here.
        page = re.sub(r"<option.*?</option>", "", seen(f"/case/{case.pk}"))
        assert reviewer.display_name not in page
        assert "A second look" in seen(f"/case/{case.pk}")
        # The proof that it was given stands in the log all the same, without what it was.
        entry = Entry.objects.get(tag="review:opinion")
        assert entry.detail == {}

    def test_the_first_is_told_that_it_waits_and_that_nobody_is_there(
        self, desk: Client, case: Case, reviewer: User
    ) -> None:
        """With one reviewer only, the page says so."""
        judge(case, KEEP, reviewer)
        desk.force_login(reviewer)
        page = desk.get(f"/case/{case.pk}").content.decode()
        assert "Waiting for a second look" in page
        assert "Nobody else works here who may look at it" in page
        assert 'name="verdict"' not in page

    def test_the_third_is_shown_both(
        self, desk: Client, case: Case, reviewer: User, second_reviewer: User
    ) -> None:
        """With their reasons, where the case is open to them."""
        judge(case, KEEP, reviewer)
        judge(case, REMOVE, second_reviewer, place=2)
        desk.force_login(person("third"))
        desk.post(f"/case/{case.pk}/claim")
        page = desk.get(f"/case/{case.pk}").content.decode()
        for words in ("Two people differ", "A holiday photo.", "The same picture.", "Rim", "Sol"):
            assert words in page, words

    def test_who_forges_the_form_of_the_first_is_refused(
        self, desk: Client, case: Case, reviewer: User
    ) -> None:
        """A second opinion by whoever gave the first, sent past the page."""
        judge(case, KEEP, reviewer)
        desk.force_login(reviewer)
        desk.post(f"/case/{case.pk}/open", {"purpose": "review"})
        form = {"verdict": "keep", "reason": "Me again.", "place": 2}
        answer = desk.post(f"/case/{case.pk}/decide", form)
        assert answer.status_code == 403
        assert b"case.already_looked" in answer.content
        assert Opinion.objects.count() == 1


class TestRestrict:
    """Less than a removal: asked of platforms, said in the statement, and no more than that."""

    def test_the_platform_is_asked_and_the_statement_says_it(
        self, case: Case, reviewer: User
    ) -> None:
        """No bank member, no notice to hosts, and nothing counts as removed."""
        ruling = Ruling(
            Verdict.RESTRICT, "rule_harassment", "Satire, and cruel.", Restriction.DISABLED
        )
        judge(case, ruling, reviewer)
        action = Action.objects.get()
        document = action.statement.document
        assert document["decision_visibility"] == ["DECISION_VISIBILITY_CONTENT_DISABLED"]
        assert document["decision_ground"] == "DECISION_GROUND_INCOMPATIBLE_CONTENT"
        assert not Member.objects.exists()
        assert not Notice.objects.exists()

        cases.confirm_action(action, now=NOON)

        assert Hosted.objects.get().removed_at is None

    @pytest.mark.parametrize(
        ("ruling", "error"),
        [
            (Ruling(Verdict.RESTRICT, Ground.DEEPFAKE, "x"), GroundUnknown),
            (Ruling(Verdict.RESTRICT, Ground.MINOR, "x", Restriction.AGE), GroundUnknown),
            (Ruling(Verdict.RESTRICT, Ground.NONE, "x", Restriction.AGE), ReasonRequired),
            (Ruling(Verdict.REMOVE, "no_such_ground", "x"), GroundUnknown),
        ],
    )
    def test_what_does_not_fit_changes_nothing(
        self, case: Case, reviewer: User, ruling: Ruling, error: type[HaechiError]
    ) -> None:
        """Least of all a child's picture that is only restricted."""
        with pytest.raises(error):
            judge(case, ruling, reviewer)
        case.refresh_from_db()
        assert case.state == State.OPEN

    def test_its_reporter_may_object(
        self, public: Client, astronaut: bytes, board: Platform, reviewer: User
    ) -> None:
        """Not all she asked for was done."""
        told_of(board)
        case, code = opened(astronaut)
        judge(case, Ruling(Verdict.RESTRICT, Ground.INTIMATE, "x", Restriction.LABELLED), reviewer)
        enter(public, code)
        page = text_of(public.get("/status"))
        assert "fewer people may see it" in page
        assert "Restriction asked for" in page
        assert "You do not have to accept this decision." in page


class TestPauses:
    """A case that waits for somebody outside; its clocks run on."""

    def ask(self, case: Case, actor: User) -> Pause:
        """For the address of the picture."""
        return flow.ask_more(
            case, "Where is it?", reason="No place.", follow_up=WEEK, actor=actor, now=NOON
        )

    def test_the_reporter_is_written_to_and_her_answer_brings_it_back(
        self, public: Client, astronaut: bytes, board: Platform, reviewer: User
    ) -> None:
        """She reads what is missing; nothing says who asks."""
        case, code = opened(astronaut)
        self.ask(case, reviewer)
        case.refresh_from_db()
        assert case.state == State.PAUSED
        assert case not in Case.objects.queue()
        assert not case.clocks.exclude(stopped_at=None).exists()
        assert pauses.due(now=NOON) == []
        enter(public, code)
        page = text_of(public.get("/status"))
        assert "We need something more from you" in page
        assert "Rim" not in page
        public.post("/status/messages", {"text": "It is at https://x.example/1"})

        flow.end_pauses(0)

        case.refresh_from_db()
        assert case.state == State.OPEN
        assert Pause.objects.get().ended_by == "answer"

    def test_it_comes_back_in_time_for_a_clock(self, case: Case, reviewer: User) -> None:
        """B24: a follow-up in a week does not let a deadline pass before it."""
        first = case.clocks.earliest("due_at")
        made = self.ask(case, reviewer)
        assert NOON < made.until < first.due_at
        assert pauses.due(now=made.until - timedelta(seconds=1)) == []
        assert pauses.due(now=made.until) == [(made, "time")]

    def test_a_referral_keeps_the_case_and_seals_to_whom(self, case: Case, reviewer: User) -> None:
        """The log says in kind; by name only who may open the report."""
        made = flow.refer(
            case,
            For.POLICE,
            to="Cyber unit, Officer Kim",
            reason="Extortion.",
            follow_up=WEEK,
            actor=reviewer,
            now=NOON,
        )
        assert pauses.note_of(made) == ("Cyber unit, Officer Kim", "Extortion.")
        assert "Kim" not in str(Entry.objects.get(tag="case:paused").detail)
        assert flow.go_on(case, actor=reviewer, now=NOON)
        assert not flow.go_on(case, actor=reviewer, now=NOON)
        case.refresh_from_db()
        assert case.state == State.OPEN

    def test_a_referral_needs_a_name_and_a_question_words(
        self, desk: Client, case: Case, reviewer: User
    ) -> None:
        """The form comes back with what was typed; nothing is sent."""
        desk.force_login(reviewer)
        desk.post(f"/case/{case.pk}/claim")
        form = {"verdict": "refer", "reason": "I typed this."}
        answer = desk.post(f"/case/{case.pk}/decide", form)
        assert answer.status_code == 422
        assert b"Say to whom." in answer.content
        assert b"I typed this." in answer.content
        answer = desk.post(f"/case/{case.pk}/decide", {"verdict": "need_more", "reason": "x"})
        assert b"Write what is missing." in answer.content
        assert not Pause.objects.exists()


class TestGrounds:
    """The policy catalogue: versions, data and rows."""

    def test_every_shipped_ground_makes_a_valid_statement(self) -> None:
        """In three languages, and within the limits of the EU's form."""
        for policy in shipped():
            policy.full_clean(exclude=["changed_by"], validate_constraints=False)
            assert policy.title_ko
            assert policy.title_zh
            assert transparency.document(
                policy,
                Said(),
                restriction="",
                puid="x",
                hosted=None,
                named=True,
                cites=False,
                by_machine=False,
                now=NOON,
            )

    @pytest.mark.django_db
    def test_a_decision_keeps_the_words_it_was_made_under(self, case: Case, reviewer: User) -> None:
        """A later version, or its end, changes what may be decided and nothing that was."""
        admin = person("ada", Role.ADMINISTRATOR)
        decision = judge(case, REMOVE, reviewer)
        assert decision is not None
        later = NOON + timedelta(hours=1)
        row = policies.add_version(
            "deepfake", title_en="Other words", reason="Clearer.", actor=admin, now=later
        )
        assert (row.version, row.kind) == (2, "law")
        assert policies.in_force("deepfake", "remove", later).title_en == "Other words"
        assert decision.get_ground_display() == "Sexual deepfake of a person who did not consent"
        policies.add_version("deepfake", offered=False, reason="Gone.", actor=admin, now=later)
        with pytest.raises(GroundUnknown):
            policies.in_force("deepfake", "remove", later)
        assert Entry.objects.filter(tag="policy:changed").count() == 2

    @pytest.mark.django_db
    def test_only_administrators_change_it_and_say_why(self, reviewer: User) -> None:
        """Who decides does not write the grounds."""
        with pytest.raises(NotAllowed):
            policies.add_version("deepfake", reason="x", actor=reviewer, now=NOON)
        with pytest.raises(ReasonRequired):
            policies.add_version(
                "deepfake", reason=" ", actor=person("ada", Role.ADMINISTRATOR), now=NOON
            )


class TestStatement:
    """What is published is shown before, and refused early and kindly."""

    def send(self, desk: Client, case: Case, where: str, **typed: object) -> tuple[int, str]:
        """The decision form, filled in to remove, with `typed`."""
        desk.post(f"/case/{case.pk}/claim")
        form = {"verdict": "remove", "ground": "kr_false_video", "reason": "I saw it."}
        form |= {"remove": [hosted.pk for hosted in Hosted.objects.all()]} | typed
        answer = desk.post(f"/case/{case.pk}/{where}", form)
        return answer.status_code, answer.content.decode()

    def test_a_preview_writes_nothing(self, desk: Client, case: Case, reviewer: User) -> None:
        """It shows what would be sent, for every piece."""
        desk.force_login(reviewer)
        desk.post(f"/case/{case.pk}/claim")
        entries = Entry.objects.exclude(tag="report:opened").count()
        status, page = self.send(desk, case, "preview", facts="Two posts, same picture.")
        assert status == 200
        for words in ("Two posts, same picture.", "article 14-2", "board: 1", "I saw it."):
            assert words in page, words
        assert not Decision.objects.exists()
        # Taking the case again is the only act.
        assert Entry.objects.exclude(tag="report:opened").count() == entries + 1

    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ({"facts": "x" * 5_001}, "at most 4800 characters"),
            ({"explanation": "x" * 2_001}, "at most 2000 characters"),
            ({"facts": "She is kim@mail.example"}, "holds no e-mail address"),
        ],
    )
    def test_what_does_not_fit_comes_back_with_what_was_typed(
        self, desk: Client, case: Case, reviewer: User, typed: dict[str, str], words: str
    ) -> None:
        """Nothing of it is decided."""
        desk.force_login(reviewer)
        for where in ("preview", "decide"):
            status, page = self.send(desk, case, where, **typed)
            assert (status, words in page, "I saw it." in page) == (422, True, True)
        assert not Decision.objects.exists()

    def test_what_was_written_is_in_the_statement_and_sealed_beside_it(
        self, desk: Client, case: Case, reviewer: User
    ) -> None:
        """The same words serve copies that are found later."""
        desk.force_login(reviewer)
        self.send(desk, case, "decide", explanation="It was made by a machine.")
        decision = Decision.objects.get()
        document = Statement.objects.get().document
        assert document["illegal_content_explanation"] == "It was made by a machine."
        assert document["category_specification"]
        assert b"machine" not in bytes(decision.said_sealed)


FAILING: dict[str, tuple[object, str]] = {
    "decision": (audit, "record"),
    "action": (cases, "ask_platform"),
    "statement": (transparency, "state_reasons"),
    "member": (matching, "add_member"),
    "settled": (reviews, "settle"),
    "clocks": (cases, "stop_clocks"),
}


@pytest.mark.parametrize("step", FAILING)
def test_a_second_opinion_is_written_with_all_it_causes_or_not_at_all(
    case: Case, reviewer: User, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """B20: whatever fails, the third's opinion is gone too, and the case waits as before."""
    judge(case, KEEP, reviewer)
    judge(case, REMOVE, person("second"), place=2)
    third = person("third")
    entries, jobs = Entry.objects.count(), ProcrastinateJob.objects.count()

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(step)

    owner, name = FAILING[step]
    monkeypatch.setattr(owner, name, fail)
    with pytest.raises(RuntimeError, match=step):
        judge(case, REMOVE, third, place=3)

    case.refresh_from_db()
    assert case.state == State.SECOND
    assert Opinion.objects.count() == 2
    assert (Entry.objects.count(), ProcrastinateJob.objects.count()) == (entries, jobs)
    rows = (Decision, Action, Statement, Notice, Member)
    assert [model.__name__ for model in rows if model.objects.exists()] == []
    assert Clock.objects.exclude(stopped_at=None).count() == 0


class TestAtOnce:
    """B19, with connections of their own that commit."""

    def race(self, *acts: Callable[[], object]) -> list[object]:
        """What each came to: a result, or the error it was told."""
        start = Barrier(len(acts))

        def run(act: Callable[[], object]) -> object:
            try:
                start.wait(60)
                return act()
            except HaechiError as error:
                return type(error)
            finally:
                connection.close()

        with ThreadPoolExecutor(len(acts)) as pool:
            return list(pool.map(run, acts))

    @pytest.mark.parametrize("before", ["nothing", "first", "differ"])
    def test_of_four_one_is_heard_and_the_others_write_nothing(
        self, committed: None, astronaut: bytes, before: str
    ) -> None:
        """At each of the three places; the losers leave neither row nor entry."""
        case, _ = opened(astronaut)
        place = ["nothing", "first", "differ"].index(before) + 1
        if place > 1:
            judge(case, KEEP, person("early"))
        if place > 2:
            judge(case, REMOVE, person("other"), place=2)
        people = [person(f"p{number}") for number in range(4)]
        given = Opinion.objects.count()
        entries = Entry.objects.filter(tag__in=("review:opinion", "case:decided")).count()

        came = self.race(*(lambda who=who: judge(case, KEEP, who, place) for who in people))

        told = [each for each in came if each in (CaseClosed, CaseClaimed)]
        assert len(told) == 3
        assert Opinion.objects.count() == given + 1
        decided = place > 1
        assert Decision.objects.count() == decided
        written = Entry.objects.filter(tag__in=("review:opinion", "case:decided")).count()
        assert written == entries + 1 + decided

    def test_a_removal_a_refusal_a_question_and_a_referral(
        self, committed: None, astronaut: bytes
    ) -> None:
        """Whatever four people press at once, one thing happens."""
        case, _ = opened(astronaut)
        a, b, c, d = (person(name) for name in ("pa", "pb", "pc", "pd"))
        common = {"reason": "x", "follow_up": WEEK, "now": NOON}
        came = self.race(
            lambda: judge(case, REMOVE, a),
            lambda: judge(case, KEEP, b),
            lambda: flow.ask_more(case, "Where?", actor=c, **common),
            lambda: flow.refer(case, For.POLICE, to="Unit", actor=d, **common),
        )
        assert sum(each in (CaseClosed, CaseClaimed) for each in came) == 3
        happened = (Decision, Opinion, Pause)
        assert sum(model.objects.exclude(**_sample(model)).count() for model in happened) == 1


def _sample(model: type[object]) -> dict[str, object]:
    """What a removal drawn by lot leaves beside its decision."""
    return {"review__occasion": "sample"} if model is Opinion else {"pk": None}


@pytest.mark.parametrize(
    "press",
    [
        lambda case, user: judge(case, REMOVE, user),
        lambda case, user: judge(case, KEEP, user),
        lambda case, user: flow.ask_more(
            case, "Where?", reason="x", follow_up=WEEK, actor=user, now=NOON
        ),
        lambda case, user: flow.refer(
            case, For.POLICE, to="Unit", reason="x", follow_up=WEEK, actor=user, now=NOON
        ),
        lambda case, user: flow.ask_for_missing(case, actor=user, now=NOON),
    ],
    ids=["remove", "keep", "ask", "refer", "missing"],
)
def test_the_report_is_taken_before_the_case_and_the_log(
    reviewer: User, press: Callable[[Case, User], object]
) -> None:
    """As the worker does that examines it: two orders would be a deadlock."""
    case = flow.open_case(submit(places=(BOARD_URL,))[0], now=NOON)
    with CaptureQueriesContext(connection) as asked:
        press(case, reviewer)

    said = [each["sql"] for each in asked.captured_queries]
    locks = [sql for sql in said if "FOR UPDATE" in sql or "FOR NO KEY UPDATE" in sql]
    writes = [sql for sql in said if sql.startswith(("UPDATE", "INSERT")) or "audit_record(" in sql]
    assert "reports_report" in locks[0]
    assert said.index(locks[0]) < said.index(writes[0])
