"""A file that is only looked at: in memory, and gone with the request."""

from io import BytesIO
from typing import Any

from django.core.exceptions import BadRequest
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopFutureHandlers
from django.http import HttpRequest


class InMemory(FileUploadHandler):
    """Keeps one file in memory. Raises BadRequest for a longer one than `limit_bytes`, or a second."""

    def __init__(self, request: HttpRequest, *, limit_bytes: int) -> None:
        super().__init__(request)
        self._limit_bytes = limit_bytes
        self._data: bytearray | None = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # Django's signature
        """Begin it."""
        super().new_file(*args, **kwargs)
        if self._data is not None:
            raise BadRequest("one file at a time")
        self._data = bytearray()
        raise StopFutureHandlers

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:  # noqa: ARG002  # as above
        """Take what came."""
        assert self._data is not None  # noqa: S101  # new_file() comes first
        self._data += raw_data
        if len(self._data) > self._limit_bytes:
            raise BadRequest("the file is too large to be looked at")

    def file_complete(self, file_size: int) -> InMemoryUploadedFile | None:  # noqa: ARG002  # as above
        """What the form finds; its name is not looked at."""
        data = bytes(self._data or b"")
        return InMemoryUploadedFile(BytesIO(data), "picture", "picture", "", len(data), None)
