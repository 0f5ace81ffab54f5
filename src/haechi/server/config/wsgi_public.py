"""Entry point of the public site: granian --interface wsgi haechi.server.config.wsgi_public:app.

WSGI, not ASGI: Django's ASGI handler spools a request body to a temporary file, and no plaintext of
an upload may touch a disk (docs/adr/0003).
"""

import os

from django.core.wsgi import get_wsgi_application

from haechi.server.config.unreadable import answer_unreadable

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "haechi.server.config.settings")
os.environ["HAECHI_SURFACE"] = "public"

app = answer_unreadable(get_wsgi_application())
