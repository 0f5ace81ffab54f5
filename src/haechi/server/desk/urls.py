"""Addresses of the desk."""

from django.urls import path

from haechi.server.desk.views import (
    appeals,
    banks,
    case,
    decide,
    deliveries,
    exhibit,
    grants,
    law,
    log,
    login,
    queue,
)

app_name = "desk"

urlpatterns = [
    path("login", login.login, name="login"),
    path("logout", login.logout, name="logout"),
    path("", queue.queue, name="queue"),
    path("case/<int:case_id>", case.case, name="case"),
    path("case/<int:case_id>/claim", case.claim, name="claim"),
    path("case/<int:case_id>/open", case.open_content, name="open_content"),
    path("case/<int:case_id>/identity", case.ask_identity, name="ask_identity"),
    path("case/<int:case_id>/release", case.release, name="release"),
    path("case/<int:case_id>/decide", decide.decide, name="decide"),
    path("case/<int:case_id>/preview", decide.preview, name="preview"),
    path("case/<int:case_id>/go-on", decide.go_on, name="go_on"),
    path("case/<int:case_id>/message", case.write, name="write"),
    path("case/<int:case_id>/pursue", case.pursue, name="pursue"),
    path("news", case.news, name="news"),
    path("case/<int:case_id>/exhibit/<uuid:exhibit_id>/lift", exhibit.lift, name="lift"),
    path("exhibit/<uuid:exhibit_id>", exhibit.exhibit, name="exhibit"),
    path("exhibit/<uuid:exhibit_id>/picture", exhibit.picture, name="picture"),
    path("deliveries", deliveries.deliveries, name="deliveries"),
    path("appeals", appeals.appeals, name="appeals"),
    path("appeal/<int:appeal_id>", appeals.appeal, name="appeal"),
    path("banks", banks.banks, name="banks"),
    path("bank/<int:bank_id>", banks.bank, name="bank"),
    path("member/<int:member_id>", banks.member, name="member"),
    path("member/<int:member_id>/judge", banks.judge, name="judge"),
    path("member/<int:member_id>/end", banks.end, name="end"),
    path("sighting/<int:sighting_id>/settle", banks.settle, name="settle"),
    path("grants", grants.grants, name="grants"),
    path("grant/<int:grant_id>/<str:act>", grants.act, name="grant"),
    path("law", law.law_page, name="law"),
    path("law/<str:rule_id>", law.rule, name="rule"),
    path("missed", law.missed, name="missed"),
    path("case/<int:case_id>/ask", law.ask_missing, name="ask_missing"),
    path("log", log.log, name="log"),
]
