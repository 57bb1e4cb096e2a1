"""Objective values against independent implementations; how their alpha is ours stands in each test.

``gap`` is by how much, relatively, the other's objective, computed by our formula of it, lies below ours: more than
1e-6 would be a failure of ours.  ``pytest -s tests/test_oracles.py`` prints each.
"""

import warnings

import numpy as np
import pytest
from scipy import optimize, sparse
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import HuberRegressor, LogisticRegression, PoissonRegressor, QuantileRegressor, Ridge
from sklearn.preprocessing import scale
from sklearn.svm import LinearSVC

from sklloss import LossClassifier, LossRegressor
from sklloss.losses import AbsoluteError, EpsilonInsensitive, Hinge, Huber, Pinball, SquaredError
from sklloss.penalties import L2

LIMIT = 1e-6
DIABETES = load_diabetes(return_X_y=True)
CANCER = (scale(load_breast_cancer().data), load_breast_cancer().target)
IRIS = load_iris(return_X_y=True)
WEIGHT = np.random.default_rng(0).integers(0, 4, 442).astype(float)


def objective(model, X, y, coef, intercept, weight=None):
    """Our objective at any coefficients, written out: not by the code that minimised it."""
    coef = np.atleast_2d(coef)
    raw = X @ coef.T + np.atleast_1d(intercept)
    loss = model.loss_
    rows = loss.loss(y, raw if len(coef) > 1 else raw[:, 0])
    penalty = 0.0 if model.penalty is None else 0.5 * model.alpha * (coef**2).sum()
    return np.average(rows, weights=weight) + penalty


def compare(name, model, X, y, coef, intercept, weight=None):
    ours = objective(model, X, y, model.coef_, model.intercept_, weight)
    theirs = objective(model, X, y, coef, intercept, weight)
    lower = (ours - theirs) / theirs
    print(f"{name}: theirs lies below ours by {lower:.1e}")
    assert ours == pytest.approx(model.solution_.value, rel=1e-9)
    assert lower <= LIMIT
    return -lower


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
def test_ridge(weight):
    X, y = DIABETES
    total = len(y) if weight is None else weight.sum()
    for alpha in (1e-3, 1.0, 100.0):
        theirs = Ridge(alpha=alpha, tol=1e-12).fit(X, y, sample_weight=weight)
        # sum s r**2 + a |w|**2 = total * (mean r**2 + (2 a / total) |w|**2 / 2)
        ours = LossRegressor("squared_error", alpha=2 * alpha / total).fit(X, y, sample_weight=weight)
        assert compare(f"Ridge {alpha}", ours, X, y, theirs.coef_, theirs.intercept_, weight) <= LIMIT
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-8)


@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
def test_logistic_regression_of_two_classes(C):
    X, y = CANCER
    theirs = LogisticRegression(C=C, tol=1e-10, max_iter=10_000, solver="newton-cholesky").fit(X, y)
    # C sum loss + |w|**2 / 2 = C n * (mean loss + 1 / (C n) * |w|**2 / 2)
    ours = LossClassifier("log_loss", alpha=1 / (C * len(y))).fit(X, y)
    assert compare(f"LogisticRegression {C}", ours, X, y.astype(float), theirs.coef_, theirs.intercept_) <= LIMIT
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("C", [0.01, 1.0, 100.0])
def test_softmax_regression(C):
    X, y = IRIS
    theirs = LogisticRegression(C=C, tol=1e-8, max_iter=100_000).fit(X, y)
    ours = LossClassifier("log_loss", alpha=1 / (C * len(y))).fit(X, y)
    assert compare(f"softmax {C}", ours, X, y, theirs.coef_, theirs.intercept_) <= LIMIT
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-4)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("quantile", [0.05, 0.5, 0.9])
def test_quantile_regression_without_a_penalty(quantile, weight):
    X, y = DIABETES
    theirs = QuantileRegressor(quantile=quantile, alpha=0.0).fit(X, y, sample_weight=weight)
    ours = LossRegressor(Pinball(quantile), penalty=None).fit(X, y, sample_weight=weight)
    assert compare(f"QuantileRegressor {quantile}", ours, X, y, theirs.coef_, theirs.intercept_, weight) <= LIMIT
    if quantile == 0.5:
        median = LossRegressor("absolute_error", penalty=None).fit(X, y, sample_weight=weight)
        assert median.solution_.value == pytest.approx(2 * ours.solution_.value, rel=1e-12)


