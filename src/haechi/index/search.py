"""One search over a catalog, part by part."""

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from haechi.fingerprint.frames import Frame, turned_many
from haechi.fingerprint.pdq import TURNS
from haechi.index.batch import NO_FILE, words
from haechi.index.entry import Hits, Query
from haechi.index.evidence import Bits, Evidence, best_first, of_picture
from haechi.index.moving import Lengths, by_group, shown, thinned, weigh
from haechi.index.policy import Policy
from haechi.index.state import State

if TYPE_CHECKING:
    from haechi.index.moving import FrameNear


_TURNED_FRAMES = 128
"""Frames that are also looked up turned and mirrored, evenly chosen: all of a video of a minute or
two. Else seven eighths of the time would go into what is rare."""


_BLOCK = 128
"""Hashes of frames looked up at once: what bounds the memory when all are near a whole video."""


_HASHES_EACH = 8
"""A still picture has up to 18 hashes with its views; few of them are near to one hash."""

_CLOSE_BITS = 8


class Search:
    """Evidence about every entry that the query meets, as the entries are when it is made."""

    def __init__(self, state: State, query: Query, policy: Policy, most: int | None = None) -> None:
        """Nothing is looked at yet. `most` as in Catalog.search."""
        self._state = state
        self._now = state.now
        self._query = query
        self._policy = policy
        self._most = most
        self._truncated = False
        self._seconds = query.seconds
        self._frames = [frame for frame in query.frames if frame.pdq.quality >= policy.min_quality]
        self._evidence: dict[int, Evidence] = defaultdict(Evidence)

    def hits(self) -> Hits:
        """What was found, the best first."""
        self._same_file()
        self._near_turns()
        self._near_frames()
        self._near_vectors()
        key = self._now.slots.one
        found = [one.hit(int(key("key", slot))) for slot, one in self._evidence.items()]
        hits = Hits(sorted(found, key=best_first))
        if self._most is not None:
            hits.truncated = self._truncated or len(hits) > self._most
            del hits[self._most :]
        return hits

    def _same_file(self) -> None:
        if len(self._query.sha256) == len(NO_FILE) and self._query.sha256 != NO_FILE:
            (sha256,) = words([self._query.sha256])
            for slot in self._state.same_file(self._now, sha256).tolist():
                self._evidence[slot].identical = True

    def _near_turns(self) -> None:
        """The picture in eight turns and as a negative; of a video, its key frame."""
        query = self._query
        told = query.turns
        if query.pdq_quality < self._policy.min_quality:
            # A page is flat though a picture in it is not; flat insets are not among the turns.
            told = told[len(told) - query.insets * len(TURNS) :]
        if not told:
            return
        turns = words(told)
        # A negative has every coefficient's sign changed, and so every bit. A single hash is no
        # picture that somebody turned or inverted: it is looked up as it was told.
        hashes = turns if len(turns) == 1 else np.concatenate([turns, ~turns])
        asked, rows, distances, slots = self._near(hashes)
        if not len(asked):
            return
        inverted, number = np.divmod(asked, len(turns))
        at_s = self._now.rows.take("seconds", rows).astype(np.float64)
        moving = self._now.slots.take("seconds", slots) > 0
        of_stills = ~moving & (self._seconds == 0)
        inset = number >= len(turns) - query.insets * len(TURNS)
        upright = (number % len(TURNS) == 0) & (inverted == 0) & (at_s < 0) & ~inset
        same = upright & (distances <= self._policy.pdq_same_bits)
        order = np.lexsort((inverted, number, distances, ~same))
        columns = (slots, distances, number % len(TURNS), inverted == 1, at_s, inset)
        for slot, bits, turn, negative, part_s, part in _rows(
            columns, _firsts(order, slots, of_stills)
        ):
            near = of_picture(bits, turn, self._policy, inverted=negative, view=part_s >= 0 or part)
            self._evidence[slot].closer(near)
        # One of both is a video. Of two, the frames decide.
        shows = order[(moving ^ (self._seconds > 0))[order]]
        in_video: dict[int, list[tuple[int, FrameNear]]] = defaultdict(list)
        for slot, bits, turn, _, part_s, _ in _rows(columns, shows):
            in_video[slot].append((turn, (self._key_frame_s(), max(0.0, part_s), bits)))
        for slot, met in in_video.items():
            turn, (_, _, bits) = met[0]
            near = Bits(same=False, distance_bits=bits, orientation=turn, how="vpdq")
            clip = shown([pair for _, pair in met], max(1, len(self._frames)))
            self._evidence[slot].closer(near, clip)

    def _near_frames(self) -> None:
        """The frames of a video, and the views of a still picture, in eight turns."""
        if not self._frames:
            return
        hashes, turn, frame = _turned(self._frames)
        when = np.array([frame.seconds for frame in self._frames], dtype=np.float64)
        every, pairs = [np.empty(0, dtype=np.int64)], [np.empty((0, 3))]
        for start in range(0, len(hashes), _BLOCK):
            asked, rows, distances, slots = self._near(hashes[start : start + _BLOCK])
            asked += start
            groups = slots.astype(np.int64) * len(TURNS) + turn[asked]
            kept = thinned(asked, distances, groups)
            known_s = np.maximum(0.0, self._now.rows.take("seconds", rows[kept]))
            every.append(groups[kept])
            pairs.append(np.stack([when[frame[asked[kept]]], known_s, distances[kept]], axis=1))
        for group, found in by_group(np.concatenate(every), np.concatenate(pairs)):
            self._weigh(*divmod(group, len(TURNS)), found)

    def _weigh(self, slot: int, turn: int, pairs: "list[FrameNear]") -> None:
        length_s = float(self._now.slots.one("seconds", slot))
        if not self._seconds and not length_s:
            bits = min(distance for _, _, distance in pairs)
            near = of_picture(bits, turn, self._policy, inverted=False, view=True)
            self._evidence[slot].closer(near)
            return
        lengths = Lengths(self._seconds, length_s, len(self._frames))
        found = weigh(pairs, turn, lengths, self._policy)
        if found is not None:
            self._evidence[slot].closer(*found)

    def _near_vectors(self) -> None:
        query, policy = self._query, self._policy
        wholes = [query.embedding] if query.embedding is not None else []
        if not wholes and not query.views:
            return
        lowest = min(policy.sscd_similarity, policy.sscd_view_similarity)
        near = self._now.vectors.search([*wholes, *query.views], lowest)
        view = (near.look >= len(wholes)) | ~near.whole
        least = np.where(view, policy.sscd_view_similarity, policy.sscd_similarity)
        kept = np.flatnonzero((near.cosine >= least) & self._now.alive(near.owner))
        kept = kept[self._nearest(near.owner[kept], -near.cosine[kept])]
        for slot, cosine, part in zip(
            near.owner[kept].tolist(), near.cosine[kept].tolist(), view[kept].tolist(), strict=True
        ):
            self._evidence[slot].liker(cosine, view=part)

    def _near(
        self, hashes: NDArray[np.uint64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.uint32]]:
        policy = self._policy
        radius, quality = policy.pdq_edited_bits, policy.min_quality
        if self._most is None:
            return self._state.near(self._now, hashes, radius, quality)
        enough = self._most * _HASHES_EACH
        found = self._state.near(self._now, hashes, radius, quality, enough)
        if len(found[0]) >= enough and np.bincount(found[0]).max() >= enough:
            # It may have stopped before it came to the nearest: these are looked for by themselves.
            self._truncated = True
            close = self._state.near(self._now, hashes, min(radius, _CLOSE_BITS), quality, enough)
            pairs = np.concatenate([(one[0] << 32) + one[1] for one in (close, found)])
            once = np.unique(pairs, return_index=True)[1]
            found = tuple(  # type: ignore[assignment]  # four, as they were
                np.concatenate([near, far])[once] for near, far in zip(close, found, strict=True)
            )
        asked, rows, distances, slots = found
        kept = self._nearest(slots, distances)
        return asked[kept], rows[kept], distances[kept], slots[kept]

    def _nearest(self, slots: NDArray[Any], far: NDArray[Any]) -> NDArray[np.bool_] | slice:
        """Which of what was found belongs to the nearest `most` entries; the older of equals.

        Before evidence is made of it: of two million equal hashes that takes ten seconds.
        """
        if self._most is None or len(slots) <= self._most:
            return slice(None)
        named, number = np.unique(slots, return_inverse=True)
        if len(named) <= self._most:
            return slice(None)
        self._truncated = True
        least = np.full(len(named), np.inf)
        np.minimum.at(least, number, far)
        chosen = np.zeros(len(named), dtype=np.bool_)
        chosen[np.argsort(least, kind="stable")[: self._most]] = True
        return chosen[number]

    def _key_frame_s(self) -> float:
        """When the frame is shown whose turns were asked (fingerprint.ImageFingerprint)."""
        return self._frames[0].seconds if self._frames and self._seconds else 0.0


