"""Signals: one modality per file, read and written on the host, and what a device sees of them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
