"""Target for Granian: `granian --interface asgi examples.board.asgi:app`."""

import os

from examples.board.app import create_app
from examples.board.settings import Settings

app = create_app(Settings.from_environ(os.environ))