def _firsts(
    order: NDArray[np.int64], slots: NDArray[np.uint32], wanted: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Of the wanted rows in `order`, the first of every slot."""
    chosen = order[wanted[order]]
    return chosen[np.unique(slots[chosen], return_index=True)[1]]


def _rows(columns: tuple[NDArray[Any], ...], rows: NDArray[np.int64]) -> Iterator[tuple[Any, ...]]:
    return zip(*(column[rows].tolist() for column in columns), strict=True)


def _turned(
    frames: list[Frame],
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]:
    """Hashes uint64 (n, 4), and for each its turn and the number of its frame."""
    joined = np.frombuffer(b"".join(frame.pdq.bits for frame in frames), dtype=np.uint8)
    upright = joined.reshape(len(frames), -1)
    chosen = np.unique(
        np.linspace(0, len(frames) - 1, min(len(frames), _TURNED_FRAMES)).astype(int)
    )
    others = turned_many(upright[chosen])[1:]
    turns = np.arange(1, len(TURNS)).repeat(len(chosen))
    hashes = np.concatenate([upright, others.reshape(-1, upright.shape[1])])
    return (
        np.ascontiguousarray(hashes).view(np.uint64),
        np.concatenate([np.zeros(len(frames), dtype=np.int64), turns]),
        np.concatenate([np.arange(len(frames)), np.tile(chosen, len(TURNS) - 1)]),
    )
