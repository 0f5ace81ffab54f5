"""What every part of the case page is built from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from haechi.server.cases.models import Case
from haechi.server.desk.deciding_form import DecisionForm
from haechi.server.desk.forms import IdentityForm, MessageForm, NoteForm
from haechi.server.desk.reading import Request
from haechi.server.staff.models import User

type Preview = Sequence[tuple[str, Mapping[str, object]]]


@dataclass(frozen=True)
class Typed:
    """Forms as somebody filled them in, where a page comes back with a mistake; else None.

    preview   statements of reasons as they would be sent, each with what it is about
    """

    decision: DecisionForm | None = None
    identity: IdentityForm | None = None
    message: MessageForm | None = None
    preview: Preview | None = None
    note: NoteForm | None = None


@dataclass(frozen=True)
class Page:
    """One case as one person sees it at one moment.

    may_read  a grant opens what was reported to `user` (B17)
    opened    ... and it could be opened: `request` holds it
    """

    case: Case
    user: User
    now: datetime
    may_read: bool
    request: Request
    typed: Typed = field(default_factory=Typed)

    @property
    def opened(self) -> bool:
        """True where what is sealed to the report may be shown, and can be."""
        return self.may_read and not self.request.problem
