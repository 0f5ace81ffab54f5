"""Which bank and source each member is of, in four bytes a member."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Self

import numpy as np
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
        self._own(member)[member % _PAGE] = number

    def remove(self, member: int) -> None:
        """Forget a member; nothing happens if it is not known."""
        page = self._pages.get(member >> _PAGE_BITS)
        if page is not None and page[member % _PAGE]:
            self._own(member)[member % _PAGE] = 0

    def outside(self, banks: Collection[int]) -> Iterator[int]:
        """Members of other banks than these."""
        away = [number for home, number in self._number.items() if home[0] not in banks]
        for number, page in self._pages.items() if away else ():
            for place in np.flatnonzero(np.isin(page, away)).tolist():
                yield number << _PAGE_BITS | place

    def parts(self) -> tuple[list[Home], NDArray[np.int64], NDArray[np.int32]]:
        """(homes, numbers of pages, pages) for a file, from which `of_parts` makes the same."""
        pages = np.array(list(self._pages.values()), dtype=np.int32).reshape(-1, _PAGE)
        return list(self._homes), np.array(list(self._pages), dtype=np.int64), pages

    @classmethod
    def of_parts(
        cls, homes: Sequence[Any], numbers: NDArray[np.int64], pages: NDArray[np.int32]
    ) -> Self:
        """Of what `parts` gave; pages are kept as they are until something in them changes.

        Raises TypeError or ValueError if it is not so.
        """
        if pages.dtype != np.int32 or pages.shape != (len(numbers), _PAGE) or not homes:
            raise ValueError("pages are of another form")
        made = cls()
        made._homes = [(int(bank), str(source)) for bank, source in homes]
        made._number = {home: number for number, home in enumerate(made._homes) if number}
        made._pages = dict(zip(numbers.tolist(), pages, strict=True))
        return made

    def _own(self, member: int) -> NDArray[np.int32]:
        """The page of a member, which is there; a copy from now on if it is shared."""
        page = self._pages[member >> _PAGE_BITS]
        if not page.flags.writeable:
            page = self._pages[member >> _PAGE_BITS] = page.copy()
        return page
