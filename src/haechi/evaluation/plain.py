"""Edits that leave every part of a picture in its place: files, sizes, colours, noise."""

import cv2
import numpy as np

from haechi.evaluation.studio import Rgb, Studio, recompressed, scaled, within


def jpeg(rgb: Rgb, studio: Studio) -> Rgb:
    """JPEG at a low quality."""
    return recompressed(rgb, studio.whole(15, 40))


def webp(rgb: Rgb, studio: Studio) -> Rgb:
    """WebP at a low quality."""
    return recompressed(rgb, studio.whole(15, 50), ".webp")


def messenger(rgb: Rgb, studio: Studio) -> Rgb:
    """Scaled down and compressed, as it is passed on two or three times."""
    for _ in range(studio.whole(2, 3)):
        rgb = recompressed(scaled(rgb, studio.between(0.6, 0.95)), studio.whole(45, 70))
    return rgb


def shrink(rgb: Rgb, studio: Studio) -> Rgb:
    """To a thumbnail of 120 to 240 pixels on its longest side."""
    return scaled(rgb, studio.whole(120, 240) / max(rgb.shape[:2]))


def enlarge(rgb: Rgb, studio: Studio) -> Rgb:
    """Up to one and a half times."""
    return scaled(rgb, studio.between(1.2, 1.5))


def blur(rgb: Rgb, studio: Studio) -> Rgb:
    """Gaussian blur of up to a hundredth of the longest side."""
    sigma = studio.between(0.003, 0.01) * max(rgb.shape[:2])
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), sigma), np.uint8)


def sharpen(rgb: Rgb, studio: Studio) -> Rgb:
    """Unsharp mask."""
    soft = cv2.GaussianBlur(rgb, (0, 0), 2).astype(np.float32)
    return within(rgb + studio.between(0.8, 2.0) * (rgb.astype(np.float32) - soft))


def noise(rgb: Rgb, studio: Studio) -> Rgb:
    """Gaussian noise."""
    return within(rgb + studio.random.normal(0, studio.between(10, 28), rgb.shape))


def grey(rgb: Rgb, studio: Studio) -> Rgb:
    """Without colour, some with more contrast."""
    light = rgb.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    light = (light - 128) * studio.between(0.9, 1.25) + 128
    return within(np.repeat(light[..., None], 3, axis=2))


def colour_filter(rgb: Rgb, studio: Studio) -> Rgb:
    """Each channel with a gain of its own, and a gamma for all: sepia, cold, faded."""
    gain = np.array([studio.between(0.65, 1.2) for _ in range(3)], np.float32)
    curved = (rgb.astype(np.float32) / 255) ** studio.between(0.7, 1.4)
    return within(curved * 255 * gain + studio.between(0, 25))


def light(rgb: Rgb, studio: Studio) -> Rgb:
    """Brighter or darker, with more or less contrast."""
    contrast = studio.between(0.6, 1.5)
    return within((rgb.astype(np.float32) - 128) * contrast + 128 + studio.between(-45, 45))


def negative(rgb: Rgb, studio: Studio) -> Rgb:
    """Every colour to its opposite."""
    return within(255 - rgb.astype(np.float32) * studio.between(0.95, 1.0))
