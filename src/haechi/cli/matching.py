"""`haechi match`: which known pictures and videos each file shows, and where in it.

docs/commands.md is the contract.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

from haechi.cli.files import Fault, File, read, walk
from haechi.cli.hashing import counted
from haechi.cli.knowing import Known, learn, taken, warn_without_model
from haechi.cli.printing import ERROR, MATCH, NONE, Printer, Record, grep_codes, say
from haechi.cli.progress import Progress
from haechi.cli.thresholds import policy
from haechi.cli.workshop import Workshop
from haechi.errors import MediaError
from haechi.fingerprint import ImageFingerprint
from haechi.index import Hit, Policy, Query, Verdict, align
from haechi.index.clips import Clip

COLUMNS = (
    "path",
    "verdict",
    "hit_path",
    "hit_verdict",
    "distance_bits",
    "similarity",
    "region",
    "error",
    "detail",
    "clip",
)

REGIONS = 20
"""Hits of one file whose region is looked for. Each costs some tenths of a second."""

type Region = tuple[int, int, int, int]


@grep_codes
def match_files(asked: argparse.Namespace) -> int:
    """One record a file, in order. 0 if any matched, 1 if none, 2 if there was an error."""
    thresholds = policy(asked.policy)
    with Workshop() as shop:
        warn_without_model(shop)
        known = learn(asked.against, shop)
        if not known.paths:
            say("there is no known picture to compare with")
            return ERROR
        return _answer(asked, _Search(known, shop, thresholds))


def _answer(asked: argparse.Namespace, search: "_Search") -> int:
    known, shop = search.known, search.shop
    faulty, matched, done = known.faulty, 0, 0
    with Progress("match", counted(asked.paths)) as bar:
        printer = Printer(asked, COLUMNS, _rows, _lines)
        for record in shop.each(search.record, walk(asked.paths)):
            bar.aside()
            printer.put(record)
            bar.step()
            done += 1
            faulty += "error" in record
            matched += bool(record["hits"])
    if not done:
        say("there is no file to look up")
    if faulty:
        return ERROR
    return MATCH if matched else NONE


@dataclass(frozen=True, slots=True)
class _Search:
    """One file against all that is known."""

    known: Known
    shop: Workshop
    policy: Policy

    def record(self, path: str) -> Record:
        file = read(path, self.shop.sandbox.limits, self.shop.stop)
        if isinstance(file, Fault):
            return _unanswered(file)
        seen = taken(file, self.shop)
        hits = self.known.catalog.search(_query(file, seen), self.policy)
        if isinstance(seen, Fault) and not hits:
            return _unanswered(seen)
        return {
            "path": path,
            "verdict": str(hits[0].verdict if hits else Verdict.NO_MATCH),
            "hits": [self._hit(hit, file, seen, rank) for rank, hit in enumerate(hits)],
        }

    def _hit(self, hit: Hit, file: File, seen: ImageFingerprint | Fault, rank: int) -> Record:
        region = None
        if isinstance(seen, ImageFingerprint):
            region = self._region(hit, file, seen, rank)
        return {
            "path": self.known.paths[hit.key],
            "verdict": str(hit.verdict),
            "distance_bits": hit.distance_bits,
            "similarity": None if hit.similarity is None else round(hit.similarity, 4),
            "region": None if region is None else list(region),
        } | ({} if hit.clip is None else {"clip": told_clip(hit.clip)})

    def _region(self, hit: Hit, file: File, seen: ImageFingerprint, rank: int) -> Region | None:
        whole = (0, 0, seen.width, seen.height)
        if hit.verdict is Verdict.IDENTICAL_FILE:
            return whole
        found = self._align(hit, file) if rank < REGIONS else None
        if found is None and hit.verdict is Verdict.SAME_PICTURE:
            return whole
        return found

    def _align(self, hit: Hit, file: File) -> Region | None:
        """None also if the known file has gone, or is too slow to open now."""
        known = read(self.known.paths[hit.key], self.shop.sandbox.limits, self.shop.stop)
        if isinstance(known, Fault) or known.data is None or file.data is None:
            return None
        try:
            found = self.shop.sandbox.run(
                align.files, file.data, known.data, at_s=same_moment(hit.clip)
            )
        except MediaError:
            return None
        return None if found is None else found.box


def told_clip(clip: Clip) -> Record:
    """A clip as the answers give it, in seconds; the first two are of the file itself."""
    return {
        "from_s": round(clip.query_from_s, 2),
        "to_s": round(clip.query_to_s, 2),
        "known_from_s": round(clip.known_from_s, 2),
        "known_to_s": round(clip.known_to_s, 2),
        "share": round(clip.query_share, 3),
    }


def same_moment(clip: Clip | None, *, backwards: bool = False) -> align.Moments:
    """Seconds in the query and in the known video at which both show the same."""
    if clip is None:
        return None, None
    found = clip.query_from_s, clip.known_from_s
    return (found[1], found[0]) if backwards else found


def _query(file: File, seen: ImageFingerprint | Fault) -> Query:
    """Of a file that cannot be opened only the digest is asked for."""
    if isinstance(seen, ImageFingerprint):
        return Query.of(seen)
    return Query(file.digests.sha256, (), 0, None)


def _unanswered(why: Fault) -> Record:
    return {"path": why.path, "verdict": None, "hits": [], "error": why.code, "detail": why.words}


def _rows(record: Record) -> Iterator[list[object]]:
    """One row a hit, and one for a file without any."""
    told = [record.get("error", ""), record.get("detail", "")]
    for hit in _hits(record) or [{}]:
        region = hit.get("region")
        cells = [hit.get(name) for name in ("path", "verdict", "distance_bits", "similarity")]
        cells.append(" ".join(map(str, region)) if isinstance(region, list) else None)
        clip = hit.get("clip")
        where = " ".join(map(str, clip.values())) if isinstance(clip, dict) else ""
        first = [record["path"], record["verdict"] or ""]
        yield [*first, *("" if cell is None else cell for cell in cells), *told, where]


def _lines(record: Record) -> Iterator[list[object]]:
    hits = _hits(record)
    if not hits:
        yield [f"{record['verdict'] or record['error']:14}", record["path"]]
    for hit in hits:
        evidence = []
        if hit["distance_bits"] is not None:
            evidence.append(f"{hit['distance_bits']} bits")
        if hit["similarity"] is not None:
            evidence.append(f"similarity {hit['similarity']:.2f}")
        if isinstance(hit["region"], list):
            left, top, width, height = hit["region"]
            evidence.append(f"at {left},{top} {width}x{height}")
        clip = hit.get("clip")
        if isinstance(clip, dict):
            evidence.append(
                f"{clip['from_s']:g}-{clip['to_s']:g} s, "
                f"its {clip['known_from_s']:g}-{clip['known_to_s']:g} s"
            )
        told = f"({', '.join(evidence)})" if evidence else ""
        yield [f"{hit['verdict']:14}", record["path"], "shows", hit["path"], told]


def _hits(record: Record) -> list[Record]:
    hits = record["hits"]
    return hits if isinstance(hits, list) else []
