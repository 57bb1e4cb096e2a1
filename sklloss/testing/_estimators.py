"""Checks of a loss in use: a fit of the linear model, and a search over its parameters."""

import warnings
from functools import partial

import numpy as np
from scipy import special
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

from .._objective import LinearObjective
from ..linear_model import LossClassifier, LossRegressor
from ..losses._base import encode_classes
from ..metrics import loss_scorer
from ..solvers import get_solver
from ._machinery import check, compare, require
from ._probes import has_least_value, through_pickle
from ._samples import N_ROWS, SAMPLE_SET, class_counts, n_outputs, with_blanks

__all__ = ["check_fit", "check_search"]

ALPHA = 1e-2


def _problems(loss):
    """Small problems (estimator, X, y, target, loss for its labels and sets) that the linear model has a solver for."""
    rng = np.random.default_rng(11)
    X = rng.uniform(-1, 1, size=(N_ROWS, 2))
    signal = X @ [1.0, -0.5]
    if loss.response_method == "predict":
        y, bound, M = _linear_targets(loss, signal, rng), _of_sample(loss), 1
        if loss.coupled:
            M = n_outputs(loss)
            y = np.column_stack([y * np.cos(k) + rng.normal(size=N_ROWS) for k in range(M)])
        if _has_solver(X, y, bound, M):
            yield LossRegressor(loss, alpha=ALPHA), X, y, y, bound
        return
    for K in class_counts(loss):
        y = np.argmax(np.outer(signal, np.linspace(-2, 2, K)) + rng.gumbel(size=(N_ROWS, K)), axis=1)
        y, bound = with_blanks(loss, y), _of_sample(loss.bind(np.arange(K)))
        target = encode_classes(y, K, bound)
        if _has_solver(X, target, bound, K if K > 2 else 1):
            yield LossClassifier(loss, alpha=ALPHA), X, y, target, bound


def _of_sample(loss):
    """The loss of the sets of a sample, if it is one of sets."""
    return loss if loss.elementwise else loss.of_sets(loss.sets(SAMPLE_SET, N_ROWS))


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
            model.fit(X, y, sample_set=SAMPLE_SET)
        solution, allowed, messages = model.solution_, 0 if loss.convex else 1, [str(w.message) for w in seen]
        where = {"solver": solution.solver, "certificate": solution.certificate}
        ok = len(seen) <= allowed and all(issubclass(w.category, ConvergenceWarning) for w in seen)
        require(ok, "a fit converges without a warning", messages, f"at most {allowed}", **where)
        require(solution.converged == (not seen), "a fit warns if its certificate fails", messages, "one", **where)
        objective = partial(_objective, bound, X, target)
        found = np.column_stack([np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)])
        value = objective(found)
        compare("the value of a fit is its objective", solution.value, value, 1e-9, **where)
        for size in (1e-3, 0.1, 1.0) if loss.convex else (1e-3,):
            for _ in range(8):
                moved = found + size * rng.normal(size=found.shape)
                other = objective(moved)
                ok = value <= other + 1e-6 * (1 + abs(value))
                require(ok, "no step improves a fit", value, f"<= {other}", **where, coefficients=found, better=moved)


def _objective(loss, X, target, params):
    """Mean loss + ALPHA / 2 * ||coef||**2 of a linear model with params (K, p + 1), the intercepts last."""
    raw = X @ params[:, :-1].T + params[:, -1]
    raw = raw[:, 0] if raw.shape[1] == 1 else raw
    if loss.elementwise:
        average = loss.mean(target, loss.loss(target, raw), np.ones(N_ROWS))
    else:
        average = loss.value_gradient(target, raw, np.full(N_ROWS, 1 / N_ROWS))[0]
    return average + ALPHA / 2 * (params[:, :-1] ** 2).sum()


@check
def check_search(loss):
    """A search over alpha, scored by the loss, runs, and what it finds predicts the same after a pickle.

    To a loss of sets their labels are routed.
    """
    of_sets, positive = not loss.elementwise, has_least_value(loss)
    given = {"sample_set": SAMPLE_SET} if of_sets else {}
    for model, X, y, *_ in _problems(loss):
        with warnings.catch_warnings(), config_context(enable_metadata_routing=of_sets):
            if not loss.convex:
                warnings.simplefilter("ignore", ConvergenceWarning)
            scorer = loss_scorer(loss)
            if of_sets:
                model.set_fit_request(sample_set=True)
                scorer.set_score_request(sample_set=True)
            search = GridSearchCV(model, {"alpha": [1e-2, 1.0]}, scoring=scorer, cv=2, error_score="raise")
            search.fit(X, y, **given)
        scores = search.cv_results_["mean_test_score"]
        ok = np.isfinite(scores) & (scores <= 0 if positive else True)
        require(ok, "a score is minus the loss", scores, "<= 0")
        got, expected = through_pickle(search.best_estimator_).predict(X), search.predict(X)
        require(got == expected, "a model predicts the same after a pickle", got, expected)
