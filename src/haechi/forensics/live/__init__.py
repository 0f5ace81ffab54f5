"""Somebody who is looked at live: what is seen over time, and a challenge. See docs/live.md."""

from haechi.forensics.live.challenge import Challenge, Outcome, Result, Step, drawn
from haechi.forensics.live.watching import Moment, Watcher

__all__ = ["Challenge", "Moment", "Outcome", "Result", "Step", "Watcher", "drawn"]
