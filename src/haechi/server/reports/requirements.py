"""Which elements of a valid removal request a report holds, under which law."""

from collections.abc import Iterable

from django.conf import settings

from haechi import law
from haechi.server.reports.models import Age, Filer, Report
from haechi.server.reports.places import understand
from haechi.server.reports.story import Shows, Story


def facts_of(
    story: Story,
    *,
    age: Age | str,
    filer: Filer | str,
    harms: Iterable[str],
    places: Iterable[str],
    pictures: int,
) -> frozenset[str]:
    """What a report holds, in the words of law/data/request_fields.json; nothing of its content.

    places    as they were typed
    pictures  sealed exhibits and told fingerprints together
    """
    done = bool(list(harms))
    named = [understand(place) for place in places]
    held = {
        "declared": story.declared,
        "signed": bool(story.signature.strip()),
        "standing": filer == Filer.SELF or bool(story.authority.strip()),
        "place": bool(named),
        "exact_place": any(place.exact for place in named),
        "picture": pictures > 0,
        "told": bool(story.told.strip()) or done,
        "kind": bool(story.shows) or done,
        "sexual": Shows.SEXUAL in story.shows,
        "contact": bool(story.contact.strip()),
        "email": "@" in story.contact.strip("@ "),
        # Every report can be answered on its own page: see request_fields.json on "contact".
        "code": True,
        "minor": age == Age.UNDER_18,
    }
    return frozenset(word for word, there in held.items() if there)


def elements_of(
    report: Report, story: Story, *, places: Iterable[str], pictures: int
) -> tuple[law.Standing, ...]:
    """How a stored report stands under the laws the operator answers to."""
    facts = facts_of(
        story,
        age=report.age,
        filer=report.filer,
        harms=report.harms,
        places=places,
        pictures=pictures,
    )
    return law.standings(facts, frozenset(settings.HAECHI.jurisdictions))


def rules_completed(
    report: Report, story: Story, *, places: Iterable[str], pictures: int
) -> frozenset[str]:
    """The rules of law for which this report is a valid request."""
    standings = elements_of(report, story, places=places, pictures=pictures)
    return frozenset(each.clock.id for each in standings if each.complete)
