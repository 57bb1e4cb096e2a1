"""What goes wrong in daily use: wrong parameters, solvers, shapes, refits; and what a failed fit leaves behind."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning, UndefinedMetricWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklloss import (
    LossClassifier,
    LossRegressor,
    LossRegressorCV,
    compare_losses,
    d2_loss_score,
    get_loss,
    loss_scorer,
)
from sklloss.losses import AbsoluteError, SquaredError
from sklloss.metrics import d2_loss_scorer

from .common import CLASSIFICATION, REGRESSION, classification_data, data_for, does_not_warn, regression_data
from .test_penalties import estimator_for

every_loss = pytest.mark.parametrize("name", REGRESSION + CLASSIFICATION)
KINKS = {  # the other penalties have tests elsewhere
    "l1": {"penalty": "l1", "alpha": 0.05},
    "elastic net within bounds": {"penalty": "elasticnet", "alpha": 0.05, "bounds": (-1, 0.5)},
    "bounds": {"penalty": None, "bounds": (0, None)},
}


def fit_or_be_told(model, X, y):
    """Fit; the result is finite and certified, or a ConvergenceWarning, and no other warning, says it is not."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    assert {each.category for each in caught} <= {ConvergenceWarning}, [str(each.message) for each in caught]
    assert np.isfinite(model.coef_).all()
    assert np.isfinite(model.intercept_).all()
    assert model.solution_.converged != bool(caught)
    assert model.solution_.converged != model.solution_.certificate.startswith("not")
    return model


# ----------------------------------------------------------------------------------------------------------- warnings
SHORT = {"max_iter": 1, "tol": 1e-12}
D2 = d2_loss_scorer("squared_error")


@pytest.mark.parametrize(
    ("category", "call"),
    [
        (ConvergenceWarning, lambda X, y: LossRegressor("cauchy", **SHORT).fit(X, y)),
        (ConvergenceWarning, lambda X, y: LossClassifier(**SHORT).fit(X, y > 0)),
        (ConvergenceWarning, lambda X, y: LossRegressorCV("poisson", alphas=[0.1], **SHORT).fit(X, np.abs(y))),
        (ConvergenceWarning, lambda X, y: make_pipeline(StandardScaler(), LossRegressor("cauchy", **SHORT)).fit(X, y)),
        (ConvergenceWarning, lambda X, y: GridSearchCV(LossRegressor("cauchy", **SHORT), {"alpha": [1]}).fit(X, y)),
        (UndefinedMetricWarning, lambda X, y: d2_loss_score(y[:1], y[:1], loss="mse")),
        (UndefinedMetricWarning, lambda X, y: cross_val_score(LossRegressor(), X, y, cv=80, scoring=D2)),
        (UserWarning, lambda X, y: loss_scorer("log_loss")(LossClassifier().fit(X, y > 0), X, np.sign(y) + (y > 2))),
        (FitFailedWarning, lambda X, y: compare_losses(X, y, ["huber", "poisson"], param_grid={}, cv=2)),
    ],
)  # fmt: skip
def test_a_warning_points_at_the_line_of_the_user(category, call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call(*regression_data())
    assert caught
    assert {(each.category, each.filename, each.lineno) for each in caught} == {
        (category, __file__, call.__code__.co_firstlineno)
    }


# --------------------------------------------------------------------------------------------------------- parameters
@pytest.mark.parametrize(
    ("model", "parameter", "whose", "valid"),
    [
        (LossRegressor("absolute_error"), "loss__delta", "AbsoluteError", []),
        (LossRegressor("pinball"), "loss__delta", "Pinball", ["quantile"]),
        (LossRegressor("poisson"), "loss__power", "Poisson", []),
        (LossClassifier("hinge"), "loss__gamma", "Hinge", []),
        (LossClassifier("focal"), "loss__quantile", "Focal", ["alpha", "gamma"]),
        (LossRegressor(penalty="l1"), "penalty__l1_ratio", "L1", ["weights"]),
        (LossRegressor(penalty="elasticnet"), "penalty__ratio", "ElasticNet", ["l1_ratio", "weights"]),
    ],
    ids=str,
)
def test_a_parameter_that_a_loss_or_penalty_does_not_have_is_refused_with_those_it_has(model, parameter, whose, valid):
    name = parameter.partition("__")[2]
    message = (
        rf"Invalid parameter '{name}' for estimator {whose}\(.*\)\. Valid parameters are: {re.escape(repr(valid))}"
    )
    with pytest.raises(ValueError, match=message):
        model.set_params(**{parameter: 2.0})
    with pytest.raises(ValueError, match=message):
        GridSearchCV(model, {parameter: [2.0]}, error_score="raise").fit(*classification_data())


def test_a_parameter_of_the_estimator_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="Invalid parameter 'los' for estimator LossRegressor"):
        LossRegressor().set_params(los="huber")
    with pytest.raises(ValueError, match="Unknown loss 'hubber'"):
        LossRegressor("hubber").set_params(loss__delta=2.0)
    with pytest.raises(ValueError, match="Unknown penalty 'lasso'"):
        LossRegressor(penalty="lasso").set_params(penalty__weights=[1.0])


