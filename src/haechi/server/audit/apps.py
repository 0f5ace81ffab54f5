"""Django's registration of this stage."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """The append-only log of acts and reads. Every other stage writes here, in its own transaction."""

    name = "haechi.server.audit"
    label = "audit"
    default_auto_field = "django.db.models.BigAutoField"
