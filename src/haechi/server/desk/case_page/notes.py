"""Notes of those who work on the case, for each other."""

from haechi.server.cases import notes
from haechi.server.desk.case_page.page import Page
from haechi.server.desk.forms import NoteForm


def part(page: Page) -> dict[str, object]:
    """What was written, the oldest first, and a form for more; nothing where it is sealed."""
    return {
        "notes": notes.of(page.case) if page.opened else [],
        "note_form": page.typed.note or NoteForm(),
    }
