"""What may not change a model: order, units, offsets and names of what it is fitted to; for every loss."""

import numpy as np
import pytest
from scipy import sparse

from sklloss import LossClassifier, LossRegressor, get_loss
from sklloss.losses import Expectile, Pinball

from .common import CLASSIFICATION, REGRESSION, classification_data, data_for, does_not_warn, regression_data
from .test_penalties import estimator_for

PENALTIES = ["l2", "l1", None]
LINEAR = [name for name in REGRESSION if get_loss(name).interval_y_true.is_real_line]  # identity link, any y
SHIFTED = [name for name in LINEAR if name != "absolute_percentage_error"]
STANDARDIZED = [name for name in REGRESSION if get_loss(name).standardized]
EXACT = ("least_squares", "newton", "kinks")  # solvers that end at rounding, others at tol or better

every_loss = pytest.mark.parametrize("name", REGRESSION + CLASSIFICATION)
every_penalty = pytest.mark.parametrize("penalty", PENALTIES)


def fitted(name, penalty, X, y, alpha=0.02, **weights):
    return estimator_for(name, penalty=penalty, alpha=alpha).fit(X, y, **weights)


def assert_same(coef, other, model, tol=1e-6):
    """The coefficients are equal: to rounding where the solver ends there, else to tol."""
    if model.solution_.solver in EXACT:
        tol = 1e-10
    np.testing.assert_allclose(coef, other, rtol=tol, atol=tol * max(1e-3, np.abs(other).max()))


# --------------------------------------------------------------------------------------------------- rows and weights
@pytest.mark.parametrize("penalty", ["l2", "l1"])
@every_loss
def test_a_power_of_two_in_the_weights_changes_no_bit(name, penalty):
    X, y = data_for(name, n=60)
    weight = np.arange(60) % 3 + 0.5
    model = fitted(name, penalty, X, y, sample_weight=weight)
    for factor in (2.0**-600, 2.0**600):
        other = fitted(name, penalty, X, y, sample_weight=factor * weight)
        np.testing.assert_array_equal(other.coef_, model.coef_)
        np.testing.assert_array_equal(other.intercept_, model.intercept_)


@pytest.mark.parametrize("options", [{"penalty": "l1"}, {"penalty": "elasticnet"}, {"bounds": (-0.3, 0.3)}], ids=repr)
@every_loss
def test_weights_count_as_copies_with_kinks_in_the_penalty(name, options):
    X, y = data_for(name, n=60)
    weight = np.arange(60) % 3
    model = estimator_for(name, alpha=0.02, **options)
    copies = model.fit(np.repeat(X, weight, axis=0), np.repeat(y, weight)).coef_
    assert_same(copies, model.fit(X, y, sample_weight=weight).coef_, model)


@every_penalty
@every_loss
def test_the_order_of_rows_and_columns_does_not_matter(name, penalty):
    X, y = data_for(name, n=60)
    model = fitted(name, penalty, X, y)
    rows, columns = np.random.default_rng(1).permutation(60), [2, 0, 3, 1]
    other = fitted(name, penalty, X[np.ix_(rows, columns)], y[rows])
    assert_same(np.atleast_2d(other.coef_), np.atleast_2d(model.coef_)[:, columns], model)
    assert_same(other.intercept_, model.intercept_, model)


@pytest.mark.parametrize("name", ["squared_error", "huber", "absolute_error", "poisson", "hinge", "log_loss"])
def test_many_rows_are_fitted_as_in_any_other_order_or_form(name, monkeypatch):
    monkeypatch.setattr("sklloss._design.BLOCK_BYTES", 1 << 16)  # several blocks
    X, y = data_for(name, n=12_000)  # subsamples to start on; rows that are summed
    X[np.abs(X) < 0.7] = 0
    model = fitted(name, "l2", X, y)
    rows = np.random.default_rng(1).permutation(len(y))
    for other in (X[rows], sparse.csr_array(X[rows])):
        assert_same(fitted(name, "l2", other, y[rows]).coef_, model.coef_, model)


# ------------------------------------------------------------------------------------------------------------ columns
@every_penalty
@every_loss
def test_offsets_of_columns_move_the_intercept_alone(name, penalty):
    X, y = data_for(name, n=60)
    offset = np.array([100.0, -50.0, 3.0, 1e4])
    model, moved = fitted(name, penalty, X, y), fitted(name, penalty, X + offset, y)
    assert_same(moved.coef_, model.coef_, model)
    intercepts = np.atleast_1d(moved.intercept_) + np.atleast_2d(moved.coef_) @ offset
    np.testing.assert_allclose(intercepts, np.atleast_1d(model.intercept_), rtol=1e-6, atol=1e-6)


@every_loss
def test_without_a_penalty_a_factor_of_a_column_divides_its_coefficient(name):
    X, y = data_for(name, n=60)
    units = np.array([1e-5, 1.0, 1e3, 1e5])
    model = fitted(name, None, X, y)
    assert_same(fitted(name, None, X * units, y).coef_ * units, model.coef_, model)


