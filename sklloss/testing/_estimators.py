"""Checks of a loss in use: a fit of the linear model, and a search over its parameters."""

import warnings
from functools import partial

import numpy as np
from scipy import special
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

from .._objective import LinearObjective
from ..linear_model import LossClassifier, LossRegressor
from ..losses._base import encode_classes
from ..metrics import loss_scorer
from ..solvers import get_solver
from ._machinery import check, compare, require
from ._probes import through_pickle
from ._samples import N_CLASSES, N_ROWS

__all__ = ["check_fit", "check_search"]

ALPHA = 1e-2


def _problems(loss):
    """Small problems (estimator, X, y, target, loss for its labels) that the linear model has a solver for."""
    rng = np.random.default_rng(11)
    X = rng.uniform(-1, 1, size=(N_ROWS, 2))
    signal = X @ [1.0, -0.5]
    if loss.response_method == "predict":
        y = _linear_targets(loss, signal, rng)
        if _has_solver(X, y, loss, 1):
            yield LossRegressor(loss, alpha=ALPHA), X, y, y, loss
        return
    for K in (2, N_CLASSES) if loss.n_classes is None else (loss.n_classes,):
        y = np.argmax(np.outer(signal, np.linspace(-2, 2, K)) + rng.gumbel(size=(N_ROWS, K)), axis=1)
        bound = loss.bind(np.arange(K))
        target = encode_classes(y, K, bound)
        if _has_solver(X, target, bound, K if K > 2 else 1):
            yield LossClassifier(loss, alpha=ALPHA), X, y, target, bound


def _has_solver(X, target, loss, n_outputs):
    """Whether a loss can be fitted; one of several classes whose kinks are not known is a metric only."""
    try:
        get_solver("auto", LinearObjective(X, target, loss, n_outputs=n_outputs))
    except ValueError:
        return False
    return True


def _linear_targets(loss, signal, rng):
    """Targets around a signal, in the domain of a loss, and away from its lower end where a line has to be."""
    low = max(loss.interval_y_true.low, loss.interval_y_pred.low, 0.0 if loss.positive_only else -np.inf)
    high = loss.interval_y_true.high
    if low == -np.inf:
        return 2 * signal + rng.standard_t(3, N_ROWS)
    if high == np.inf:
        return low + np.exp(0.3 * signal) * rng.gamma(4.0, 0.5, N_ROWS)
    return low + (high - low) * special.expit(signal + rng.normal(size=N_ROWS))


@check
def check_fit(loss):
    """The linear model converges, silently unless the loss is not convex, to what no small step improves."""
    rng = np.random.default_rng(12)
    for model, X, y, target, bound in _problems(loss):
        if loss.standardized:
            model.set_params(scale=None)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            model.fit(X, y)
        solution, allowed, messages = model.solution_, 0 if loss.convex else 1, [str(w.message) for w in seen]
        where = {"solver": solution.solver, "certificate": solution.certificate}
        ok = len(seen) <= allowed and all(issubclass(w.category, ConvergenceWarning) for w in seen)
        require(ok, "a fit converges without a warning", messages, f"at most {allowed}", **where)
        require(solution.converged == (not seen), "a fit warns if its certificate fails", messages, "one", **where)
        if not loss.elementwise:
            continue
        objective = partial(_objective, bound, X, target)
        found = np.column_stack([np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)])
        value = objective(found)
        compare("the value of a fit is its objective", solution.value, value, 1e-9, **where)
        for size in (1e-3, 0.1, 1.0) if loss.convex else (1e-3,):
            for _ in range(8):
                moved = found + size * rng.normal(size=found.shape)
                other = objective(moved)
                ok = value <= other + 1e-6 * (1 + value)
                require(ok, "no step improves a fit", value, f"<= {other}", **where, coefficients=found, better=moved)


def _objective(loss, X, target, params):
    """Mean loss + ALPHA / 2 * ||coef||**2 of a linear model with params (K, p + 1), the intercepts last."""
    raw = X @ params[:, :-1].T + params[:, -1]
    rows = loss.loss(target, raw[:, 0] if raw.shape[1] == 1 else raw)
    return loss.mean(target, rows, np.ones(N_ROWS)) + ALPHA / 2 * (params[:, :-1] ** 2).sum()


@check
def check_search(loss):
    """A search over alpha, scored by the loss, runs, and what it finds predicts the same after a pickle."""
    for model, X, y, *_ in _problems(loss):
        search = GridSearchCV(model, {"alpha": [1e-2, 1.0]}, scoring=loss_scorer(loss), cv=2, error_score="raise")
        with warnings.catch_warnings():
            if not loss.convex:
                warnings.simplefilter("ignore", ConvergenceWarning)
            search.fit(X, y)
        scores = search.cv_results_["mean_test_score"]
        require(np.isfinite(scores) & (scores <= 0), "a score is minus the loss", scores, "<= 0")
        got, expected = through_pickle(search.best_estimator_).predict(X), search.predict(X)
        require(got == expected, "a model predicts the same after a pickle", got, expected)
