"""What the database raises when it is away, full or read-only."""

from django.db import InterfaceError, InternalError, OperationalError
from procrastinate.exceptions import ConnectorException

AWAY = (OperationalError, InterfaceError, InternalError, ConnectorException)
