"""The exact ranking: hand values, a slow oracle with ties, chunks, and every refusal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from companion.topk import TopK, top_k, top_k_in_blocks

INF = np.inf


def oracle(scores: np.ndarray, k: int, hidden: set[tuple[int, int]] = frozenset()) -> TopK:
    """Sort each row by (-score, id), leave out what is hidden or -inf, pad."""
    ids = np.full((len(scores), k), -1)
    values = np.full((len(scores), k), -INF)
    for row, line in enumerate(scores.tolist()):
        listed = [i for i, s in enumerate(line) if s > -INF and (row, i) not in hidden]
        for place, i in enumerate(sorted(listed, key=lambda i: (-line[i], i))[:k]):
            ids[row, place], values[row, place] = i, line[i]
    return TopK(ids, values)


def assert_same(found: TopK, expected: TopK) -> None:
    np.testing.assert_array_equal(found.ids, expected.ids)
    np.testing.assert_array_equal(found.scores, expected.scores)


def as_csr(pairs: set[tuple[int, int]], shape: tuple[int, int], value: float = 1.0) -> Any:
    rows, columns = zip(*pairs, strict=True) if pairs else ((), ())
    entries = (np.full(len(pairs), value), (np.array(rows, int), np.array(columns, int)))
    return sparse.coo_array(entries, shape=shape).tocsr()


def test_best_first_and_ties_to_the_smaller_id():
    top = top_k([[0.1, 0.7, 0.7, 0.2], [3.0, 1.0, 2.0, 3.0]], k=3)
    assert top.ids.tolist() == [[1, 2, 3], [0, 3, 2]]
    np.testing.assert_array_equal(top.scores, np.float32([[0.7, 0.7, 0.2], [3, 3, 2]]))
    assert (top.ids.dtype, top.scores.dtype, top.k, len(top)) == (np.int64, np.float32, 3, 2)


def test_short_lists_are_padded():
    top = top_k([[1.0, -INF, 2.0], [-INF, -INF, -INF]], k=5)
    assert top.ids.tolist() == [[2, 0, -1, -1, -1], [-1] * 5]
    assert top.scores.tolist() == [[2, 1, -INF, -INF, -INF], [-INF] * 5]
    assert top.lengths().tolist() == [2, 0]


def test_infinity_is_the_best_score_there_is():
    assert top_k([[1.0, INF, 2.0, INF]], k=3).ids.tolist() == [[1, 3, 2]]


@pytest.mark.parametrize("stored", [1.0, 0.0, -2.0])
def test_excluded_pairs_are_never_listed_whatever_their_stored_value(stored):
    hidden = as_csr({(0, 1), (1, 0)}, (2, 3), stored)
    assert hidden.nnz == 2
    assert top_k([[1.0, 9.0, 2.0], [9.0, INF, 2.0]], 3, exclude=hidden).ids.tolist() == [
        [2, 0, -1],
        [1, 2, -1],
    ]


def test_exclude_with_unsorted_and_repeated_entries():
    hidden = sparse.csr_array(([1, 1, 1], [2, 0, 2], [0, 3]), shape=(1, 4))
    assert top_k([[9.0, 1.0, 8.0, 2.0]], 4, exclude=hidden).ids.tolist() == [[3, 1, -1, -1]]


def test_nan_that_is_excluded_does_no_harm():
    assert top_k([[np.nan, 1.0]], 1, exclude=as_csr({(0, 0)}, (1, 2))).ids.tolist() == [[1]]


@st.composite
def tasks(draw: st.DrawFn, n_columns: int, n_values: int) -> tuple[np.ndarray, int, set]:
    """Few distinct values, so that nearly everything ties; some -inf and hidden pairs."""
    shape = (draw(st.integers(0, 4)), draw(st.integers(0, n_columns)))
    seed, worthless = draw(st.integers(0, 2**32 - 1)), draw(st.sampled_from([0, 0.3, 0.99]))
    rng = np.random.default_rng(seed)
    scores = rng.integers(-2, n_values, shape).astype(draw(st.sampled_from(["f4", "f8"])))
    scores[rng.random(shape) < worthless] = -INF
    scores[rng.random(shape) < 0.01] = INF
    hidden = {(int(q), int(i)) for q, i in np.argwhere(rng.random(shape) < 0.2)}
    return scores, draw(st.integers(1, 12)), hidden


@given(tasks(n_columns=14, n_values=3))
def test_equals_the_oracle(task):
    scores, k, hidden = task
    assert_same(top_k(scores, k), oracle(scores, k))
    assert_same(top_k(scores, k, exclude=as_csr(hidden, scores.shape)), oracle(scores, k, hidden))


@pytest.mark.parametrize("n_values", [1, 4, 40, 10_000])
@given(data=st.data())
def test_equals_the_oracle_where_columns_are_cut_into_chunks(n_values, data):
    scores, k, hidden = data.draw(tasks(n_columns=900, n_values=n_values))
    exclude = as_csr(hidden, scores.shape)
    assert_same(top_k(scores, k, exclude=exclude), oracle(scores, k, hidden))


def test_a_tie_with_the_last_place_is_settled_by_id_across_chunks():
    scores = np.zeros((3, 1000), dtype=np.float32)
    scores[0, [990, 17, 500]] = 1.0  # one value, far apart
    scores[1, [999, 998]] = 2.0  # in what is left over by the chunks
    assert top_k(scores, 2).ids.tolist() == [[17, 500], [998, 999], [0, 1]]
    assert top_k(scores, 5).ids.tolist() == [
        [17, 500, 990, 0, 1],
        [998, 999, 0, 1, 2],
        [0, 1, 2, 3, 4],
    ]


@given(tasks(n_columns=300, n_values=50), st.integers(1, 5))
def test_blocks_change_nothing(task, block):
    scores, k, hidden = task
    exclude = as_csr(hidden, scores.shape)
    found = top_k_in_blocks(
        lambda rows: scores[rows], np.arange(len(scores)), k, exclude=exclude, block=block
    )
    assert_same(found, top_k(scores, k, exclude=exclude))


@given(
    hnp.arrays(np.float32, (3, 40), elements=st.sampled_from([0.0, 1.0, 2.0])),
    st.permutations(range(3)),
)
def test_rows_are_ranked_independently(scores, order):
    np.testing.assert_array_equal(top_k(scores[order], 4).ids, top_k(scores, 4).ids[order])


@given(tasks(n_columns=200, n_values=30))
def test_a_shorter_list_is_the_head_of_a_longer_one(task):
    scores, k, _ = task
    np.testing.assert_array_equal(top_k(scores, k).ids, top_k(scores, k + 3).ids[:, :k])


@pytest.mark.parametrize("n_columns", [6, 2000])
def test_the_callers_scores_stay_as_they_are(n_columns):
    scores = np.random.default_rng(0).random((3, n_columns), dtype=np.float32)
    before = scores.copy()
    top_k(scores, 2)
    top_k(scores, 2, exclude=as_csr({(0, 0), (2, 5)}, scores.shape))
    np.testing.assert_array_equal(scores, before)


def test_overwrite_uses_the_scores_as_scratch_space():
    scores = np.array([[1.0, 2.0]])
    assert top_k(scores, 1, exclude=as_csr({(0, 1)}, (1, 2)), overwrite=True).ids[0, 0] == 0
    assert scores.tolist() == [[1.0, -INF]]


@pytest.mark.parametrize(
    "form",
    [
        lambda a: a.tolist(),
        lambda a: a.astype(np.int16),
        lambda a: a.astype(np.float16),
        lambda a: a.astype(np.float64),
        np.asfortranarray,
        lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    ],
    ids=["list", "int16", "float16", "float64", "fortran", "strided"],
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_any_form_of_numbers_will_do(form, overwrite):
    scores = np.random.default_rng(1).permuted(
        np.tile(np.arange(400, dtype=np.float32), (3, 1)), axis=1
    )
    hidden = {(0, 3), (2, 399)}
    given_scores = form(scores)
    found = top_k(given_scores, 5, exclude=as_csr(hidden, scores.shape), overwrite=overwrite)
    assert_same(found, oracle(scores, 5, hidden))


@pytest.mark.parametrize("overwrite", [False, True])
def test_read_only_scores_are_copied(overwrite):
    scores = np.array([[1.0, 2.0]], dtype=np.float32)
    scores.flags.writeable = False
    exclude = as_csr({(0, 1)}, (1, 2))
    assert top_k(scores, 2, exclude=exclude, overwrite=overwrite).ids.tolist() == [[0, -1]]
    assert scores.tolist() == [[1.0, 2.0]]


@pytest.mark.parametrize("shape", [(0, 5), (3, 0), (0, 0), (0, 5000)])
def test_nothing_to_rank_gives_padding(shape):
    top = top_k(np.zeros(shape), 4)
    assert top.ids.shape == top.scores.shape == (shape[0], 4)
    assert (top.ids == -1).all()


def test_blocks_of_no_rows_never_ask_for_scores():
    top = top_k_in_blocks(lambda rows: pytest.fail("was asked"), np.arange(0), 3)
    assert top.ids.shape == (0, 3)


@pytest.mark.parametrize("n_columns", [5, 3000])
@pytest.mark.parametrize("column", [0, -1])
def test_nan_is_refused(n_columns, column):
    scores = np.zeros((3, n_columns))
    scores[2, column] = np.nan
    with pytest.raises(ValueError, match=r"scores must not be NaN; the first is in row 2"):
        top_k(scores, 2)


@pytest.mark.parametrize(
    ("k", "error", "says"),
    [
        (0, ValueError, "k must be an integer of at least 1, got 0"),
        (-3, ValueError, "k must be an integer of at least 1, got -3"),
        (2.0, TypeError, "k must be an integer of at least 1, got 2.0"),
        (True, TypeError, "k must be an integer of at least 1, got True"),
        ("2", TypeError, "k must be an integer of at least 1, got '2'"),
    ],
)
def test_k_must_be_a_positive_int(k, error, says):
    with pytest.raises(error, match=says):
        top_k([[1.0]], k)
    with pytest.raises(error, match=says):
        top_k_in_blocks(lambda rows: rows, np.ones((1, 1)), k)


@pytest.mark.parametrize("block", [0, -1])
def test_a_block_holds_at_least_one_row(block):
    with pytest.raises(ValueError, match="block must be an integer of at least 1"):
        top_k_in_blocks(lambda rows: rows, np.ones((1, 1)), 1, block=block)


@pytest.mark.parametrize("scores", [[1.0, 2.0], 3.0, np.zeros((1, 2, 3))])
def test_scores_are_a_matrix(scores):
    with pytest.raises(ValueError, match=r"scores must have shape \(Q, I\), got"):
        top_k(scores, 1)


def test_exclude_has_the_shape_of_the_scores():
    with pytest.raises(ValueError, match=r"exclude must have shape \(1, 2\), got \(1, 3\)"):
        top_k([[1.0, 2.0]], 1, exclude=as_csr(set(), (1, 3)))
    with pytest.raises(ValueError, match=r"exclude must have shape \(2, I\), got \(3, 2\)"):
        top_k_in_blocks(lambda rows: rows, np.ones((2, 2)), 1, exclude=as_csr(set(), (3, 2)))


@pytest.mark.parametrize("exclude", [np.zeros((1, 2)), sparse.coo_array((1, 2))])
def test_exclude_is_a_csr_array(exclude):
    with pytest.raises(TypeError, match=r"exclude must be a scipy.sparse.csr_array, got"):
        top_k([[1.0, 2.0]], 1, exclude=exclude)
    with pytest.raises(TypeError, match=r"exclude must be a scipy.sparse.csr_array, got"):
        top_k_in_blocks(lambda rows: rows, np.ones((1, 2)), 1, exclude=exclude)


@pytest.mark.parametrize("n_rows", [1, 3])
def test_a_block_of_another_number_of_rows_is_refused(n_rows):
    says = rf"score_block must return one row for each of the 2 rows asked, got shape \({n_rows}, 4"
    with pytest.raises(ValueError, match=says):
        top_k_in_blocks(lambda rows: np.ones((n_rows, 4)), np.arange(4), 1, block=2)
    with pytest.raises(ValueError, match=r"one row for each of the 2 rows asked, got shape \(\)"):
        top_k_in_blocks(lambda rows: 1.0, np.arange(4), 1, block=2)


@pytest.mark.parametrize(("ids", "scores"), [([[1]], [[1.0, 2.0]]), ([1], [1.0])])
def test_a_result_has_two_matrices_of_one_shape(ids, scores):
    with pytest.raises(ValueError, match=r"one shape \(Q, K\), got"):
        TopK(ids, scores)
