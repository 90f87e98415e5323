"""Plots for papers and reports: a figure in, axes out, in the one style of all our figures."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
