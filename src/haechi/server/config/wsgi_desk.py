"""Entry point of the desk: granian --interface wsgi haechi.server.config.wsgi_desk:app."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "haechi.server.config.settings")
os.environ["HAECHI_SURFACE"] = "desk"

app = get_wsgi_application()
