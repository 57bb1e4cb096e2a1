"""The only place that touches private or version-dependent names of scikit-learn."""

import sys
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.metrics._scorer import _BaseScorer, _Scorer
from sklearn.utils._param_validation import (
    Interval,
    InvalidParameterError,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils.parallel import _get_threadpool_controller
from sklearn.utils.validation import _check_sample_weight

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # before scikit-learn 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """What an estimator inherits where scikit-learn has no callbacks."""

    def with_callbacks(method):
        """The method itself."""
        return method


__all__ = [
    "ESTIMATOR_CLASSES",
    "CallbackSupportMixin",
    "FitTasks",
    "Interval",
    "InvalidParameterError",
    "LabelledScorer",
    "StrOptions",
    "called_by_scikit_learn",
    "check_parameters",
    "check_sample_weight",
    "is_scorer",
    "one_blas_thread",
    "scorer_function",
    "scorer_methods",
    "scorer_options",
    "scorer_sign",
    "users_level",
    "watched",
    "with_callbacks",
]


def check_parameters(constraints: dict[str, list[Any]], parameters: dict[str, Any], caller: str) -> None:
    """Raise scikit-learn's InvalidParameterError, a ValueError, for the first parameter out of its range."""
    validate_parameter_constraints(constraints, parameters, caller)


def check_sample_weight(sample_weight, X) -> np.ndarray:
    """Return float64 weights of shape (n_samples,), ones for None; a ValueError unless finite, >= 0, not all 0."""
    weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
    if np.any(weight < 0):
        row = int(np.argmax(weight < 0))
        raise ValueError(f"Negative values in data passed to `sample_weight`: row {row} has weight {weight[row]}.")
    if not np.any(weight > 0):
        raise ValueError("Sample weights must contain at least one non-zero number: all of sample_weight is zero.")
    with np.errstate(over="ignore"):
        if not np.isfinite(weight.sum()):
            raise ValueError(
                f"sample_weight is too large to be added up: its largest value is {weight.max()}. A common factor "
                "changes nothing; divide by it."
            )
    return weight


def one_blas_thread():
    """Context in which BLAS runs on one thread.

    NumPy and SciPy each bring a thread pool; in loops that alternate between the two on small matrices the pools
    fight for the cores, and two threads are several times slower than one.
    """
    return _get_threadpool_controller().limit(limits=1, user_api="blas")


class FitTasks:
    """The tasks of a fit, for the callbacks of an estimator: the fit itself, and in it each iteration.

    ``watched`` says whether there is a callback at all.
    """

    def __init__(self, estimator, X, y, sample_weight):
        self.watched = bool(getattr(estimator, "_skl_callbacks", ()))
        self.context: Any = None
        if not hasattr(estimator, "_init_callback_context"):
            return
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self.given = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self.context = estimator._init_callback_context(max_subtasks=None)
        self.context.call_on_fit_task_begin(**self.given)

    def iteration(self, attributes):
        """One iteration has ended: ``attributes()`` are those of a fit that ends here; whether to stop."""
        context = self.context.subcontext(task_name="iteration")
        context.call_on_fit_task_begin(**self.given)
        return context.call_on_fit_task_end(**self.given, reconstruction_attributes=attributes)

    def end(self):
        """The fit has ended."""
        if self.context is not None:
            self.context.call_on_fit_task_end(**self.given, reconstruction_attributes={})


class Comparison(CallbackSupportMixin, BaseEstimator):
    """An estimator in name, which owns the callbacks of a comparison: each of its results is a task."""

    @with_callbacks
    def fit(self, results, n_results):
        """Return the results of an iterator as a list; callbacks see each of them end."""
        if not hasattr(self, "_init_callback_context"):
            return list(results)
        context = self._init_callback_context(task_name="compare", max_subtasks=n_results)
        context.call_on_fit_task_begin(estimator=self)
        found = []
        for _ in range(n_results):
            task = context.subcontext(task_name="candidate and fold").call_on_fit_task_begin(estimator=self)
            found.append(next(results))
            task.call_on_fit_task_end(estimator=self)
        context.call_on_fit_task_end(estimator=self)
        return found


def watched(results, n_results, callbacks):
    """The results of an iterator as a list, with scikit-learn's callbacks for progress."""
    comparison = Comparison()
    if callbacks and not hasattr(comparison, "set_callbacks"):
        raise ValueError(f"callbacks={callbacks!r} need scikit-learn 1.9 or newer; leave them out.")
    if callbacks:
        comparison.set_callbacks(*callbacks)
    return comparison.fit(iter(results), n_results)


def called_by_scikit_learn(depth: int) -> bool:
    """Whether the frame `depth` levels above the caller belongs to scikit-learn."""
    return sys._getframe(depth + 1).f_globals.get("__name__", "").startswith("sklearn.")


def users_level() -> int:
    """The ``stacklevel`` of a warning of the caller that points at the user's line.

    That is the nearest one outside this package, scikit-learn and joblib: versions of scikit-learn wrap ``fit`` in
    different numbers of frames, and pipelines and searches add theirs.
    """
    frame, level = sys._getframe(1), 1
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in ("sklloss", "sklearn", "joblib"):
        frame, level = frame.f_back, level + 1
    return level


# scikit-learn has no public way to ask what a scorer is made of; these are the arguments of its make_scorer.
def is_scorer(item) -> bool:
    """Whether it is a scorer as `make_scorer` and `get_scorer` return them; an estimator or a function is none."""
    return isinstance(item, _BaseScorer)


def scorer_function(scorer):
    """The metric of a scorer, a function of y_true and what the estimator responds."""
    return scorer._score_func


def scorer_sign(scorer) -> int:
    """-1 for the scorer of a loss, which returns minus its metric, else 1."""
    return scorer._sign


def scorer_options(scorer) -> dict[str, Any]:
    """The keyword arguments that a scorer hands to its metric, as the loss of `average_loss`."""
    return scorer._kwargs


def scorer_methods(scorer) -> tuple[str, ...]:
    """The methods that a scorer looks for on an estimator; it calls the first that is there."""
    methods = scorer._response_method
    return (methods,) if isinstance(methods, str) else tuple(methods)


ESTIMATOR_CLASSES = "estimator.classes_"  # in place of labels, until an estimator is scored


class LabelledScorer(_Scorer):
    """A scikit-learn scorer of responses whose columns belong to the estimator's ``classes_``.

    ``align(estimator, y_true, y_pred, loss)`` returns the y_true, y_pred and labels that the score function gets.
    """

    def __init__(self, score_func, sign, kwargs, response_method, align):
        super().__init__(score_func, sign, {**kwargs, "labels": ESTIMATOR_CLASSES}, response_method)
        self._align = align

    def _score(self, method_caller, estimator, X, y_true, **kwargs):
        # A multimetric search caches responses by the name of the method, whichever class the pos_label of a scorer
        # asked for first.  This one needs the last class, so it asks by a key of its own, a tuple.
        y_pred = method_caller(estimator, (self._response_method,), X)
        y_true, y_pred, labels = self._align(estimator, y_true, y_pred, self._kwargs["loss"])
        return self._sign * self._score_func(y_true, y_pred, **{**self._kwargs, "labels": labels, **kwargs})
