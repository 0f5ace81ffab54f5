"""Where sealed files lie: a folder of the home, or a bucket (HAECHI_BLOBS)."""

from functools import cache

from django.conf import settings
from django.db import Error

from haechi.blobs import LocalStore, Store
from haechi.errors import StorageUnavailable
from haechi.server.evidence.models import Exhibit


def storage() -> Store:
    """The place this installation keeps its blobs. Raises StorageUnavailable."""
    address = settings.HAECHI.blobs
    if not address:
        return LocalStore(settings.BLOBS, unused=_unused)
    return _bucket(address, settings.HAECHI.blobs_endpoint)


def _unused() -> bool:
    """No exhibit was ever stored, so an empty folder misses nothing."""
    try:
        return not Exhibit.objects.exists()
    except Error as error:
        raise StorageUnavailable("nobody can say whether the folder should be empty") from error


@cache
def _bucket(address: str, endpoint: str | None) -> Store:
    # boto3 takes a second to load: only who has a bucket waits for it.
    try:
        from haechi.blobs.s3 import S3Store  # noqa: PLC0415
    except ImportError as error:
        raise StorageUnavailable("HAECHI_BLOBS needs boto3: pip install 'haechi[s3]'") from error
    return S3Store(address, endpoint=endpoint)
