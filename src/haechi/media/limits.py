"""The limits under which untrusted media is opened: one frozen value, each with its reason."""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost.

    Attributes:
        bytes: Length of the file. 50 MiB holds every phone picture and is what upload forms take.
        pixels: Width times height. 120 million admit the 108-megapixel phones; a file that claims
            more is a bomb or a map, and would need 360 MB as RGB.
        side_px: Longest side. Nothing people look at is longer than 30,000 pixels, and a strip of
            one pixel by millions slips under the limit of pixels.
        seconds: Wall clock for one job in the sandbox. The largest picture admitted takes about
            3 s to decode and fingerprint on one slow core; ten leave room for a busy machine.
        memory_bytes: Address space of a sandbox process. The interpreter, its libraries and the
            copy-detection model take about 900 MB of it, the largest picture 1 GB while it is
            being turned and converted.
        result_bytes: Longest answer of a job. A picture of 120 million pixels has 360 MB.
        jobs: Jobs after which a sandbox process is replaced, so that slow leaks in a decoder,
            or whatever a file did to it, do not stay.
    """

    bytes: int = 50 * MIB
    pixels: int = 120_000_000
    side_px: int = 30_000
    seconds: float = 10.0
    memory_bytes: int = 3072 * MIB
    result_bytes: int = 400 * MIB
    jobs: int = 2_000


DEFAULT = Limits()
