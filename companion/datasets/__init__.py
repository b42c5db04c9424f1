"""Three kinds of data: films that everyone knows, baskets from a shop, and data with a key.

`load_movielens` brings ratings (fetched once, then offline), `load_complete_journey` a year of
groceries (installed with the package), `make_planted_interactions` data whose law is known.
All give `companion.interactions.Interactions`.

``python -m companion.datasets`` puts MovieLens-100K into the cache.
"""

from companion.datasets._fetch import DatasetUnavailableError, cache_folder
from companion.datasets._planted_law import PlantedTruth
from companion.datasets.complete_journey import load_complete_journey
from companion.datasets.movielens import load_movielens
from companion.datasets.planted import PlantedInteractions, make_planted_interactions

__all__ = [
    "DatasetUnavailableError",
    "PlantedInteractions",
    "PlantedTruth",
    "cache_folder",
    "load_complete_journey",
    "load_movielens",
    "make_planted_interactions",
]
