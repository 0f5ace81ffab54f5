"""The limits under which untrusted media is opened: one frozen value, each with its reason."""

from dataclasses import dataclass

from haechi.media.kind import Kind

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost.

    Attributes:
        bytes: Length of a picture's file. 50 MiB holds every phone picture and is what upload forms take.
        pixels: Width times height. 120 million admit the 108-megapixel phones; a file that claims
            more is a bomb or a map, and would need 360 MB as RGB.
        side_px: Longest side. Nothing people look at is longer than 30,000 pixels, and a strip of
            one pixel by millions slips under the limit of pixels.
        seconds: Wall clock for one job on a picture in the sandbox. The largest picture admitted takes about
            3 s to decode and fingerprint on one slow core; ten leave room for a busy machine.
        memory_bytes: Address space of a sandbox process. The interpreter, its libraries and the
            copy-detection model take about 900 MB of it, the largest picture 1 GB while it is
            being turned and converted.
        result_bytes: Longest answer of a job. A picture of 120 million pixels has 360 MB.
        video_bytes: Length of a video file. 256 MiB are ten minutes of 720p as telephones record
            it; it is held in memory once on each side of the sandbox's pipe.
        video_job_s: Wall clock for one job on a video, or on sound. Ten minutes of 720p cost 30 s on one core,
            and beyond video_decoded_pixels only key frames are decoded.
        video_pixels: Width times height of a video. 36 million admit 8K (7680 x 4320); a decoder
            keeps up to 17 such frames, 850 MB.
        video_s: Playing time. Four hours hold every film; a file that claims weeks is a mistake or
            an attack, and what nobody can afford to look at must not pass as looked at.
        video_frames: Frames decoded. Four hours at 30 a second are 432,000, of which a long video
            needs its key frames only; 300,000 small ones are decoded in half a minute.
        video_decoded_pixels: Pixels of all frames together up to which every frame is decoded.
            10 billion are six minutes of 720p or two and a half of 1080p at 30 frames a second;
            after that only key frames are.
        jobs: Jobs after which a sandbox process is replaced, so that slow leaks in a decoder,
            or whatever a file did to it, do not stay.
    """

    bytes: int = 50 * MIB
    pixels: int = 120_000_000
    side_px: int = 30_000
    seconds: float = 10.0
    memory_bytes: int = 3072 * MIB
    result_bytes: int = 400 * MIB
    video_bytes: int = 256 * MIB
    video_job_s: float = 60.0
    video_pixels: int = 36_000_000
    video_s: float = 4 * 3600.0
    video_frames: int = 300_000
    video_decoded_pixels: int = 10_000_000_000
    jobs: int = 2_000

    def bytes_of(self, kind: Kind | None) -> int:
        """How long a file of this kind may be; None is what is no media."""
        return self.video_bytes if kind is not None and kind.is_video else self.bytes

    def seconds_of(self, kind: Kind | None) -> float:
        """How long a job on a file of this kind may take."""
        return self.video_job_s if kind is not None and kind.is_video else self.seconds


DEFAULT = Limits()
