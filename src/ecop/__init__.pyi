from .core.errors import EcopError as EcopError
from .core.recipe import Recipe as Recipe
from .fit.fitted import Fitted as Fitted
from .fit.initialisation import Initialisation as Initialisation
from .fit.loading import load as load
from .meta.train import train as train
