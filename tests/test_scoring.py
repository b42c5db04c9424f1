"""From scores to recommendations: who may be asked for, and what is left out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from companion.protocols import Recommender
from companion.scoring import ScoringRecommender

SEEN = sparse.csr_array(np.array([[1, 0, 0, 0], [0, 1, 0, 1], [0, 0, 0, 0]], dtype=np.float32))


class ByCode(ScoringRecommender):
    """Prefers small item codes, and says which users it was asked to score."""

    def __init__(self, seen: sparse.csr_array | None = SEEN) -> None:
        self.asked: list[int] = []
        if seen is not None:
            self._seen = seen

    def fit(self, data: object) -> ByCode:
        return self

    def score(self, users: np.ndarray) -> np.ndarray:
        self.asked += users.tolist()
        return np.tile([4.0, 3.0, 2.0, 1.0], (len(users), 1))


def stored(pairs: list[tuple[int, int]], shape: tuple[int, int], value: float) -> sparse.csr_array:
    rows, columns = zip(*pairs, strict=True)
    return sparse.coo_array((np.full(len(pairs), value), (rows, columns)), shape=shape).tocsr()


def test_seen_items_are_left_out_unless_asked_for():
    assert ByCode().recommend([1, 0], k=3).ids.tolist() == [[0, 2, -1], [1, 2, 3]]
    assert ByCode().recommend([1, 0], k=3, exclude_seen=False).ids.tolist() == [[0, 1, 2]] * 2


def test_users_come_in_the_order_asked_and_as_often():
    model = ByCode()
    top = model.recommend(np.array([2, 1, 2], dtype=np.uint8), k=1)
    assert model.asked == [2, 1, 2]
    assert top.ids.ravel().tolist() == [0, 0, 0]


@pytest.mark.parametrize("value", [1.0, 0.0, -1.0])
def test_exclude_adds_to_what_was_seen_whatever_its_stored_value(value):
    exclude = stored([(0, 0), (1, 1), (1, 2)], (2, 4), value)  # rows: users 1 and 0
    assert ByCode().recommend([1, 0], 4, exclude=exclude).ids.tolist() == [
        [2, -1, -1, -1],
        [3, -1, -1, -1],
    ]
    assert ByCode().recommend([1, 0], 4, exclude=exclude, exclude_seen=False).ids.tolist() == [
        [1, 2, 3, -1],
        [0, 3, -1, -1],
    ]


def test_an_exclude_that_cancels_what_was_seen_hides_it_all_the_same():
    exclude = stored([(0, 0)], (1, 4), -1.0)  # 1 + (-1) would be 0
    assert ByCode().recommend([0], 1, exclude=exclude).ids.tolist() == [[1]]


def test_seen_pairs_of_weight_zero_are_seen():
    seen = stored([(0, 0)], (1, 4), 0.0)
    assert ByCode(seen).recommend([0], 1).ids.tolist() == [[1]]


def test_nobody_asked_for_gives_an_empty_result():
    for nobody in ([], np.array([], dtype=np.int32)):
        assert ByCode().recommend(nobody, 3).ids.shape == (0, 3)


def test_an_unfitted_model_says_so():
    with pytest.raises(AttributeError, match=r"ByCode is not fitted: call fit\(data\) first"):
        ByCode(seen=None).recommend([0], 1)


@pytest.mark.parametrize(
    ("users", "error", "says"),
    [
        ([0, -1], ValueError, r"users must be codes in 0 .. 2, got -1"),
        ([3, 0], ValueError, r"users must be codes in 0 .. 2, got 3"),
        ([0.0], TypeError, "users must be integer codes, got float64"),
        ([True, False], TypeError, "users must be integer codes, got bool"),
        (["0"], TypeError, "users must be integer codes, got <U1"),
        ([[0, 1]], ValueError, r"users must have shape \(Q,\), got \(1, 2\)"),
        (0, ValueError, r"users must have shape \(Q,\), got \(\)"),
    ],
)
def test_bad_users_are_refused(users, error, says):
    model = ByCode()
    with pytest.raises(error, match=says):
        model.recommend(users, 1)
    assert model.asked == []


@pytest.mark.parametrize("exclude_seen", [True, False])
@pytest.mark.parametrize("shape", [(1, 4), (2, 5)])
def test_exclude_has_one_row_a_user_asked_and_one_column_an_item(exclude_seen, shape):
    with pytest.raises(ValueError, match=r"exclude must have .*got"):
        ByCode().recommend([0, 1], 1, exclude=sparse.csr_array(shape), exclude_seen=exclude_seen)


@pytest.mark.parametrize("exclude_seen", [True, False])
def test_exclude_is_a_csr_array(exclude_seen):
    with pytest.raises(TypeError, match=r"exclude must be a scipy.sparse.csr_array, got ndarray"):
        ByCode().recommend([0], 1, exclude=np.zeros((1, 4)), exclude_seen=exclude_seen)


@pytest.mark.parametrize("users", [[], [0]])
@pytest.mark.parametrize("exclude_seen", [True, False])
def test_a_bad_exclude_is_refused_whoever_is_asked_for(users, exclude_seen):
    model, options = ByCode(), {"exclude_seen": exclude_seen}
    for bad in ([[0]], np.zeros((len(users), 4)), sparse.csc_array((len(users), 4))):
        with pytest.raises(TypeError, match=r"exclude must be a scipy.sparse.csr_array, got"):
            model.recommend(users, 1, exclude=bad, **options)
    for shape in [(len(users), 3), (len(users) + 1, 4)]:
        says = rf"exclude must have shape \({len(users)}, 4\), got \({shape[0]}, {shape[1]}\)"
        with pytest.raises(ValueError, match=says):
            model.recommend(users, 1, exclude=sparse.csr_array(shape), **options)
    assert model.asked == []


@pytest.mark.parametrize("shape", [(2, 3), (2, 5), (1, 4), (3, 4), (2,)])
@pytest.mark.parametrize("exclude_seen", [True, False])
def test_scores_of_another_shape_are_refused(shape, exclude_seen):
    class Odd(ByCode):
        def score(self, users):
            return np.zeros(shape)

    with pytest.raises(ValueError, match=r"Odd.score must return shape \(B, I\), here \(2, 4\), g"):
        Odd().recommend([0, 1], 1, exclude_seen=exclude_seen)


@pytest.mark.parametrize("k", [0, -1])
def test_k_is_positive(k):
    with pytest.raises(ValueError, match=f"k must be an integer of at least 1, got {k}"):
        ByCode().recommend([0], k)


def test_it_is_a_recommender():
    assert isinstance(ByCode(), Recommender)
    with pytest.raises(TypeError, match="abstract"):
        ScoringRecommender()
