"""A ground of the policy catalogue, in one of its versions."""

import functools
import json
from datetime import UTC, datetime
from importlib import resources
from typing import ClassVar

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from haechi.errors import GroundUnknown
from haechi.server.staff.models import User

SHIPPED_AT = datetime(2026, 1, 1, tzinfo=UTC)
LONGEST_LEGAL_GROUND = 500
LONGEST_EXPLANATION = 2_000


class PolicyKind(models.TextChoices):
    """Whose rule it is."""

    LAW = "law", _("law")
    RULE = "rule", _("own rule")


class Policy(models.Model):
    """One version of one ground; a newer version takes its place from `from_at` on.

    Never changed: a decision keeps key and version, and what they said then can be read for ever.
    What is shipped with the package (cases/data/policies.json) is of this class too, unsaved.

    verdicts      what may be decided on it: "remove", "restrict"
    legal_ground, explanation  English, as the EU's statement of reasons takes them
    source        the article, or where the rule is published
    synthetic, minor  the category of the statement
    offered       False from the version on that ends it
    reason        why an administrator made this version
    """

    key = models.CharField(max_length=40)
    version = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=10, choices=PolicyKind.choices)
    verdicts = models.JSONField()
    title_ko = models.CharField(max_length=200)
    title_zh = models.CharField(max_length=200)
    title_en = models.CharField(max_length=200)
    legal_ground = models.CharField(max_length=LONGEST_LEGAL_GROUND)
    explanation = models.CharField(max_length=LONGEST_EXPLANATION)
    source = models.CharField(max_length=300, blank=True)
    synthetic = models.BooleanField(default=False)
    minor = models.BooleanField(default=False)
    offered = models.BooleanField(default=True)
    from_at = models.DateTimeField()
    changed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["key", "version"], name="one_row_per_policy_version")
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """What it is called, in the reader's language."""
        language = (get_language() or "en").partition("-")[0]
        return {"ko": self.title_ko, "zh": self.title_zh}.get(language, self.title_en)

    @property
    def illegal(self) -> bool:
        """True where it rests on law, not on the platform's own terms."""
        return self.kind == PolicyKind.LAW


def version_of(key: str, version: int) -> Policy:
    """What it said when it was decided on. Raises GroundUnknown."""
    row = Policy.objects.filter(key=key, version=version).first()
    # Decisions from before there were versions kept none.
    same = (each for each in shipped() if (each.key, each.version) == (key, version or 1))
    found = row or next(same, None)
    if found is None:
        raise GroundUnknown(key)
    return found


@functools.cache
def shipped() -> tuple[Policy, ...]:
    """The rows that come with the package; not in the database."""
    file = resources.files("haechi.server.cases").joinpath("data/policies.json")
    return tuple(Policy(from_at=SHIPPED_AT, **row) for row in json.loads(file.read_bytes()))
