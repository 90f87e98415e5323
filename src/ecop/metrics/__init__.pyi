from .lpips import lpips as lpips
from .lpips_weights import LpipsWeights as LpipsWeights
from .ms_ssim import ms_ssim as ms_ssim
from .psnr import psnr as psnr
from .snr import snr as snr
from .spectral import log_spectral_distance as log_spectral_distance
from .ssim import ssim as ssim
