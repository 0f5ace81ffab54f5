"""What was reported, how valid a request it is, and who may know who sent it."""

from haechi.server.cases import grants
from haechi.server.cases.models import Scope
from haechi.server.desk.case_page.page import Page
from haechi.server.desk.forms import IdentityForm, MessageForm, OpenForm
from haechi.server.words import words_for


def part(page: Page) -> dict[str, object]:
    """The opened report, or the form that opens it; messages with the reporter."""
    case, user, now = page.case, page.user, page.now
    return {
        "request_of": page.request,
        "request_words": words_for(page.request.problem) if page.request.problem else "",
        "open_form": None if page.may_read else OpenForm(),
        "knows_identity": grants.holds(case, user, Scope.IDENTITY, now=now),
        "asked_identity": case.grants.waiting().filter(user=user).exists(),
        "identity_form": page.typed.identity or IdentityForm(),
        "message_form": page.typed.message or MessageForm(),
    }
