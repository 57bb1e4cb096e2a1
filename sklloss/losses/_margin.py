"""Losses of the margin m = (2 * y_true - 1) * raw_prediction."""

import numpy as np

from ._base import MarginLoss

__all__ = ["Hinge", "ModifiedHuber", "SquaredHinge"]


class Hinge(MarginLoss):
    """Hinge loss: that of the support vector machine.

    With m = (2 * y_true - 1) * raw_prediction::

        loss = max(0, 1 - m)

    Domain: y_true in {0, 1}.  Response: decision_function; it has no probability.
    Facts: convex, kink at m = 1, slope at most 1.

    K classes are K one-vs-rest columns, whose losses add up; scikit-learn's ``hinge_loss`` is another generalisation.

    References
    ----------
    C. Cortes, V. Vapnik, "Support-Vector Networks", Machine Learning 20, 1995.

    Examples
    --------
    >>> Hinge().loss(np.array([1.0, 0.0, 1.0]), np.array([2.0, 0.5, -1.0]))
    array([0. , 1.5, 2. ])
    """

    name = "hinge"
    aliases = ("svm",)
    use = "the class, by a margin; an outlier's pull is capped at 1; no unit"
    smooth = False
    relu = ((-1.0, 1.0),)


class SquaredHinge(MarginLoss):
    """Squared hinge loss.

    With m = (2 * y_true - 1) * raw_prediction::

        loss = max(0, 1 - m)**2

    Domain: y_true in {0, 1}.  Response: decision_function; probability clip((1 + f) / 2, 0, 1).
    Facts: convex, smooth, curvature at most 2.

    References
    ----------
    T. Zhang, "Statistical behavior and consistency of classification methods based on convex risk minimization",
    Annals of Statistics 32(1), 2004.

    Examples
    --------
    >>> SquaredHinge().loss(np.array([1.0, 0.0, 1.0]), np.array([2.0, 0.5, -1.0]))
    array([0.  , 2.25, 4.  ])
    """

    name = "squared_hinge"
    use = "the probability within [0, 1], by a margin; an outlier pulls in proportion; no unit"
    probabilistic = True

    def phi(self, m):
        return np.maximum(0, 1 - m) ** 2

    def phi_prime(self, m):
        return -2 * np.maximum(0, 1 - m)

    def phi_second(self, m):
        return 2 * (m < 1).astype(m.dtype)

    def probability(self, raw_prediction):
        return np.clip((1 + raw_prediction) / 2, 0, 1)


class ModifiedHuber(MarginLoss):
    """Modified Huber loss: squared hinge, linear where a row is far on the wrong side.

    With m = (2 * y_true - 1) * raw_prediction::

        loss = max(0, 1 - m)**2    where m >= -1
               -4 * m              elsewhere

    Domain: y_true in {0, 1}.  Response: decision_function; probability clip((1 + f) / 2, 0, 1).
    Facts: convex, smooth, slope at most 4, curvature at most 2.

    References
    ----------
    T. Zhang, "Solving large scale linear prediction problems using stochastic gradient descent algorithms", ICML 2004.

    Examples
    --------
    >>> ModifiedHuber().loss(np.array([1.0, 0.0, 1.0]), np.array([2.0, 0.5, -3.0]))
    array([ 0.  ,  2.25, 12.  ])
    """

    name = "modified_huber"
    use = "the probability within [0, 1], by a margin; an outlier's pull is capped at 4; no unit"
    probabilistic = True

    def phi(self, m):
        return np.maximum(0, 1 - np.maximum(m, -1)) ** 2 + 4 * np.maximum(0, -1 - m)

    def phi_prime(self, m):
        return -2 * np.clip(1 - m, 0, 2)

    def phi_second(self, m):
        return 2 * ((m < 1) & (m >= -1)).astype(m.dtype)

    def probability(self, raw_prediction):
        return np.clip((1 + raw_prediction) / 2, 0, 1)
