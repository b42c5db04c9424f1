"""Libraries that only some modules need, and a clear word when one is missing."""

from __future__ import annotations

import importlib
from types import ModuleType


def require(module: str, *, extra: str) -> ModuleType:
    """Import an optional library, or say which extra of this package brings it.

    Parameters
    ----------
    module : str
        Name to import, for example ``"gensim.models"``.
    extra : str
        The extra of this package that installs it.

    Returns
    -------
    module

    Raises
    ------
    ImportError
        If the library is not installed; the message names the extra.

    Examples
    --------
    >>> require("json", extra="book").dumps([1])
    '[1]'
    """
    library = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != library:
            raise
        raise ImportError(
            f"this part of companion needs {library}: pip install 'companion[{extra}]'"
        ) from error
