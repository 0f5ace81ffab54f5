"""Which bank and source each member is of, in four bytes a member."""

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

type Home = tuple[int, str]
"""A bank's id and a source: what thresholds a member has."""

_PAGE_BITS = 16
_PAGE = 1 << _PAGE_BITS


class Homes:
    """Homes by member id. Ids are handed out in a row, so pages of them lie in arrays."""

    def __init__(self) -> None:
        self._pages: dict[int, NDArray[np.int32]] = {}
        self._number: dict[Home, int] = {}
        self._homes: list[Home] = [(-1, "")]

    def get(self, member: int) -> Home | None:
        """Of a member; None if it is not known."""
        page = self._pages.get(member >> _PAGE_BITS)
        number = 0 if page is None else int(page[member % _PAGE])
        return self._homes[number] if number else None

    def put(self, member: int, home: Home) -> None:
        """Note where a member is from now on."""
        number = self._number.get(home)
        if number is None:
            number = self._number[home] = len(self._homes)
            self._homes.append(home)
        page = self._pages.get(member >> _PAGE_BITS)
        if page is None:
            page = self._pages[member >> _PAGE_BITS] = np.zeros(_PAGE, dtype=np.int32)
        page[member % _PAGE] = number

    def remove(self, member: int) -> None:
        """Forget a member; nothing happens if it is not known."""
        page = self._pages.get(member >> _PAGE_BITS)
        if page is not None:
            page[member % _PAGE] = 0

    def outside(self, banks: Collection[int]) -> Iterator[int]:
        """Members of other banks than these."""
        away = [number for home, number in self._number.items() if home[0] not in banks]
        for number, page in self._pages.items() if away else ():
            for place in np.flatnonzero(np.isin(page, away)).tolist():
                yield number << _PAGE_BITS | place
