"""Django's registration of this stage."""

from django.apps import AppConfig


class NoticesConfig(AppConfig):
    """Stage 5: takedown notices to hosts outside, their delivery and the answers."""

    name = "haechi.server.notices"
    label = "notices"
    default_auto_field = "django.db.models.BigAutoField"
