"""A plain function as a loss: derivative, kinks, fits, and what it refuses."""

import copy
import pickle
import warnings
from functools import partial

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import GridSearchCV, cross_val_score

from sklloss import LossClassifier, LossRegressor, average_loss, get_loss, loss_scorer, loss_scorers
from sklloss.losses import (
    AbsolutePercentageError,
    EpsilonInsensitive,
    FunctionLoss,
    Hinge,
    Huber,
    LogLoss,
    Pinball,
    ResidualLoss,
    SquaredError,
)
from sklloss.losses._reading import read_kinks

from .common import classification_data, does_not_warn, regression_data


def percentage(y_true, raw_prediction):
    return np.abs(y_true - raw_prediction) / np.abs(y_true)


def three_for_over(y_true, raw_prediction):
    r = y_true - raw_prediction
    return np.where(r < 0, -3 * r, r)


def insensitive(y_true, raw_prediction):
    return np.maximum(0, np.abs(y_true - raw_prediction) - 0.1)


def hinge(y_true, raw_prediction):
    return np.maximum(0, 1 - (2 * y_true - 1) * raw_prediction)


def steeper_for_ones(y_true, raw_prediction):
    return np.where(y_true == 1, 5 * np.maximum(0, 1 - raw_prediction), np.maximum(0, 1 + raw_prediction))


def linear_below_quadratic_above(y_true, raw_prediction):
    r = y_true - raw_prediction
    return np.where(r > 0, r, r * r)


def squared(y_true, raw_prediction):
    return (y_true - raw_prediction) ** 2


def huber(y_true, raw_prediction):
    a = np.abs(y_true - raw_prediction)
    return np.where(a < 1.35, a * a / 2, 1.35 * (a - 0.675))


def logistic(y_true, raw_prediction):
    return np.logaddexp(0, raw_prediction) - y_true * raw_prediction


def capped(y_true, raw_prediction):
    return np.minimum(np.abs(y_true - raw_prediction), 1)


# ------------------------------------------------------------------------------------------------- derivative
SIZES = np.array([1e-12, 1e-6, 1e-3, 0.1, 1.0, 3.0, 40.0, 1e3, 1e8])
RESIDUALS = np.concatenate([-SIZES, SIZES])


@pytest.mark.parametrize("offset", [0.0, 1.0, 1e3])
@pytest.mark.parametrize(
    "loss",
    ["squared_error", "absolute_error", "huber", "log_cosh", "pseudo_huber", "fair", "cauchy", "welsch", "pinball"],
)
def test_differences_are_good_to_1e_7_of_the_steepest_slope_a_row_could_have(loss, offset):
    loss = get_loss(loss)
    r = RESIDUALS[np.abs(RESIDUALS) > 1e-9 * offset]  # below, y_true - raw_prediction is mostly rounding
    y, raw = np.full(len(r), offset), offset - r
    expected = loss.gradient(y, raw)
    got = FunctionLoss(loss.loss).gradient(y, raw)
    # A difference is known to the rounding of the loss over the width, 4e-16 * loss / (1e-6 * abs(r)) at the narrowest.
    slack = 1e-9 * loss.loss(y, raw) / np.abs(y - raw)
    assert np.all(np.abs(got - expected) <= 1e-7 * np.abs(expected) + slack)


@pytest.mark.parametrize("loss", ["log_loss", "squared_hinge", "hinge", "exponential", "modified_huber"])
def test_differences_of_decision_losses_are_good_to_1e_7(loss):
    loss, raw = get_loss(loss), np.linspace(-9.03, 9.01, 1000)  # no seam of the losses on it
    for y in (np.zeros(1000), np.ones(1000)):
        got = FunctionLoss(loss.loss, response_method="decision_function").gradient(y, raw)
        # absolute where the loss itself is far above its slope, as its rounding is
        np.testing.assert_allclose(got, loss.gradient(y, raw), rtol=1e-7, atol=1e-9)


def test_a_loss_of_a_ratio_or_with_an_offset_in_the_target_is_differentiated_as_well():
    y = np.array([0.5, 2.0, 1e4])
    raw = y * np.array([1.1, 0.3, 1 + 1e-5])
    ratio = FunctionLoss(lambda y, f: np.log(f / y) ** 2)
    np.testing.assert_allclose(ratio.gradient(y, raw), 2 * np.log(raw / y) / raw, rtol=1e-7)
    dates = 1e9 + np.array([0.0, 1.0, 3.0])
    got = FunctionLoss(huber).gradient(dates, dates - np.array([0.5, 1.0, 3.0]))
    np.testing.assert_allclose(got, -np.array([0.5, 1.0, 1.35]), rtol=1e-6)


