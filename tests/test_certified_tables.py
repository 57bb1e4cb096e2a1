"""Fits against certified and published tables; data, numbers and the source of each stand in certified.json.

NIST counts agreement by the log relative error, the number of correct digits of the worst coefficient.  Double
precision has 15.9; those that a stable method may lose are the digits of the condition number of the centred columns
of norm 1 and, where the residuals are large, of that number once more, times residuals over fit.
"""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

from sklloss import LossClassifier, LossRegressor
from sklloss.losses import Huber, LogCosh, Pinball, PseudoHuber, Tukey

TABLES = json.loads((Path(__file__).parent / "certified.json").read_text(encoding="utf-8"))
DIGITS = {  # condition number of the centred columns, what is large, the digits that remain
    "norris": 12,  # 1; the intercept is the difference of 500 and 500
    "pontius": 11,  # 8; the slope of the square, of which 3 digits are left by the linear term
    "noint1": 14,  # 1
    "noint2": 14,  # 1
    "longley": 12,  # 1e2, after 4e4 before the columns are centred
    "filip": 6,  # 4e9, by the singular values of the rows: the normal equations would have none
    "wampler1": 9,  # 2e3; the coefficient of x counts for 1e-6 of the fit, and that of a constant for less
    "wampler2": 12,  # 2e3
    "wampler3": 8,  # 2e3; residuals 1e-3 of the fit, for which the condition number counts twice
    "wampler4": 6,  # 2e3; residuals of 1/5 of the fit
    "wampler5": 4,  # 2e3; residuals 20 times the fit
}


def test_least_squares_of_every_table_is_checked():
    assert {f"nist_strd_{name}" for name in DIGITS} == {name for name in TABLES if name.startswith("nist")}


@pytest.mark.parametrize("name", DIGITS)
def test_least_squares_agree_with_the_digits_that_nist_certifies(name):
    table = TABLES[f"nist_strd_{name}"]
    (y, *x), certified = np.array(table["data"], dtype=float).T, np.array(table["coef"])
    through_zero = "no intercept" in table["model"]
    degree = len(certified) if through_zero else len(certified) - 1
    X = np.column_stack(x if len(x) > 1 else [x[0] ** k for k in range(1, degree + 1)])
    model = LossRegressor(penalty=None, fit_intercept=not through_zero).fit(X, y)
    coef = model.coef_ if through_zero else [model.intercept_, *model.coef_]
    assert digits(coef, certified) >= DIGITS[name]
    residual_sd = np.sqrt(np.sum((y - model.predict(X)) ** 2) / (len(y) - len(certified)))
    # A residual is y less the terms of a prediction, and known to the rounding of the largest of them.
    terms = np.abs(y).max() + np.abs(model.coef_) @ np.abs(X).max(axis=0)
    assert residual_sd == pytest.approx(table["residual_sd"], rel=1e-14, abs=16 * np.finfo(float).eps * terms)


def test_least_squares_of_the_diabetes_data():
    model = LossRegressor(penalty=None).fit(*load_diabetes(return_X_y=True))
    np.testing.assert_allclose([model.intercept_, *model.coef_], TABLES["diabetes_ols"]["coef"], rtol=1e-11)


def stackloss(without=()):
    y, *X = np.delete(TABLES["stackloss"]["data"], without, axis=0).T.astype(float)
    return np.column_stack(X), y


def params(model):
    return np.array([model.intercept_, *model.coef_])


def test_least_absolute_deviations_of_the_stackloss_data_with_and_without_single_rows():
    table = TABLES["stackloss_lad"]
    for without, expected in {"": table["coef"], **table["leave_one_out"]}.items():
        model = LossRegressor("absolute_error", penalty=None).fit(*stackloss([int(without) - 1] if without else ()))
        np.testing.assert_allclose(params(model), expected, rtol=0, atol=1e-7)  # 7 or 8 decimals printed


def test_a_quantile_of_the_stackloss_data_is_the_vertex_in_rational_numbers():
    table = TABLES["stackloss_quantile_0.25"]
    X, y = stackloss()
    model = LossRegressor(Pinball(0.25), penalty=None).fit(X, y)
    np.testing.assert_allclose(params(model), [float(Fraction(c)) for c in table["coef_exact"]], atol=1e-13)
    assert len(y) * model.solution_.value == pytest.approx(float(Fraction(table["objective_exact"])), rel=1e-14)


