"""Vectors for items without a history: neighbours by hand, a slow oracle, and every refusal."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from companion.cold_start import feature_neighbours, infer_vector
from companion.embeddings import Embeddings

KNOWN = Embeddings(["a", "b", "c"], [[2.0, 0.0], [0.0, 2.0], [4.0, 4.0]])
FEATURES = pd.DataFrame({"x": [1.0, 0.0, 3.0], "y": [0.0, 1.0, 4.0]}, index=["a", "b", "c"])


def test_neighbours_by_hand():
    rows, weights = feature_neighbours([1, 0], FEATURES, k=3)
    assert rows.tolist() == [0, 2]  # b has nothing in common with it
    assert weights == pytest.approx([1, 3 / 5])


def test_a_vector_is_the_mean_weighted_by_the_cosine():
    vector = infer_vector(KNOWN, features=[1, 0], item_features=FEATURES)
    expected = (1 * np.array([2, 0]) + 3 / 5 * np.array([4, 4])) / (1 + 3 / 5)
    assert vector == pytest.approx(expected)
    assert vector.dtype == np.float32


def test_a_vector_by_neighbours_is_their_plain_mean():
    assert infer_vector(KNOWN, ["a", "c", "c"]).tolist() == pytest.approx([10 / 3, 8 / 3])


def test_items_without_a_vector_are_passed_over():
    more = pd.concat([pd.DataFrame({"x": [1.0], "y": [0.0]}, index=["new"]), FEATURES])
    for_more = infer_vector(KNOWN, features=[1, 0], item_features=more, k=1)
    np.testing.assert_array_equal(for_more, KNOWN["a"])  # the twin "new" has none to give


def test_ties_go_to_the_earlier_row():
    twins = pd.DataFrame({"x": [0.0, 2.0, 1.0]}, index=["p", "q", "r"])
    assert feature_neighbours([5], twins, k=1)[0].tolist() == [1]


VALUES = st.integers(-3, 3)


@given(arrays(float, (6, 3), elements=VALUES), arrays(float, 3, elements=VALUES), st.integers(1, 8))
def test_neighbours_against_a_loop(table, wanted, k):
    def cosine(row):
        norm = math.hypot(*row) * math.hypot(*wanted)
        return float(row @ wanted) / norm if norm else 0.0

    order = sorted(range(6), key=lambda i: -round(cosine(table[i]), 12))
    expected = [i for i in order[:k] if cosine(table[i]) > 0]
    if not expected:
        with pytest.raises(ValueError, match="something in common"):
            feature_neighbours(wanted, pd.DataFrame(table), k)
        return
    rows, weights = feature_neighbours(wanted, pd.DataFrame(table), k)
    assert weights == pytest.approx([cosine(table[i]) for i in expected])
    assert [cosine(table[i]) for i in rows] == pytest.approx([cosine(table[i]) for i in expected])


@pytest.mark.parametrize(
    ("item_features", "error", "message"),
    [
        (FEATURES.assign(y="text"), ValueError, "^item_features must hold numbers only"),
        (
            FEATURES.to_numpy(),
            TypeError,
            "^item_features must be a DataFrame indexed by id, got nd",
        ),
        (FEATURES.assign(y=np.inf), ValueError, "^item_features must be finite"),
        (FEATURES[["x"]], ValueError, r"^features must have shape \(1,\), got \(2,\)"),
        (FEATURES.set_axis([1, 2, 3]), ValueError, "^item_features must be indexed by ids of"),
    ],
)
def test_bad_features_are_refused(item_features, error, message):
    with pytest.raises(error, match=message):
        infer_vector(KNOWN, features=[1, 0], item_features=item_features)


def test_the_callers_features_are_not_changed():
    before = FEATURES.copy()
    infer_vector(KNOWN, features=[1, 0], item_features=FEATURES)
    pd.testing.assert_frame_equal(FEATURES, before)
