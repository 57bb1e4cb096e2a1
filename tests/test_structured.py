"""Norms of groups and of differences: penalties on coefficients, and a loss of several outputs.

The oracles are closed forms, the boxed dual by SciPy's least squares, HiGHS, scikit-learn's lasso, the conditions of
the minimum written out, and, where cvxpy is installed, Clarabel.
"""

import pickle
from itertools import product

import numpy as np
import pytest
from scipy import optimize, sparse
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso, LinearRegression
from sklearn.model_selection import GridSearchCV

from sklloss import LossClassifier, LossRegressor, average_loss, get_loss, list_losses, loss_scorer
from sklloss.losses import (
    AbsoluteError,
    EpsilonInsensitive,
    Hinge,
    Huber,
    LogLoss,
    Pinball,
    PredictionVariation,
    SquaredError,
    SquaredHinge,
)
from sklloss.penalties import L1, L2, ElasticNet, GroupLasso, PenaltySum, TotalVariation, get_penalty

from .common import CLASSIFICATION, REGRESSION, classification_data, data_for, does_not_warn, estimator_for

DIABETES = load_diabetes(return_X_y=True)
CONVEX = [name for name in REGRESSION + CLASSIFICATION if get_loss(name).convex]
PENALTIES = [TotalVariation(), TotalVariation((2, 2), isotropic=True), GroupLasso([0, 1, 1, 0])]


def signal_data(n=120, seed=0):
    """X, y of which the coefficients have three pieces."""
    rng = np.random.default_rng(seed)
    coef = np.repeat([0.0, 2.0, -1.0], 8)
    X = rng.normal(size=(n, 24))
    return X, X @ coef + rng.normal(size=n)


# ------------------------------------------------------------------------------------------------------ values
def test_a_variation_is_the_sum_of_the_differences_along_each_axis():
    rng = np.random.default_rng(0)
    for shape, order in product([(7,), (3, 4), (2, 3, 3)], (1, 2)):
        x, weights = rng.normal(size=shape), rng.uniform(0.5, 2, len(shape))
        each = [w * np.abs(np.diff(x, order, axis)).sum() for axis, w in enumerate(weights)]
        assert TotalVariation(shape, weights, order).value(x.ravel()) == pytest.approx(sum(each), rel=1e-13)
    colours = rng.normal(size=(4, 5, 3))
    one_by_one = sum(TotalVariation((4, 5)).value(colours[..., k].ravel()) for k in range(3))
    assert TotalVariation((4, 5, 3), weights=[1, 1, 0]).value(colours.ravel()) == pytest.approx(one_by_one, rel=1e-13)


def test_an_isotropic_variation_is_the_sum_of_the_lengths_of_the_gradients():
    rng = np.random.default_rng(1)
    x, total = rng.normal(size=(4, 5)), 0.0
    for i, j in product(range(4), range(5)):
        down = 2.0 * (x[i + 1, j] - x[i, j]) if i < 3 else 0.0
        right = x[i, j + 1] - x[i, j] if j < 4 else 0.0
        total += np.hypot(down, right)
    assert TotalVariation((4, 5), [2.0, 1.0], isotropic=True).value(x.ravel()) == pytest.approx(total, rel=1e-13)
    both = TotalVariation((4, 5), isotropic=True)
    assert both.value(np.array([x.ravel(), 2 * x.ravel()])) == pytest.approx(3 * both.value(x.ravel()), rel=1e-13)
    assert PredictionVariation((4, 5), isotropic=True).loss(x.reshape(1, 20), x.reshape(1, 20)) == pytest.approx(
        both.value(x.ravel()), rel=1e-13
    )


def test_groups_are_labels_or_lists():
    coef = np.array([3.0, 1.0, -4.0, 0.5, 0.0])
    by_label = GroupLasso(["b", "a", "b", "a", "c"])
    by_list = GroupLasso([[1, 3], [0, 2], [4]])
    expected = np.sqrt(2) * np.hypot(1, 0.5) + np.sqrt(2) * 5
    assert by_label.value(coef) == pytest.approx(expected, rel=1e-14)
    assert by_list.value(coef) == pytest.approx(expected, rel=1e-14)
    assert GroupLasso([[1, 3], [0, 2], [4]], weights=[0.0, 2.0, 1.0]).value(coef) == pytest.approx(10.0, rel=1e-14)
    assert get_penalty("total_variation").value(coef) == pytest.approx(np.abs(np.diff(coef)).sum(), rel=1e-14)


# ---------------------------------------------------------------------------------------------- closed forms
@pytest.mark.parametrize("solver", ["auto", "cones", "proximal_newton"])
def test_the_fused_lasso_of_two_pieces_moves_them_towards_each_other(solver):
    y = np.repeat([1.0, 4.0, 2.0], [4, 6, 10])
    n, alpha = len(y), 0.1
    # Of min sum (y - w)**2 / n + alpha * variation, a piece of m entries below both neighbours or at an end rises.
    expected = np.repeat(
        [1.0 + alpha * n / (2 * 4), 4.0 - 2 * alpha * n / (2 * 6), 2.0 + alpha * n / (2 * 10)], [4, 6, 10]
    )
    model = LossRegressor(penalty="total_variation", alpha=alpha, fit_intercept=False, solver=solver).fit(np.eye(n), y)
    np.testing.assert_allclose(model.coef_, expected, rtol=1e-12)
    assert len(np.unique(model.coef_)) == 3
    assert model.solution_.gap <= 1e-9 * model.solution_.value


def test_the_pieces_of_the_truth_are_found_exactly():
    X, _ = signal_data()
    truth = np.repeat([0.0, 2.0, -1.0], 8)
    for loss in ("absolute_error", Pinball(0.5)):
        model = LossRegressor(loss, penalty=TotalVariation(24), alpha=1e-3).fit(X, X @ truth)
        np.testing.assert_allclose(model.coef_, truth, atol=1e-12)
        assert np.flatnonzero(np.diff(model.coef_)).tolist() == [7, 15]
    model = LossRegressor(penalty=TotalVariation(24), alpha=0.3).fit(X, X @ truth)
    assert np.flatnonzero(np.diff(model.coef_)).tolist() == [7, 15]


