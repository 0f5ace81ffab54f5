"""Django's registration of the configuration, and the checks at start-up."""

from typing import Any

from django.apps import AppConfig
from django.core import checks

from haechi.server.reports import return_code


class ServerConfig(AppConfig):
    """Templates, static files and start-up checks that belong to no stage."""

    name = "haechi.server.config"
    label = "config"

    def ready(self) -> None:
        """Register the checks."""
        checks.register(_word_lists)


def _word_lists(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  # Django's signature
    return [
        checks.Error(
            fault, hint="The package `mnemonic` is damaged; install it again.", id="haechi.E001"
        )
        for fault in return_code.check_word_lists()
    ]
