"""What the book's pages need and nobody else does: figures, claims, results, checks.

The submodules may import all of `companion`, and nothing in `companion` imports them.  The
common names are loaded on first use, so that importing this package does not load matplotlib:

>>> from companion.teaching import claim
>>> claim.__module__
'companion.teaching.claims'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import companion.teaching.check as check
    from companion.teaching.claims import claim
    from companion.teaching.experiments import experiment
    from companion.teaching.explorer import show_explorer
    from companion.teaching.maps import show_map
    from companion.teaching.plotting import show, use_style

__all__ = ["check", "claim", "experiment", "show", "show_explorer", "show_map", "use_style"]

_HOME = {
    "claim": "claims",
    "experiment": "experiments",
    "show": "plotting",
    "show_explorer": "explorer",
    "show_map": "maps",
    "use_style": "plotting",
}


def __getattr__(name: str) -> Any:
    """Load a public name from its submodule the first time it is asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_HOME.get(name, name)}")
    return getattr(module, name) if name in _HOME else module