def test_quantile_regression_by_linprog():
    X, y = DIABETES
    n, d = X.shape
    # min q 1'u + (1 - q) 1'v over X w + b + u - v = y, u, v >= 0
    A = sparse.hstack([sparse.csr_array(np.column_stack([X, np.ones(n)])), sparse.eye_array(n), -sparse.eye_array(n)])
    cost = np.concatenate([np.zeros(d + 1), np.full(n, 0.9 / n), np.full(n, 0.1 / n)])
    result = optimize.linprog(cost, A_eq=A, b_eq=y, bounds=[(None, None)] * (d + 1) + [(0, None)] * (2 * n))
    ours = LossRegressor(Pinball(0.9), penalty=None).fit(X, y)
    assert ours.solution_.value == pytest.approx(result.fun, rel=1e-9)


@pytest.mark.parametrize("alpha", [1e-6, 1e-2, 1.0])
def test_poisson_regression(alpha):
    X, y = DIABETES
    theirs = PoissonRegressor(alpha=alpha, tol=1e-10, max_iter=10_000, solver="newton-cholesky").fit(X, y)
    # their loss is half the deviance: mean / 2 + a |w|**2 / 2, so our alpha is 2 a
    ours = LossRegressor("poisson", alpha=2 * alpha).fit(X, y)
    assert compare(f"PoissonRegressor {alpha}", ours, X, y, theirs.coef_, theirs.intercept_) <= LIMIT
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("C", [0.01, 1.0])
def test_hinge_without_intercept_against_liblinear(C):
    X, y = CANCER
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # theirs: it plateaus; its objective is compared anyway
        theirs = LinearSVC(
            loss="hinge", C=C, fit_intercept=False, tol=1e-10, max_iter=200_000, dual=True, random_state=0
        ).fit(X, y)
    # C sum loss + |w|**2 / 2 = C n * (mean loss + 1 / (C n) * |w|**2 / 2)
    ours = LossClassifier("hinge", alpha=1 / (C * len(y)), fit_intercept=False).fit(X, y)
    assert compare(f"LinearSVC {C}", ours, X, y.astype(float), theirs.coef_, 0.0) <= 1e-4  # how far theirs comes
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-2)


def test_squared_hinge_without_intercept_against_liblinear():
    X, y = CANCER
    theirs = LinearSVC(C=1.0, fit_intercept=False, tol=1e-10, max_iter=100_000, dual=False).fit(X, y)
    ours = LossClassifier("squared_hinge", alpha=1 / len(y), fit_intercept=False).fit(X, y)
    assert compare("LinearSVC squared", ours, X, y.astype(float), theirs.coef_, 0.0) <= LIMIT
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
def test_huber_at_the_scale_that_huber_regressor_finds(weight):
    X, y = DIABETES
    total = len(y) if weight is None else weight.sum()
    theirs = HuberRegressor(epsilon=1.35, alpha=0.1, tol=1e-9, max_iter=10_000).fit(X, y, sample_weight=weight)
    # At its own sigma it minimises (2 / sigma) sum s sigma**2 huber(r / sigma) + a |w|**2; divide by 2 total / sigma.
    ours = LossRegressor(Huber(1.35), scale=theirs.scale_, alpha=0.1 * theirs.scale_ / total)
    ours.fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=2e-3, atol=0.1)  # to its line search
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-3)


