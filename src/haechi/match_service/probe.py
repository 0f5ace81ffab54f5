"""What a decoder process can do; asked there, so that this process need not load the model."""

from haechi.fingerprint import sscd


def has_model(_nothing: bytes) -> bool:
    """True if the copy-detection model works in the process this runs in."""
    return sscd.available()
