"""Django's registration of this surface."""

from django.apps import AppConfig


class PublicConfig(AppConfig):
    """Views, forms and templates; no models."""

    name = "haechi.server.public"
    label = "public"
