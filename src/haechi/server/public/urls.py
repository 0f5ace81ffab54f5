"""Addresses of the pages without login."""

from django.urls import path

from haechi.server.public.views.appeal import appeal
from haechi.server.public.views.landing import help_page, landing
from haechi.server.public.views.numbers import log, numbers, numbers_json
from haechi.server.public.views.report import report
from haechi.server.public.views.visit import enter, leave, status

app_name = "public"
urlpatterns = [
    path("", landing, name="landing"),
    path("report", report, name="report"),
    path("return", enter, name="return"),
    path("status", status, name="status"),
    path("status/leave", leave, name="leave"),
    path("appeal/<str:token>", appeal, name="appeal"),
    path("numbers", numbers, name="numbers"),
    path("numbers.json", numbers_json, name="numbers_json"),
    path("log", log, name="log"),
    path("help", help_page, name="help"),
]
