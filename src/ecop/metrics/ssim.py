"""Structural similarity of images and volumes, with its settings said, since libraries disagree on them."""

import numpy as np

from ecop.core.errors import InvalidSetting

WINDOW = 11


def ssim(reference: np.ndarray, reconstruction: np.ndarray, data_range: float = 1.0) -> float:
    """Mean SSIM of Wang et al. (2004), with the settings of that paper.

    An 11×11 Gaussian window of σ = 1.5 (11×11×11 in a volume), population covariance, K₁ = 0.01, K₂ = 0.03, each
    channel on its own and then averaged, without the border that the window does not cover. Computed by scikit-image in
    float64.

    Args:
        reference: (height, width, channels), or a volume's (a, b, c, channels), each side at least 11: for less SSIM is
            not defined, and no smaller window is put in its place, since the number would not compare.
        reconstruction: the same shape.
        data_range: largest minus smallest possible value.

    Returns:
        At most 1, which equal images reach.

    Raises:
        InvalidSetting: if the shapes differ or a side is shorter than the window.

    Example:
        >>> grey = np.linspace(0, 1, 256).reshape(16, 16, 1)
        >>> ssim(grey, grey)
        1.0
    """
    from skimage.metrics import structural_similarity  # half a second to import, and needed only here

    if reference.shape != reconstruction.shape:
        raise InvalidSetting("reconstruction.shape", reconstruction.shape, f"the reference's shape, {reference.shape}")
    if min(reference.shape[:-1]) < WINDOW:
        raise InvalidSetting("shape", reference.shape[:-1], f"at least {WINDOW} pixels along each side for SSIM")
    similarity = structural_similarity(
        reference.astype(np.float64),
        reconstruction.astype(np.float64),
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=data_range,
        channel_axis=-1,
    )
    return float(np.asarray(similarity))
