"""Entry point of the desk: granian --interface wsgi haechi.server.config.wsgi_desk:app."""

import os

from django.core.wsgi import get_wsgi_application

from haechi.server.config.unreadable import answer_unreadable

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "haechi.server.config.settings")
os.environ["HAECHI_SURFACE"] = "desk"

app = answer_unreadable(get_wsgi_application())
