"""How Sphinx builds the documentation: MyST for pages and notebooks, furo for the looks, nothing from outside."""

import logging
import os
import sys
from importlib.metadata import version as installed_version
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_extensions"))

project = "ecop"
author = "The ecop developers"
project_copyright = author
version = release = installed_version("ecop")
language = "en_GB"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "docstrings", "examples", "mathml"]
exclude_patterns = ["_build", "**.ipynb_checkpoints"]
nitpicky = True
# Annotations name classes of other packages and of our own insides, which have no page; links that a person wrote are
# checked all the same.
nitpick_ignore_regex = [("py:.*", ".*")]
highlight_language = "none"

# Pages
myst_enable_extensions = ["amsmath", "dollarmath", "fieldlist"]
myst_heading_anchors = 3
html_math_renderer = "mathml"

# Notebooks run while the site is built, and again when they change; "off" leaves their outputs out, for a quick look at
# the pages.
nb_execution_mode = os.environ.get("ECOP_NOTEBOOKS", "cache")
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 300

# Reference
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 90
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_attr_annotations = False  # the signature has them
napoleon_use_ivar = True
napoleon_use_rtype = False
napoleon_custom_sections = [("What a class says of its modality", "Attributes")]

# Looks
html_theme = "furo"
html_title = "ecop"
html_static_path = ["_static"]
html_css_files = ["ecop.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}


def setup(app: object) -> None:
    """A pattern in the table of contents may match no page yet, which Sphinx gives no other way to say."""
    logging.getLogger("sphinx.sphinx.directives.other").addFilter(lambda record: "glob pattern" not in str(record.msg))
