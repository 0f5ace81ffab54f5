"""Django's registration of this stage."""

from django.apps import AppConfig


class StaffConfig(AppConfig):
    """People who work here: roles, password, second factor."""

    name = "haechi.server.staff"
    label = "staff"
    default_auto_field = "django.db.models.BigAutoField"
