"""The scale of the residuals: estimated before, between or with the coefficients, and starts of losses not convex."""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import HuberRegressor

from sklloss import LossRegressor, list_losses
from sklloss.losses import Asymmetric, Barron, Expectile, Fair, Huber, LogCosh, PseudoHuber, SquaredError, Tukey

from .common import regression_data

STANDARDIZED = list_losses("regression", standardized=True)
CONVEX = list_losses("regression", standardized=True, convex=True)
TWISTED = [*list_losses("regression", standardized=True, convex=False), Barron(alpha=-2.0)]


def weighted(n, seed=0):
    return np.random.default_rng(seed).integers(0, 4, n).astype(float)


def joint_objective(model, X, y, weight):
    """The objective of scale="joint" as it stands in the docstring, by the fitted attributes alone."""
    s, r = model.scale_, y - X @ model.coef_ - model.intercept_
    loss = s / 2 * (1 + 2 * model.loss_.rho(r / s))
    return np.average(loss, weights=weight) + model.alpha * 0.5 * model.coef_ @ model.coef_


@pytest.mark.parametrize("name", STANDARDIZED)
def test_mad_is_the_scale_of_the_residuals_of_the_fit_itself(name):
    X, y = regression_data(n=101)
    model = LossRegressor(name, penalty=None, scale="mad").fit(X, y)
    assert np.median(np.abs(y - model.predict(X))) / 0.6745 == pytest.approx(model.scale_, rel=1e-9)
    at_that_scale = LossRegressor(name, penalty=None, scale=model.scale_, warm_start=True)
    at_that_scale.coef_, at_that_scale.intercept_ = model.coef_, model.intercept_
    np.testing.assert_allclose(at_that_scale.fit(X, y).coef_, model.coef_, rtol=1e-8)


@pytest.mark.parametrize("weight", [None, weighted(200)], ids=["no weights", "weights with zeros"])
@pytest.mark.parametrize("delta", [1.1, 1.35, 3.0])
def test_joint_is_scikit_learns_huber_regressor(delta, weight):
    X, y = regression_data(n=200)
    total = 200.0 if weight is None else weight.sum()
    theirs = HuberRegressor(epsilon=delta, alpha=0.3, tol=1e-10, max_iter=10_000).fit(X, y, weight)
    ours = LossRegressor(Huber(delta), scale="joint", alpha=0.3 / total).fit(X, y, weight)
    # Theirs stops where its gradient is small: its objective is above ours by less than the square of its distance.
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=3e-5)
    assert ours.scale_ == pytest.approx(theirs.scale_, rel=3e-5)
    theirs.loss_, theirs.alpha = ours.loss_, ours.alpha
    assert 0 <= joint_objective(theirs, X, y, weight) - joint_objective(ours, X, y, weight) + 1e-14 < 1e-8


JOINT = [
    "huber",
    Fair(),
    LogCosh(),
    PseudoHuber(delta=1.5),
    SquaredError(),
    Expectile(0.8),
    Asymmetric(Huber(2.0), 0.4),
]


@pytest.mark.parametrize("loss", JOINT, ids=str)
def test_joint_is_a_certified_minimum_over_coefficients_and_scale(loss):
    X, y = regression_data(n=60)
    model = LossRegressor(loss, scale="joint", alpha=0.01).fit(X, y)
    value = joint_objective(model, X, y, None)
    assert model.solution_.value == pytest.approx(value, rel=1e-12)
    assert 0 <= model.solution_.gap <= 1e-6 * value
    rng = np.random.default_rng(0)
    coef, intercept, scale = model.coef_.copy(), model.intercept_, model.scale_
    for size in (1e-3, 1e-2, 0.1) * 5:
        model.coef_ = coef + size * rng.normal(size=len(coef))
        model.intercept_, model.scale_ = intercept + size * rng.normal(), scale * np.exp(size * rng.normal())
        assert joint_objective(model, X, y, None) > value - model.solution_.gap


def test_joint_takes_l1_and_bounds_as_well():
    X, y = regression_data(n=60)
    model = LossRegressor("huber", "l1", scale="joint", alpha=0.2, bounds=(None, 0.5)).fit(X, y)
    at_that_scale = LossRegressor("huber", "l1", scale=model.scale_, alpha=0.2 * model.scale_, bounds=(None, 0.5))
    np.testing.assert_allclose(model.coef_, at_that_scale.fit(X, y).coef_, atol=1e-8)
    assert model.coef_.max() == 0.5
    z = (y - model.predict(X)) / model.scale_
    assert np.mean(np.minimum(np.abs(z), 1.35) ** 2) == pytest.approx(1, abs=1e-8)  # the slope in the scale is zero


@pytest.mark.parametrize(("loss", "reason"), [("tukey", "not one"), ("absolute_error", "not one"), (Huber(1.0), "> 1")])
def test_joint_refuses_losses_without_a_best_scale(loss, reason):
    X, y = regression_data()
    with pytest.raises(ValueError, match=reason):
        LossRegressor(loss, scale="joint").fit(X, y)


