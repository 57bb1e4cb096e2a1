"""Several quantiles, or expectiles, in one fit: each is that of its level, and where asked to they do not cross."""

import pickle

import numpy as np
import pytest
from scipy import optimize, sparse
from sklearn.base import clone
from sklearn.linear_model import QuantileRegressor
from sklearn.metrics import mean_pinball_loss, r2_score
from sklearn.model_selection import GridSearchCV

from sklloss import (
    LossRegressor,
    LossRegressorCV,
    average_loss,
    check_loss,
    d2_loss_score,
    loss_path,
    loss_scorer,
)
from sklloss.losses import Expectile, Pinball
from sklloss.solvers import _crossing

from .common import regression_data

LEVELS = [0.1, 0.5, 0.9]


def crossing_data(n=80, d=6, seed=0):
    """X, y with few rows and a spread that depends on X: quantiles cross."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    return X, X[:, 0] + rng.standard_t(3, n) * (1 + np.abs(X[:, 1]))


def optimum_without_crossings(X, y, levels, weight, l1=0.0):
    """The linear program of all levels, by HiGHS: rows of residuals, and an inequality for each row and pair."""
    n, q = len(y), len(levels)
    Z, eye = np.column_stack([X, -X, np.ones(n), -np.ones(n)]), sparse.identity(n)
    p = Z.shape[1]
    cost = np.tile(np.append(np.full(2 * X.shape[1], l1), [0, 0]), q)
    cost = np.concatenate([cost, *(np.append(t * weight, (1 - t) * weight) for t in levels)])
    residuals = sparse.hstack([sparse.block_diag([Z] * q), sparse.block_diag([sparse.hstack([eye, -eye])] * q)])
    step = np.eye(q)[:-1] - np.eye(q)[1:]
    order = sparse.hstack([sparse.csr_array(np.kron(step, Z)), sparse.csr_array(((q - 1) * n, 2 * n * q))])
    bounds = np.tile([0.0, np.inf], (q * p + 2 * n * q, 1))
    return optimize.linprog(
        cost, A_eq=residuals, b_eq=np.tile(y, q), A_ub=order, b_ub=np.zeros((q - 1) * n), bounds=bounds
    ).fun


@pytest.mark.parametrize("loss", [Pinball, Expectile])
def test_several_levels_are_the_fits_of_each(loss):
    X, y = regression_data(n=150)
    model = LossRegressor(loss(LEVELS), alpha=1e-3).fit(X, y)
    assert model.coef_.shape == (3, X.shape[1])
    assert model.intercept_.shape == (3,)
    assert model.predict(X).shape == (150, 3)
    for k, level in enumerate(LEVELS):
        single = LossRegressor(loss(level), alpha=1e-3).fit(X, y)
        np.testing.assert_allclose(model.predict(X)[:, k], single.predict(X), rtol=1e-5, atol=1e-6)
    assert model.solution_.converged
    assert model.solution_.gap <= 1e-6 * model.solution_.value


def test_quantiles_without_a_penalty_are_those_of_scikit_learn():
    X, y = regression_data(n=100)
    model = LossRegressor(Pinball(LEVELS), penalty=None).fit(X, y)
    for k, level in enumerate(LEVELS):
        peer = QuantileRegressor(quantile=level, alpha=0).fit(X, y)
        np.testing.assert_allclose(model.coef_[k], peer.coef_, atol=1e-8)
        np.testing.assert_allclose(model.intercept_[k], peer.intercept_, atol=1e-8)


@pytest.mark.parametrize("penalty", [None, "l1"])
@pytest.mark.parametrize("seed", range(4))
def test_constrained_quantiles_are_the_linear_program_of_all_levels(seed, penalty):
    X, y = crossing_data(seed=seed)
    levels, weight = [0.2, 0.3, 0.5, 0.8], np.random.default_rng(seed).integers(1, 4, len(y)).astype(float)
    alpha = 0.02
    model = LossRegressor(Pinball(levels), penalty, alpha=alpha, non_crossing="constrain").fit(X, y, weight)
    free = LossRegressor(Pinball(levels), penalty, alpha=alpha).fit(X, y, weight)
    assert np.diff(free.predict(X), axis=1).min() < -1e-3
    assert np.diff(model.predict(X), axis=1).min() > -1e-9
    best = optimum_without_crossings(X, y, levels, weight / weight.sum(), alpha if penalty else 0.0)
    assert model.solution_.value == pytest.approx(best, rel=2e-6)
    assert model.solution_.converged
    assert model.solution_.value - model.solution_.gap <= best * (1 + 1e-9)
    assert model.solution_.value > free.solution_.value


def constrained_by_cvxpy(X, y, loss, levels, alpha):
    cp = pytest.importorskip("cvxpy")
    W, b, total = cp.Variable((X.shape[1], len(levels))), cp.Variable(len(levels)), 0
    for k, level in enumerate(levels):
        r = y - X @ W[:, k] - b[k]
        if loss is Pinball:
            total += cp.sum(cp.maximum(level * r, (level - 1) * r)) / len(y)
        else:
            total += (level * cp.sum_squares(cp.pos(r)) + (1 - level) * cp.sum_squares(cp.neg(r))) / len(y)
    total += alpha / 2 * cp.sum_squares(W)
    raw = X @ W + np.ones((len(y), 1)) @ cp.reshape(b, (1, len(levels)), order="C")
    problem = cp.Problem(cp.Minimize(total), [raw[:, :-1] <= raw[:, 1:]])
    return problem.solve(solver=cp.CLARABEL)


@pytest.mark.parametrize(("loss", "levels"), [(Pinball, [0.3, 0.4, 0.5]), (Expectile, [0.01, 0.02, 0.9, 0.98, 0.99])])
@pytest.mark.parametrize("seed", range(3))
def test_constrained_levels_with_l2_are_the_optimum_of_a_conic_solver(loss, levels, seed):
    X, y = crossing_data(n=30, seed=seed)
    model = LossRegressor(loss(levels), alpha=1e-2, non_crossing="constrain").fit(X, y)
    free = LossRegressor(loss(levels), alpha=1e-2).fit(X, y)
    assert np.diff(free.predict(X), axis=1).min() < 0
    assert np.diff(model.predict(X), axis=1).min() > -1e-9
    best = constrained_by_cvxpy(X, y, loss, levels, 1e-2)
    assert model.solution_.value == pytest.approx(best, rel=2e-6)
    assert model.solution_.converged
    assert model.solution_.gap <= 1e-6 * model.solution_.value


def test_rows_far_from_their_kinks_are_summed_and_the_bound_is_that_of_all_rows(monkeypatch):
    monkeypatch.setattr(_crossing, "KEPT", (10, 60))
    X, y = crossing_data(n=500, d=4)
    levels = [0.45, 0.48, 0.5, 0.52]
    model = LossRegressor(Pinball(levels), penalty=None, non_crossing="constrain").fit(X, y)
    free = LossRegressor(Pinball(levels), penalty=None).fit(X, y)
    assert np.diff(free.predict(X), axis=1).min() < 0
    assert np.diff(model.predict(X), axis=1).min() > -1e-9
    assert free.solution_.value < model.solution_.value
    assert model.solution_.gap <= 1e-6 * model.solution_.value
    best = optimum_without_crossings(X, y, levels, np.full(len(y), 1 / len(y)))
    assert model.solution_.value == pytest.approx(best, rel=2e-6)


def test_sparse_blocks_of_many_levels_give_what_dense_ones_give(monkeypatch):
    X, y = crossing_data(n=120, d=3)
    levels = np.linspace(0.1, 0.9, 9)
    dense = LossRegressor(Pinball(levels), alpha=1e-3, non_crossing="constrain").fit(X, y)
    monkeypatch.setattr(_crossing, "DENSE", 0)
    blocks = LossRegressor(Pinball(levels), alpha=1e-3, non_crossing="constrain").fit(X, y)
    assert blocks.solution_.value == pytest.approx(dense.solution_.value, rel=2e-6)
    assert np.diff(blocks.predict(X), axis=1).min() > -1e-9


def test_levels_that_do_not_cross_are_left_alone():
    X, y = regression_data(n=300)
    free = LossRegressor(Pinball(LEVELS), alpha=1e-3).fit(X, y)
    model = LossRegressor(Pinball(LEVELS), alpha=1e-3, non_crossing="constrain").fit(X, y)
    assert np.diff(free.predict(X), axis=1).min() > 0
    np.testing.assert_array_equal(model.coef_, free.coef_)
    assert "do not cross" in model.solution_.certificate


def test_sorted_predictions_are_sorted_and_the_fit_is_that_of_each_level():
    X, y = crossing_data()
    levels = [0.3, 0.4, 0.5, 0.6]
    free = LossRegressor(Pinball(levels), penalty=None).fit(X, y)
    model = LossRegressor(Pinball(levels), penalty=None, non_crossing="sort").fit(X, y)
    np.testing.assert_array_equal(model.coef_, free.coef_)
    np.testing.assert_array_equal(model.predict(X), np.sort(free.predict(X), axis=1))
    assert average_loss(y, model.predict(X), loss=model.loss) < average_loss(y, free.predict(X), loss=model.loss)


def test_bounds_hold_for_constrained_levels():
    X, y = crossing_data()
    options = {"penalty": None, "bounds": (0.0, 0.5)}
    model = LossRegressor(Pinball([0.3, 0.4, 0.5]), non_crossing="constrain", **options).fit(X, y)
    assert model.coef_.min() >= 0
    assert model.coef_.max() <= 0.5
    assert model.solution_.converged
    assert np.diff(model.predict(X), axis=1).min() > -1e-9


def test_units_and_sparse_rows_do_not_matter_to_constrained_levels():
    X, y = crossing_data()
    loss = Pinball([0.3, 0.4, 0.5])
    model = LossRegressor(loss, penalty=None, non_crossing="constrain").fit(X, y)
    other = LossRegressor(loss, penalty=None, non_crossing="constrain").fit(sparse.csr_matrix(100 * X), 1e4 + 1e-3 * y)
    np.testing.assert_allclose((other.predict(100 * X) - 1e4) * 1e3, model.predict(X), atol=1e-4)


def test_the_average_loss_is_the_mean_over_levels():
    X, y = regression_data()
    model = LossRegressor(Pinball(LEVELS)).fit(X, y)
    y_pred, weight = model.predict(X), np.arange(1.0, len(y) + 1)
    each = [mean_pinball_loss(y, y_pred[:, k], alpha=level, sample_weight=weight) for k, level in enumerate(LEVELS)]
    assert average_loss(y, y_pred, loss=Pinball(LEVELS), sample_weight=weight) == pytest.approx(np.mean(each))
    assert Pinball(LEVELS)(y, y_pred, weight) == pytest.approx(np.mean(each))
    assert loss_scorer(Pinball(LEVELS))(model, X, y) == pytest.approx(-average_loss(y, y_pred, loss=Pinball(LEVELS)))
    single = [d2_loss_score(y, y_pred[:, k], loss=Pinball(level)) for k, level in enumerate(LEVELS)]
    assert d2_loss_score(y, y_pred, loss=Pinball(LEVELS)) == pytest.approx(np.mean(single))


def test_the_score_is_that_of_the_level_nearest_to_the_middle_so_that_searches_work():
    X, y = regression_data()
    model = LossRegressor(Pinball([0.1, 0.45, 0.9])).fit(X, y)
    assert model.score(X, y) == pytest.approx(r2_score(y, model.predict(X)[:, 1]))
    alphas = [1.0, 0.1, 0.01]
    grid = GridSearchCV(LossRegressor(Pinball(LEVELS)), {"alpha": alphas}).fit(X, y)
    search = LossRegressorCV(Pinball(LEVELS), alphas=alphas).fit(X, y)
    np.testing.assert_allclose(search.scores_.mean(axis=1), grid.cv_results_["mean_test_score"], atol=1e-4)
    assert search.alpha_ == grid.best_params_["alpha"]
    assert search.path_.coef.shape == (3, 3, X.shape[1])


def test_paths_of_constrained_levels_do_not_cross():
    X, y = crossing_data()
    levels = [0.3, 0.4, 0.5]
    path = loss_path(X, y, Pinball(levels), alphas=[1e-1, 1e-3], non_crossing="constrain")
    for coef, intercept, solution in zip(path.coef, path.intercept, path.solutions, strict=True):
        assert np.diff(X @ coef.T + intercept, axis=1).min() > -1e-9
        assert solution.converged


def test_a_search_may_vary_the_levels_and_models_pickle():
    X, y = regression_data()
    grid = GridSearchCV(LossRegressor(Pinball()), {"loss__quantile": [0.5, [0.2, 0.5]]}).fit(X, y)
    model = clone(grid.best_estimator_).set_params(loss__quantile=LEVELS).fit(X, y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))


def test_weights_count_as_copies_for_several_levels():
    X, y = crossing_data()
    times = np.arange(len(y)) % 3
    row = np.repeat(np.arange(len(y)), times)
    model = LossRegressor(Pinball([0.3, 0.4, 0.5]), alpha=1e-2, non_crossing="constrain")
    weighted, copied = clone(model).fit(X, y, times), clone(model).fit(X[row], y[row])
    assert weighted.solution_.value == pytest.approx(copied.solution_.value, rel=1e-6)


@pytest.mark.parametrize(
    "levels", [[0.5], [0.5, 0.1], [0.1, 0.1], [0.0, 0.5], [0.5, 1.0], [], [[0.1, 0.5]], ["a", "b"], [np.nan, 0.5]]
)
@pytest.mark.parametrize(("loss", "parameter"), [(Pinball, "quantile"), (Expectile, "level")])
def test_levels_that_are_none_are_refused(loss, parameter, levels):
    X, y = regression_data()
    with pytest.raises(ValueError, match=f"{parameter}' parameter of {loss.__name__} must be a float in"):
        LossRegressor(loss(levels)).fit(X, y)


def test_several_levels_take_one_target():
    X, y = regression_data()
    with pytest.raises(ValueError, match="y should be a 1d array"):
        LossRegressor(Pinball(LEVELS)).fit(X, np.column_stack([y, y]))
    with pytest.raises(ValueError, match="'non_crossing' parameter of LossRegressor"):
        LossRegressor(Pinball(LEVELS), non_crossing="never").fit(X, y)
    with pytest.raises(ValueError, match="y_true has shape"):
        average_loss(y, y, loss=Pinball(LEVELS))


def test_callbacks_of_verbose_fits_change_nothing(capsys):
    X, y = regression_data()
    loud = LossRegressor(Pinball(LEVELS), penalty=None, verbose=1).fit(X, y)
    quiet = LossRegressor(Pinball(LEVELS), penalty=None).fit(X, y)
    assert "iteration" in capsys.readouterr().out
    np.testing.assert_allclose(loud.coef_, quiet.coef_, atol=1e-8)


def test_of_a_loss_of_several_levels_each_is_checked():
    check_loss(Pinball([0.2, 0.7]))
