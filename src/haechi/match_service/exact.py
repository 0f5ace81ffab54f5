"""Members that are asked for by the MD5 of their file, as HMA does with videos."""

import numpy as np
from numpy.typing import NDArray


class Exact:
    """MD5 to members. One writer; readers see a member or not, never half of a change."""

    def __init__(self) -> None:
        self._keys_of: dict[bytes, tuple[int, ...]] = {}
        self._md5_of: dict[int, bytes] = {}

    def __len__(self) -> int:
        """Number of members."""
        return len(self._md5_of)

    def put(self, key: int, md5: bytes) -> None:
        """Add a member that is not here."""
        self._md5_of[key] = md5
        self._keys_of[md5] = tuple(sorted({*self._keys_of.get(md5, ()), key}))

    def remove(self, key: int) -> None:
        """Forget a member; nothing happens if it is not here."""
        md5 = self._md5_of.pop(key, None)
        if md5 is None:
            return
        left = tuple(other for other in self._keys_of[md5] if other != key)
        if left:
            self._keys_of[md5] = left
        else:
            del self._keys_of[md5]

    def search(self, md5: bytes) -> tuple[int, ...]:
        """The members of that MD5, in the order of their numbers."""
        return self._keys_of.get(md5, ())

    def parts(self) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """(members, their MD5 one after the other), of equal order."""
        joined = b"".join(self._md5_of.values())
        return np.array(list(self._md5_of), dtype=np.int64), np.frombuffer(joined, dtype=np.uint8)