@pytest.mark.parametrize("alpha", [0.05, 0.5, 3.0])
def test_a_group_lasso_of_orthogonal_columns_is_shrinkage(alpha):
    rng = np.random.default_rng(0)
    n, groups = 40, np.array([0, 0, 1, 2, 1, 2, 2, 1])
    X = np.linalg.qr(rng.normal(size=(n, 8)))[0] * np.sqrt(n)  # X'X / n = 1
    y = X @ np.array([3.0, 1, 0.1, 0, 0, 2, -1, 0.2]) + rng.normal(size=n)
    free, expected = X.T @ y / n, np.zeros(8)
    for g in range(3):
        members = groups == g
        size = np.linalg.norm(free[members])
        expected[members] = max(0.0, 1 - alpha * np.sqrt(members.sum()) / (2 * size)) * free[members]
    model = LossRegressor(penalty=GroupLasso(groups), alpha=alpha, fit_intercept=False).fit(X, y)
    np.testing.assert_allclose(model.coef_, expected, rtol=1e-9, atol=1e-11)
    assert np.array_equal(model.coef_ == 0, expected == 0)
    assert model.solution_.gap <= 1e-9 * model.solution_.value


def boxed(y, D, radius):
    """The minimum of sum (y - w)**2 + radius * sum abs(D w), from its dual, least squares in a box."""
    bound = np.full(len(D), radius / 2)
    return y - D.T @ optimize.lsq_linear(D.T, y, (-bound, bound), method="bvls", tol=1e-14, max_iter=2000).x


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("solver", ["auto", "cones"])
def test_a_signal_is_denoised_as_by_the_dual_in_a_box(order, solver):
    rng = np.random.default_rng(order)
    y = np.cumsum(rng.normal(size=30))
    D = np.diff(np.eye(30), order, axis=0)
    penalty = TotalVariation(order=order)
    model = LossRegressor(penalty=penalty, alpha=0.2, fit_intercept=False, solver=solver).fit(np.eye(30), y)
    np.testing.assert_allclose(model.coef_, boxed(y, D, 0.2 * 30), atol=1e-7)


def test_the_fused_lasso_is_a_lasso_of_sums_of_columns():
    X, y = signal_data()
    for alpha in (0.05, 0.5):
        # w = cumsum(v): abs(v[1:]) is penalised; v[0], and the intercept, are projected out
        sums = np.cumsum(X[:, ::-1], axis=1)[:, ::-1]
        free = LinearRegression().fit(sums[:, :1], np.column_stack([sums[:, 1:], y]))
        rest = np.column_stack([sums[:, 1:], y]) - free.predict(sums[:, :1])
        theirs = Lasso(alpha / 2, fit_intercept=False, tol=1e-14, max_iter=100_000).fit(rest[:, :-1], rest[:, -1])
        ours = LossRegressor(penalty="total_variation", alpha=alpha, tol=1e-9).fit(X, y)
        np.testing.assert_allclose(np.diff(ours.coef_), theirs.coef_, atol=1e-7)


@pytest.mark.parametrize("name", ["absolute_error", "pinball", "hinge"])
def test_kinked_losses_with_a_variation_agree_with_a_linear_program(name):
    rng = np.random.default_rng(3)
    shape, alpha = (3, 4), 0.05
    X = rng.normal(size=(60, 12))
    y = X @ np.repeat([1.0, -1.0], 6) + rng.standard_t(2, 60)
    quantile = 0.8 if name == "pinball" else 0.5
    loss = {"absolute_error": AbsoluteError(), "pinball": Pinball(quantile), "hinge": Hinge()}[name]
    D, n, d = TotalVariation(shape).norms(12).operator.toarray(), 60, 12
    m = len(D)
    if name == "hinge":
        y = (y > 0).astype(float)
        A, b = -(2 * y - 1)[:, None] * np.column_stack([X, np.ones(n)]), -np.ones(n)  # t >= 1 - margin
        up, down = np.full(n, 1 / n), None
    else:
        A, b = np.column_stack([X, np.ones(n)]), y
        factor = 2.0 if name == "absolute_error" else 1.0
        up, down = np.full(n, factor * quantile / n), np.full(n, factor * (1 - quantile) / n)
    free, none = [(None, None)] * (d + 1), sparse.csr_array((m, 1))
    variation = sparse.hstack([sparse.csr_array(D), none])
    if down is None:  # t_i >= 1 - margin_i
        left = sparse.vstack([
            sparse.hstack([sparse.csr_array(A), -sparse.eye_array(n), sparse.csr_array((n, m))]),
            sparse.hstack([variation, sparse.csr_array((m, n)), -sparse.eye_array(m)]),
            sparse.hstack([-variation, sparse.csr_array((m, n)), -sparse.eye_array(m)]),
        ])  # fmt: skip
        cost = np.concatenate([np.zeros(d + 1), up, np.full(m, alpha)])
        result = optimize.linprog(
            cost, A_ub=left, b_ub=np.concatenate([b, np.zeros(2 * m)]), bounds=free + [(0, None)] * (n + m)
        )
    else:
        left = sparse.hstack([sparse.csr_array(A), sparse.eye_array(n), -sparse.eye_array(n)])
        left = sparse.block_array([
            [left, None, None],
            [sparse.hstack([variation, sparse.csr_array((m, 2 * n))]), sparse.eye_array(m), -sparse.eye_array(m)],
        ])  # fmt: skip
        cost = np.concatenate([np.zeros(d + 1), up, down, np.full(2 * m, alpha)])
        right = np.concatenate([b, np.zeros(m)])
        result = optimize.linprog(cost, A_eq=left, b_eq=right, bounds=free + [(0, None)] * (2 * n + 2 * m))
    for solver in ("kinks", "cones"):
        model = estimator_for(name, penalty=TotalVariation(shape), alpha=alpha, solver=solver)
        model.set_params(loss=loss).fit(X, y)
        assert model.solution_.value == pytest.approx(result.fun, rel=1e-7)
        assert model.solution_.value - model.solution_.gap <= result.fun * (1 + 1e-10)


