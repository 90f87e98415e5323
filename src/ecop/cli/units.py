"""Sizes and times in words."""

import math
from collections.abc import Sequence

ACRONYMS = {"iou": "IoU", "lpips": "LPIPS", "lsd": "LSD", "psnr": "PSNR", "rmse": "RMSE", "snr": "SNR", "ssim": "SSIM"}
IN_DECIBELS = ("lsd", "psnr", "snr", "weighted_psnr")


def duration(seconds: float) -> str:
    """Seconds as a person says them.

    Example:
        >>> duration(0.0421), duration(2.34), duration(150), duration(8000)
        ('42 ms', '2.3 s', '2 min 30 s', '2 h 13 min')
    """
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def size(count: int) -> str:
    """Bytes with a decimal prefix.

    Example:
        >>> size(812), size(398_400), size(12_000_000)
        ('812 B', '398 kB', '12.0 MB')
    """
    if count < 1000:
        return f"{count} B"
    if count < 1_000_000:
        return f"{count / 1000:.0f} kB"
    return f"{count / 1e6:.1f} MB" if count < 1_000_000_000 else f"{count / 1e9:.1f} GB"


def shape(sizes: Sequence[int]) -> str:
    """Sizes along the axes.

    Example:
        >>> shape((178, 200))
        '178×200'
    """
    return "×".join(map(str, sizes))


def points(sizes: Sequence[int]) -> str:
    """How many points a shape has, as one says it of pictures.

    Example:
        >>> points((3000, 4067)), points((178, 178))
        ('12.2 MP', '178×178')
    """
    count = math.prod(sizes)
    return f"{count / 1e6:.1f} MP" if len(sizes) == 2 and count >= 950_000 else shape(sizes)


def metric(name: str, value: float | None) -> str:
    """A metric's value: those in decibels with their unit.

    Example:
        >>> metric("psnr", 31.234), metric("ssim", 0.98765), metric("rmse", None)
        ('31.23 dB', '0.9877', '–')
    """
    if name in IN_DECIBELS:
        return decibels(value)
    return "–" if value is None or math.isnan(value) else f"{value:.4g}"


def metric_name(name: str) -> str:
    """A metric's name as people write it.

    Example:
        >>> metric_name("psnr"), metric_name("weighted_psnr"), metric_name("ms_ssim")
        ('PSNR', 'weighted PSNR', 'MS-SSIM')
    """
    if name == "ms_ssim":
        return "MS-SSIM"
    return " ".join(ACRONYMS.get(word, word) for word in name.split("_"))


def decibels(value: float | None) -> str:
    """A PSNR.

    Example:
        >>> decibels(31.234), decibels(None)
        ('31.23 dB', '–')
    """
    return "–" if value is None or math.isnan(value) else f"{value:.2f} dB"