@pytest.mark.parametrize("penalty", [None, "none"])
def test_a_parameter_of_no_penalty_is_refused_by_name(penalty):
    with pytest.raises(ValueError, match="l1_ratio"):
        LossRegressor(penalty=penalty).set_params(penalty__l1_ratio=0.5)


def test_a_parameter_of_a_plain_function_is_refused_by_name():
    with pytest.raises(ValueError, match="delta"):
        LossRegressor(lambda y, f: (y - f) ** 2).set_params(loss__delta=2.0)


# ------------------------------------------------------------------------------------------------------------- solvers
CANNOT = [
    (LossRegressor("huber", solver="least_squares"), r"needs a quadratic objective, and Huber\(\) is not quadratic"),
    (LossRegressor("huber", solver="kinks"), r"declares its kinks as relu, and Huber\(\) does not"),
    (LossRegressor(penalty="l1", solver="least_squares"), r"the penalty L1\(\) is not smooth"),
    (LossRegressor("huber", penalty="elasticnet", solver="lbfgs"), r"the penalty ElasticNet\(\) is not smooth"),
    (LossRegressor("huber", bounds=(0, None), solver="newton"), "bounds"),
    (LossRegressor("pinball", solver="lbfgs"), r"the loss Pinball\(\) is not smooth"),
    (LossRegressor("pinball", solver="proximal_newton"), r"smooth but for kinks, and Pinball\(\) is not"),
    (LossRegressor("tukey", solver="newton"), r"needs a convex loss, and Tukey\(\) is not convex"),
    (LossRegressor(SquaredError() + AbsoluteError(), solver="kinks"), "declares its kinks as relu"),
    (LossClassifier("hinge", solver="trust-exact"), r"the loss Hinge\(\) is not smooth"),
    (LossClassifier("ramp", solver="newton"), r"the loss Ramp\(\) is not smooth"),
    (LossClassifier("crammer_singer", solver="lbfgs"), r"the loss CrammerSinger\(\) is not smooth"),
    (LossClassifier("log_loss", solver="proximal_newton"), "is for objectives with kinks, and this one is smooth"),
]


@pytest.mark.parametrize(("model", "reason"), CANNOT, ids=[f"{each.solver}, {reason}" for each, reason in CANNOT])
def test_a_solver_that_cannot_solve_says_why_and_which_can(model, reason):
    X, y = classification_data() if isinstance(model, LossClassifier) else regression_data()
    with pytest.raises(ValueError, match=f"cannot minimise this objective: .*{reason}") as error:
        model.fit(X, y)
    able = re.search(r"Use solver='auto' or one of \[(.*)\]\.", str(error.value)).group(1)
    for solver in ["auto", *re.findall(r"'(\w+)'", able)]:
        with does_not_warn():
            model.set_params(solver=solver).fit(X, y)
        assert model.solution_.converged, solver


