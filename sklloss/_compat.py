"""The only place that touches private or version-dependent names of scikit-learn."""

import sys
from typing import Any

import numpy as np
from sklearn.metrics._scorer import _Scorer
from sklearn.utils._param_validation import (
    Interval,
    InvalidParameterError,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils.parallel import _get_threadpool_controller
from sklearn.utils.validation import _check_sample_weight

__all__ = [
    "Interval",
    "InvalidParameterError",
    "LabelledScorer",
    "StrOptions",
    "called_by_scikit_learn",
    "check_parameters",
    "check_sample_weight",
    "one_blas_thread",
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
    return weight


def one_blas_thread():
    """Context in which BLAS runs on one thread.

    NumPy and SciPy each bring a thread pool; in loops that alternate between the two on small matrices the pools
    fight for the cores, and two threads are several times slower than one.
    """
    return _get_threadpool_controller().limit(limits=1, user_api="blas")


def called_by_scikit_learn(depth: int) -> bool:
    """Whether the frame `depth` levels above the caller belongs to scikit-learn."""
    return sys._getframe(depth + 1).f_globals.get("__name__", "").startswith("sklearn.")


class LabelledScorer(_Scorer):
    """A scikit-learn scorer that hands the estimator's ``classes_`` to the score function as ``labels``.

    A test fold in which a class is missing then still has a score.
    """

    def _score(self, method_caller, estimator, X, y_true, **kwargs):
        classes = getattr(estimator, "classes_", None)
        if classes is not None and "labels" not in self._kwargs:
            kwargs = {**kwargs, "labels": classes}
        return super()._score(method_caller, estimator, X, y_true, **kwargs)
