"""Test time: fitting one or many signals, and rendering them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "evaluate": ["Evaluation", "evaluate"],
        "finding": ["find_initialisation", "shipped_initialisations"],
        "fitted": ["Fitted"],
        "initialisation": ["Initialisation"],
        "loading": ["load"],
        "loop": ["FitInfo", "FitPlan", "fit_batch", "fit_context", "fit_step"],
    },
)
