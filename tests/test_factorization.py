"""Co-occurrence, PMI and truncated SVD against counting by hand and dense algebra."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse

from companion.factorization import (
    PPMIEmbedding,
    PureSVD,
    cooccurrence,
    positive_pmi,
    truncated_svd,
)
from companion.interactions import Interactions


def log_of(pairs, **columns):
    frame = pd.DataFrame(pairs, columns=["user", "item"]).assign(**columns)
    return Interactions.from_frame(frame, timestamp=None, basket="basket" if columns else None)


def counted_by_hand(histories, n_items):
    counts = np.zeros((n_items, n_items))
    for history in histories:
        for i in set(history):
            for j in set(history):
                if i != j:
                    counts[i, j] += 1
    return counts


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 7)), min_size=1, max_size=60))
def test_cooccurrence_counts_pairs_of_distinct_items_once_a_history(pairs):
    data = log_of(pairs)
    before = data.items.copy()
    counts = cooccurrence(data).toarray()
    np.testing.assert_array_equal(counts, counted_by_hand(data.sequences(), data.n_items))
    np.testing.assert_array_equal(data.items, before)  # sorting inside must not reach the log


def test_cooccurrence_by_basket_looks_inside_baskets_only():
    data = log_of([(1, "a"), (1, "b"), (1, "c"), (1, "a")], basket=["x", "x", "y", "y"])
    a, b, c = data.item_codes(["a", "b", "c"])
    counts = cooccurrence(data, by="basket").toarray()
    assert counts[a, b] == 1
    assert counts[a, c] == 1
    assert counts[b, c] == 0


def test_positive_pmi_golden():
    counts = sparse.csr_array([[0.0, 3.0, 1.0], [3.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    pmi = positive_pmi(counts).toarray()
    assert pmi[0, 1] == pytest.approx(np.log(3 * 10 / (4 * 4)))
    assert pmi[0, 2] == pytest.approx(np.log(1 * 10 / (4 * 2)))
    shifted = positive_pmi(counts, shift=0.3).toarray()
    assert shifted[0, 1] == pytest.approx(np.log(3 * 10 / (4 * 4)) - 0.3)
    assert shifted[0, 2] == 0  # log(5/4) lies below the shift


def test_context_exponent_smooths_the_columns_only():
    counts = sparse.csr_array([[0.0, 3.0, 1.0], [3.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    smoothed = positive_pmi(counts, context_exponent=0.5).toarray()
    context = np.sqrt([4.0, 4.0, 2.0])
    context /= context.sum()
    assert smoothed[0, 1] == pytest.approx(np.log(3 / 4 / context[1]))
    assert smoothed[2, 0] == pytest.approx(np.log(1 / 2 / context[0]))


@given(arrays(float, (6, 6), elements=st.integers(0, 9)))
def test_positive_pmi_against_dense_arithmetic(half):
    counts = np.triu(half, 1) + np.triu(half, 1).T
    total, margins = counts.sum(), counts.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        dense = np.log(counts * total / np.outer(margins, margins))
    dense = np.where(np.isfinite(dense) & (dense > 0), dense, 0.0)
    found = positive_pmi(sparse.csr_array(counts)).toarray()
    np.testing.assert_allclose(found, dense, atol=1e-12)


@pytest.mark.parametrize(
    ("counts", "options", "message"),
    [
        (np.ones((2, 3)), {}, r"counts must be square, got shape \(2, 3\)"),
        (np.array([[0.0, -1.0], [1.0, 0.0]]), {}, "counts must be finite and non-negative, got -1"),
        (np.array([[0.0, np.nan], [1.0, 0.0]]), {}, "counts must be finite .*, got nan"),
        (np.array([[0.0, np.inf], [1.0, 0.0]]), {}, "counts must be finite .*, got inf"),
        (np.eye(2), {"context_exponent": 1.5}, "context_exponent must lie in"),
        (np.eye(2), {"shift": np.nan}, "shift must lie in"),
    ],
)
def test_positive_pmi_refuses(counts, options, message):
    with pytest.raises(ValueError, match=message):
        positive_pmi(sparse.csr_array(counts), **options)


@pytest.mark.parametrize("call", [positive_pmi, lambda matrix: truncated_svd(matrix, 1)])
@pytest.mark.parametrize("form", [np.array, np.ndarray.tolist, sparse.csc_array, sparse.coo_array])
def test_matrices_are_csr(call, form):
    with pytest.raises(TypeError, match=r"(counts|matrix) must be a scipy.sparse.csr_array, got "):
        call(form(np.eye(3)))


def test_a_csr_matrix_of_the_old_kind_will_do():
    dense = np.array([[0.0, 3.0, 1.0], [3.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    old, new = sparse.csr_matrix(dense), sparse.csr_array(dense)
    np.testing.assert_array_equal(positive_pmi(old).toarray(), positive_pmi(new).toarray())
    np.testing.assert_array_equal(truncated_svd(old, 1)[0], truncated_svd(new, 1)[0])


def test_counts_may_hold_stored_zeros_and_cells_in_two_parts():
    dense = np.array([[0.0, 3.0, 1.0], [3.0, 0.0, 1.0], [1.0, 1.0, 0.0]])
    rows, columns = [0, 0, 1, 2, 1, 2, 0, 0], [1, 2, 0, 0, 2, 1, 1, 0]
    values = [2.0, 1.0, 3.0, 1.0, 1.0, 1.0, 1.0, 0.0]  # (0, 1) is 2 + 1, (0, 0) a stored 0
    order = np.argsort(rows, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows))])
    counts = sparse.csr_array((np.array(values)[order], np.array(columns)[order], starts))
    assert counts.nnz == 8
    found = positive_pmi(counts).toarray()
    np.testing.assert_allclose(found, positive_pmi(sparse.csr_array(dense)).toarray())
    assert counts.nnz == 8  # the caller's stay as they are


@pytest.mark.parametrize("n", [4, 60])  # all values at once, and by iteration
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "matrix must hold an entry other than 0, got none"),
        (0.0, "matrix must hold an entry other than 0, got none"),
        (np.nan, "matrix must be finite, got NaN or infinity"),
        (-np.inf, "matrix must be finite, got NaN or infinity"),
    ],
)
def test_truncated_svd_refuses_what_has_no_factors(n, value, message):
    entry = ([], ([], [])) if value is None else ([value], ([1], [2]))
    with pytest.raises(ValueError, match=message):
        truncated_svd(sparse.coo_array(entry, (n, n)).tocsr(), 2)


def test_without_two_items_together_there_is_no_ppmi_to_factor():
    lonely = log_of([(user, user) for user in range(30)])
    with pytest.raises(ValueError, match="no two items stand together more often than by chance"):
        PPMIEmbedding(dim=2).fit(lonely)


def test_truncated_svd_equals_the_dense_one():
    matrix = np.random.default_rng(0).random((12, 9))
    left, values, right = truncated_svd(sparse.csr_array(matrix), 4, seed=1)
    u, s, vt = np.linalg.svd(matrix)
    np.testing.assert_allclose(values, s[:4])
    np.testing.assert_allclose(left * values @ right.T, (u[:, :4] * s[:4]) @ vt[:4], atol=1e-10)
    assert (right[np.abs(right).argmax(axis=0), range(4)] > 0).all()


def test_truncated_svd_does_not_depend_on_the_seed():
    matrix = sparse.csr_array(np.random.default_rng(0).random((30, 20)))
    first, second = (truncated_svd(matrix, 5, seed=seed)[2] for seed in (0, 1))
    np.testing.assert_allclose(first, second, atol=1e-8)


@pytest.mark.parametrize(("dim", "error"), [(0, ValueError), (9, ValueError), (2.0, TypeError)])
def test_truncated_svd_refuses_a_bad_dim(dim, error):
    with pytest.raises(error, match="dim must be"):
        truncated_svd(sparse.csr_array(np.eye(12, 9)), dim)


def planted_log(seed=0):
    """Four groups of ten items; a user takes 6 items, 5 of them from the own group."""
    rng = np.random.default_rng(seed)
    pairs = []
    for user in range(200):
        own = rng.choice(10, 5, replace=False) + 10 * (user % 4)
        pairs += [(user, int(item)) for item in {*own, rng.integers(40)}]
    return log_of(pairs)


@pytest.mark.parametrize("model", [PureSVD(dim=4), PPMIEmbedding(dim=4)])
def test_planted_groups_are_each_others_neighbours(model):
    data = planted_log()
    embeddings = model.fit(data).item_embeddings_
    same = [
        near // 10 == item // 10 for item in range(40) for near, _ in embeddings.similar(item, k=9)
    ]
    assert np.mean(same) > 0.95


def test_pure_svd_recommends_the_best_rank_d_reconstruction():
    data = planted_log()
    model = PureSVD(dim=6).fit(data)
    dense = data.to_csr(binary=True).toarray()
    u, s, vt = np.linalg.svd(dense)
    best = (u[:, :6] * s[:6]) @ vt[:6]
    np.testing.assert_allclose(model.score(np.arange(200)), best, atol=1e-4)
    np.testing.assert_allclose(model.singular_values_, s[:6], rtol=1e-5)


def test_pure_svd_on_the_last_rows_sums_their_vectors():
    data = planted_log()
    model = PureSVD(dim=6, last=2).fit(data)
    newest = data.sequences(2)[7]
    expected = model.item_embeddings_.vectors[newest].sum(axis=0)
    np.testing.assert_allclose(model.user_vectors_[7], expected, rtol=1e-5)


def test_ppmi_vectors_rebuild_the_matrix_they_came_from():
    data = planted_log()
    model = PPMIEmbedding(dim=38).fit(data)
    pmi = positive_pmi(cooccurrence(data), context_exponent=0.75).toarray()
    rebuilt = model.item_embeddings_.vectors @ model.context_embeddings_.vectors.T
    error = np.linalg.norm(rebuilt - pmi) / np.linalg.norm(pmi)
    assert error < 0.05  # two of forty directions are missing


def test_refitting_leaves_nothing_of_the_first_fit():
    model = PureSVD(dim=3).fit(planted_log(0))
    model.fit(planted_log(1))
    fresh = PureSVD(dim=3).fit(planted_log(1))
    np.testing.assert_array_equal(model.item_embeddings_.vectors, fresh.item_embeddings_.vectors)
