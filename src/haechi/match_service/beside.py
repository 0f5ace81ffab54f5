"""What is known of members beside their fingerprints: whose they are, when they count, why held."""

from collections.abc import Mapping
from typing import Any, Self, get_args

import numpy as np
from numpy.typing import NDArray

from haechi.index import snapshot
from haechi.match_service.decide import Held
from haechi.match_service.exact import Exact
from haechi.match_service.homes import Home, Homes

FOR_EVER_S = float("inf")
_ALWAYS = (0.0, FOR_EVER_S)
_HELD: tuple[Held, ...] = get_args(Held.__value__)
_MD5_BYTES = 16


class Beside:
    """By member id. One writer; readers see a member or not, never half of a change."""

    def __init__(self) -> None:
        self.homes = Homes()
        self.exact = Exact()
        self._times: dict[int, tuple[float, float]] = {}
        self._held: dict[int, Held] = {}

    def note(
        self, key: int, home: Home, times: tuple[float, float], held: Held, md5: bytes | None
    ) -> None:
        """What holds of a member from now on; `times` as MemberRow.paused_until and expires_at."""
        self.homes.put(key, home)
        if times == _ALWAYS:
            self._times.pop(key, None)
        else:
            self._times[key] = times
        if held:
            self._held[key] = held
        else:
            self._held.pop(key, None)
        self.exact.remove(key)
        if md5:
            self.exact.put(key, md5)

    def remove(self, key: int) -> None:
        """Forget a member; nothing happens if it is not known."""
        self.homes.remove(key)
        self._times.pop(key, None)
        self._held.pop(key, None)
        self.exact.remove(key)

    def awake(self, key: int, now_s: float) -> bool:
        """True for a member that is neither paused nor expired."""
        from_s, until_s = self._times.get(key, _ALWAYS)
        return from_s <= now_s < until_s

    def held(self, key: int) -> Held:
        """Why a member does not block for now; "" if it does."""
        return self._held.get(key, "")

    def parts(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """(what JSON can carry, arrays) for a file, from which `of_parts` makes the same again."""
        homes, numbers, pages = self.homes.parts()
        keys, md5 = self.exact.parts()
        times = np.array(list(self._times.values()), dtype=np.float64).reshape(-1, 2)
        held = [_HELD.index(why) for why in self._held.values()]
        return {"homes": homes}, {
            "page.number": numbers,
            "page.home": pages,
            "time.key": np.array(list(self._times), dtype=np.int64),
            "time.span": times,
            "held.key": np.array(list(self._held), dtype=np.int64),
            "held.why": np.array(held, dtype=np.uint8),
            "exact.key": keys,
            "exact.md5": md5,
        }

    @classmethod
    def of_parts(cls, told: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Of what `parts` gave. Raises KeyError, TypeError, IndexError or ValueError if it is not so."""
        made = cls()
        if not snapshot.in_range(arrays["page.home"], len(told["homes"])):
            raise ValueError("members are of homes that are not told")
        made.homes = Homes.of_parts(told["homes"], arrays["page.number"], arrays["page.home"])
        spans = (tuple(span) for span in arrays["time.span"].tolist())
        made._times = dict(zip(arrays["time.key"].tolist(), spans, strict=True))
        why = (_HELD[number] for number in arrays["held.why"].tolist())
        made._held = dict(zip(arrays["held.key"].tolist(), why, strict=True))
        digests = arrays["exact.md5"].reshape(-1, _MD5_BYTES)
        for key, digest in zip(arrays["exact.key"].tolist(), digests, strict=True):
            made.exact.put(key, digest.tobytes())
        return made
