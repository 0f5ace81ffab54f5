"""Addresses of the public site."""

from django.urls import include, path

handler400 = "haechi.server.config.failures.bad_request"
handler403 = "haechi.server.config.failures.forbidden"
handler404 = "haechi.server.config.failures.not_found"
handler500 = "haechi.server.config.failures.failed"

urlpatterns = [
    path("language/", include("django.conf.urls.i18n")),
    path("api/", include("haechi.server.api.urls")),
    path("", include("haechi.server.public.urls")),
]
