"""What a reporter wrote, as it is sealed."""

import json
from dataclasses import asdict, dataclass, field
from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _


class Shows(models.TextChoices):
    """What can be seen; several may be true. Sealed, never a column."""

    SEXUAL = "sexual", _("A naked body, or something sexual")
    FORGED = "forged", _("It is fake: a face or a body was put into it")
    REAL = "real", _("It is real, but was taken or passed on without consent")
    OTHERS = "others", _("Other people can be seen too")


class Circulating(models.TextChoices):
    """What goes round together with it. Sealed, never a column."""

    NAMES = "names", _("A name, a school or a place of work")
    PHONES = "phones", _("A telephone number or an account name")
    ADDRESSES = "addresses", _("A home address")


class Relation(models.TextChoices):
    """Who may have done it, as seen from the person shown. Sealed, never a column."""

    UNKNOWN = "unknown", _("I do not know who it was")
    SCHOOLMATE = "schoolmate", _("Somebody from school or university")
    PARTNER = "partner", _("A partner, or a former one")
    COLLEAGUE = "colleague", _("Somebody from work")
    FAMILY = "family", _("Somebody in the family")
    STRANGER = "stranger", _("Somebody I know only from the internet")
    OTHER = "other", _("Somebody else")
    UNSAID = "unsaid", _("I would rather not say")


@dataclass(frozen=True)
class Story:
    """What was written and chosen in a report, beyond the few facets that stand in clear.

    A field is never renamed or removed, and a new one has a default: what was sealed years ago must
    open. What a later version wrote and this one does not know is left out in reading.

    told       what happened, in her words
    contact    an address she gave, or ""
    declared   True when she (or the person she acts for) stated that this is her likeness, that
               there was no consent, and that it is told in good faith: elements of a valid
               request under several laws (law/data/removal_request_elements.json)
    signature  name or sign she wrote under the declaration, or ""
    files      names of the uploaded files, by exhibit number as text, "1" first (B13: they stand
               nowhere else)
    shows      values of Shows
    who        which of the people in it is meant, or ""
    circulating  values of Circulating
    relation   a value of Relation, or ""
    relation_told  the same in her own words, or ""
    authority  how somebody who files for another is allowed to, in their words, or ""
    """

    told: str = ""
    contact: str = ""
    declared: bool = False
    signature: str = ""
    files: dict[str, str] = field(default_factory=dict)
    shows: list[str] = field(default_factory=list)
    who: str = ""
    circulating: list[str] = field(default_factory=list)
    relation: str = ""
    relation_told: str = ""
    authority: str = ""

    def to_bytes(self) -> bytes:
        """The plaintext of `Report.sealed`."""
        return json.dumps(asdict(self), ensure_ascii=False).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The reverse of to_bytes."""
        held = json.loads(data)
        return cls(**{name: held[name] for name in cls.__dataclass_fields__ if name in held})
