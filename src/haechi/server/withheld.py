"""Columns that the public process never reads.

Its database role may not (config/roles.py), and Django would ask for every column of a row. These
fields ask for NULL instead where the process is the public one: what was withheld reads as None there,
also through select_related. Writing is as ever, as far as the role may.
"""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    _Field = models.Field[Any, Any]
else:
    _Field = object


class _Withheld(_Field):
    """Asks for NULL at the public site. For migrations it is the plain field, so none is needed."""

    withheld = True

    def select_format(self, compiler: Any, sql: str, params: Any) -> tuple[str, Any]:  # noqa: ANN401  # Django's signature
        """The column, or NULL of its type."""
        if settings.HAECHI.surface != "public":
            return super().select_format(compiler, sql, params)
        return f"NULL::{self.cast_db_type(compiler.connection)}", ()

    def deconstruct(self) -> Any:  # noqa: ANN401  # Django's signature
        """As the plain field."""
        name, _, args, kwargs = super().deconstruct()
        return name, f"django.db.models.{self._plain}", args, kwargs

    @property
    def _plain(self) -> str:
        return type(self).__name__.removeprefix("Withheld")


class WithheldBinaryField(_Withheld, models.BinaryField):  # type: ignore[type-arg]  # as below
    """Bytes that the public process never reads."""


class WithheldCharField(_Withheld, models.CharField):  # type: ignore[type-arg]  # generic in the stubs alone
    """A line of text that the public process never reads."""


class WithheldJSONField(_Withheld, models.JSONField):
    """JSON that the public process never reads."""


def withheld(model: type[models.Model]) -> frozenset[str]:
    """The columns of `model` that the public process never reads."""
    return frozenset(
        str(field.column)
        for field in model._meta.concrete_fields
        if getattr(field, "withheld", False)
    )
