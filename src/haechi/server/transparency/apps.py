"""Django's registration of this stage."""

from django.apps import AppConfig


class TransparencyConfig(AppConfig):
    """Stage 9: statements of reasons and the numbers anyone can recompute."""

    name = "haechi.server.transparency"
    label = "transparency"
    default_auto_field = "django.db.models.BigAutoField"
