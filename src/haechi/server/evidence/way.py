"""Where a file was sealed."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Way(models.TextChoices):
    """By whom the plaintext of an exhibit was sealed."""

    SERVER = "server", _("sealed here while it arrived")
    BROWSER = "browser", _("sealed on the sender's own device")
