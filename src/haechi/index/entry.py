"""The nouns of a search: what is known, what is asked, what is answered."""

import logging
from dataclasses import dataclass
from enum import StrEnum

from haechi.errors import FingerprintError
from haechi.fingerprint import ImageFingerprint, joined, pdq, sscd
from haechi.fingerprint.frames import Frame, unpack
from haechi.index.clips import Clip

_log = logging.getLogger(__name__)

_FILE_BYTES = 32
_HASH_BYTES = pdq.BITS // 8


class Verdict(StrEnum):
    """What a known picture and a query are to each other, the strongest first."""

    IDENTICAL_FILE = "identical_file"
    SAME_PICTURE = "same_picture"
    EDITED_COPY = "edited_copy"
    NO_MATCH = "no_match"


@dataclass(frozen=True, slots=True)
class Entry:
    """One known picture or video.

    Attributes:
        key: The caller's number for it; unique in a catalog.
        sha256: 32 bytes, or empty if the file itself was never seen; then no file is identical.
        pdq: 32 bytes, or None if unknown.
        pdq_quality: 0..100.
        embedding: 512 int8, or None.
        views: 512 int8 each: crops and insets of the picture, further frames of a video.
        frames: The hashed frames of a video, in order of time. Of a still picture: the PDQ of its
            views, all at 0 seconds.
    """

    key: int
    sha256: bytes
    pdq: bytes | None
    pdq_quality: int
    embedding: bytes | None
    views: tuple[bytes, ...] = ()
    frames: tuple[Frame, ...] = ()

    @property
    def seconds(self) -> float:
        """How long the video plays, its last frame included; 0 for a still picture."""
        return _seconds(self.frames)

    @classmethod
    def of(cls, key: int, fingerprint: ImageFingerprint) -> "Entry":
        """The entry of a fingerprint under `key`."""
        return cls(
            key=key,
            sha256=fingerprint.digests.sha256,
            pdq=fingerprint.pdq.bits,
            pdq_quality=fingerprint.pdq.quality,
            embedding=fingerprint.embedding,
            views=fingerprint.views,
            frames=fingerprint.frames,
        )

    @classmethod
    def stored(
        cls,
        key: int,
        *,
        sha256: bytes | None,
        pdq: bytes | None,
        pdq_quality: int,
        embedding: bytes | None,
        views: bytes,
        frames: bytes,
    ) -> "Entry":
        """The entry of a database's row; views and frames are joined.

        A column that has not its length is logged and left out: one bad row must neither keep all
        others from being known, nor lose what is sound in it.
        """
        return cls(
            key=key,
            sha256=_sound(key, sha256, _FILE_BYTES) or b"",
            pdq=_sound(key, pdq, _HASH_BYTES),
            pdq_quality=min(100, max(0, pdq_quality)),
            embedding=_sound(key, embedding, sscd.DIMENSIONS),
            views=joined.embeddings(views),
            frames=_sound_frames(key, frames),
        )


@dataclass(frozen=True, slots=True)
class Query:
    """One picture that is looked up.

    Attributes:
        sha256: 32 bytes, or empty if only perceptual fingerprints are known.
        turns: PDQ in up to eight orientations, identity first (fingerprint.pdq.TURNS); may be
            just one, which is then not looked up as a negative too, or empty. With further
            frames, eight for each of them.
        pdq_quality: 0..100; of the whole. What is in `insets` has a quality that counts.
        embedding: 512 int8, or None.
        views: 512 int8 each: insets that the layout showed, further frames of a video.
        insets: How many of the last groups of eight turns are of insets: what is near to one of
            them is contained in the query, and is never the same picture.
        frames: As in Entry.
    """

    sha256: bytes
    turns: tuple[bytes, ...]
    pdq_quality: int
    embedding: bytes | None
    views: tuple[bytes, ...] = ()
    insets: int = 0
    frames: tuple[Frame, ...] = ()

    @property
    def seconds(self) -> float:
        """How long the video plays, its last frame included; 0 for a still picture."""
        return _seconds(self.frames)

    @classmethod
    def of(cls, fingerprint: ImageFingerprint) -> "Query":
        """The query of a fingerprint."""
        return cls(
            sha256=fingerprint.digests.sha256,
            turns=fingerprint.turns,
            pdq_quality=fingerprint.pdq.quality,
            embedding=fingerprint.embedding,
            views=fingerprint.views,
            insets=fingerprint.insets,
            frames=fingerprint.frames,
        )


@dataclass(frozen=True, slots=True)
class Hit:
    """One known picture that a query matches, with the evidence for it.

    Attributes:
        key: Of the entry.
        verdict: What they are to each other; never NO_MATCH.
        distance_bits: The PDQ distance of the strongest evidence, if one was near; else None.
            The smallest there is, but between two videos the median over the frames of the clip:
            of many frames some are close by chance.
        similarity: The largest cosine of embeddings, if one was measured; else None.
        orientation: 0..7, the index into fingerprint.pdq.TURNS of what has to be done to the query
            to see the entry; 0 if no PDQ was near.
        found_by: "sha256", "pdq", "pdq_turned", "pdq_view" (a view of either), "vpdq" (frames of a
            video), "sscd" or "sscd_view": the strongest evidence. A negative counts as turned.
        clip: Where it lies in time, if either is a video and frames were near. Of a still picture
            both times are 0.
    """

    key: int
    verdict: Verdict
    distance_bits: int | None
    similarity: float | None
    orientation: int
    found_by: str
    clip: Clip | None = None


class Hits(list[Hit]):
    """Hits, the best first.

    truncated   more entries are near than were asked for, and the farther ones are left out
    """

    truncated = False


def _seconds(frames: tuple[Frame, ...]) -> float:
    last = max((frame.seconds for frame in frames), default=0.0)
    return last * len(frames) / (len(frames) - 1) if last and len(frames) > 1 else last


def _sound(key: int, value: bytes | None, length: int) -> bytes | None:
    if value is None or len(value) == length:
        return value
    _log.error("entry %d: a fingerprint of %d bytes where %d are due", key, len(value), length)
    return None


def _sound_frames(key: int, packed: bytes) -> tuple[Frame, ...]:
    try:
        return unpack(packed)
    except FingerprintError as error:
        _log.error("entry %d: frames: %s", key, error)
        return ()
