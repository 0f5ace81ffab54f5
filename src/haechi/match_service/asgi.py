"""Target for Granian: `granian --interface asgi haechi.match_service.asgi:app`."""

import os

from haechi.match_service.app import create_app
from haechi.match_service.config import Settings

app = create_app(Settings.from_environ(os.environ), freeze=True)