def test_a_derivative_takes_eight_evaluations():
    calls = []

    def counted(y, f):
        calls.append(len(f))
        return np.abs(y - f) ** 1.5

    FunctionLoss(counted).gradient(np.zeros(5), np.ones(5))
    assert len(calls) <= 8


def test_at_a_kink_the_derivative_is_a_subgradient():
    assert abs(FunctionLoss(three_for_over).gradient(np.array([7.0]), np.array([7.0]))[0] - 1.0) <= 2.0
    assert FunctionLoss(percentage).gradient(np.ones(1), np.ones(1))[0] == 0.0


# ------------------------------------------------------------------------------------------------------ kinks
Y = np.array([-2.0, 0.5, 3.0, 100.0])


@pytest.mark.parametrize(
    ("function", "loss", "margin"),
    [
        (percentage, AbsolutePercentageError(), False),
        (insensitive, EpsilonInsensitive(0.1), False),
        (hinge, Hinge(), True),
        (lambda y, f: np.maximum(0.9 * (y - f), -0.1 * (y - f)), Pinball(0.9), False),
    ],
)
def test_kinks_of_piecewise_linear_functions_are_read_off_to_rounding(function, loss, margin):
    y = np.array([0.0, 1.0, 1.0]) if margin else Y
    read = read_kinks(function, y, -8.0 if margin else -105.0, 8.0 if margin else 210.0, margin)
    known = loss.kinks(y)
    assert read.rest is None
    f = np.linspace(-7, 7, 1001)[:, None] * np.ones(len(y))
    for raw in f:
        np.testing.assert_allclose(read.value(raw), known.value(raw), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(np.sort(read.at, axis=0)[0], np.sort(known.at, axis=0)[0], rtol=1e-13)


def test_many_kinks_a_constant_and_a_row_without_a_kink_are_read_off():
    def stairs(y, f):
        r = np.abs(y - f)
        return 1.0 + r + np.maximum(0, r - 1) + np.maximum(0, r - 2.5) * 3

    read = read_kinks(stairs, Y, -105.0, 210.0, margin=False)
    assert read.rest is None
    assert len(read.at) == 5
    for raw in np.linspace(-100, 200, 301):
        np.testing.assert_allclose(read.value(np.full(4, raw)), stairs(Y, np.full(4, raw)), rtol=1e-12)
    flat = read_kinks(lambda y, f: np.where(y > 0, np.abs(y - f), 2.0), Y, -105.0, 210.0, margin=False)
    np.testing.assert_allclose(flat.value(np.zeros(4)), [2.0, 0.5, 3.0, 100.0])


def test_a_kink_in_a_curve_is_split_off_and_a_curve_without_one_is_smooth():
    read = read_kinks(linear_below_quadratic_above, Y, -105.0, 210.0, margin=False)
    assert np.array_equal(read.at, [Y])
    np.testing.assert_allclose(read.high - read.low, 1.0, rtol=1e-6)
    assert read.rest.convex
    for smooth in (squared, huber, get_loss("log_cosh").loss, get_loss("tukey").loss):
        read = read_kinks(smooth, Y, -105.0, 210.0, margin=False)
        assert len(read.at) == 0


def test_what_bends_downwards_is_not_taken_for_kinks():
    assert read_kinks(capped, Y, -105.0, 210.0, margin=False) is None
    assert read_kinks(lambda y, f: np.where(f > y, 3.0, (y - f) ** 2), Y, -105.0, 210.0, margin=False) is None  # a step


def test_where_a_function_is_infinite_its_slope_is_a_number():
    barrier = FunctionLoss(lambda y, f: np.where(f > 0, f - y * np.log(np.maximum(f, 1e-300)), np.inf))
    assert np.isfinite(barrier.gradient(np.ones(3), np.array([-1.0, 0.0, 1e-9]))).all()
    X, y = regression_data()
    model = LossRegressor(barrier, alpha=1.0).fit(X, 30 + np.abs(y))
    np.testing.assert_allclose(model.predict(X).mean(), (30 + np.abs(y)).mean(), rtol=1e-2)


# ------------------------------------------------------------------------------------------------------- fits
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("penalty", ["l2", None])
@pytest.mark.parametrize(
    ("function", "loss"),
    [(percentage, AbsolutePercentageError()), (insensitive, EpsilonInsensitive(0.1)), (squared, SquaredError())],
)
def test_a_function_is_fitted_as_well_as_the_loss_it_is(function, loss, penalty, weighted):
    X, y = regression_data(positive=True, zero=False)
    weight = np.random.default_rng(0).integers(0, 3, len(y)) if weighted else None
    with does_not_warn():
        plain = LossRegressor(function, penalty=penalty).fit(X, y, sample_weight=weight)
    named = LossRegressor(loss, penalty=penalty).fit(X, y, sample_weight=weight)
    assert plain.solution_.value == pytest.approx(named.solution_.value, rel=1e-9)
    if named.solution_.solver == "kinks":
        assert plain.solution_.gap <= 1e-12 * plain.solution_.value
    assert plain.loss_.function is function


def test_over_forecasts_that_cost_three_times_as_much_are_the_quantile_of_a_fourth():
    X, y = load_diabetes(return_X_y=True)
    plain = LossRegressor(three_for_over, penalty=None).fit(X, y)
    quantile = LossRegressor(Pinball(0.25), penalty=None).fit(X, y)
    assert plain.solution_.value == pytest.approx(4 * quantile.solution_.value, rel=1e-12)
    assert plain.solution_.gap <= 1e-12 * plain.solution_.value
    assert "read off" in plain.solution_.certificate


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(("function", "loss"), [(hinge, Hinge()), (logistic, None), (steeper_for_ones, None)])
def test_a_classifier_hands_zeros_and_ones_and_the_decision_value(function, loss, n_classes):
    X, y = classification_data(n_classes=n_classes)
    with does_not_warn():
        plain = LossClassifier(function, alpha=0.01).fit(X, y)
    assert plain.solution_.converged
    if function is hinge:
        named = LossClassifier(loss, alpha=0.01).fit(X, y)
        assert plain.solution_.value == pytest.approx(named.solution_.value, rel=1e-12)
    if function is logistic and n_classes == 2:
        named = LossClassifier(LogLoss(), alpha=0.01).fit(X, y)
        np.testing.assert_allclose(plain.coef_, named.coef_, atol=1e-5)  # tol = 1e-6 of a gradient of order 1
    assert not hasattr(plain, "predict_proba")


def test_a_kink_in_a_curve_is_fitted_to_a_strict_gap():
    X, y = regression_data()
    with does_not_warn():
        model = LossRegressor(linear_below_quadratic_above, alpha=1e-3).fit(X, y)
    assert model.solution_.solver == "proximal_newton"
    assert model.solution_.gap <= 1e-6 * model.solution_.value
    rng = np.random.default_rng(0)
    best = model.solution_.value
    for size in (1e-1, 1e-3, 1e-5):  # the bound holds: no other model is below it
        for _ in range(20):
            coef = model.coef_ + size * rng.normal(size=X.shape[1])
            value = linear_below_quadratic_above(y, X @ coef + model.intercept_).mean() + 0.5e-3 * coef @ coef
            assert value >= best - model.solution_.gap - 1e-15


@pytest.mark.parametrize(("offset", "factor"), [(1e9, 1.0), (0.0, 1e-6), (0.0, 1e6), (-1e5, 1e-3)])
def test_neither_an_offset_nor_a_unit_nor_an_outlier_hides_the_kinks(offset, factor):
    X, y = regression_data()
    y[3], y[4] = 1e4, -3e5

    def narrow(y_true, raw_prediction):
        return np.maximum(0, np.abs(y_true - raw_prediction) / factor - 1e-2)

    with does_not_warn():
        plain = LossRegressor(narrow, penalty=None).fit(X, offset + factor * y)
    named = LossRegressor(EpsilonInsensitive(1e-2 * factor), penalty=None).fit(X, offset + factor * y)
    assert plain.solution_.solver == "kinks"
    # The target itself is rounded, to 1e-7 for an offset of 1e9.
    assert plain.solution_.value == pytest.approx(named.solution_.value / factor, rel=1e-9 + 1e-16 * offset)


class Declared(ResidualLoss):
    """Any sum of max(0, slope * r + offset)."""

    smooth = False

    def __init__(self, relu):
        self.relu = relu

    def fit_intercept_only(self, y_true, weight):
        return np.median(y_true)  # a start, no more


@pytest.mark.parametrize("seed", range(40))
def test_random_sums_of_kinks_are_read_off_and_fitted_as_if_declared(seed):
    rng = np.random.default_rng(seed)
    n, d, J = (int(rng.integers(*ends)) for ends in ((20, 600), (1, 8), (1, 5)))
    X = rng.normal(size=(n, d))
    y = (X @ rng.normal(size=d) + rng.standard_t(rng.choice([1.0, 2.0, 5.0]), n)) * 10.0 ** rng.integers(-4, 5)
    unit = np.median(np.abs(y - np.median(y)))
    slopes, far = rng.choice([-1, 1], J) * 10.0 ** rng.uniform(-2, 2, J), 10.0 ** rng.uniform(-3, 1, J) * unit
    pairs = ((1.0, 0.0), (-0.3, 0.0), *zip(slopes, -np.abs(slopes) * far * rng.integers(0, 2, J), strict=True))

    def function(y_true, raw_prediction):
        return sum(np.maximum(0, c * (y_true - raw_prediction) + o) for c, o in pairs)

    weight = rng.integers(0, 3, n)
    with does_not_warn():
        plain, declared = (LossRegressor(loss, alpha=1e-3).fit(X, y, weight) for loss in (function, Declared(pairs)))
    print(pairs)
    assert plain.solution_.solver == "kinks"
    # both are within tol = 1e-6 of the optimum by their own certificates, and in fact much closer
    assert plain.solution_.value == pytest.approx(declared.solution_.value, rel=1e-8)


def test_a_row_without_a_kink_has_no_say():
    X, y = regression_data()

    def only_above(y_true, raw_prediction):
        return np.where(y_true > 0, np.abs(y_true - raw_prediction), 1.0)

    model = LossRegressor(only_above, penalty=None).fit(X, y)
    above = LossRegressor("absolute_error", penalty=None).fit(X[y > 0], y[y > 0])
    np.testing.assert_allclose(model.coef_, above.coef_, rtol=1e-9)


def test_several_outputs_are_handed_over_one_by_one():
    X, y = regression_data()
    together = LossRegressor(three_for_over).fit(X, np.column_stack([y, -y]))
    alone = LossRegressor(three_for_over).fit(X, -y)
    np.testing.assert_allclose(together.coef_[1], alone.coef_, rtol=1e-9)


def test_a_fit_that_is_not_certified_warns_and_shows_the_line_to_write():
    X, y = regression_data()
    with pytest.warns(ConvergenceWarning, match=r"relu = \(\(1\.0, 0\.0\), \(-1\.0, 0\.0\)\)"):
        model = LossRegressor(capped, max_iter=20).fit(X, y)
    assert model.solution_.value < capped(y, np.full(len(y), np.median(y))).mean()
    assert np.isfinite(model.coef_).all()


def test_a_known_fact_is_taken_at_its_word():
    X, y = regression_data()
    smooth = LossRegressor(FunctionLoss(huber, convex=True, smooth=True)).fit(X, y)
    assert smooth.solution_.certificate.startswith("a minimum")
    np.testing.assert_allclose(smooth.coef_, LossRegressor(Huber(), scale=None).fit(X, y).coef_, rtol=1e-4, atol=1e-5)


# --------------------------------------------------------------------------------------------- given gradient
def test_a_given_gradient_is_used_and_checked():
    X, y = regression_data()
    right = FunctionLoss(squared, gradient=lambda y, f: 2 * (f - y))
    np.testing.assert_allclose(
        LossRegressor(right).fit(X, y).coef_, LossRegressor(SquaredError()).fit(X, y).coef_, rtol=1e-5
    )
    np.testing.assert_array_equal(right.gradient(y, 0 * y), -2 * y)
    wrong = FunctionLoss(squared, gradient=lambda y, f: 2 * (y - f))
    with pytest.raises(ValueError, match=r"gradient given with squared is not its derivative.*it is .*differences"):
        LossRegressor(wrong).fit(X, y)


# ------------------------------------------------------------------------------------------------- what is refused
def _nan_for_small(y, f):
    return np.where(y < 0, np.nan, np.abs(y - f))


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (mean_absolute_error, ValueError, r"mean_absolute_error must return .* shape .* it returned one number"),
        (lambda y, f: np.abs(y - f)[:3], ValueError, r"it returned shape \(3,\)"),
        (
            lambda y, f: np.abs(y[:, None] - f),
            ValueError,
            r"of shape \(\d+,\); it returned shape \(\d+, \d+\)",
        ),
        (_nan_for_small, ValueError, r"holds no NaN; it is NaN for \d+ of \d+ samples, the first with y_true = -.*row"),
        (lambda y, f: np.abs(y - f) - np.abs(y - f).mean(), ValueError, r"loss of each sample by itself"),
        (lambda estimator, X, y: 0.0, ValueError, r"must take two arguments, .*; it takes \(estimator, X, y\)"),
        (lambda residual: residual**2, ValueError, r"must take two arguments, .*; it takes \(residual\)"),
        (np.abs, ValueError, "read-only"),  # a second argument is where NumPy writes the result
        (Huber, TypeError, r"loss=Huber is a class; pass an instance, loss=Huber\(\.\.\.\)"),
    ],
)
def test_what_is_no_loss_of_samples_is_refused_with_what_was_expected(function, error, message):
    X, y = regression_data()
    with pytest.raises(error, match=message):
        LossRegressor(function).fit(X, y)


