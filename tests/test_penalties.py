"""Penalties and bounds: against scikit-learn and SciPy, for every kind of loss, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, sparse
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.linear_model import ElasticNet as SklearnElasticNet
from sklearn.linear_model import Lasso, QuantileRegressor
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import scale

from sklloss import LossClassifier, LossRegressor, get_loss
from sklloss.losses import Huber, LogCosh, Pinball, SquaredError
from sklloss.penalties import L1, L2, ElasticNet, get_penalty

from .common import CLASSIFICATION, REGRESSION, classification_data, data_for, does_not_warn, regression_data

DIABETES = load_diabetes(return_X_y=True)
CONVEX = [name for name in REGRESSION + CLASSIFICATION if get_loss(name).convex]


def estimator_for(name, **params):
    return (LossRegressor if get_loss(name).response_method == "predict" else LossClassifier)(name, **params)


# ------------------------------------------------------------------------------------------------------ values
def test_values_are_those_of_their_formulas():
    coef, weights = np.array([1.0, -2.0, 0.0]), [1.0, 2.0, 3.0]
    assert L1(weights).value(coef) == 5.0
    assert ElasticNet(0.25, weights).value(coef) == 0.25 * 5.0 + 0.75 * 4.5
    assert ElasticNet(1.0).value(coef) == L1().value(coef)
    assert ElasticNet(0.0).value(coef) == L2().value(coef)
    for name, penalty in {"l1": L1, "l2": L2, "elasticnet": ElasticNet, "elastic_net": ElasticNet}.items():
        assert isinstance(get_penalty(name), penalty)
    assert get_penalty("none") is None is get_penalty(None)


# --------------------------------------------------------------------------------------------- against others
@pytest.mark.parametrize("alpha", [0.01, 0.1, 1.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_lasso_and_elastic_net(alpha, weighted):
    X, y = DIABETES
    weight = np.random.default_rng(0).integers(0, 4, len(y)).astype(float) if weighted else None
    options = {"tol": 1e-14, "max_iter": 100_000}
    # mean r**2 / 2 + a ||w||_1 is half of ours at alpha = 2 a
    for penalty, theirs in (
        ("l1", Lasso(alpha, **options)),
        (ElasticNet(0.3), SklearnElasticNet(alpha, l1_ratio=0.3, **options)),
    ):
        ours = LossRegressor(penalty=penalty, alpha=2 * alpha, tol=1e-9).fit(X, y, sample_weight=weight)
        theirs.fit(X, y, sample_weight=weight)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-5, atol=1e-5)
        assert np.array_equal(ours.coef_ == 0, theirs.coef_ == 0)
        assert ours.solution_.gap <= 1e-9 * ours.solution_.value


@pytest.mark.parametrize("alpha", [1e-2, 1e-1])
def test_logistic_regression_with_l1_of_two_and_of_three_classes(alpha):
    for load in (load_breast_cancer, load_iris):
        X, y = load(return_X_y=True)
        X = scale(X)
        ours = LossClassifier(penalty="l1", alpha=alpha, tol=1e-9).fit(X, y)
        mine = log_loss(y, ours.predict_proba(X)) + alpha * np.abs(ours.coef_).sum()
        assert mine == pytest.approx(ours.solution_.value, rel=1e-9)
        assert ours.solution_.gap <= 1e-9
        assert (ours.coef_ == 0).any()


def test_quantile_regression_with_l1():
    X, y = DIABETES
    theirs = QuantileRegressor(quantile=0.8, alpha=0.05, solver="highs").fit(X, y)
    ours = LossRegressor(Pinball(0.8), penalty="l1", alpha=0.05).fit(X, y)
    value = Pinball(0.8)(y, theirs.predict(X)) + 0.05 * np.abs(theirs.coef_).sum()
    assert ours.solution_.value <= value * (1 + 1e-12)
    assert value - ours.solution_.value <= 1e-7 * value


def test_non_negative_and_bounded_least_squares():
    X, y = DIABETES
    A = np.column_stack([X, np.ones(len(y))])
    for low, high in ((0.0, np.inf), (-100.0, 300.0)):
        expected = optimize.lsq_linear(A, y, ([low] * 10 + [-np.inf], [high] * 10 + [np.inf]), method="bvls", tol=1e-14)
        model = LossRegressor(penalty=None, bounds=(low, high)).fit(X, y)
        np.testing.assert_allclose(model.coef_, expected.x[:-1], rtol=1e-7, atol=1e-7)
        assert model.coef_.min() >= low
        assert model.coef_.max() <= high


@pytest.mark.parametrize("bounds", [None, (0.0, None), (-0.2, 0.3)], ids=repr)
@pytest.mark.parametrize("penalty", ["l1", "elasticnet", "l2", None])
@pytest.mark.parametrize("name", CONVEX)
def test_no_feasible_model_is_better_than_a_certified_one(name, penalty, bounds):
    X, y = data_for(name)
    alpha = 0.05
    with does_not_warn():
        model = estimator_for(name, penalty=penalty, alpha=alpha, bounds=bounds)
        if get_loss(name).standardized:
            model.set_params(scale=None)
        model.fit(X, y)
    coef, intercept = np.ravel(model.coef_), float(np.ravel(model.intercept_)[0])
    lower, upper = (-np.inf, np.inf) if bounds is None else (
        -np.inf if bounds[0] is None else bounds[0], np.inf if bounds[1] is None else bounds[1]
    )  # fmt: skip
    assert np.all((coef >= lower) & (coef <= upper))
    shape = get_penalty(penalty)
    target = y.astype(float)

    def objective(coef, intercept):
        return model.loss_.loss(target, X @ coef + intercept).mean() + (alpha * shape.value(coef) if shape else 0.0)

    value = objective(coef, intercept)
    assert value == pytest.approx(model.solution_.value, rel=1e-9, abs=1e-12)
    rng = np.random.default_rng(0)
    for size in (1.0, 1e-2, 1e-4):
        for _ in range(20):
            other = np.clip(coef + size * rng.normal(size=len(coef)), lower, upper)
            assert objective(other, intercept + size * rng.normal()) >= value - 2e-6 * (1 + value)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", ["brier", "focal", "ramp", "hinge", "squared_hinge", "crammer_singer"])
def test_other_classification_losses_take_every_penalty(name, n_classes):
    X, y = classification_data(n_classes=n_classes)
    for penalty in ("l2", None, "l1", "elasticnet"):
        model = LossClassifier(name, penalty=penalty, alpha=0.02).fit(X, y)
        assert model.solution_.converged
        assert np.isfinite(model.coef_).all()


@pytest.mark.parametrize("penalty", ["l1", "elasticnet"])
def test_many_features_go_by_working_sets(penalty):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(200, 1000))
    y = X[:, :5] @ rng.normal(size=5) + rng.normal(size=200)
    model = LossRegressor(penalty=penalty, alpha=0.3, tol=1e-9).fit(X, y)
    assert model.solution_.solver == "split"
    assert model.solution_.gap <= 1e-8 * model.solution_.value
    ratio = 1.0 if penalty == "l1" else 0.5
    theirs = SklearnElasticNet(0.15, l1_ratio=ratio, tol=1e-12, max_iter=100_000).fit(X, y)
    np.testing.assert_allclose(model.coef_, theirs.coef_, atol=1e-7)
    X[np.abs(X) < 1] = 0
    for loss in (Huber(), LogCosh()):
        dense = LossRegressor(loss, penalty=penalty, alpha=0.2, scale=1.0).fit(X, y)
        csr = LossRegressor(loss, penalty=penalty, alpha=0.2, scale=1.0).fit(sparse.csr_array(X), y)
        np.testing.assert_allclose(csr.coef_, dense.coef_, atol=1e-6)


@pytest.mark.parametrize(("n_features", "solver"), [(320, "proximal_newton"), (1200, "split")])
def test_many_bounds_leave_no_slope_inside_them(n_features, solver):
    rng = np.random.default_rng(2)
    X = rng.normal(size=(3 * n_features, n_features))
    y = X @ np.abs(rng.normal(size=n_features)) + rng.normal(size=len(X))
    model = LossRegressor(penalty=None, bounds=(0, None), tol=1e-8).fit(X, y)
    assert model.solution_.solver == solver
    slope = X.T @ (y - model.predict(X)) / len(y)
    np.testing.assert_allclose(slope[model.coef_ > 0], 0, atol=1e-6)
    assert slope[model.coef_ == 0].max(initial=0.0) <= 1e-6


def test_losses_without_curvature_go_by_parts():
    X, y = regression_data()
    smooth = LossRegressor(lambda y, f: np.logaddexp(y - f, f - y), penalty="l1", alpha=0.1).fit(X, y)
    named = LossRegressor("log_cosh", penalty="l1", alpha=0.1).fit(X, y)
    np.testing.assert_allclose(smooth.coef_, named.coef_, atol=1e-4)


@pytest.mark.parametrize(("n", "d", "alpha"), [(80, 4, 0.02), (60, 5, 0.3), (50, 110, 0.01)])
def test_crammer_singer_of_three_classes_with_l1_is_the_linear_program(n, d, alpha):
    X, y = classification_data(n, d, n_classes=3)
    weight = np.random.default_rng(1).uniform(0, 2, n)
    model = LossClassifier("crammer_singer", penalty="l1", alpha=alpha, tol=1e-9).fit(X, y, sample_weight=weight)
    # over u - v = coefficients, intercepts, losses t of the rows: t_i >= 1 + f_ij - f_iy for each other class j
    share, labels = weight / weight.sum(), np.searchsorted(model.classes_, y)
    cost = np.concatenate([np.full(6 * d, alpha), np.zeros(3), share])
    rows, sides = [], []
    for i, own in enumerate(labels):
        for other in {0, 1, 2} - {own}:
            change = np.zeros(3)
            change[[other, own]] = 1.0, -1.0
            slopes = np.kron(change, X[i])
            rows.append(np.concatenate([slopes, -slopes, change, -np.eye(n)[i]]))
            sides.append(-1.0)
    bounds = [(0, None)] * (6 * d) + [(None, None)] * 3 + [(0, None)] * n
    expected = optimize.linprog(cost, np.array(rows), sides, bounds=bounds, method="highs")
    assert model.solution_.solver == "epigraph"
    assert model.solution_.value == pytest.approx(expected.fun, rel=1e-8)
    assert model.solution_.value - model.solution_.gap <= expected.fun * (1 + 1e-8)


# ----------------------------------------------------------------------------------------------- as parameters
def test_weights_of_features_and_ratios_are_searched_over():
    X, y = regression_data()
    free = LossRegressor(penalty=L1(weights=[0, 1, 1, 1]), alpha=10.0).fit(X, y)
    assert free.coef_[0] != 0
    assert np.all(free.coef_[1:] == 0)
    grid = {"penalty": ["elasticnet"], "penalty__l1_ratio": [0.1, 0.9], "alpha": [0.1]}
    search = GridSearchCV(LossRegressor(), grid).fit(X, y)
    assert len(set(search.cv_results_["mean_test_score"])) == 2


def test_bounds_are_numbers_arrays_or_named():
    X, y = regression_data()
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    by_array = LossRegressor(bounds=(None, [0.1, None, np.inf, -0.5])).fit(X, y)
    by_name = LossRegressor(bounds=(None, {"a": 0.1, "d": -0.5})).fit(frame, y)
    np.testing.assert_allclose(by_array.coef_, by_name.coef_, rtol=1e-12)  # a frame is in another order in memory
    assert by_name.coef_[0] <= 0.1
    assert by_name.coef_[3] <= -0.5
    np.testing.assert_allclose(
        LossRegressor(bounds=(-1e6, 1e6)).fit(X, y).coef_, LossRegressor().fit(X, y).coef_, rtol=1e-7
    )
    fixed = LossRegressor("absolute_error", bounds=([0.5, -9, -9, -9], [0.5, 9, 9, 9])).fit(X, y)
    assert fixed.coef_[0] == 0.5
    both = LossRegressor(bounds=(0, None)).fit(X, np.column_stack([y, -y]))
    assert both.coef_.min() >= 0


def test_bounds_and_penalties_follow_the_units_of_the_columns():
    X, y = regression_data()
    units = np.array([1e-5, 1.0, 1e3, 1e5])
    for loss in ("squared_error", "absolute_error"):
        plain = LossRegressor(loss, penalty=None, bounds=(0, None)).fit(X, y)
        scaled = LossRegressor(loss, penalty=None, bounds=(0, None)).fit(X * units, y)
        np.testing.assert_allclose(scaled.coef_ * units, plain.coef_, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"bounds": (1, 0)}, "bounds cross: the lower bound of feature 0, 1.0, is above the upper, 0.0"),
        ({"bounds": (0, 1, 2)}, r"bounds must be a pair \(lower, upper\)"),
        ({"bounds": "positive"}, "'bounds' parameter of LossRegressor"),
        ({"bounds": ([0, 0], None)}, "lower bound must be None, a number, 4 numbers .one for each feature. or a dict"),
        ({"bounds": ({"a": 0}, None)}, "X has no feature names; pass an array or a data frame"),
        ({"penalty": ElasticNet(1.5)}, "'l1_ratio' parameter of ElasticNet must be .* Got 1.5"),
        ({"penalty": "lasso"}, "Unknown penalty 'lasso'; it must be None, 'elastic_net', 'elasticnet', 'l1'"),
        ({"penalty": "l1", "solver": "newton"}, "penalty L1.. is not smooth. Use solver='auto' or one of"),
    ],
)
def test_what_makes_no_sense_is_refused(params, message):
    with pytest.raises(ValueError, match=message):
        LossRegressor(**params).fit(*regression_data())


def test_bounds_of_features_that_do_not_exist_are_named():
    X, y = regression_data()
    with pytest.raises(ValueError, match=r"does not have, \['z'\]; the features are \['a', 'b', 'c', 'd'\]"):
        LossRegressor(bounds=({"z": 0}, None)).fit(pd.DataFrame(X, columns=list("abcd")), y)


def test_a_strong_penalty_leaves_the_best_constant():
    X, y = regression_data()
    for loss in (SquaredError(), Huber(), Pinball(0.5)):
        model = LossRegressor(loss, penalty="l1", alpha=1e6, scale=None).fit(X, y)
        assert np.all(model.coef_ == 0)
        assert model.solution_.converged
