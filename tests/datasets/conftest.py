from __future__ import annotations

import pytest

from companion.datasets import load_complete_journey, load_movielens


@pytest.fixture(scope="session")
def movielens_100k():
    return load_movielens("100k", verbose=False)


@pytest.fixture(scope="session")
def complete_journey():
    return load_complete_journey(verbose=False)
