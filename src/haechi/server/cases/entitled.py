"""Who may conclude something about a case, and why nothing could be written."""

from haechi.errors import CaseClaimed, CaseClosed, NotAllowed
from haechi.server.cases.models import WAITING, Case, Opinion, State
from haechi.server.staff.models import User


def may_decide(case: Case, actor: User) -> None:
    """Raises NotAllowed for who took part in a decision of this case that was overturned."""
    earlier = case.decisions.exclude(overturned_at=None)
    gave = Opinion.objects.filter(review__decision__in=earlier, user=actor)
    if earlier.filter(actor=actor).exists() or gave.exists():
        raise NotAllowed("another person than the first decides anew")


def lost(case: Case, state: State) -> CaseClaimed | CaseClosed:
    """What happened where a case in `state` was not won: somebody holds it, or was first."""
    still = Case.objects.filter(pk=case.pk, state=state, state__in=WAITING).exists()
    return CaseClaimed(case.pk) if still else CaseClosed(case.pk)
