"""Multi-index hashing: exact Hamming search that looks at thousands of hashes instead of millions.

`haechi.index.pigeonhole` says how hashes are cut into bands and which buckets a query needs; here
the buckets are built and looked into. What takes the time is fetching from memory, so a band's
bucket starts are asked for together, then its rows, then the hashes: the processor fetches many at
once, and no answer decides what is fetched next.

The kernels are compiled by numba. The compiled code is kept beside this file, or in the user's
cache folder if that is not writable; without either, compiling takes a few seconds a process.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haechi.index import pigeonhole
from haechi.index.instructions import popcount, prefetch
from haechi.index.pigeonhole import PAST_END, Buckets, Kept

_PART_BITS = 10
"""Rows are sorted by this many upper bits of their band first, so that each part fits the cache."""

_AHEAD = 12
_ROWS_AT_ONCE = 8_192
_ROOM = 256

ALL = 1 << 62
"""No query finds so many."""

type _Int = Any
"""int or np.int64, which are one thing to the compiler of the kernels."""


def build(hashes: NDArray[np.uint64]) -> Buckets:
    """The buckets of uint64 (n, 4), n < 2**32; takes 12 more bytes a hash meanwhile."""
    bands, count = pigeonhole.choose(len(hashes)), len(hashes)
    order = np.zeros(len(bands.widths) * count + PAST_END, dtype=np.uint32)
    starts = np.empty(bands.starts_at[-1], dtype=np.uint32)
    values, pairs = np.empty(count, dtype=np.uint32), np.empty(count, dtype=np.uint64)
    offset = 0
    for number, width in enumerate(bands.widths):
        part_bits = min(_PART_BITS, width)
        first = np.zeros((1 << part_bits) + 1, dtype=np.int64)
        _extract(hashes, offset, width, values)
        _part(values, width - part_bits, first, pairs)
        rows = order[number * count : (number + 1) * count]
        own = starts[bands.starts_at[number] : bands.starts_at[number + 1]]
        _settle(pairs, first, width - part_bits, rows, own)
        offset += width
    order.setflags(write=False)
    starts.setflags(write=False)
    return Buckets(bands, order, starts)


def search(
    base: Kept,
    buckets: Buckets,
    tail: Kept,
    queries: NDArray[np.uint64],
    radius: int,
    enough: int = ALL,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """(number of the query, key, distance) of all alive within `radius` of uint64 (q, 4).

    The hashes of `base` are read-only and what the buckets were built of; all of `tail` is compared.
    A query that has found `enough` looks no further in `base`.
    """
    probes = pigeonhole.probes(buckets.bands, radius)
    queries = queries.view()
    queries.setflags(write=False)  # whoever asks, for the compiler it is one type
    room = _ROOM + 2 * len(queries)
    while True:
        out = np.empty((3, room), dtype=np.int64)
        found = _search(
            base.hashes,
            base.keys,
            base.alive,
            buckets.order,
            buckets.starts,
            probes.cut,
            probes.flips,
            probes.masks,
            probes.first,
            tail.hashes,
            tail.keys,
            tail.alive,
            tail.used,
            queries,
            radius,
            enough,
            out,
        )
        if found <= room:
            return out[0, :found], out[1, :found], out[2, :found]
        room = found


def warm() -> None:
    """Compile the kernels, or load them from the cache, by using them once."""
    hashes = np.zeros((1, 4), dtype=np.uint64)
    keys = np.zeros(1, dtype=np.int64)
    tail = Kept(keys.copy(), hashes.copy(), np.ones(1, dtype=np.bool_), 1)
    for mine in (hashes, keys):
        mine.setflags(write=False)
    base = Kept(keys, hashes, np.ones(1, dtype=np.bool_), 1)
    search(base, build(hashes), tail, hashes.copy(), 0)


@njit(nogil=True, inline="always")
def _value(  # pragma: no cover - compiled
    hashes: NDArray[np.uint64], row: _Int, lowest: _Int, width: _Int
) -> _Int:
    """Bits lowest..lowest + width of a row; bit 64 is the lowest of the second word."""
    word, shift = lowest >> 6, np.uint64(lowest & 63)
    value = hashes[row, word] >> shift
    if shift + np.uint64(width) > np.uint64(64):
        value |= hashes[row, word + 1] << (np.uint64(64) - shift)
    return np.int64(value & np.uint64((1 << width) - 1))


@njit(cache=True, nogil=True)
def _extract(  # pragma: no cover - compiled
    hashes: NDArray[np.uint64], lowest: _Int, width: _Int, values: NDArray[np.uint32]
) -> None:
    """The value of one band for every hash."""
    word, shift, mask = lowest >> 6, np.uint64(lowest & 63), np.uint64((1 << width) - 1)
    if (lowest & 63) + width <= 64:
        for row in range(hashes.shape[0]):
            values[row] = np.uint32((hashes[row, word] >> shift) & mask)
    else:
        above = np.uint64(64) - shift
        for row in range(hashes.shape[0]):
            both = (hashes[row, word] >> shift) | (hashes[row, word + 1] << above)
            values[row] = np.uint32(both & mask)


@njit(cache=True, nogil=True)
def _part(  # pragma: no cover - compiled
    values: NDArray[np.uint32], below: _Int, first: NDArray[np.int64], pairs: NDArray[np.uint64]
) -> None:
    """Write (value, row) sorted by all but the `below` lowest bits; `first` where each part begins.

    The line of memory after the one that is written to is asked for ahead: there are more places
    to write to than the processor foresees, and waiting for each would take five times as long.
    """
    shift = np.uint32(below)
    for value in values:
        first[(value >> shift) + 1] += 1
    for part in range(1, first.shape[0]):
        first[part] += first[part - 1]
    place = first[:-1].astype(np.uint32)
    for row in range(values.shape[0]):
        part = values[row] >> shift
        at = place[part]
        place[part] = at + np.uint32(1)
        prefetch(pairs, np.int64(at) + _AHEAD)
        pairs[at] = (np.uint64(values[row]) << np.uint64(32)) | np.uint64(row)


@njit(cache=True, nogil=True)
def _settle(  # pragma: no cover - compiled
    pairs: NDArray[np.uint64],
    first: NDArray[np.int64],
    below: _Int,
    order: NDArray[np.uint32],
    starts: NDArray[np.uint32],
) -> None:
    """Sort each part by its lowest bits, too: rows to `order`, and where each value begins."""
    values = 1 << below
    low = np.uint64(values - 1)
    place = np.empty(values, dtype=np.uint32)
    for part in range(first.shape[0] - 1):
        begin, end = first[part], first[part + 1]
        place[:] = 0
        for at in range(begin, end):
            place[np.int64((pairs[at] >> np.uint64(32)) & low)] += np.uint32(1)
        start = np.uint32(begin)
        for low_bits in range(values):
            there = place[low_bits]
            place[low_bits] = start
            starts[part * values + low_bits] = start
            start += there
        for at in range(begin, end):
            value = np.int64((pairs[at] >> np.uint64(32)) & low)
            order[place[value]] = np.uint32(pairs[at] & np.uint64(0xFFFFFFFF))
            place[value] += np.uint32(1)
    starts[starts.shape[0] - 1] = np.uint32(order.shape[0])


@njit(nogil=True)
def _compare(  # pragma: no cover - compiled
    hashes: NDArray[np.uint64],
    rows: NDArray[np.uint32],
    query: NDArray[np.uint64],
    radius: _Int,
    near: NDArray[np.int64],
) -> _Int:
    """Write (place in `rows`, distance) of those within `radius` to `near`; returns how many.

    All four words are compared: to stop early, the processor would have to wait for the first.
    """
    first, second, third, fourth = query[0], query[1], query[2], query[3]
    flat, found = hashes.reshape(-1), 0
    for row in rows:
        prefetch(flat, np.int64(row) * 4)
    for at in range(rows.shape[0]):
        place = np.uint64(rows[at]) * np.uint64(4)
        distance = np.int64(
            popcount(flat[place] ^ first)
            + popcount(flat[place + np.uint64(1)] ^ second)
            + popcount(flat[place + np.uint64(2)] ^ third)
            + popcount(flat[place + np.uint64(3)] ^ fourth)
        )
        if distance <= radius:
            near[0, found], near[1, found] = at, distance
            found += 1
    return found


@njit(nogil=True)
def _seen(  # pragma: no cover - compiled
    hashes: NDArray[np.uint64],
    row: _Int,
    queries: NDArray[np.uint64],
    number: _Int,
    cut: NDArray[np.int64],
    flips: NDArray[np.int64],
) -> bool:
    """True if one of these bands, which come earlier, has found this row for this query."""
    for band in range(cut.shape[0]):
        lowest, width = cut[band, 0], cut[band, 1]
        differing = _value(hashes, row, lowest, width) ^ _value(queries, number, lowest, width)
        if np.int64(popcount(np.uint64(differing))) <= flips[band]:
            return True
    return False


@njit(nogil=True)
def _lookup(  # pragma: no cover - compiled
    order: NDArray[np.uint32],
    starts: NDArray[np.uint32],
    base: _Int,
    offset: _Int,
    value: _Int,
    masks: NDArray[np.int64],
    begin: NDArray[np.int64],
    length: NDArray[np.int64],
) -> None:
    """Where in `order` each bucket of one band begins, and how many rows it has."""
    for at in range(masks.shape[0]):
        prefetch(starts, base + (value ^ masks[at]))
    for at in range(masks.shape[0]):
        place = base + (value ^ masks[at])
        start = np.int64(starts[place])
        begin[at] = offset + start
        length[at] = np.int64(starts[place + 1]) - start
        prefetch(order, offset + start)


@njit(nogil=True)
def _collect(  # pragma: no cover - compiled
    order: NDArray[np.uint32],
    begin: NDArray[np.int64],
    length: NDArray[np.int64],
    at: _Int,
    buckets: _Int,
    rows: NDArray[np.uint32],
) -> tuple[_Int, _Int]:
    """Copy the rows of buckets from number `at` on, as many as fit; (next bucket, rows copied).

    Four rows are copied whatever the bucket holds: most hold fewer, and a loop whose length nobody
    can guess costs more than three rows too many.
    """
    filled, room = 0, rows.shape[0] - PAST_END
    while at < buckets:
        source, count = begin[at], length[at]
        take = min(count, room - filled)
        for step in range(PAST_END):
            rows[filled + step] = order[source + step]
        for step in range(PAST_END, take):
            rows[filled + step] = order[source + step]
        filled += take
        if take < count:
            begin[at], length[at] = source + take, count - take
            return at, filled
        at += 1
    return at, filled


@njit(cache=True, nogil=True)
def _search(  # pragma: no cover - compiled
    hashes: NDArray[np.uint64],
    keys: NDArray[np.int64],
    alive: NDArray[np.bool_],
    order: NDArray[np.uint32],
    starts: NDArray[np.uint32],
    cut: NDArray[np.int64],
    flips: NDArray[np.int64],
    masks: NDArray[np.int64],
    first: NDArray[np.int64],
    tail_hashes: NDArray[np.uint64],
    tail_keys: NDArray[np.int64],
    tail_alive: NDArray[np.bool_],
    tail_used: _Int,
    queries: NDArray[np.uint64],
    radius: _Int,
    enough: _Int,
    out: NDArray[np.int64],
) -> _Int:
    """Fill `out` (query, key, distance) as far as it reaches; returns how many there are."""
    count, found = hashes.shape[0], 0
    begin, length = np.empty(masks.shape[0], np.int64), np.empty(masks.shape[0], np.int64)
    rows = np.empty(_ROWS_AT_ONCE + PAST_END, dtype=np.uint32)
    near = np.empty((2, _ROWS_AT_ONCE), dtype=np.int64)
    for number in range(queries.shape[0]):
        before = found
        for band in range(cut.shape[0]):
            if found - before >= enough:
                break
            value = _value(queries, number, cut[band, 0], cut[band, 1])
            chosen = masks[first[band] : first[band + 1]]
            _lookup(order, starts, cut[band, 2], band * count, value, chosen, begin, length)
            bucket = 0
            while bucket < chosen.shape[0] and found - before < enough:
                bucket, filled = _collect(order, begin, length, bucket, chosen.shape[0], rows)
                for at in range(_compare(hashes, rows[:filled], queries[number], radius, near)):
                    row = np.int64(rows[near[0, at]])
                    if alive[row] and not _seen(hashes, row, queries, number, cut[:band], flips):
                        found = _put(out, found, number, keys[row], near[1, at])
        for late in range(tail_used):
            distance = _apart(tail_hashes, late, queries, number)
            if distance <= radius and tail_alive[late]:
                found = _put(out, found, number, tail_keys[late], distance)
    return found


@njit(nogil=True)
def _put(  # pragma: no cover - compiled
    out: NDArray[np.int64], found: _Int, number: _Int, key: _Int, distance: _Int
) -> _Int:
    """Write one match if there is room, and count it."""
    if found < out.shape[1]:
        out[0, found], out[1, found], out[2, found] = number, key, distance
    return found + 1


@njit(nogil=True)
def _apart(  # pragma: no cover - compiled
    hashes: NDArray[np.uint64], row: _Int, queries: NDArray[np.uint64], number: _Int
) -> _Int:
    return np.int64(
        popcount(hashes[row, 0] ^ queries[number, 0])
        + popcount(hashes[row, 1] ^ queries[number, 1])
        + popcount(hashes[row, 2] ^ queries[number, 2])
        + popcount(hashes[row, 3] ^ queries[number, 3])
    )
