"""Django's registration of this stage."""

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    """Stage 1: what the person depicted told us, sealed, and the return code that opens it again."""

    name = "haechi.server.reports"
    label = "reports"
    default_auto_field = "django.db.models.BigAutoField"
