"""One search over a catalog, part by part."""

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from haechi.fingerprint.frames import Frame
from haechi.fingerprint.pdq import TURNS
from haechi.index.batch import words
from haechi.index.entry import Hit, Query
from haechi.index.evidence import Bits, Evidence, best_first, of_picture
from haechi.index.moving import Lengths, gathered, shown, weigh
from haechi.index.policy import Policy
from haechi.index.state import State

if TYPE_CHECKING:
    from haechi.index.clips import FrameNear


class Search:
    """Evidence about every entry that the query meets, as the entries are when it is made."""

    def __init__(self, state: State, query: Query, policy: Policy) -> None:
        """Nothing is looked at yet."""
        self._state = state
        self._now = state.now
        self._query = query
        self._policy = policy
        self._seconds = query.seconds
        self._frames = [frame for frame in query.frames if frame.pdq.quality >= policy.min_quality]
        self._evidence: dict[int, Evidence] = defaultdict(Evidence)

    def hits(self) -> list[Hit]:
        """What was found, the best first."""
        self._same_file()
        self._near_turns()
        self._near_frames()
        self._near_vectors()
        key = self._now.slots.one
        found = [one.hit(int(key("key", slot))) for slot, one in self._evidence.items()]
        return sorted(found, key=best_first)

    def _same_file(self) -> None:
        if any(self._query.sha256):
            (sha256,) = words([self._query.sha256])
            for slot in self._state.same_file(self._now, sha256).tolist():
                self._evidence[slot].identical = True

    def _near_turns(self) -> None:
        """The picture in eight turns and as a negative; of a video, its key frame."""
        query = self._query
        if not query.turns or query.pdq_quality < self._policy.min_quality:
            return
        turns = words(query.turns)
        # A negative has every coefficient's sign changed, and so every bit.
        asked, rows, distances, slots = self._near(np.concatenate([turns, ~turns]))
        inverted, number = np.divmod(asked, len(turns))
        order = np.lexsort((inverted, number, distances))
        columns = (
            slots,
            distances,
            number % len(TURNS),
            inverted == 1,
            self._now.rows.take("seconds", rows).astype(np.float64),
            self._now.slots.take("seconds", slots),
        )
        in_video: dict[int, list[tuple[FrameNear, Bits]]] = defaultdict(list)
        for slot, bits, turn, negative, at_s, known_s in zip(
            *(column[order].tolist() for column in columns), strict=True
        ):
            if not known_s and not self._seconds:
                near = of_picture(bits, turn, self._policy, inverted=negative, view=at_s >= 0)
                self._evidence[slot].closer(near)
            elif not (known_s and self._seconds):
                pair = (self._key_frame_s(), max(0.0, at_s), bits)
                in_video[slot].append(
                    (pair, Bits(same=False, distance_bits=bits, orientation=turn, how="vpdq"))
                )
        for slot, met in in_video.items():
            self._evidence[slot].closer(met[0][1], shown([pair for pair, _ in met], 1))

    def _near_frames(self) -> None:
        """The frames of a video, and the views of a still picture."""
        if not self._frames:
            return
        hashes = words([frame.pdq.bits for frame in self._frames])
        asked, rows, distances, slots = self._near(hashes)
        asked_s = _seconds(self._frames)[asked]
        known_s = np.maximum(0.0, self._now.rows.take("seconds", rows).astype(np.float64))
        for slot, pairs in gathered((asked_s, known_s), distances, slots).items():
            lengths = Lengths(
                self._seconds, float(self._now.slots.one("seconds", slot)), len(self._frames)
            )
            if lengths.query_s or lengths.known_s:
                if (found := weigh(pairs, lengths, self._policy)) is not None:
                    self._evidence[slot].closer(*found)
            else:
                bits = min(distance for _, _, distance in pairs)
                near = of_picture(bits, 0, self._policy, inverted=False, view=True)
                self._evidence[slot].closer(near)

    def _near_vectors(self) -> None:
        query, policy = self._query, self._policy
        wholes = [query.embedding] if query.embedding is not None else []
        lowest = min(policy.sscd_similarity, policy.sscd_view_similarity)
        near = self._now.vectors.search([*wholes, *query.views], lowest)
        view = (near.look >= len(wholes)) | ~near.whole
        least = np.where(view, policy.sscd_view_similarity, policy.sscd_similarity)
        kept = (near.cosine >= least) & self._now.alive(near.owner)
        for slot, cosine, part in zip(
            near.owner[kept].tolist(), near.cosine[kept].tolist(), view[kept].tolist(), strict=True
        ):
            self._evidence[slot].liker(cosine, view=part)

    def _near(
        self, hashes: NDArray[np.uint64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.uint32]]:
        policy = self._policy
        return self._state.near(self._now, hashes, policy.pdq_edited_bits, policy.min_quality)

    def _key_frame_s(self) -> float:
        """When the frame is shown whose turns were asked (fingerprint.ImageFingerprint)."""
        return self._frames[0].seconds if self._frames and self._seconds else 0.0


def _seconds(frames: list[Frame]) -> NDArray[np.float64]:
    return np.array([frame.seconds for frame in frames], dtype=np.float64)