@every_penalty
@pytest.mark.parametrize("name", [name for name in REGRESSION + CLASSIFICATION if name != "ramp"])
def test_a_column_of_milliseconds_since_1970_is_fitted_as_one_that_starts_at_zero(name, penalty):
    # (Not the ramp loss: here rows sit at its cap, and their last digit chooses among local minima.)
    time, start = 500.0 * np.arange(120), 1.7e12
    noise = np.random.default_rng(0).normal(size=120)
    if name in SHIFTED:
        y = 0.002 * time + noise
    elif name in REGRESSION:
        y = np.round(np.exp(3e-5 * time + 0.3 * noise)) + 1
    else:
        y = (time / time.max() - 0.5 + 0.3 * noise > 0).astype(int)
    model, dated = (fitted(name, penalty, t[:, None], y, alpha=1e-4) for t in (time, start + time))
    assert_same(dated.coef_, model.coef_, model)
    # A prediction is the difference of intercept and coef * 1.7e12, and is known to the rounding of those.
    intercept = np.ravel(dated.coef_)[0] * start + np.ravel(dated.intercept_)[0]
    rounding = 4 * np.finfo(float).eps * np.abs(np.ravel(dated.coef_)[0]) * start
    assert intercept == pytest.approx(np.ravel(model.intercept_)[0], rel=1e-6, abs=1e-9 + rounding)
    if name in SHIFTED:
        assert model.coef_[0] == pytest.approx(0.002, rel=0.02)  # eight standard errors of least squares


# ------------------------------------------------------------------------------------------------------------- target
@every_penalty
@pytest.mark.parametrize("name", SHIFTED)
def test_an_offset_of_the_target_moves_the_intercept_alone(name, penalty):
    X, y = regression_data(n=60)
    model = fitted(name, penalty, X, y)
    for offset in (1000.0, 1e9):  # at 1e9 the target is rounded to 1e-7
        moved = fitted(name, penalty, X, y + offset)
        np.testing.assert_allclose(moved.coef_, model.coef_, rtol=0, atol=1e-6)
        assert moved.intercept_ - offset == pytest.approx(model.intercept_, abs=1e-6)
        assert moved.scale_ == pytest.approx(model.scale_, rel=1e-6)


UNITS = [
    *((name, penalty) for name in ("squared_error", "expectile", *STANDARDIZED) for penalty in ("l2", None)),
    *((name, penalty) for name in ("absolute_error", "pinball") for penalty in ("l1", None)),
]


@pytest.mark.parametrize("factor", [1e-6, 1e9])
@pytest.mark.parametrize(("name", "penalty"), UNITS)
def test_the_unit_of_the_target_is_the_unit_of_the_model(name, penalty, factor):
    X, y = regression_data(n=60)
    model, scaled = fitted(name, penalty, X, y), fitted(name, penalty, X, factor * y)
    assert_same(scaled.coef_ / factor, model.coef_, model)
    assert_same(scaled.intercept_ / factor, model.intercept_, model)
    assert scaled.scale_ == pytest.approx(model.scale_ * (factor if name in STANDARDIZED else 1), rel=1e-9)


@pytest.mark.parametrize("factor", [1e-4, 1e4])
@every_penalty
@pytest.mark.parametrize("name", [name for name in LINEAR if get_loss(name).convex])
def test_a_fit_is_certified_in_any_unit_of_the_target(name, penalty, factor):
    X, y = regression_data(n=60)
    with does_not_warn():
        solution = fitted(name, penalty, X, factor * y, alpha=1e-4).solution_
    assert solution.converged


@pytest.mark.parametrize("penalty", ["l2", "l1"])
@pytest.mark.parametrize("name", LINEAR)
def test_the_model_of_the_negative_target_is_the_negative_model(name, penalty):
    X, y = regression_data(n=60)
    model = fitted(name, penalty, X, y)
    assert_same(-fitted(name, penalty, X, -y).coef_, model.coef_, model)


@pytest.mark.parametrize("loss", [Pinball, Expectile])
def test_the_negative_of_a_low_level_is_the_high_level_of_the_negative(loss):
    X, y = regression_data(n=60)
    low, high = LossRegressor(loss(0.2)).fit(X, y), LossRegressor(loss(0.8)).fit(X, -y)
    np.testing.assert_allclose(-high.coef_, low.coef_, rtol=1e-10)
    assert -high.intercept_ == pytest.approx(low.intercept_, rel=1e-10)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("penalty", ["l2", None])
@pytest.mark.parametrize("name", CLASSIFICATION)
def test_the_names_of_the_classes_do_not_matter(name, penalty, n_classes):
    X, y = classification_data(n=60, n_classes=n_classes)
    model = LossClassifier(name, penalty, alpha=0.02).fit(X, y)
    renamed = LossClassifier(name, penalty, alpha=0.02).fit(X, np.array(["z", "y", "x"])[y])
    f = model.decision_function(X)
    expected = -f if n_classes == 2 else f[:, ::-1]
    np.testing.assert_allclose(renamed.decision_function(X), expected, rtol=1e-9, atol=1e-9)


# ------------------------------------------------------------------------------------------------------------- bounds
INF = np.inf


@pytest.mark.parametrize(
    "bounds", [([0] * 4, [INF] * 4), ([-INF] * 4, [0] * 4), ([-INF, 0.5, -INF, -INF], [0, INF, INF, INF])]
)
@every_penalty
@pytest.mark.parametrize("name", ["squared_error", "huber", "absolute_error", "log_cosh"])
def test_a_coefficient_at_its_bound_is_its_bound_to_the_last_bit(name, penalty, bounds):
    X, y = regression_data()  # without bounds the coefficients are 1.0, 0.4, -0.5 and -0.9
    coef = LossRegressor(name, penalty, bounds=bounds).fit(X, y).coef_
    distance = np.minimum(coef - bounds[0], np.subtract(bounds[1], coef))
    assert np.any(distance == 0)
    assert np.all((distance == 0) | (distance > 1e-3))
