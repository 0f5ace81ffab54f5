"""Where sealed files lie: a folder of the home, or a bucket (HAECHI_BLOBS)."""

from functools import cache

from django.conf import settings

from haechi.blobs import LocalStore, Store
from haechi.errors import StorageUnavailable


def storage() -> Store:
    """The place this installation keeps its blobs. Raises StorageUnavailable."""
    address = settings.HAECHI.blobs
    if not address:
        return LocalStore(settings.BLOBS)
    return _bucket(address, settings.HAECHI.blobs_endpoint)


@cache
def _bucket(address: str, endpoint: str | None) -> Store:
    # boto3 takes a second to load: only who has a bucket waits for it.
    try:
        from haechi.blobs.s3 import S3Store  # noqa: PLC0415
    except ImportError as error:
        raise StorageUnavailable("HAECHI_BLOBS needs boto3: pip install 'haechi[s3]'") from error
    return S3Store(address, endpoint=endpoint)
