"""The shape of a penalty on the coefficients; its strength ``alpha`` is the estimator's.

    objective = weighted mean loss + alpha * penalty(coef)

The intercept is never penalised.  A penalty is two pieces of data, from which the objective and the solvers work.
"""

from numbers import Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator

from ._compat import Interval, check_parameters

__all__ = ["L1", "L2", "ElasticNet", "Penalty", "get_penalty"]


class Penalty(BaseEstimator):
    """Base class of penalties: ``||D coef||_1 + 1/2 coef' P coef`` with D and P diagonal.

    A subclass returns the diagonals it has; None stands for zero.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}

    def l1_operator(self, n_features):
        """Diagonal of D, (n_features,) and non-negative, or None."""
        return None

    def l2_matrix(self, n_features):
        """Diagonal of P, (n_features,) and non-negative, or None."""
        return None

    def value(self, coef):
        """Penalty of coefficients (n_features,) or of each row of (K, n_features), summed; a float."""
        d, p = self.l1_operator(coef.shape[-1]), self.l2_matrix(coef.shape[-1])
        absolute = 0.0 if d is None else float((d * np.abs(coef)).sum())
        return absolute + (0.0 if p is None else 0.5 * float((p * coef * coef).sum()))

    def check(self):
        """Raise a ValueError that names the first parameter out of its range; return self."""
        check_parameters(self._parameter_constraints, self.get_params(deep=False), type(self).__name__)
        return self


class L2(Penalty):
    """Squared Euclidean norm, halved (ridge)::

        penalty = 1/2 * sum_j weights[j] * coef[j]**2

    Parameters
    ----------
    weights : array-like of shape (n_features,), default=None
        How much each coefficient counts; 0 leaves one free.  None is 1 for each.

    References
    ----------
    A. E. Hoerl, R. W. Kennard, "Ridge Regression", Technometrics 12(1), 1970.

    Examples
    --------
    >>> L2().value(np.array([1.0, -2.0]))
    2.5
    >>> L2(weights=[0.0, 1.0]).value(np.array([1.0, -2.0]))
    2.0
    """

    _parameter_constraints = {"weights": ["array-like", None]}

    def __init__(self, weights=None):
        self.weights = weights

    def l2_matrix(self, n_features):
        return _weights(self, n_features)


class L1(Penalty):
    """Sum of absolute values (lasso)::

        penalty = sum_j weights[j] * abs(coef[j])

    Parameters
    ----------
    weights : array-like of shape (n_features,), default=None
        How much each coefficient counts; 0 leaves one free.  None is 1 for each.

    References
    ----------
    R. Tibshirani, "Regression Shrinkage and Selection via the Lasso", Journal of the Royal Statistical Society B 58(1),
    1996.

    Examples
    --------
    >>> L1().value(np.array([1.0, -2.0]))
    3.0
    """

    _parameter_constraints = {"weights": ["array-like", None]}

    def __init__(self, weights=None):
        self.weights = weights

    def l1_operator(self, n_features):
        return _weights(self, n_features)


class ElasticNet(Penalty):
    """Mixture of both::

        penalty = sum_j weights[j] * (l1_ratio * abs(coef[j]) + (1 - l1_ratio) / 2 * coef[j]**2)

    Parameters
    ----------
    l1_ratio : float in [0, 1], default=0.5
        1 is the lasso, 0 is ridge.
    weights : array-like of shape (n_features,), default=None
        How much each coefficient counts; 0 leaves one free.  None is 1 for each.

    References
    ----------
    H. Zou, T. Hastie, "Regularization and variable selection via the elastic net", Journal of the Royal Statistical
    Society B 67(2), 2005.

    Examples
    --------
    >>> ElasticNet(l1_ratio=0.5).value(np.array([1.0, -2.0]))
    2.75
    """

    _parameter_constraints = {"l1_ratio": [Interval(Real, 0, 1, closed="both")], "weights": ["array-like", None]}

    def __init__(self, l1_ratio=0.5, weights=None):
        self.l1_ratio = l1_ratio
        self.weights = weights

    def l1_operator(self, n_features):
        return self.l1_ratio * _weights(self, n_features)

    def l2_matrix(self, n_features):
        return (1 - self.l1_ratio) * _weights(self, n_features)


_NAMES: dict[str, type[Penalty] | None] = {
    "l2": L2,
    "l1": L1,
    "elasticnet": ElasticNet,
    "elastic_net": ElasticNet,
    "none": None,
}


def get_penalty(penalty):
    """Return the penalty of that name, or the penalty itself; None for no penalty.

    Parameters
    ----------
    penalty : {"l2", "l1", "elasticnet", "none"}, Penalty or None
        "elastic_net" is "elasticnet".

    Returns
    -------
    Penalty or None

    Raises
    ------
    ValueError
        For anything else.

    Examples
    --------
    >>> get_penalty("elasticnet")
    ElasticNet()
    """
    if penalty is None or isinstance(penalty, Penalty):
        return penalty
    if isinstance(penalty, str) and penalty in _NAMES:
        cls = _NAMES[penalty]
        return None if cls is None else cls()
    known = ", ".join(map(repr, sorted(_NAMES)))
    raise ValueError(f"Unknown penalty {penalty!r}; it must be None, {known} or a sklloss.penalties.Penalty.")


def _weights(penalty, n_features):
    if penalty.weights is None:
        return np.ones(n_features)
    weights = np.asarray(penalty.weights, dtype=float)
    if weights.shape != (n_features,) or not np.all(np.isfinite(weights)) or np.any(weights < 0):
        raise ValueError(
            f"weights of {type(penalty).__name__} must be {n_features} finite numbers >= 0, one for each feature; "
            f"got an array of shape {weights.shape}" + (f" with minimum {weights.min()}." if weights.size else ".")
        )
    return weights