@pytest.mark.parametrize("loss", ["squared_error", "huber", "log_loss"])
def test_many_groups_go_by_working_sets(loss):
    rng = np.random.default_rng(0)
    X, groups = rng.normal(size=(150, 600)), rng.permutation(np.arange(600) // 4)
    X[:, 7] = 1.0  # never varies
    y = X[:, groups == 3] @ np.ones(4) + 0.5 * rng.normal(size=150)
    y = np.digitize(y, [-1, 1]) if loss == "log_loss" else y
    alpha = 0.02 if loss == "log_loss" else 0.2
    model = estimator_for(loss, penalty=GroupLasso(groups), alpha=alpha)
    if loss == "huber":
        model.set_params(scale=1.0)
    with does_not_warn():
        ours = clone(model).set_params(tol=1e-9).fit(X, y)
    assert ours.solution_.solver == "group_sets"
    assert ours.solution_.gap <= 1e-9 * ours.solution_.value
    coef = np.atleast_2d(ours.coef_)
    assert 0 < np.count_nonzero(coef.any(axis=0)) < 200
    raw = X @ coef.T + ours.intercept_
    slope = ours.loss_.gradient(y, raw if len(coef) > 1 else raw[:, 0]).reshape(150, -1).T @ X / 150
    for row, slopes in zip(coef, slope, strict=True):
        for g in range(150):
            members = groups == g
            length, radius = np.linalg.norm(slopes[members]), 2 * alpha
            assert length <= radius * (1 + 1e-4)
            if row[members].any():
                np.testing.assert_allclose(
                    slopes[members], -radius * row[members] / np.linalg.norm(row[members]), atol=1e-4 * radius
                )
    again = clone(model).set_params(solver="cones").fit(X, y)
    assert again.solution_.value == pytest.approx(ours.solution_.value, rel=1e-6)
    warm = ours.set_params(warm_start=True).fit(X, y)
    assert warm.solution_.value == pytest.approx(again.solution_.value, rel=1e-6)


def test_the_fused_lasso_shrinks_the_pieces_of_a_signal():
    # For X = 1 the l1 term shrinks what the differences alone have found (Friedman et al. 2007, proposition 1).
    y = np.repeat([0.2, 4.0, -2.0], [4, 6, 10])
    pieces = LossRegressor(penalty=TotalVariation(), alpha=0.1, fit_intercept=False).fit(np.eye(20), y).coef_
    expected = np.sign(pieces) * np.maximum(np.abs(pieces) - 0.1 * 5.0 * 20 / 2 / 5, 0)
    for solver in ("auto", "cones"):
        both = LossRegressor(penalty=TotalVariation() + L1(), alpha=0.1, fit_intercept=False, solver=solver)
        both.set_params(penalty__weights=[1.0, 1.0]).fit(np.eye(20), y)
        np.testing.assert_allclose(both.coef_, expected, atol=1e-9)
        assert np.array_equal(both.coef_ == 0, np.abs(expected) < 1e-12)
        assert both.solution_.gap <= 1e-6 * both.solution_.value


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])
def test_penalties_add_up(loss):
    (X, y), alpha = signal_data(), 0.2
    penalty = 0.5 * L1() + 2 * GroupLasso(np.arange(24) // 4) + 0.1 * L2()
    with does_not_warn():
        model = LossRegressor(loss, penalty=penalty, alpha=alpha, scale=None).fit(X, y)
    coef = model.coef_
    expected = 0.5 * np.abs(coef).sum() + 0.05 * (coef**2).sum()
    expected += 4 * sum(np.linalg.norm(coef[4 * g : 4 * g + 4]) for g in range(6))
    rows = model.loss_.loss(y, model.predict(X))
    assert rows.mean() + alpha * expected == pytest.approx(model.solution_.value, rel=1e-12)
    assert model.solution_.gap <= 1e-6 * model.solution_.value
    assert (coef == 0).any()
    twice = LossRegressor(loss, penalty=sum([penalty, np.float64(1.0) * penalty]), alpha=alpha / 2, scale=None).fit(
        X, y
    )
    np.testing.assert_allclose(twice.coef_, coef, atol=1e-6)
    plain = LossRegressor(loss, penalty=0.3 * L1() + 0.7 * L2(), alpha=alpha, scale=None).fit(X, y)
    mixed = LossRegressor(loss, penalty=ElasticNet(0.3), alpha=alpha, scale=None).fit(X, y)
    np.testing.assert_allclose(plain.coef_, mixed.coef_, atol=1e-9)


def test_parts_of_a_sum_of_penalties_are_searched_over():
    X, y = signal_data()
    model = LossRegressor(penalty=L1() + TotalVariation(), alpha=0.1)
    grid = {"penalty__weights": [[0, 1], [0.5, 1]], "penalty__total_variation__order": [1, 2]}
    search = GridSearchCV(model, grid, cv=3).fit(X, y)
    assert len(set(search.cv_results_["mean_test_score"])) == 4
    assert clone(search.best_estimator_).get_params()["penalty__l1__weights"] is None
    replaced = clone(model).set_params(penalty__total_variation=GroupLasso(np.arange(24) // 4))
    assert isinstance(replaced.penalty.penalties[1], GroupLasso)
    for penalty, message in (
        (PenaltySum([]), "penalties must be a list of sklloss.penalties.Penalty instances, at least one"),
        (PenaltySum(["l1"]), "penalties must be a list of sklloss.penalties.Penalty instances, at least one"),
        (PenaltySum([L1()], [-1]), "weights must be 1 finite numbers >= 0, one for each penalty"),
        (L1() + TotalVariation(order=0), "'order' parameter of TotalVariation"),
    ):
        with pytest.raises(ValueError, match=message):
            LossRegressor(penalty=penalty).fit(X, y)
    with pytest.raises(TypeError):
        L1() + 1


# ------------------------------------------------------------------------------- the conditions of the minimum
def unexplained(slope, norms, coef, alpha):
    """What is left of the slopes of the loss by the subgradients of the penalty, at best; relative."""
    rows = norms.operator @ coef
    length = norms.lengths(rows)
    zero = length <= 1e-10 * np.abs(coef).max()
    D, group = norms.operator.toarray(), norms.group
    u = np.where(zero[group], 0.0, rows / np.where(zero, 1.0, length)[group])
    rest = slope + alpha * D.T @ (norms.radius[group] * u)
    B = alpha * (D * norms.radius[group][:, None])[zero[group]]
    # The nearest point of the set of subgradients, by projected gradients with momentum.
    own, v, step = group[zero[group]], np.zeros(len(B)), 1 / max(np.linalg.norm(B, 2) ** 2, 1e-300) if len(B) else 0.0
    ahead = v
    for k in range(20_000):
        new = ahead - step * (B @ (rest + B.T @ ahead))
        size = np.sqrt(np.bincount(own, new**2, len(length))) if len(B) else np.ones(1)
        new = new / np.maximum(size, 1.0)[own] if len(B) else new
        ahead, v = new + k / (k + 3) * (new - v), new
        if not len(B) or np.abs(rest + B.T @ v).max() <= 1e-9 * np.abs(slope).max():
            break
    return np.abs(rest + B.T @ v).max() / np.abs(slope).max()


@pytest.mark.parametrize("penalty", [*PENALTIES, TotalVariation((2, 2), weights=[1, 3])], ids=repr)
@pytest.mark.parametrize("name", [name for name in CONVEX if get_loss(name).smooth])
def test_the_slopes_of_a_smooth_loss_are_those_of_the_penalty(name, penalty):
    X, y = data_for(name)
    alpha = 0.05
    model = estimator_for(name, penalty=penalty, alpha=alpha, tol=1e-9)
    if get_loss(name).standardized:
        model.set_params(scale=None)
    with does_not_warn():
        model.fit(X, y)
    coef, intercept = np.ravel(model.coef_), float(np.ravel(model.intercept_)[0])
    gradient = model.loss_.gradient(y.astype(float), X @ coef + intercept) / len(y)
    assert abs(gradient.sum()) <= 1e-7 * np.abs(gradient).sum()
    assert unexplained(gradient @ X, penalty.norms(4), coef, alpha) <= 1e-5
    assert model.solution_.gap <= 1e-9 * max(model.solution_.value, 1e-2)


@pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
@pytest.mark.parametrize("name", CONVEX)
def test_no_other_model_is_better_than_a_certified_one(name, penalty):
    X, y = data_for(name)
    alpha = 0.05
    model = estimator_for(name, penalty=penalty, alpha=alpha)
    if get_loss(name).standardized:
        model.set_params(scale=None)
    with does_not_warn():
        model.fit(X, y)
    coef, intercept = np.ravel(model.coef_), float(np.ravel(model.intercept_)[0])

    def objective(coef, intercept):
        return model.loss_.loss(y.astype(float), X @ coef + intercept).mean() + alpha * penalty.value(coef)

    value, rng = objective(coef, intercept), np.random.default_rng(0)
    assert value == pytest.approx(model.solution_.value, rel=1e-9, abs=1e-12)
    assert "strict duality gap" in model.solution_.certificate
    lower = value - model.solution_.gap - 1e-12
    for size in (1.0, 1e-2, 1e-4):
        for _ in range(20):
            assert objective(coef + size * rng.normal(size=4), intercept + size * rng.normal()) >= lower


@pytest.mark.parametrize("penalty", [TotalVariation((2, 2), isotropic=True), GroupLasso([0, 0, 1, 1])], ids=repr)
@pytest.mark.parametrize("name", ["log_loss", "hinge", "squared_hinge", "focal", "brier", "ramp"])
def test_three_classes_take_norms(name, penalty):
    X, y = classification_data(n_classes=3)
    with does_not_warn():
        model = LossClassifier(name, penalty=penalty, alpha=0.02).fit(X, y)
    assert model.coef_.shape == (3, 4)
    if get_loss(name).convex:
        assert model.solution_.gap <= 1e-6 * model.solution_.value
        raw = model.decision_function(X)
        rows = model.loss_.loss(y if model.loss_.multiclass else np.eye(3)[y], raw)
        assert rows.mean() + 0.02 * penalty.value(model.coef_) == pytest.approx(model.solution_.value, rel=1e-9)


def test_what_neither_softmax_nor_the_penalty_sees_is_left_out():
    X, y = classification_data(n_classes=3)
    for isotropic in (False, True):
        model = LossClassifier(penalty=TotalVariation((2, 2), isotropic=isotropic), alpha=0.01).fit(X, y)
        assert model.coef_.sum() == pytest.approx(0, abs=1e-12)  # the same number on top of all changes nothing
        loss = model.loss_(y, model.predict_proba(X))
        assert loss + 0.01 * model.penalty.value(model.coef_) == pytest.approx(model.solution_.value, rel=1e-12)


def test_crammer_singer_takes_norms():
    X, y = classification_data(n_classes=3)
    pairs = LossClassifier("crammer_singer", penalty=TotalVariation(), alpha=0.02).fit(X, y)
    assert pairs.solution_.solver == "epigraph"
    lengths = [
        LossClassifier("crammer_singer", penalty=penalty, alpha=0.02).fit(X, y)
        for penalty in (GroupLasso([0, 0, 1, 1]), TotalVariation((2, 2), isotropic=True))
    ]
    assert {model.solution_.solver for model in lengths} == {"smoothing"}
    for model in (pairs, *lengths):
        assert model.solution_.gap <= 1e-6 * model.solution_.value


@pytest.mark.parametrize("name", ["tukey", "cauchy", "geman_mcclure"])
def test_losses_that_are_not_convex_end_where_the_slopes_balance(name):
    X, y = data_for(name)
    for penalty in PENALTIES[1:]:
        with does_not_warn():
            model = LossRegressor(name, penalty=penalty, alpha=0.02, scale=None).fit(X, y)
        assert model.solution_.gap is None
        gradient = model.loss_.gradient(y, model.predict(X)) / len(y)
        assert unexplained(gradient @ X, penalty.norms(4), model.coef_, 0.02) <= 1e-4


def test_a_loss_without_a_second_derivative_takes_norms():
    X, y = data_for("log_cosh")
    for penalty in PENALTIES:
        plain = LossRegressor(lambda y, f: np.logaddexp(y - f, f - y), penalty=penalty, alpha=0.1).fit(X, y)
        named = LossRegressor("log_cosh", penalty=penalty, alpha=0.1, tol=1e-9).fit(X, y)
        np.testing.assert_allclose(plain.coef_, named.coef_, atol=1e-4)


# --------------------------------------------------------------------------------------------- what goes with it
@pytest.mark.parametrize("penalty", [TotalVariation((4, 6)), TotalVariation((4, 6), isotropic=True)], ids=repr)
@pytest.mark.parametrize("loss", [SquaredError(), Huber(), SquaredError() + AbsoluteError()], ids=repr)
def test_the_solvers_agree(loss, penalty):
    X, y = signal_data()
    models = [
        LossRegressor(loss, penalty=penalty, alpha=0.1, scale=None, solver=solver, tol=1e-9).fit(X, y)
        for solver in (["cones", "proximal_newton"] if not penalty.isotropic else ["cones", "auto"])
    ]
    np.testing.assert_allclose(models[0].coef_, models[1].coef_, atol=1e-6)
    assert models[0].solution_.value == pytest.approx(models[1].solution_.value, rel=1e-10)


def test_sparse_rows_weights_and_single_precision():
    X, y = signal_data()
    X[np.abs(X) < 1] = 0
    weight = np.random.default_rng(0).integers(0, 3, len(y))
    for penalty in (TotalVariation((4, 6), isotropic=True), GroupLasso(np.arange(24) // 4)):
        for loss in ("squared_error", "absolute_error"):
            model = LossRegressor(loss, penalty=penalty, alpha=0.1)
            dense = clone(model).fit(X, y, sample_weight=weight)
            csr = clone(model).fit(sparse.csr_array(X), y, sample_weight=weight)
            copies = clone(model).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
            single = clone(model).fit(X.astype(np.float32), y, sample_weight=weight)
            np.testing.assert_allclose(csr.coef_, dense.coef_, atol=1e-6)
            np.testing.assert_allclose(copies.coef_, dense.coef_, atol=1e-6)
            np.testing.assert_allclose(single.coef_, dense.coef_, atol=1e-4)
            assert single.coef_.dtype == np.float32
            again = pickle.loads(pickle.dumps(dense))
            np.testing.assert_array_equal(again.predict(X), dense.predict(X))


def test_several_outputs_are_fitted_one_by_one():
    X, y = signal_data()
    Y = np.column_stack([y, -2 * y + 1])
    for penalty in (TotalVariation(), GroupLasso(np.arange(24) // 4)):
        both = LossRegressor(penalty=penalty, alpha=0.2).fit(X, Y)
        for k in range(2):
            alone = LossRegressor(penalty=penalty, alpha=0.2).fit(X, Y[:, k])
            np.testing.assert_allclose(both.coef_[k], alone.coef_, rtol=1e-9, atol=1e-12)


def test_bounds_hold_with_norms():
    X, y = signal_data()
    for loss, penalty in product(
        ("squared_error", "absolute_error"), (TotalVariation((4, 6), isotropic=True), TotalVariation())
    ):
        with does_not_warn():
            model = LossRegressor(loss, penalty=penalty, alpha=0.1, bounds=(0, 1.5)).fit(X, y)
        assert model.coef_.min() >= 0
        assert model.coef_.max() <= 1.5
        assert model.solution_.gap <= 1e-6 * model.solution_.value


def test_a_column_that_never_varies_gets_the_coefficient_between_its_neighbours():
    X, y = signal_data()
    X[:, 11] = 3.0
    for penalty in (TotalVariation(), TotalVariation((4, 6), isotropic=True)):
        model = LossRegressor(penalty=penalty, alpha=0.1).fit(X, y)
        value = model.solution_.value
        rows = (y - model.predict(X)) ** 2
        assert rows.mean() + 0.1 * penalty.value(model.coef_) == pytest.approx(value, rel=1e-10)
        for other in np.linspace(-3, 3, 61):  # nothing that it could be varies less
            assert penalty.value(np.where(np.arange(24) == 11, other, model.coef_)) >= penalty.value(model.coef_) - 1e-9
    grouped = LossRegressor(penalty=GroupLasso(np.arange(24) // 4), alpha=0.01).fit(X, y)
    assert grouped.coef_[11] == 0


def test_units_of_columns_follow_the_penalty_not_the_data():
    X, y = signal_data()
    for loss in ("squared_error", "absolute_error"):
        plain = LossRegressor(loss, penalty="total_variation", alpha=0.1).fit(X, y)
        scaled = LossRegressor(loss, penalty="total_variation", alpha=1e3 * 0.1).fit(X, 1e3 * y)
        if loss == "absolute_error":
            scaled = LossRegressor(loss, penalty="total_variation", alpha=0.1).fit(X, 1e3 * y)
        np.testing.assert_allclose(scaled.coef_, 1e3 * plain.coef_, rtol=1e-7, atol=1e-6)


def test_parameters_of_the_penalty_are_searched_over():
    X, y = signal_data()
    grid = {"penalty": ["total_variation"], "penalty__order": [1, 2], "alpha": [0.1, 1.0]}
    search = GridSearchCV(LossRegressor(), grid, cv=3).fit(X, y)
    assert search.best_params_["penalty__order"] == 1
    grid = {"penalty__weights": [None, np.ones(6)], "penalty__groups": [np.arange(24) // 4]}
    search = GridSearchCV(LossRegressor(penalty=GroupLasso([0])), grid, cv=3).fit(X, y)
    assert len(set(search.cv_results_["mean_test_score"])) == 2


def test_digits_are_told_apart_by_pictures_of_pieces():
    X, y = load_digits(return_X_y=True)
    X, y = X[y < 4] / 16, y[y < 4]
    with does_not_warn():
        pieces = LossClassifier(penalty=TotalVariation((8, 8)), alpha=3e-3).fit(X, y)
        lengths = LossClassifier(penalty=TotalVariation((8, 8), isotropic=True), alpha=3e-3).fit(X, y)
    for model in (pieces, lengths):
        assert model.score(X, y) > 0.98
        assert model.solution_.gap <= 1e-6 * model.solution_.value
    assert max(len(np.unique(picture)) for picture in pieces.coef_) < 20


def test_a_strong_penalty_leaves_the_best_constant_of_the_penalty():
    X, y = DIABETES
    for loss in (SquaredError(), Huber(), Pinball(0.3)):
        same = LossRegressor(loss, penalty="total_variation", alpha=1e4, scale=None).fit(X, y)
        assert len(np.unique(same.coef_)) == 1
        total = LossRegressor(loss, penalty=None, scale=None).fit(X.sum(axis=1)[:, None], y)
        np.testing.assert_allclose(same.coef_[0], total.coef_[0], rtol=1e-6)
        none = LossRegressor(loss, penalty=GroupLasso(np.arange(10) // 5), alpha=1e4, scale=None).fit(X, y)
        assert np.all(none.coef_ == 0)


# ------------------------------------------------------------------------------------- variation of predictions
def test_the_gradient_of_a_variation_is_its_slope():
    rng = np.random.default_rng(0)
    raw, step = rng.normal(size=(3, 12)), 1e-6
    for loss in (PredictionVariation((3, 4)), PredictionVariation((3, 4), [1, 2], isotropic=True)):
        for k in range(12):
            moved = step * np.eye(12)[k]
            slope = (loss.loss(raw, raw + moved) - loss.loss(raw, raw - moved)) / (2 * step)
            np.testing.assert_allclose(loss.gradient(raw, raw)[:, k], slope, atol=1e-7)
    assert average_loss(raw, raw, loss=PredictionVariation()) == pytest.approx(
        np.abs(np.diff(raw)).sum(axis=1).mean(), rel=1e-13
    )
    for size in (1e20, 1e-20):
        assert np.isfinite(PredictionVariation((3, 4), isotropic=True).gradient(raw, size * raw)).all()


def test_a_variation_keeps_the_dtype_and_takes_every_size():
    raw = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    for loss in (PredictionVariation((2, 2)), PredictionVariation((2, 2), isotropic=True)):
        assert loss.loss(raw, raw).dtype == loss.gradient(raw, raw).dtype == np.float32
        assert np.isfinite(loss.gradient(raw, np.array([[5e-324, 0.0, 0.0, 0.0]]))).all()
        for size in (1e-300, 1e300):
            step = size * np.array([[1.0, 0.0, 0.0, 0.0]])
            np.testing.assert_allclose(loss.gradient(step, step)[0, 0], 2.0 if not loss.isotropic else np.sqrt(2))


@pytest.mark.parametrize("isotropic", [False, True])
def test_the_best_constant_of_a_sum_is_the_fit_without_features(isotropic):
    rng = np.random.default_rng(0)
    Y, weight = rng.normal(size=(20, 6)) + np.repeat([0.0, 1.0], 3), rng.uniform(1, 2, 20)
    loss = SquaredError() + 0.4 * PredictionVariation((2, 3), isotropic=isotropic)
    constant = loss.fit_intercept_only(Y, weight, 6)
    model = LossRegressor(loss, penalty=None, tol=1e-9).fit(np.zeros((20, 1)), Y, sample_weight=weight)
    value = np.average(loss.loss(Y, np.tile(constant, (20, 1))), weights=weight)
    assert value == pytest.approx(model.solution_.value, rel=1e-6)
    assert value >= model.solution_.value - model.solution_.gap


def test_without_features_outputs_are_denoised_as_by_the_dual_in_a_box():
    rng = np.random.default_rng(2)
    Y = rng.normal(size=(10, 15)) + np.repeat([0.0, 3.0, 1.0], 5)
    model = LossRegressor(SquaredError() + 0.7 * PredictionVariation(), penalty=None).fit(np.zeros((10, 1)), Y)
    D = np.diff(np.eye(15), axis=0)
    np.testing.assert_allclose(model.intercept_, boxed(Y.mean(axis=0), D, 0.7), atol=1e-7)
    assert "strict duality gap" in model.solution_.certificate


@pytest.mark.parametrize("isotropic", [False, True])
def test_a_strong_variation_makes_all_outputs_the_regression_of_their_mean(isotropic):
    X, y = DIABETES
    rng = np.random.default_rng(0)
    X, Y = X[:60, :3], np.column_stack([y[:60] * k for k in (1.0, 2.0, 0.5, 1.5)]) + rng.normal(size=(60, 4))
    loss = SquaredError() + 1e4 * PredictionVariation((2, 2), isotropic=isotropic)
    with does_not_warn():
        model = LossRegressor(loss, penalty=None).fit(X, Y)
    expected = LinearRegression().fit(X, Y.mean(axis=1)).predict(X)
    np.testing.assert_allclose(model.predict(X), np.tile(expected[:, None], 4), rtol=1e-5)
    assert model.solution_.gap <= 1e-6 * model.solution_.value


def test_no_other_model_varies_less_for_as_good_a_fit():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2))
    Y = X @ np.repeat(rng.normal(size=(2, 2)), 3, axis=1) + rng.normal(size=(30, 6))
    for base, isotropic in product((SquaredError(), AbsoluteError(), Huber()), (False, True)):
        loss = base + 0.3 * PredictionVariation((2, 3), isotropic=isotropic)
        with does_not_warn():
            model = LossRegressor(loss, penalty="l2", alpha=0.01, scale=None).fit(X, Y)
        assert model.coef_.shape == (6, 2)

        def objective(coef, intercept, loss=loss):
            return loss.loss(Y, X @ coef.T + intercept).mean() + 0.005 * (coef**2).sum()

        value = objective(model.coef_, model.intercept_)
        assert value == pytest.approx(model.solution_.value, rel=1e-9)
        assert model.solution_.gap <= 1e-6 * value
        for size in (1.0, 1e-2, 1e-4):
            for _ in range(20):
                other = model.coef_ + size * rng.normal(size=(6, 2)), model.intercept_ + size * rng.normal(size=6)
                assert objective(*other) >= value - model.solution_.gap - 1e-12


def test_the_smoothing_path_agrees():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(40, 2))
    Y = X @ np.repeat(rng.normal(size=(2, 2)), 2, axis=1) + rng.normal(size=(40, 4))
    for isotropic in (False, True):
        loss = SquaredError() + 0.3 * PredictionVariation((2, 2), isotropic=isotropic)
        path = LossRegressor(loss, alpha=0.01, solver="smoothing").fit(X, Y)
        exact = LossRegressor(loss, alpha=0.01).fit(X, Y)
        assert exact.solution_.solver == "cones"
        assert path.solution_.value == pytest.approx(exact.solution_.value, rel=2e-6)


# --------------------------------------------------------------------------------------------------- bad input
@pytest.mark.parametrize(
    ("penalty", "message"),
    [
        (TotalVariation((8, 8)), r"shape=\(8, 8\) of TotalVariation has 8 x 8 = 64 entries, but there are 4 features"),
        (TotalVariation(5), "shape=5 of TotalVariation has 5 = 5 entries, but there are 4 features"),
        (TotalVariation((2, -2)), "shape of TotalVariation must be a positive integer or a tuple of them"),
        (TotalVariation((2, 2.0)), "shape of TotalVariation must be a positive integer or a tuple of them"),
        (TotalVariation("8x8"), "'shape' parameter of TotalVariation must be"),
        (TotalVariation((2, 2), weights=[1]), r"weights of TotalVariation must be 2 finite numbers >= 0, one for each"),
        (TotalVariation((2, 2), weights=[0, 0]), "not all 0; got"),
        (TotalVariation((2, 2), weights=[1, np.nan]), "must be 2 finite numbers"),
        (TotalVariation(order=0), "'order' parameter of TotalVariation must be an int in the range"),
        (TotalVariation(order=4), "along no axis of positive weight are there more than 4 entries. Lower the order"),
        (TotalVariation(isotropic="yes"), "'isotropic' parameter of TotalVariation must be"),
        (GroupLasso([0, 1, 1]), "must name the group of each of the 4 features; got 3 labels"),
        (GroupLasso([[0, 1], [2]]), r"The groups of GroupLasso leave out features \[3\]; they must cover all"),
        (GroupLasso([[0, 1], [1, 2, 3]]), "Feature 1 is in groups 0 and 1 of GroupLasso; groups must not overlap"),
        (GroupLasso([[0, 1], [2, 3, 4]]), "Group 1 of GroupLasso has 4, which is no feature: there are 4"),
        (GroupLasso([[0, 1], [2, "d"]]), "Group 1 of GroupLasso has '2', which is no feature|has 'd'"),
        (GroupLasso([[0, 1], []]), "none of them empty"),
        (GroupLasso([[0, 1], 2]), "must be labels, one for each feature, or lists of feature indices"),
        (GroupLasso([0.0, 0.0, np.nan, 1.0]), "has no label for feature 2: it is nan"),
        (GroupLasso([0, 0, 1, 1], weights=[1.0]), "weights of GroupLasso must be 2 finite numbers >= 0, one for each"),
        (GroupLasso([0, 0, 1, 1], weights=[1.0, -1.0]), "weights of GroupLasso must be 2 finite numbers >= 0"),
        (GroupLasso(None), "'groups' parameter of GroupLasso must be an array-like"),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_what_makes_no_sense_is_refused(penalty, message):
    X, y = data_for("squared_error")
    for model in (LossRegressor(penalty=penalty), LossRegressor("absolute_error", penalty=penalty, alpha=0.0)):
        with pytest.raises(ValueError, match=message):
            model.fit(X, y)


def test_a_fit_that_is_cut_short_says_how_far_it_is(capsys):
    X, y = signal_data()
    model = LossRegressor("huber", penalty=TotalVariation((4, 6), isotropic=True), alpha=0.1, max_iter=2, verbose=1)
    with pytest.warns(
        ConvergenceWarning, match=r"solver 'cones' stopped after . iterations at optimality .*maximum number"
    ):
        model.fit(X, y)
    assert "iteration    2: objective" in capsys.readouterr().out
    whole = clone(model).set_params(max_iter=1000, verbose=0).fit(X, y).solution_
    assert model.solution_.value - model.solution_.gap <= whole.value <= model.solution_.value
    assert model.solution_.certificate.startswith("not a minimum: ")


@pytest.mark.parametrize("alpha", [1e-8, 1e2])
@pytest.mark.parametrize("size", [1e-6, 1e6])
def test_weak_and_strong_penalties_in_all_units_are_certified(alpha, size):
    X, y = signal_data()
    for loss, penalty in product(
        ("squared_error", "absolute_error"),
        (TotalVariation((4, 6), isotropic=True), GroupLasso(np.arange(24) // 4), TotalVariation()),
    ):
        with does_not_warn():
            model = LossRegressor(loss, penalty=penalty, alpha=alpha).fit(X * size, y / size)
        assert model.solution_.gap <= 1e-6 * model.solution_.value


def test_solvers_that_know_no_norms_say_so():
    X, y = data_for("squared_error")
    for solver in ("newton", "split", "L-BFGS-B", "kinks"):
        with pytest.raises(ValueError, match=r"cannot minimise this objective.*Use solver='auto' or one of"):
            LossRegressor(penalty=PENALTIES[1], solver=solver).fit(X, y)
    with pytest.raises(ValueError, match=r"it is for norms of groups or of differences, and L2.. has none"):
        LossRegressor(solver="cones").fit(X, y)


def test_predictions_that_are_no_image_are_refused():
    X, y = data_for("squared_error")
    Y = np.column_stack([y] * 6)
    with pytest.raises(ValueError, match=r"shape=\(8, 8\) of PredictionVariation has 8 x 8 = 64 entries.* 6 outputs"):
        LossRegressor(SquaredError() + PredictionVariation((8, 8))).fit(X, Y)
    with pytest.raises(ValueError, match=r"compares the outputs of a row with each other, so y must have several"):
        LossRegressor(SquaredError() + PredictionVariation()).fit(X, y)
    with pytest.raises(ValueError, match="'order' parameter of PredictionVariation must be an int"):
        LossRegressor(SquaredError() + PredictionVariation(order=0)).fit(X, Y)
    with pytest.raises(ValueError, match="weights of PredictionVariation must be 2 finite numbers"):
        average_loss(Y, Y, loss=PredictionVariation((2, 3), weights=[1]))


def test_a_variation_of_predictions_is_a_term_and_no_loss_by_name():
    assert "prediction_variation" not in list_losses()
    with pytest.raises(ValueError, match="Unknown loss 'prediction_variation'"):
        get_loss("prediction_variation")
    X, y = data_for("squared_error")
    Y = np.column_stack([y, y + 1, -y, y])
    loss = SquaredError() + PredictionVariation((2, 2))
    grid = {"loss__weights": [[1, 0], [1, 0.1]], "loss__prediction_variation__isotropic": [True, False]}
    search = GridSearchCV(LossRegressor(loss), grid, scoring=loss_scorer("mse"), cv=3, error_score="raise").fit(X, Y)
    scores = search.cv_results_["mean_test_score"]
    assert len(np.unique(scores.round(9))) == 3  # without the term it does not matter what it is


def test_outputs_that_are_one_problem_have_one_scale():
    X, y = data_for("huber")
    Y = np.column_stack([y, y + 1, 2 * y])
    loss = Huber() + 0.1 * PredictionVariation()
    for scale in ("auto", "mad"):
        model = LossRegressor(loss, scale=scale).fit(X, Y)
        fixed = LossRegressor(loss, scale=model.scale_, alpha=model.alpha).fit(X, Y)
        np.testing.assert_allclose(model.coef_, fixed.coef_, rtol=1e-4, atol=1e-6)
        scaled = LossRegressor(Huber() + 100 * PredictionVariation(), scale=scale).fit(X, 1e3 * Y)
        assert scaled.scale_ == pytest.approx(1e3 * model.scale_, rel=1e-3)
    residuals = np.sort(np.abs(Y - model.predict(X)).ravel())
    assert model.scale_ == pytest.approx(np.median(residuals) / 0.6745, rel=1e-6)


# --------------------------------------------------------------------------------------------- against Clarabel
def norms_in_cvxpy(cvxpy, norms, rows):
    """The sum of norms of a vector of rows."""
    if norms.absolute:
        return norms.radius @ cvxpy.abs(rows)
    return sum(r * cvxpy.norm2(rows[np.flatnonzero(norms.group == g)]) for g, r in enumerate(norms.radius))


def solved(cvxpy, value):
    problem = cvxpy.Problem(cvxpy.Minimize(value))
    problem.solve(solver=cvxpy.CLARABEL, tol_gap_abs=1e-11, tol_gap_rel=1e-11, tol_feas=1e-11)
    return problem.value


@pytest.mark.filterwarnings("ignore::UserWarning")  # of Clarabel: a solution that is not as accurate as asked for
@pytest.mark.parametrize("seed", range(50))
def test_random_structured_penalties_against_clarabel(seed):
    cvxpy = pytest.importorskip("cvxpy", reason="cvxpy is in the extra 'oracle'")
    rng = np.random.default_rng(seed)
    shape = [(int(rng.integers(3, 25)),), tuple(rng.integers(2, 6, 2).tolist()), (2, 3, 2)][int(rng.integers(3))]
    n, d = int(rng.integers(15, 150)), int(np.prod(shape))
    X = rng.normal(size=(n, d)) * (10.0 ** rng.uniform(-2, 2, d) if rng.random() < 0.3 else 1.0)
    if rng.random() < 0.3:
        X[:, rng.integers(d)] = 3.0
    y = X @ rng.choice([0, 0, 1, 2.0], d) / X.std() + rng.standard_t(2, n)
    penalty = [
        GroupLasso(rng.integers(0, max(2, d // 3), d)),
        TotalVariation(shape, isotropic=True),
        TotalVariation(shape, weights=rng.uniform(0.5, 2, len(shape))),
        TotalVariation(d, order=2),
    ][seed % 4]
    losses = [SquaredError(), Huber(), AbsoluteError(), Pinball(0.8), SquaredError() + EpsilonInsensitive(0.3)]
    losses += [LogLoss(), Hinge(), SquaredHinge()]
    loss = losses[int(rng.integers(len(losses)))]
    alpha, weight, with_intercept = 10.0 ** rng.uniform(-3, 0), rng.integers(0, 4, n) + 1e-3, bool(rng.random() < 0.8)
    classes = loss.response_method != "predict"
    y = (y > np.median(y)).astype(float) if classes else y
    model = (LossClassifier if classes else LossRegressor)(
        loss, penalty=penalty, alpha=alpha, fit_intercept=with_intercept, tol=1e-7
    )
    if not classes:
        model.set_params(scale=None)
    model.fit(X, y, sample_weight=weight)
    coef = cvxpy.Variable(d)
    raw = X @ coef + (cvxpy.Variable() if with_intercept else 0.0)
    r, m, s = y - raw, cvxpy.multiply(2 * y - 1, raw), weight / weight.sum()
    rows = {
        "SquaredError": lambda: cvxpy.square(r),
        "Huber": lambda: cvxpy.huber(r, 1.35) / 2,
        "AbsoluteError": lambda: cvxpy.abs(r),
        "Pinball": lambda: cvxpy.maximum(0.8 * r, -0.2 * r),
        "LossSum": lambda: cvxpy.square(r) + cvxpy.pos(cvxpy.abs(r) - 0.3),
        "LogLoss": lambda: cvxpy.logistic(-m),
        "Hinge": lambda: cvxpy.pos(1 - m),
        "SquaredHinge": lambda: cvxpy.square(cvxpy.pos(1 - m)),
    }[type(loss).__name__]()
    norms = penalty.norms(d)
    expected = solved(cvxpy, s @ rows + alpha * norms_in_cvxpy(cvxpy, norms, norms.operator @ coef))
    ours = model.solution_
    print(f"{loss!r}, {penalty!r}: {ours.solver}, gap {ours.gap:.1e}, Clarabel - ours {expected - ours.value:.1e}")
    assert ours.converged
    assert ours.value <= expected + 1e-7 * ours.value
    assert ours.value - ours.gap <= expected + 1e-8 * max(ours.value, 1e-3)  # the bound is one


@pytest.mark.filterwarnings("ignore::UserWarning")  # of Clarabel: a solution that is not as accurate as asked for
@pytest.mark.parametrize("seed", range(16))
def test_random_variations_of_predictions_against_clarabel(seed):
    cvxpy = pytest.importorskip("cvxpy", reason="cvxpy is in the extra 'oracle'")
    rng = np.random.default_rng(seed)
    n, d, shape = int(rng.integers(10, 80)), int(rng.integers(1, 6)), tuple(rng.integers(2, 5, 2).tolist())
    K = int(np.prod(shape))
    X = rng.normal(size=(n, d))
    Y = X @ np.repeat(rng.normal(size=(d, K)), 2, axis=1)[:, :K] + rng.standard_t(3, (n, K))
    variation = PredictionVariation(shape, isotropic=seed % 2 == 0)
    share, alpha = 10.0 ** rng.uniform(-2, 1), (seed % 3) * 0.01
    base = [SquaredError(), AbsoluteError(), Huber()][seed // 2 % 3]
    ours = LossRegressor(base + share * variation, alpha=alpha, scale=None).fit(X, Y).solution_
    coef, intercept = cvxpy.Variable((d, K)), cvxpy.Variable((1, K))
    raw = X @ coef + np.ones((n, 1)) @ intercept
    rows = [cvxpy.square, cvxpy.abs, lambda r: cvxpy.huber(r, 1.35) / 2][seed // 2 % 3](Y - raw)
    norms = variation.norms(K)
    varied = sum(norms_in_cvxpy(cvxpy, norms, norms.operator @ raw[i]) for i in range(n))
    value = (cvxpy.sum(rows) + share * varied) / n + alpha / 2 * cvxpy.sum_squares(coef)
    expected = solved(cvxpy, value)
    print(f"{base!r} + {share:.2g} * {variation!r}: gap {ours.gap:.1e}, Clarabel - ours {expected - ours.value:.1e}")
    assert ours.converged
    assert ours.value <= expected + 1e-6 * ours.value
    assert ours.value - ours.gap <= expected + 1e-8 * ours.value
