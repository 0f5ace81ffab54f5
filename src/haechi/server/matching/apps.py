"""Django's registration of this stage."""

from django.apps import AppConfig


class MatchingConfig(AppConfig):
    """Stage 3: platforms, banks, members, hosted content, hits and checks at upload."""

    name = "haechi.server.matching"
    label = "matching"
    default_auto_field = "django.db.models.BigAutoField"