def test_a_callable_solver_that_returns_nothing_is_told_what_to_return():
    with pytest.raises((TypeError, ValueError), match="OptimizeResult"):
        LossRegressor("huber", solver=lambda fun, x0, **options: None).fit(*regression_data())


# ----------------------------------------------------------------------------------------------------- difficult data
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", CLASSIFICATION)
def test_separable_classes_without_a_penalty_end_in_a_finite_fit(name, n_classes):
    y = np.repeat(np.arange(n_classes), 12)
    X = 8 * np.eye(3)[y] + np.random.default_rng(0).normal(size=(len(y), 3))
    model = fit_or_be_told(LossClassifier(name, penalty=None), X, y)
    if not get_loss(name).poor_score:
        assert model.score(X, y) == 1.0


SHAPES = {
    "constant column": lambda X: np.column_stack([X, np.full(len(X), 7.0)]),
    "columns of zeros": lambda X: 0 * X,
    "duplicate columns": lambda X: np.column_stack([X, X[:, :2]]),
    "more columns than rows": lambda X: np.random.default_rng(0).normal(size=(len(X), 2 * len(X))),
    "one column": lambda X: X[:, :1],
    "two rows": lambda X: X[:2],
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kinks", KINKS)
@every_loss
def test_difficult_shapes_with_kinks_in_the_penalty_end_in_a_finite_fit(name, kinks, shape):
    X, y = data_for(name, n=24)
    if name in CLASSIFICATION:
        y = np.arange(24) // 2 % 2 if shape == "columns of zeros" else y
        y[:2] = 0, 1  # two rows are two classes
    X = SHAPES[shape](X)
    model = fit_or_be_told(estimator_for(name, **KINKS[kinks]), X, y[: len(X)])
    assert np.all(np.ravel(model.coef_)[np.ptp(X, axis=0) == 0] == 0)


@pytest.mark.parametrize("kinks", KINKS)
@pytest.mark.parametrize("name", REGRESSION)
def test_a_single_row_and_a_constant_target_are_fitted_by_a_constant(name, kinks):
    X, y = data_for(name, n=24)
    for rows, target in ((slice(1), y[:1] + 1), (slice(None), np.full(24, 3.0))):
        model = fit_or_be_told(estimator_for(name, **KINKS[kinks]), X[rows], target)
        # A tube of width epsilon around the target costs nothing: any constant within it will do.
        np.testing.assert_allclose(model.predict(X[rows]), target, atol=1e-6 + getattr(model.loss_, "epsilon", 0))
        assert np.abs(model.coef_).max() <= 1e-6


@pytest.mark.parametrize("factor", [1e-10, 1e10])
@pytest.mark.parametrize("penalty", ["l2", "l1", None])
@pytest.mark.parametrize("name", REGRESSION)
def test_a_target_far_from_the_unit_of_the_loss_ends_in_a_finite_fit(name, penalty, factor):
    X, y = data_for(name, n=24)
    fit_or_be_told(estimator_for(name, penalty=penalty), X, factor * y)


@every_loss
def test_a_fit_without_coefficients_says_so(name):
    X, y = data_for(name)
    model = estimator_for(name, penalty="l1", alpha=1e6).fit(X, y)
    assert np.all(model.coef_ == 0)
    assert "all coefficients are zero" in model.solution_.message
    if not getattr(get_loss(name), "poor_score", False):
        assert "all coefficients are zero" not in model.set_params(alpha=1e-4).fit(X, y).solution_.message


# --------------------------------------------------------------------------------------------- refits and failed fits
FITTED = (
    *("coef_", "intercept_", "n_iter_", "n_features_in_", "feature_names_in_"),
    *("classes_", "loss_", "scale_", "solution_"),
)
FRAME = pd.DataFrame(regression_data()[0], columns=["a", "b", "c", "d"])


def fitted_attributes(model):
    return {name: getattr(model, name) for name in FITTED if hasattr(model, name)}


def assert_as_fresh(model, fresh):
    ours, expected = fitted_attributes(model), fitted_attributes(fresh)
    assert ours.keys() == expected.keys()
    for name in ("coef_", "intercept_", "classes_", "scale_", "n_iter_", "n_features_in_"):
        np.testing.assert_array_equal(ours.get(name), expected.get(name))
    assert repr(ours["loss_"]) == repr(expected["loss_"])
    assert ours["solution_"].value == expected["solution_"].value


def test_a_refit_with_other_parameters_or_data_equals_a_fresh_fit():
    X, y = regression_data()
    model = LossRegressor("huber").fit(FRAME, np.column_stack([y, -y]))
    model.set_params(loss="pinball", loss__quantile=0.9, penalty="l1", alpha=0.01).fit(X[:, :3], y)
    assert not hasattr(model, "feature_names_in_")
    fresh = LossRegressor("pinball", "l1", alpha=0.01).set_params(loss__quantile=0.9).fit(X[:, :3], y)
    assert_as_fresh(model, fresh)
    model.set_params(loss__quantile=0.5, penalty="elasticnet", penalty__l1_ratio=0.2, bounds=(0, None)).fit(X, y)
    fresh = LossRegressor("pinball", "elasticnet", alpha=0.01, bounds=(0, None)).set_params(penalty__l1_ratio=0.2)
    assert_as_fresh(model, fresh.fit(X, y))
    X, y = classification_data(n_classes=3)
    classifier = LossClassifier("log_loss").fit(X, y)
    classifier.set_params(loss="hinge", class_weight="balanced").fit(X, y == 0)
    assert_as_fresh(classifier, LossClassifier("hinge", class_weight="balanced").fit(X, y == 0))


NAN = FRAME.mask(FRAME["a"] > 1)
OTHER = FRAME.rename(columns={"a": "z"})[["z", "b"]]  # other names, other width: noted before most errors
FAILURES = {  # parameters, X, what else fit gets instead of the right y, and the error
    "alpha": ({"alpha": -1.0}, OTHER, {}, "alpha"),
    "loss": ({"loss": "nonsense"}, OTHER, {}, "Unknown loss"),
    "penalty": ({"penalty": "l3"}, OTHER, {}, "Unknown penalty"),
    "bounds": ({"bounds": ({"a": 0}, None)}, OTHER, {}, "name features that X does not have"),
    "crossed bounds": ({"bounds": (1, 0)}, OTHER, {}, "bounds cross"),
    "weights of the penalty": ({"penalty": "l1", "penalty__weights": [1.0]}, OTHER, {}, "weights of L1"),
    "solver": ({"penalty": "l1", "solver": "newton"}, OTHER, {}, "cannot minimise"),
    "missing values": ({}, NAN, {}, "contains NaN"),
    "length of y": ({}, OTHER, {"y": np.arange(79) % 2}, "inconsistent numbers of samples"),
    "weights": ({}, OTHER, {"sample_weight": -np.ones(80)}, "Negative values"),
}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("model", [LossRegressor("huber"), LossClassifier("hinge")], ids=repr)
def test_a_fit_that_raises_leaves_the_fitted_model_as_it_was(model, failure):
    y = regression_data()[1] if isinstance(model, LossRegressor) else np.arange(80) % 2
    model = type(model)(model.loss).fit(FRAME, y)
    before, predicted = vars(model).copy(), model.predict(FRAME)
    params, X, instead, message = FAILURES[failure]
    model.set_params(**params)
    with pytest.raises(ValueError, match=message):
        model.fit(X, **{"y": y, **instead})
    assert vars(model).keys() == before.keys()
    for name in set(before) - set(model.get_params(deep=False)):
        assert vars(model)[name] is before[name], name
    np.testing.assert_array_equal(model.predict(FRAME), predicted)


def test_an_interrupted_fit_leaves_the_fitted_model_as_it_was():
    def interrupt(fun, x0, **options):
        raise KeyboardInterrupt

    model = LossRegressor("huber").fit(FRAME, regression_data()[1])
    coef = model.coef_
    with pytest.raises(KeyboardInterrupt):
        model.set_params(solver=interrupt).fit(OTHER, regression_data()[1])
    assert model.coef_ is coef
    assert model.feature_names_in_.tolist() == ["a", "b", "c", "d"]


def test_targets_that_do_not_fit_leave_the_fitted_model_as_it_was():
    counts = LossRegressor("poisson").fit(FRAME, np.arange(80.0))
    one_class = LossClassifier().fit(FRAME, np.arange(80) % 3)
    for model, y, message in (
        (counts, np.full(80, -1.0), "y_true must be in"),
        (counts, np.full(80, np.inf), "infinity"),
        (counts, np.ones((80, 2)), "1d array"),
        (one_class, np.ones(80), "only one class"),
        (one_class, np.linspace(0, 1, 80), "Unknown label type"),
    ):
        before = vars(model).copy()
        with pytest.raises(ValueError, match=message):
            model.fit(OTHER, y)
        assert vars(model).keys() == before.keys()
        assert all(vars(model)[name] is value for name, value in before.items())


def test_a_first_fit_that_raises_leaves_no_fitted_model():
    model = LossRegressor(alpha=-1.0)
    with pytest.raises(ValueError, match="alpha"):
        model.fit(FRAME, np.arange(80.0))
    assert fitted_attributes(model) == {}


# ---------------------------------------------------------------------------------------------------------- warm start
@pytest.mark.parametrize("penalty", ["l2", "l1", None])
@every_loss
def test_a_warm_start_reaches_the_same_optimum_in_no_more_iterations(name, penalty):
    X, y = data_for(name, n=60)
    model = estimator_for(name, penalty=penalty, alpha=0.02, warm_start=True).fit(X, y)
    cold, n_iter = model.solution_.value, model.n_iter_
    # An interior point starts in the middle of its box all the same: an iteration more or less is chance.
    slack = model.solution_.solver in ("kinks", "epigraph")
    assert model.fit(X, y).n_iter_ <= n_iter + slack
    # No worse than tol, and better only where there are several minima or tol left something.
    assert model.solution_.value <= cold + 1e-6 * max(1.0, abs(cold))
    if get_loss(name).convex:
        other = model.set_params(alpha=0.03).fit(X, y).solution_.value
        fresh = estimator_for(name, penalty=penalty, alpha=0.03).fit(X, y).solution_.value
        assert other == pytest.approx(fresh, rel=2e-6, abs=1e-9)


def test_a_warm_start_from_another_shape_is_a_cold_one():
    X, y = regression_data()
    model = LossRegressor("huber", warm_start=True).fit(X[:, :3], np.column_stack([y, -y]))
    three = np.column_stack([y, -y, y**2])  # three outputs of two features are six coefficients again
    fresh = LossRegressor("huber").fit(X[:, :2], three)
    np.testing.assert_allclose(model.fit(X[:, :2], three).coef_, fresh.coef_, rtol=1e-9)
    X, y = classification_data(n_classes=3)
    classifier = LossClassifier("squared_hinge", warm_start=True).fit(np.hstack([X, X**2])[:, :6], y > 0)
    fresh = LossClassifier("squared_hinge").fit(X[:, :2], y)
    np.testing.assert_allclose(classifier.fit(X[:, :2], y).coef_, fresh.coef_, rtol=1e-9)
