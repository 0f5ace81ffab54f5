"""What a decision cites of the examination of its pictures: signals by their ids, kept as they read then.

An examination can be made anew, so a citation holds what the signal said when somebody relied on it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from haechi import forensics, seal
from haechi.errors import CitationUnknown
from haechi.server.cases.models import Case, Decision
from haechi.server.evidence import origin
from haechi.server.evidence.origin_models import Origin
from haechi.server.reports import vault


@dataclass(frozen=True)
class Citation:
    """One signal of one exhibit.

    key      "2/pixels.jpeg_grid": number of the exhibit, id of the signal
    meaning  code of its sentence in haechi.forensics.WORDS; params stand in it
    made_at  when the picture was examined, ISO 8601
    """

    exhibit: int
    signal: str
    meaning: str
    params: Mapping[str, str]
    made_at: str

    @property
    def key(self) -> str:
        """What stands for it in a form."""
        return f"{self.exhibit}/{self.signal}"


def citable(case: Case) -> list[Citation]:
    """Every signal that speaks, exhibit by exhibit. Raises KeyMissing, CannotOpen."""
    identity = vault.identity_of(case.report)
    found = []
    for made in Origin.objects.filter(exhibit__report=case.report).select_related("exhibit"):
        report = origin.report_of(made, identity)
        for signal in report.signals if report is not None else ():
            if signal.state is forensics.State.SPEAKS:
                at = made.made_at.isoformat() if made.made_at else ""
                found.append(
                    Citation(
                        made.exhibit.number, signal.id, signal.meaning, dict(signal.params), at
                    )
                )
    return sorted(found, key=lambda one: one.exhibit)


def seal_cited(keys: Iterable[str], case: Case) -> bytes:
    """The envelope of what is cited, to the report; b"" for nothing. Raises CitationUnknown."""
    wanted = list(dict.fromkeys(keys))
    if not wanted:
        return b""
    known = {one.key: one for one in citable(case)}
    for key in wanted:
        if key not in known:
            raise CitationUnknown(key)
    text = json.dumps([asdict(known[key]) for key in wanted])
    return seal.seal(text.encode(), case.report.recipient)


def cited_in(decision: Decision, identity: str | None = None) -> list[Citation]:
    """What it cites. Raises KeyMissing in a process without the vault, CannotOpen."""
    if not decision.cited_sealed:
        return []
    identity = identity or vault.identity_of(decision.case.report)
    told = json.loads(seal.open_sealed(bytes(decision.cited_sealed), identity))
    return [Citation(**one) for one in told]
