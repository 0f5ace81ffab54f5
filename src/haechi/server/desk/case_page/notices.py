"""Notices of a case: who was asked, what came back, what follows when nobody answers."""

from collections import Counter
from dataclasses import dataclass

from haechi.errors import HaechiError
from haechi.server.desk.case_page.page import Page
from haechi.server.notices import replies
from haechi.server.notices.letter import letter_of
from haechi.server.notices.models import Channel, Kind, Notice, Outcome, Reply, State
from haechi.server.notices.services import answer_of, reference_of

REPLIES_AT_MOST = 20


@dataclass(frozen=True)
class Heard:
    """One reply, with its words where they may be shown."""

    reply: Reply
    text: str


@dataclass(frozen=True)
class Shown:
    """One notice. What is sealed is "" where it may not be shown, or cannot be.

    name      who it went to; items: how many places; outcomes: how many of each, in words
    """

    notice: Notice
    name: str
    said: str
    reference: str
    items: int
    outcomes: list[tuple[str, int]]
    heard: list[Heard]

    @property
    def tone(self) -> str:
        """The badge's."""
        tones = {State.SENT: "ok", State.REFUSED: "error", State.BOUNCED: "error"}
        if self.notice.state == State.QUEUED and self.notice.last_error:
            return "error"
        return tones.get(State(self.notice.state), "info")

    @property
    def waits(self) -> bool:
        """True where an answer is waited for."""
        return self.notice.runs and self.notice.state == State.SENT

    @property
    def replayable(self) -> bool:
        """True where a person can have it sent, or sent once more."""
        waiting = self.notice.state in (State.HELD, State.REFUSED, State.BOUNCED)
        return waiting and self.notice.channel != Channel.FORM and self.notice.kind != Kind.COUNTER


def part(page: Page) -> dict[str, object]:
    """Nothing before a decision."""
    found = Notice.objects.filter(decision__case=page.case).select_related("decision__case__report")
    ordered = found.order_by("created_at", "pk").prefetch_related("items", "replies")
    return {"notices": [shown(notice, opened=page.opened) for notice in ordered]}


def shown(notice: Notice, *, opened: bool) -> Shown:
    """One notice, with what is sealed where `opened`."""
    counted = Counter(item.outcome for item in notice.items.all())
    outcomes = [(str(each.label), counted[each]) for each in Outcome if counted[each]]
    told = list(notice.replies.all())[:REPLIES_AT_MOST]
    if not opened:
        heard = [Heard(reply, "") for reply in told]
        return Shown(notice, "", "", "", counted.total(), outcomes, heard)
    try:
        name = letter_of(notice).name
        said, reference = answer_of(notice), reference_of(notice)
        heard = [Heard(reply, replies.text_of(reply)) for reply in told]
    except HaechiError:
        return shown(notice, opened=False)
    return Shown(notice, name, said, reference, counted.total(), outcomes, heard)
