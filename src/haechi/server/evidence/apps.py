"""Django's registration of this stage."""

from django.apps import AppConfig


class EvidenceConfig(AppConfig):
    """Stage 2: sealed exhibits, who opened them, and their fingerprints."""

    name = "haechi.server.evidence"
    label = "evidence"
    default_auto_field = "django.db.models.BigAutoField"
