"""From a home folder to a process that may use Django."""

import os
from pathlib import Path

_COMMAND = "HAECHI_VAULT_IDENTITY_COMMAND"
DEFAULT_HOME = "~/.local/share/haechi"


def home() -> Path:
    """The data folder this process was told, absolute."""
    return Path(os.environ.get("HAECHI_HOME", DEFAULT_HOME)).expanduser().resolve()


def read_keys(*, vault: bool) -> None:
    """Fill the environment from the home's key file; what is set already is left as it is.

    vault   also say where vault identity, signing key and desk secret are: desk and worker only.
    """
    from haechi.server.config import home as homes

    known = home()
    if "HAECHI_SECRET_KEY" not in os.environ and not (known / homes.ENVIRONMENT_FILE).exists():
        raise FileNotFoundError(f"{known} holds no keys; `haechi setup` makes them")
    if (known / homes.ENVIRONMENT_FILE).exists():
        for name, value in homes.prepare(known).items():
            os.environ.setdefault(name, value)
        # An operator may have moved the vault elsewhere; the other keys are still told.
        for name, value in homes.for_vault(known).items() if vault else ():
            # A command that prints the identity comes before a file that was left behind.
            told = name == "HAECHI_VAULT_IDENTITY_FILE" and os.environ.get(_COMMAND)
            if Path(value).exists() and not told:
                os.environ.setdefault(name, value)


def find_database(process: str) -> None:
    """Say how `process` logs in: as its own role, or as "owner" (setup and commands).

    Starts the embedded PostgreSQL unless another database is named. Raises RolesMissing, and
    RoleTooStrong where the address that was given may do what the process must not.
    """
    from haechi.server.config import logins
    from haechi.server.config.database import start_embedded

    if not os.environ.get("HAECHI_DATABASE_URL"):
        os.environ["HAECHI_DATABASE_URL"] = (
            start_embedded(home()) if process == "owner" else logins.url_of(home(), process)
        )
    logins.check(os.environ["HAECHI_DATABASE_URL"], process)


def enter(surface: str = "worker", process: str = "owner") -> None:
    """Make this process one of the server's, keys and all. Raises ImproperlyConfigured."""
    os.environ["HAECHI_SURFACE"] = surface
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "haechi.server.config.settings")
    read_keys(vault=surface != "public")
    find_database(process)
    import django

    django.setup()
