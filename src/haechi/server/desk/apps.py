"""Django's registration of this surface."""

from django.apps import AppConfig


class DeskConfig(AppConfig):
    """Views, forms and templates; no models."""

    name = "haechi.server.desk"
    label = "desk"
