from .psnr import psnr as psnr
from .ssim import ssim as ssim
