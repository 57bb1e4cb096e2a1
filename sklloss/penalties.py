"""The shape of a penalty on the coefficients; its strength ``alpha`` is the estimator's.

    objective = weighted mean loss + alpha * penalty(coef)

The intercept is never penalised.  A penalty is three pieces of data, from which the objective and the solvers work.
"""

from numbers import Real
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from ._compat import Interval, check_parameters
from ._norms import DIFFERENCES, Norms, differences, stacked
from ._sums import Addend, WeightedSum

__all__ = ["L1", "L2", "ElasticNet", "GroupLasso", "Penalty", "PenaltySum", "TotalVariation", "get_penalty"]


class Penalty(Addend):
    """Base class of penalties: ``||D coef||_1 + 1/2 coef' P coef + a sum of norms``, with D and P diagonal.

    A subclass returns what it has; None stands for zero.

    Examples
    --------
    >>> class Later(Penalty):
    ...     def l2_matrix(self, n_features):
    ...         return np.arange(1.0, n_features + 1)
    >>> Later().value(np.array([1.0, 2.0]))
    4.5
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}

    @staticmethod
    def _sum_class():
        return PenaltySum

    def l1_operator(self, n_features):
        """Diagonal of D, (n_features,) and non-negative, or None."""
        return None

    def l2_matrix(self, n_features):
        """Diagonal of P, (n_features,) and non-negative, or None."""
        return None

    def norms(self, n_features):
        """Norms of linear functions of the coefficients, a `Norms`, or None."""
        return None

    def value(self, coef):
        """Penalty of coefficients (n_features,) or of each row of (K, n_features), summed; a float."""
        n_features = coef.shape[-1]
        d, p, norms = self.l1_operator(n_features), self.l2_matrix(n_features), self.norms(n_features)
        value = 0.0 if d is None else float((d * np.abs(coef)).sum())
        value += 0.0 if p is None else 0.5 * float((p * coef * coef).sum())
        return value + (0.0 if norms is None else float(np.sum(norms.value(coef))))

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


class GroupLasso(Penalty):
    """Sum of the norms of groups of coefficients: a group is in the model as a whole, or not at all::

        penalty = sum_g weights[g] * sqrt(sum_{j in g} coef[j]**2)

    Groups are the columns of one categorical feature, the powers of one number, the readings of one sensor.

    Parameters
    ----------
    groups : array-like of shape (n_features,) or list of lists of int
        The label of each feature's group, in any order; or the indices of the features of each group, which must
        cover all features and not overlap.
    weights : array-like of shape (n_groups,), default=None
        How much each group counts, in the order of the lists or of the sorted labels; 0 leaves one free.  None is the
        square root of its size.

    References
    ----------
    M. Yuan, Y. Lin, "Model selection and estimation in regression with grouped variables", Journal of the Royal
    Statistical Society B 68(1), 2006.

    Examples
    --------
    >>> GroupLasso([0, 0, 1], weights=[1.0, 2.0]).value(np.array([3.0, -4.0, 1.0]))
    7.0
    >>> GroupLasso([[0, 1, 2, 3], [4]]).value(np.array([1.0, 1.0, 1.0, 1.0, 0.0]))
    4.0
    """

    _parameter_constraints = {"groups": ["array-like"], "weights": ["array-like", None]}

    def __init__(self, groups, weights=None):
        self.groups = groups
        self.weights = weights

    def norms(self, n_features):
        label, n_groups = self._labels(n_features)
        sizes = np.bincount(label, minlength=n_groups)
        weights = np.sqrt(sizes) if self.weights is None else np.asarray(self.weights, dtype=float)
        if weights.shape != (n_groups,) or not np.all(np.isfinite(weights) & (weights >= 0)):
            raise ValueError(
                f"weights of GroupLasso must be {n_groups} finite numbers >= 0, one for each group; got "
                f"{self.weights!r}."
            )
        order = np.argsort(label, kind="stable")
        order = order[weights[label[order]] > 0]
        if not len(order):
            return None
        group = np.unique(label[order], return_inverse=True)[1].ravel()
        one = np.ones(len(order))
        operator = sparse.csr_array((one, (np.arange(len(order)), order)), shape=(len(order), n_features))
        return Norms(operator, group, weights[weights > 0])

    def _labels(self, n_features):
        """Group of each feature, (n_features,), and the number of groups; a ValueError where they make no sense."""
        lists = [np.ndim(group) for group in self.groups]
        if any(lists):
            return self._labels_of_lists(lists, n_features)
        labels = np.asarray(self.groups)
        if labels.shape != (n_features,):
            raise ValueError(
                f"groups of GroupLasso must name the group of each of the {n_features} features; got {len(labels)} "
                "labels. Give one label for each feature, or a list of lists of feature indices."
            )
        missing = np.flatnonzero(labels != labels)
        if len(missing):
            raise ValueError(f"groups of GroupLasso has no label for feature {missing[0]}: it is {labels[missing[0]]}.")
        names, index = np.unique(labels, return_inverse=True)
        return index.ravel(), len(names)

    def _labels_of_lists(self, lists, n_features):
        if not all(n == 1 for n in lists) or not all(len(group) for group in self.groups):
            raise ValueError(
                "groups of GroupLasso must be labels, one for each feature, or lists of feature indices, none of them "
                f"empty; got {self.groups!r}."
            )
        members = [np.asarray(group) for group in self.groups]
        label = np.full(n_features, -1)
        for g, features in enumerate(members):
            for j in features.tolist():
                if not isinstance(j, int) or isinstance(j, bool) or not 0 <= j < n_features:
                    raise ValueError(
                        f"Group {g} of GroupLasso has {j!r}, which is no feature: there are {n_features}, and their "
                        f"indices are the integers 0 to {n_features - 1}."
                    )
                if label[j] >= 0:
                    raise ValueError(
                        f"Feature {j} is in groups {label[j]} and {g} of GroupLasso; groups must not overlap: put it "
                        "in one of them."
                    )
                label[j] = g
        outside = np.flatnonzero(label < 0)
        if len(outside):
            raise ValueError(
                f"The groups of GroupLasso leave out features {outside[:10].tolist()}{' ...' * (len(outside) > 10)}; "
                "they must cover all of them. Give each of these a group, with the weight 0 where it is not to be "
                "penalised."
            )
        return label, len(members)


class TotalVariation(Penalty):
    """Sum of the differences between neighbours among coefficients that form a signal or an image::

        penalty = sum_axis weights[axis] * sum abs(differences of that order along the axis)

    or, with ``isotropic``, over the places where differences start::

        penalty = sum_place sqrt(sum_axis (weights[axis] * difference along the axis)**2)

    Neighbours become equal: the fitted coefficients are piecewise constant (order 1, the fused lasso), piecewise linear
    (order 2, trend filtering), and so on.  A feature that is the same in every row gets the coefficient that varies
    least.

    Parameters
    ----------
    shape : int or tuple of int, default=None
        Shape of the signal or image, whose entries, ravelled row by row, are the features: (8, 8) for digits.  None
        is one signal of all features.
    weights : array-like of shape (n_axes,), default=None
        How much each axis counts; 0 for an axis, such as that of the colours, along which nothing is compared.  None is
        1 for each.
    order : int >= 1, default=1
        Order of the differences.
    isotropic : bool, default=False
        Whether the differences at one place are put together by their norm, so that edges in all directions count
        alike.

    References
    ----------
    L. I. Rudin, S. Osher, E. Fatemi, "Nonlinear total variation based noise removal algorithms", Physica D 60, 1992.

    R. Tibshirani, M. Saunders, S. Rosset, J. Zhu, K. Knight, "Sparsity and smoothness via the fused lasso", Journal of
    the Royal Statistical Society B 67(1), 2005.

    Examples
    --------
    >>> TotalVariation().value(np.array([1.0, 1.0, 4.0, 2.0]))
    5.0
    >>> TotalVariation((2, 2)).value(np.array([0.0, 3.0, 4.0, 7.0]))
    14.0
    >>> TotalVariation((2, 2), isotropic=True).value(np.array([0.0, 3.0, 4.0, 7.0]))  # 5 + 4 + 3
    12.0
    >>> TotalVariation(order=2).value(np.array([1.0, 2.0, 3.0, 3.0]))
    1.0
    """

    _parameter_constraints = DIFFERENCES

    def __init__(self, shape=None, weights=None, order=1, isotropic=False):
        self.shape = shape
        self.weights = weights
        self.order = order
        self.isotropic = isotropic

    def norms(self, n_features):
        return differences(self.shape, n_features, self.weights, self.order, self.isotropic)


class PenaltySum(WeightedSum, Penalty):
    """A weighted sum of penalties, as written by ``0.2 * L1() + TotalVariation()``.

    With p_k the penalties::

        penalty = sum_k weights[k] * p_k(coef)

    ``get_params`` knows each part by the name of its class, in small letters with underscores, a second one as
    ``name_2``: in a search, ``penalty__total_variation__order`` and ``penalty__weights``.

    Parameters
    ----------
    penalties : list of Penalty
    weights : list of float >= 0, default=None
        None is 1 for each.

    Examples
    --------
    >>> penalty = 0.5 * L1() + TotalVariation()  # sparse and in pieces, the fused lasso with both its terms
    >>> penalty.value(np.array([1.0, 1.0, 4.0]))
    6.0
    >>> sorted(penalty.get_params(deep=True))[:3]
    ['l1', 'l1__weights', 'penalties']
    """

    _terms, _kind = "penalties", "sklloss.penalties.Penalty"

    def __init__(self, penalties, weights=None):
        self.penalties = penalties
        self.weights = weights

    def _sum(self, diagonal, n_features):
        found = [(w, getattr(part, diagonal)(n_features)) for w, part in self.summands]
        return sum(w * values for w, values in found if values is not None) + np.zeros(n_features)

    def l1_operator(self, n_features):
        return self._sum("l1_operator", n_features)

    def l2_matrix(self, n_features):
        return self._sum("l2_matrix", n_features)

    def norms(self, n_features):
        found = [(w, part.norms(n_features)) for w, part in self.summands]
        found = [(w, norms) for w, norms in found if w and norms is not None]
        return stacked(found) if found else None


_NAMES: dict[str, type[Penalty] | None] = {
    "l2": L2,
    "l1": L1,
    "elasticnet": ElasticNet,
    "elastic_net": ElasticNet,
    "total_variation": TotalVariation,
    "none": None,
}


def get_penalty(penalty):
    """Return the penalty of that name, or the penalty itself; None for no penalty.

    Parameters
    ----------
    penalty : {"l2", "l1", "elasticnet", "total_variation", "none"}, Penalty or None
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
