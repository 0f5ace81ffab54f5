"""Django's registration of this stage."""

from django.apps import AppConfig


class AppealsConfig(AppConfig):
    """Stage 7: appeals by the account whose upload was refused or removed."""

    name = "haechi.server.appeals"
    label = "appeals"
    default_auto_field = "django.db.models.BigAutoField"
