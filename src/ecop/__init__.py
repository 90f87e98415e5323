"""Meta-learned neural fields: a new signal becomes a small network in a handful of gradient steps.

The table of contents; every name is loaded when it is first used.

Example:
    >>> import ecop
    >>> ecop.load("photo").recipe.learner.name
    'ecop'
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