@pytest.mark.parametrize("quantile", TABLES["engel_quantiles"]["coef"])
def test_quantiles_of_the_engel_data(quantile):
    income, expenditure = np.transpose(TABLES["engel"]["data"])
    model = LossRegressor(Pinball(float(quantile)), penalty=None).fit(income[:, None], expenditure)
    expected = TABLES["engel_quantiles"]["coef"][quantile]
    np.testing.assert_allclose(params(model), expected, rtol=0, atol=6e-6)  # 5 decimals printed


def test_a_median_with_many_solutions_is_one_of_them_and_a_penalty_chooses():
    X, y = (TABLES["sklearn_quantile_toy"][key] for key in ("X", "y"))
    any_of_them = LossRegressor("absolute_error", penalty=None).fit(X, y)
    assert any_of_them.solution_.value == pytest.approx(3.0, rel=1e-14)
    assert any_of_them.intercept_ == pytest.approx(1.0)
    assert 1 <= any_of_them.coef_[0] <= 10
    least = LossRegressor("absolute_error", penalty="l1", alpha=0.01).fit(X, y)
    np.testing.assert_allclose(params(least), [1.0, 1.0], rtol=1e-12)


M_ESTIMATES = {
    "huber_delta1": Huber(1.0),
    "huber_delta1.345": Huber(1.345),
    "huber_delta3": Huber(3.0),
    "pseudo_huber_delta1": PseudoHuber(1.0),
    "log_cosh": LogCosh(),
}


@pytest.mark.parametrize("name", TABLES["stackloss_m_estimates"]["results"])
def test_m_estimates_of_the_stackloss_data_at_scale_one(name):
    expected = TABLES["stackloss_m_estimates"]["results"][name]
    X, y = stackloss()
    model = LossRegressor(M_ESTIMATES[name], penalty=None, scale=None).fit(X, y)
    # The gradient of the table is 3e-11 where it should be 0, and columns are up to 93 times a unit residual.
    np.testing.assert_allclose(params(model), expected["coef"], rtol=1e-9)
    assert len(y) * model.solution_.value == pytest.approx(expected["objective_sum"], rel=1e-13)


@pytest.mark.parametrize(("name", "loss"), [("huber", Huber(1.345)), ("bisquare", Tukey(4.685))])
def test_robust_regression_with_its_own_scale_agrees_with_rlm(name, loss):
    table = TABLES[f"stackloss_rlm_{name}"]
    model = LossRegressor(loss, penalty=None, scale="mad").fit(*stackloss())
    # R stops where a step changes the residuals by less than 1e-4.
    np.testing.assert_allclose([*model.coef_, model.intercept_], table["coef"], rtol=1e-4)
    assert model.scale_ == pytest.approx(table["scale"], rel=1e-4)


def test_logistic_regression_agrees_with_glmnet():
    table = TABLES["glmnet_logistic"]
    model = LossClassifier(alpha=1.0).fit(table["X"], table["y"])
    np.testing.assert_allclose(model.intercept_, [table["intercept"]], rtol=1e-5)
    np.testing.assert_allclose(model.coef_, [table["coef"]], rtol=1e-5)


def test_a_support_vector_machine_agrees_with_libsvm():
    table = TABLES["libsvm_toy_linear"]
    X, y = table["X"], table["y"]
    model = LossClassifier("hinge", alpha=1 / len(y)).fit(X, y)  # C = 1 for the sum of the losses
    np.testing.assert_allclose(model.coef_, [table["coef"]], rtol=1e-14)
    np.testing.assert_allclose(model.intercept_, [table["intercept"]], atol=1e-14)
    assert len(y) * model.solution_.value == pytest.approx(table["objective"], rel=1e-14)


def digits(values, certified):
    """Log relative error: correct digits of the worst of the values, at most 15 as in the tables."""
    return -np.log10(np.max(np.abs(np.subtract(values, certified)) / np.abs(certified), initial=1e-15))