@pytest.mark.parametrize("scale", ["auto", "mad", "joint"])
@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_an_estimated_scale_makes_the_model_follow_the_unit_of_y(scale, factor):
    X, y = regression_data()
    model, scaled = (LossRegressor("huber", None, scale=scale).fit(X, part) for part in (y, factor * y))
    np.testing.assert_allclose(scaled.coef_, factor * model.coef_, rtol=1e-8)
    assert scaled.scale_ == pytest.approx(factor * model.scale_, rel=1e-8)


@pytest.mark.parametrize("scale", ["auto", "mad", "joint"])
def test_weights_count_as_copies_in_an_estimated_scale(scale):
    X, y = regression_data(n=80)
    weight = weighted(80)
    copies = np.repeat(np.arange(80), weight.astype(int))
    model = LossRegressor("huber", scale=scale).fit(X, y, weight)
    copied = LossRegressor("huber", scale=scale).fit(X[copies], y[copies])
    np.testing.assert_allclose(model.coef_, copied.coef_, rtol=1e-8)
    assert model.scale_ == pytest.approx(copied.scale_, rel=1e-8)


@pytest.mark.parametrize("scale", ["auto", "mad", "joint", 2.0])
def test_each_output_has_its_own_scale(scale):
    X, y = regression_data()
    Y = np.column_stack([y, 100 * y**2])
    together = LossRegressor("huber", scale=scale).fit(X, Y)
    for k in range(2):
        alone = LossRegressor("huber", scale=scale).fit(X, Y[:, k])
        np.testing.assert_allclose(together.coef_[k], alone.coef_, rtol=1e-10)
        assert together.scale_[k] == pytest.approx(alone.scale_, rel=1e-10)


@pytest.mark.parametrize("scale", ["auto", "mad", "joint"])
@pytest.mark.parametrize("name", CONVEX)
def test_an_exact_fit_has_the_least_scale_and_is_found(name, scale):
    X = np.arange(20.0).reshape(-1, 1)
    y = 10 * X[:, 0] + 1
    model = LossRegressor(name, None, scale=scale).fit(X, y)
    assert model.scale_ == pytest.approx(
        (0.01 if scale == "auto" else 1e-6) * 50
    )  # mean absolute deviation of y from its median: 50
    np.testing.assert_allclose(model.predict(X), y, rtol=1e-9)
    constant = LossRegressor(name, None, scale=scale).fit(X, np.full(20, 3.0))
    np.testing.assert_allclose(constant.predict(X), 3.0, rtol=1e-12)


@pytest.mark.parametrize("name", STANDARDIZED)
def test_wild_rows_do_not_hide_an_exact_line(name):
    X = np.arange(20.0).reshape(-1, 1)
    y = np.where(np.arange(20) % 5 == 0, 500, 10 * X[:, 0] + 1)
    np.testing.assert_allclose(LossRegressor(name, None, scale="mad").fit(X, y).coef_, [10.0], rtol=1e-5)


def test_a_scale_is_found_however_small_the_noise_beside_the_signal():
    rng = np.random.default_rng(0)
    X = np.linspace(0, 1, 400).reshape(-1, 1)
    noise = rng.normal(size=400)
    for scale in ("mad", "joint"):
        loud, low = (LossRegressor("huber", None, scale=scale).fit(X, X[:, 0] + s * noise) for s in (1.0, 1e-4))
        assert low.scale_ == pytest.approx(1e-4 * loud.scale_, rel=1e-6)


@pytest.mark.parametrize("loss", TWISTED, ids=str)
def test_a_loss_that_is_not_convex_says_that_its_minimum_is_local(loss):
    X, y = regression_data()
    model = LossRegressor(loss).fit(X, y)
    assert "local minimum" in model.solution_.certificate
    assert "a local minimum, the better of two" in model.solution_.message


def test_the_better_of_two_local_minima_is_kept():
    """Rows on two lines: from the median regression Tukey finds one, by way of wider constants the other."""
    better = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(40, 2))
        y = np.where(rng.uniform(size=40) < 0.6, X @ [3.0, 0.0], X @ [-3.0, 2.0] + 4) + 0.1 * rng.normal(size=40)
        model = LossRegressor(Tukey(), None, scale=0.2).fit(X, y)
        first, second = (float(part) for part in model.solution_.message.split("two: ")[1].split(",")[0].split(" and "))
        assert model.solution_.value == pytest.approx(min(first, second), rel=1e-5)
        better += second > 1.01 * first
    assert better >= 2


def test_a_warm_start_of_a_loss_that_is_not_convex_stays_in_its_valley():
    X, y = regression_data()
    model = LossRegressor("tukey", warm_start=True).fit(X, y)
    again = model.coef_.copy()
    model.fit(X, y)
    np.testing.assert_allclose(model.coef_, again, rtol=1e-8)
    assert "better of two" not in model.solution_.message


def test_scales_that_no_rule_gives_are_refused_by_name():
    X, y = regression_data()
    with pytest.raises(ValueError, match=r"'scale' parameter of LossRegressor must be a str among"):
        LossRegressor("huber", scale="iqr").fit(X, y)


def test_fits_of_an_estimated_scale_do_not_warn_at_scale():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(12_000, 5))
    y = X @ np.arange(5.0) + rng.standard_cauchy(12_000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for scale in ("mad", "joint"):
            model = LossRegressor("huber", scale=scale).fit(X, y)
            assert model.solution_.converged
