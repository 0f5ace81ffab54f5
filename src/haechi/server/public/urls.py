"""Addresses of the pages without login."""

from django.urls import path

from haechi.server.public.limits import limited
from haechi.server.public.views import code, compare, end, marks, own_log, say
from haechi.server.public.views.appeal import appeal
from haechi.server.public.views.landing import help_page, landing
from haechi.server.public.views.live import live
from haechi.server.public.views.log import key, log, log_at, log_grew
from haechi.server.public.views.numbers import numbers, numbers_json
from haechi.server.public.views.report import report
from haechi.server.public.views.upload import begin, upload
from haechi.server.public.views.visit import enter, leave, status
from haechi.server.public.views.well_known import haechi

app_name = "public"
urlpatterns = [
    path("", landing, name="landing"),
    path("report", report, name="report"),
    path("report/upload", begin, name="begin_upload"),
    path("report/upload/<str:name>", upload, name="upload"),
    path("return", limited("code", lane=True)(enter), name="return"),
    path("status", status, name="status"),
    path("status/leave", leave, name="leave"),
    path("status/messages", limited("message")(say.talk), name="talk"),
    path("status/add", say.add, name="add"),
    path("status/compare", compare.compare, name="compare"),
    path("status/words", limited("message")(say.correct), name="correct"),
    path("status/look-again", limited("appeal")(say.object_to), name="object"),
    path("status/mail", say.mail, name="mail"),
    path("status/own", code.own, name="own"),
    path("status/log", own_log.entries, name="own_log"),
    path("status/log/file", own_log.proofs, name="own_log_file"),
    path("status/take", end.take, name="take"),
    path("status/back", end.withdraw, name="withdraw"),
    path("status/erase", end.erase, name="erase"),
    path("receipt", code.keep, name="keep"),
    path("receipt/file", code.file, name="code_file"),
    path("appeal/<str:token>", limited("appeal")(appeal), name="appeal"),
    path("numbers", numbers, name="numbers"),
    path("numbers.json", numbers_json, name="numbers_json"),
    path("log", log, name="log"),
    path(".well-known/haechi-log", log, name="log_known"),
    path(".well-known/haechi-log/key", key, name="log_key"),
    path(".well-known/haechi-log/<int:size>", log_at, name="log_at"),
    path(".well-known/haechi-log/<int:old>/<int:size>", log_grew, name="log_grew"),
    path(".well-known/haechi.json", haechi, name="well_known"),
    path("inspect", marks.inspect, name="inspect"),
    path("help", help_page, name="help"),
    path("live", live, name="live"),
]
