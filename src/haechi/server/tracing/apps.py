"""Django's registration of this stage."""

from django.apps import AppConfig


class TracingConfig(AppConfig):
    """The register of what AI services made, and the questions put to it."""

    name = "haechi.server.tracing"
    label = "tracing"
    default_auto_field = "django.db.models.BigAutoField"
