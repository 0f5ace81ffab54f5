"""Django's registration of this stage."""

from django.apps import AppConfig


class CasesConfig(AppConfig):
    """Stage 4: case, clocks, decision, and the actions a decision asks of platforms."""

    name = "haechi.server.cases"
    label = "cases"
    default_auto_field = "django.db.models.BigAutoField"
