"""Addresses of the JSON API, below /api/."""

from django.urls import path

from haechi.server.api import generations, labelling, notices
from haechi.server.api.actions import action, actions, answer
from haechi.server.api.door import by_method
from haechi.server.api.openapi import openapi

app_name = "api"
urlpatterns = [
    path("notices", by_method(POST=notices.take), name="notices"),
    path("notices/<uuid:number>", by_method(GET=notices.state), name="notice"),
    path("openapi.json", by_method(GET=openapi), name="openapi"),
    path("v1/generations", by_method(POST=generations.generations), name="generations"),
    path("v1/labels", by_method(POST=labelling.label), name="labels"),
    path("v1/accounts/erase", by_method(POST=generations.erase_account), name="erase_account"),
    path("v1/actions", by_method(GET=actions), name="actions"),
    path("v1/actions/<str:key>", by_method(GET=action, POST=answer), name="action"),
]