def test_a_metric_is_refused_as_a_scorer_too():
    with pytest.raises(ValueError, match="it returned one number"):
        average_loss([1.0, 2.0], [1.0, 1.0], loss=mean_absolute_error)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [({"convex": "yes"}, "'convex' parameter"), ({"response_method": "predict_proba"}, "'response_method' parameter")],
)
def test_parameters_out_of_range_are_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        FunctionLoss(percentage, **parameters).check()


# ----------------------------------------------------------------------------------------- scikit-learn's ways
def test_it_clones_copies_and_pickles():
    loss = FunctionLoss(percentage, gradient=None, convex=True)
    for again in (clone(loss), copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert again.get_params() == loss.get_params()
    given = FunctionLoss(squared, gradient=huber)
    assert clone(given).get_params()["gradient"] is huber
    assert given.set_params(gradient=None).get_params()["gradient"] is None
    assert pickle.loads(pickle.dumps(FunctionLoss(partial(np.multiply, 2)))).function.args == (2,)
    assert pickle.loads(pickle.dumps(FunctionLoss(Huber(2.0).loss))).function(np.ones(1), np.zeros(1)) == 0.5


def test_a_lambda_says_what_to_do_when_it_is_pickled():
    loss = FunctionLoss(lambda y, f: np.abs(y - f))
    assert copy.deepcopy(loss).function is loss.function
    with pytest.raises(pickle.PicklingError, match=r"lambda.* define it with def at the top level of a module"):
        pickle.dumps(LossRegressor(loss))


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_functions_are_searched_over_and_scored_by(n_jobs):
    X, y = regression_data(positive=True, zero=False)
    grid = {"loss": [percentage, three_for_over, "squared_error", lambda y, f: np.abs(y - f)]}
    search = GridSearchCV(LossRegressor(), grid, scoring=loss_scorer(percentage), n_jobs=n_jobs).fit(X, y)
    assert search.best_params_["loss"] is percentage
    scores = cross_val_score(LossRegressor(), X, y, scoring=loss_scorer(percentage))
    np.testing.assert_allclose(scores, cross_val_score(LossRegressor(), X, y, scoring=loss_scorer("mape")), rtol=1e-14)
    assert list(loss_scorers(percentage, "mae", percentage)) == ["percentage", "absolute_error", "percentage_2"]


def test_a_function_is_a_metric():
    assert average_loss([1.0, 2.0], [2.0, 3.0], loss=percentage) == 0.75
    assert FunctionLoss(percentage)([1.0, 2.0], [2.0, 3.0], sample_weight=[1, 0]) == 1.0
    loss = FunctionLoss(hinge, response_method="decision_function")
    assert average_loss(["no", "yes"], [-2.0, 0.5], loss=loss) == 0.25


def test_warnings_of_the_function_do_not_reach_the_user():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert FunctionLoss(lambda y, f: np.exp(f)).loss(np.zeros(1), np.array([1e4]))[0] == np.inf
