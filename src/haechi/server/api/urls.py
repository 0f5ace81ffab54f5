"""Addresses of the JSON API, below /api/."""

from django.urls import path

from haechi.server.api.actions import action, actions, answer
from haechi.server.api.door import by_method
from haechi.server.api.openapi import openapi

app_name = "api"
urlpatterns = [
    path("openapi.json", by_method(GET=openapi), name="openapi"),
    path("v1/actions", by_method(GET=actions), name="actions"),
    path("v1/actions/<str:key>", by_method(GET=action, POST=answer), name="action"),
]
