"""Films: faces that are followed, signals over time, a timeline. docs/live.md tells what they say."""

from haechi.forensics.video.examining import examine_video

__all__ = ["examine_video"]
