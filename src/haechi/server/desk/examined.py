"""The pictures of a case with what their examination found, opened for somebody who may read it."""

from dataclasses import dataclass

from haechi import forensics
from haechi.errors import HaechiError
from haechi.labels import Level
from haechi.server import forensic_words
from haechi.server.cases import citing, labelling
from haechi.server.cases.models import Case, Label
from haechi.server.evidence import origin
from haechi.server.evidence.models import Exhibit
from haechi.server.evidence.origin_models import Origin
from haechi.server.reports import vault


@dataclass(frozen=True)
class Examined:
    """One picture. `report` is None until there is one; `problem` says why it cannot be read."""

    exhibit: Exhibit
    origin: Origin
    report: forensics.Report | None = None
    problem: str = ""

    @property
    def level(self) -> Level | None:
        """How a platform should label it."""
        return labelling.proposed(self.report) if self.report is not None else None


def examined(case: Case) -> list[Examined]:
    """Every picture that was examined or is to be, in order. Opens what is sealed."""
    rows = Origin.objects.filter(exhibit__report=case.report_id)
    found = list(
        rows.select_related("exhibit__fingerprint", "exhibit__report").order_by("exhibit__number")
    )
    if not found:
        return []
    try:
        identity = vault.identity_of(case.report)
    except HaechiError as error:
        return [Examined(row.exhibit, row, problem=error.code) for row in found]
    return [_opened(row, identity) for row in found]


def citable(case: Case) -> list[tuple[str, str]]:
    """For a form: keys of findings that speak, each in words."""
    try:
        found = citing.citable(case)
    except HaechiError:
        return []
    return [(one.key, cited(one)) for one in found]


def cited(one: citing.Citation) -> str:
    """A citation in words."""
    return f"{one.exhibit}: {forensic_words.say(one.meaning, one.params)} ({one.signal})"


def labels(found: list[Examined]) -> list[Label]:
    """What may be written beside content like this, what the rules come to first.

    That it is made by AI, without a doubt, is said only where a file says so itself.
    """
    levels = [one.level for one in found if one.level is not None]
    offered = [label for label in Label if label != Label.IS or Level.IS in levels]
    first = str(int(min(levels))) if levels else ""
    return sorted(offered, key=lambda label: label.value != first)


def _opened(row: Origin, identity: str) -> Examined:
    try:
        return Examined(row.exhibit, row, origin.report_of(row, identity))
    except HaechiError as error:
        return Examined(row.exhibit, row, problem=error.code)