@pytest.mark.parametrize("alpha", [1e-4, 1e-2, 1.0])
def test_hinge_with_intercept_against_clarabel(alpha):
    cvxpy = pytest.importorskip("cvxpy", reason="cvxpy is in the extra 'oracle'")
    X, y = CANCER
    w, b = cvxpy.Variable(X.shape[1]), cvxpy.Variable()
    margin = cvxpy.multiply(2 * y - 1, X @ w + b)
    problem = cvxpy.Problem(
        cvxpy.Minimize(cvxpy.sum(cvxpy.pos(1 - margin)) / len(y) + alpha / 2 * cvxpy.sum_squares(w))
    )
    problem.solve(solver="CLARABEL", tol_gap_abs=1e-11, tol_gap_rel=1e-11, tol_feas=1e-11)
    ours = LossClassifier(Hinge(), alpha=alpha).fit(X, y)
    assert compare(f"Clarabel {alpha}", ours, X, y.astype(float), w.value, b.value) <= LIMIT
    assert ours.solution_.value - ours.solution_.gap <= problem.value * (1 + 1e-8)


def test_huber_at_a_fixed_scale_against_statsmodels():
    sm = pytest.importorskip("statsmodels.api", reason="statsmodels is in the extra 'oracle'")
    X, y = DIABETES
    design = sm.add_constant(X)
    theirs = sm.RLM(y / 50, design, M=sm.robust.norms.HuberT(1.345)).fit(
        scale_est="mad", tol=1e-12, maxiter=5000, update_scale=False
    )
    ours = LossRegressor(Huber(1.345), scale=50 * theirs.scale, penalty=None).fit(X, y)
    np.testing.assert_allclose(ours.coef_, 50 * theirs.params[1:], rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("seed", range(60))
def test_random_sums_of_smooth_and_kinked_losses_against_clarabel(seed):
    cvxpy = pytest.importorskip("cvxpy", reason="cvxpy is in the extra 'oracle'")
    rng = np.random.default_rng(seed)
    n = int(rng.integers(20, 400))
    d = int(rng.integers(1, min(15, n // 3)))
    X = rng.normal(size=(n, d))
    y = X @ rng.normal(size=d) + rng.standard_t(1.5, n)
    if rng.random() < 0.3:
        y = y.round()  # ties
    weight = rng.integers(0, 4, n) + 1e-3
    scales = 10.0 ** rng.uniform(-3, 3, d)
    (a, b), q, alpha = 10.0 ** rng.uniform(-3, 1, 2), rng.uniform(0.05, 0.95), 10.0 ** rng.uniform(-6, 0) * (seed % 2)
    kind = seed % 3
    loss = [
        a * SquaredError() + b * Pinball(q),
        a * Huber() + b * Pinball(q),
        a * SquaredError() + b * EpsilonInsensitive(0.5) + 0.1 * AbsoluteError(),
    ][kind]
    model = LossRegressor(loss, penalty=L2(weights=scales**2), alpha=alpha, scale=None, tol=1e-8)
    model.fit(X * scales, y, sample_weight=weight)

    coef, intercept = cvxpy.Variable(d), cvxpy.Variable()
    r, s = y - X @ coef - intercept, weight / weight.sum()
    pinball = s @ cvxpy.maximum(q * r, (q - 1) * r)
    value = [
        a * (s @ cvxpy.square(r)) + b * pinball,
        a * (s @ cvxpy.huber(r, 1.35)) / 2 + b * pinball,
        a * (s @ cvxpy.square(r)) + b * (s @ cvxpy.pos(cvxpy.abs(r) - 0.5)) + 0.1 * (s @ cvxpy.abs(r)),
    ][kind]
    # coefficients of the scaled columns are coef / scales, so the penalty is that of coef
    problem = cvxpy.Problem(cvxpy.Minimize(value + alpha / 2 * cvxpy.sum_squares(coef)))
    problem.solve(solver=cvxpy.CLARABEL, tol_gap_abs=1e-12, tol_gap_rel=1e-12, tol_feas=1e-12)
    ours = model.solution_
    print(
        f"{loss!r}, n={n}, d={d}: {ours.solver}, gap {ours.gap:.1e}, Clarabel - ours {problem.value - ours.value:.1e}"
    )
    assert ours.value <= problem.value + 1e-7 * ours.value
    assert ours.value - ours.gap <= problem.value + 1e-9 * ours.value  # the bound is one
