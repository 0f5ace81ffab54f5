"""`haechi demo`: hands over to haechi.demo."""

import argparse
from pathlib import Path


def demo(asked: argparse.Namespace) -> int:
    """Start everything, play the story, stay up until Ctrl-C (or not: --once)."""
    from haechi import demo as played

    return played.run(
        home=Path(asked.home or ".haechi/demo").expanduser().resolve(),
        base_port=asked.ports,
        once=asked.once,
        reset=asked.reset,
        kill=asked.kill,
    )
