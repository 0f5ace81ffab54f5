"""The whole house on one machine, and the story played through its real interfaces.

run()                    checks the ground, starts everything, plays, stays up until Ctrl-C
  ground                 ports, disk, permissions: one line that says what to do
  household              keys, database, demo staff, the board as a platform
  processes              the supervisor: every process it starts, it stops
  story                  eight steps; bad_input, nothing_lost, last_act beside it
"""

import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from haechi.demo import ground
from haechi.demo.ports import Ports
from haechi.demo.telling import NotAsTold, Teller

if TYPE_CHECKING:
    from haechi.demo.household import Family
    from haechi.demo.processes import Crew
    from haechi.demo.tale import Tale


def run(*, home: Path, base_port: int, once: bool, reset: bool, kill: bool) -> int:
    """Play the story in `home`; 0 when all was as told, 1 when not.

    Without `once`, stays up until Ctrl-C or SIGTERM. Raises GroundUnfit before anything is started.
    Whatever ends it, every process it started is stopped.
    """
    teller = Teller(sys.stdout)
    ports = Ports.from_base(base_port)
    with ground.alone_in(home):
        if reset:
            ground.wipe(home)
        ground.check(home, ports)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _stop)
        return _play(teller, home, ports, once=once, kill=kill)


def _play(teller: Teller, home: Path, ports: Ports, *, once: bool, kill: bool) -> int:
    # Loaded after the checks: a taken port is said at once, not after a second of imports.
    from haechi.demo import farewell, household  # noqa: PLC0415
    from haechi.demo.processes import Crew  # noqa: PLC0415

    crew = Crew(home)
    try:
        with teller.timed("Keys, database and tables"):
            family = household.prepare(home, ports)
        with teller.timed("Public site, desk, match service, board, worker and mail sink"):
            crew.start(family)
        tale, code = _tell(teller, family, crew, kill=kill)
        if not once:
            farewell.say(teller, family, tale)
            while True:
                time.sleep(0.5)
                crew.check()
    except NotAsTold as fault:
        teller.fault(fault, home / "logs")
        return 1
    except KeyboardInterrupt:
        teller.line()
        return 130 if once else 0
    finally:
        _end(teller, crew)
    return code


def _tell(
    teller: Teller, family: "Family", crew: "Crew", *, kill: bool
) -> "tuple[Tale | None, int]":
    import httpx  # noqa: PLC0415
    import psycopg  # noqa: PLC0415

    from haechi.demo import bad_input, last_act, nothing_lost, story  # noqa: PLC0415
    from haechi.demo.tale import Tale  # noqa: PLC0415

    tale = None
    try:
        tale = Tale.begin(family, crew, teller)
        story.play(tale)
        bad_input.play(tale)
        if kill:
            nothing_lost.play(tale)
        last_act.play(tale)
    except NotAsTold as fault:
        teller.fault(fault, family.home / "logs")
        return tale, 1
    except (httpx.HTTPError, psycopg.Error, OSError) as error:
        seen = f"{type(error).__name__}: {error}"
        teller.fault(NotAsTold("a step", expected="an answer", seen=seen), family.home / "logs")
        return tale, 1
    teller.line(f"All as told, {teller.elapsed_s:.0f} s from the start.")
    return tale, 0


def _end(teller: Teller, crew: "Crew") -> None:
    """Stop everything, undisturbed by a second Ctrl-C."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    try:
        with teller.timed("Every process stopped"):
            crew.stop()
    except NotAsTold as fault:
        teller.line(f"The processes are stopped; the database may not be: {fault}")


def _stop(_number: int, _frame: FrameType | None) -> None:
    # At once: a second one must not interrupt what the first began.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stops_already)
    raise KeyboardInterrupt


def _stops_already(_number: int, _frame: FrameType | None) -> None:
    """A second Ctrl-C changes nothing."""
