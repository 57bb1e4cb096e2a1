"""Losses of the margin m = (2 * y_true - 1) * raw_prediction."""

from numbers import Real

import numpy as np
from scipy import special

from .._compat import Interval
from ._base import Loss, MarginLoss
from ._probability import LogLoss

__all__ = [
    "CrammerSinger",
    "Exponential",
    "Hinge",
    "ModifiedHuber",
    "Perceptron",
    "Ramp",
    "SmoothedHinge",
    "SquaredHinge",
]


def clipped_probability(raw_prediction):
    """clip((1 + f) / 2, 0, 1): the probability of losses that are quadratic for margins between -1 and 1."""
    return np.clip((1 + raw_prediction) / 2, 0, 1)


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
        return clipped_probability(raw_prediction)


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

    def majorizer(self, y_true, raw_prediction):
        return 4 * SmoothedHinge(2.0).majorizer(y_true, raw_prediction)  # it is 4 times that loss

    def probability(self, raw_prediction):
        return clipped_probability(raw_prediction)


class SmoothedHinge(MarginLoss):
    """Hinge loss with its kink rounded off over a width of gamma.

    With m = (2 * y_true - 1) * raw_prediction::

        loss = 0                            where m >= 1
               (1 - m)**2 / (2 * gamma)     where 1 - gamma < m < 1
               1 - m - gamma / 2            elsewhere

    Domain: y_true in {0, 1}.  Response: decision_function; for gamma >= 1 the probability is phi'(-f) over its sum
    with phi'(f).
    Facts: convex, smooth, slope at most 1, curvature at most 1 / gamma.

    Parameters
    ----------
    gamma : float > 0, default=1.0
        Width of the quadratic part.

    References
    ----------
    S. Shalev-Shwartz, T. Zhang, "Stochastic Dual Coordinate Ascent Methods for Regularized Loss Minimization", JMLR
    14, 2013.

    Examples
    --------
    >>> SmoothedHinge().loss(np.array([1.0, 0.0, 1.0]), np.array([2.0, -0.5, -1.0]))
    array([0.   , 0.125, 1.5  ])
    """

    name = "smoothed_hinge"
    use = "the class, by a margin; an outlier's pull is capped at 1; no unit"
    _parameter_constraints = {"gamma": [Interval(Real, 0, None, closed="neither")]}

    def __init__(self, gamma=1.0):
        self.gamma = gamma

    @property
    def probabilistic(self):
        return self.gamma >= 1

    def phi(self, m):
        x = np.maximum(0, 1 - m)
        near = np.minimum(x, self.gamma)
        return near * (x - near / 2) / self.gamma

    def phi_prime(self, m):
        return -np.clip((1 - m) / self.gamma, 0, 1)

    def phi_second(self, m):
        return ((m < 1) & (m > 1 - self.gamma)) / m.dtype.type(self.gamma)

    def majorizer(self, y_true, raw_prediction):
        # But for a linear term the loss is symmetric around m = 1 - gamma / 2, and its slope there bounded.
        away = np.abs((2 * y_true - 1) * raw_prediction - (1 - self.gamma / 2))
        return 1 / np.maximum(self.gamma, 2 * away)

    def probability(self, raw_prediction):
        up, down = self.phi_prime(-raw_prediction), self.phi_prime(raw_prediction)
        return up / (up + down)


class Exponential(MarginLoss):
    """Exponential loss: that of AdaBoost.

    With m = (2 * y_true - 1) * raw_prediction::

        loss = exp(-m)

    Domain: y_true in {0, 1}.  Response: decision_function; probability 1 / (1 + exp(-2 f)).
    Facts: convex, smooth; slope and curvature without bound.

    References
    ----------
    J. Friedman, T. Hastie, R. Tibshirani, "Additive logistic regression: a statistical view of boosting", Annals of
    Statistics 28(2), 2000.

    Examples
    --------
    >>> Exponential().loss(np.array([1.0, 0.0]), np.array([0.0, -2.0])).round(6)
    array([1.      , 0.135335])
    """

    name = "exponential"
    use = "the probability; an outlier pulls exponentially; no unit"
    probabilistic = True

    def phi(self, m):
        return np.exp(-m)

    def phi_prime(self, m):
        return -np.exp(-m)

    def phi_second(self, m):
        return np.exp(-m)

    def probability(self, raw_prediction):
        return special.expit(2 * raw_prediction)


class Perceptron(MarginLoss):
    """Perceptron loss: a hinge without a margin.

    With m = (2 * y_true - 1) * raw_prediction::

        loss = max(0, -m)

    Domain: y_true in {0, 1}.  Response: decision_function; it has no probability.
    Facts: convex, kink at m = 0, slope at most 1; the model of zeros attains its minimum.

    References
    ----------
    F. Rosenblatt, "The perceptron: a probabilistic model for information storage and organization in the brain",
    Psychological Review 65(6), 1958.

    Examples
    --------
    >>> Perceptron().loss(np.array([1.0, 0.0, 1.0]), np.array([2.0, 0.5, -1.0]))
    array([0. , 0.5, 1. ])
    """

    name = "perceptron"
    use = "nothing by itself: the model of zeros is a minimiser; an outlier's pull is capped at 1; no unit"
    smooth = False
    relu = ((-1.0, 0.0),)
    poor_score = True


class Ramp(MarginLoss):
    """Ramp loss: a hinge that is cut off, so that a row far on the wrong side has no pull.

    With m = (2 * y_true - 1) * raw_prediction::

        loss = min(1, max(0, 1 - m))

    Domain: y_true in {0, 1}.  Response: decision_function; it has no probability.
    Facts: not convex, kinks at m = 0 and m = 1, at most 1.

    References
    ----------
    R. Collobert et al., "Trading Convexity for Scalability", ICML 2006.

    Examples
    --------
    >>> Ramp().loss(np.array([1.0, 0.0, 1.0]), np.array([2.0, -0.5, -3.0]))
    array([0. , 0.5, 1. ])
    """

    name = "ramp"
    use = "the class, by a margin; an outlier has no pull; no unit"
    convex = False
    smooth = False

    @property
    def truncated(self):
        return Hinge(), 1.0

    def phi(self, m):
        return np.clip(1 - m, 0, 1)

    def phi_prime(self, m):
        return -np.heaviside(1 - m, 0.5) * np.heaviside(m, 0.5)

    def phi_second(self, m):
        return np.zeros_like(m)

    def fit_intercept_only(self, y_true, weight):
        return Hinge().fit_intercept_only(y_true, weight)


class CrammerSinger(MarginLoss):
    """Multiclass hinge loss of Crammer and Singer; for two classes the hinge.

    With m = (2 * y_true - 1) * raw_prediction, or f = raw_prediction for K > 2 classes, y_true an index::

        loss = max(0, 1 - m)                                        two classes
               max(0, 1 - f[y_true] + max_{k != y_true} f[k])       K classes

    Domain: y_true in {0, 1}, or an index.  Response: decision_function; it has no probability.
    Facts: convex, kinks where a rival reaches the margin, slope at most 1.  scikit-learn's ``hinge_loss`` of several
    classes.

    References
    ----------
    K. Crammer, Y. Singer, "On the Algorithmic Implementation of Multiclass Kernel-based Vector Machines", JMLR 2, 2001.

    Examples
    --------
    >>> CrammerSinger().loss(np.array([0, 2]), np.array([[2.0, 0.5, 0.0], [0.5, 0.0, 1.0]]))
    array([0. , 0.5])
    """

    name = "crammer_singer"
    aliases = ("multiclass_hinge",)
    use = "the class, by a margin over its best rival; an outlier's pull is capped at 1; no unit"
    smooth = False
    multiclass = True
    shift_invariant = True
    relu = ((-1.0, 1.0),)  # of two classes

    def smoothed(self, width):
        """A smooth loss of K classes above this one, by at most ``width * excess(K)``."""
        return _SmoothedCrammerSinger(width)

    def excess(self, n_classes):
        """The log of the number of affine functions of which the loss is the maximum."""
        return float(np.log(n_classes))

    def loss(self, y_true, raw_prediction):
        if raw_prediction.ndim == 1:
            return super().loss(y_true, raw_prediction)
        return np.maximum(0, self._rival(y_true, raw_prediction)[3])

    def gradient(self, y_true, raw_prediction):
        if raw_prediction.ndim == 1:
            return super().gradient(y_true, raw_prediction)
        rows, own, rival, excess = self._rival(y_true, raw_prediction)
        slope = np.heaviside(excess, 0.5).astype(raw_prediction.dtype)
        gradient = np.zeros_like(raw_prediction)
        gradient[rows, rival] = slope
        gradient[rows, own] = -slope
        return gradient

    def hessian_product(self, y_true, raw_prediction, weight, direction):
        return np.zeros_like(raw_prediction)

    def _rival(self, y_true, raw_prediction):
        """Rows, class and best other class of each, and 1 + f[rival] - f[y_true], each (n,)."""
        rows, own = np.arange(len(raw_prediction)), _own(y_true)
        others = raw_prediction.copy()
        others[rows, own] = -np.inf
        rival = others.argmax(axis=1)
        return rows, own, rival, 1 + (raw_prediction[rows, rival] - raw_prediction[rows, own])

    def check_y_true(self, y_true, fit=False):
        if y_true.dtype.kind != "i":
            super().check_y_true(y_true)

    def fit_intercept_only(self, y_true, weight, n_outputs=1):
        """Best constant raw prediction: a float for n_outputs = 1 (two classes), else (n_outputs,) with mean 0."""
        if n_outputs == 1:
            return super().fit_intercept_only(y_true, weight)
        # With one class a step d above all others the loss is mass * (1 - d) + (1 - mass) * (1 + d) up to d = 1.
        mass = np.bincount(_own(y_true), weight, n_outputs) / weight.sum()
        levels = np.where(mass > 0.5, 1.0, 0.0)
        return levels - levels.mean()


class _SmoothedCrammerSinger(Loss):
    """The maximum in the loss of K classes replaced by width * log(sum(exp(. / width))): a log loss with a margin."""

    multiclass = True
    shift_invariant = True
    response_method = "decision_function"

    def __init__(self, width=1.0):
        self.width = width

    def _raised(self, y_true, raw_prediction):
        raised = raw_prediction + 1
        raised[np.arange(len(raised)), y_true] -= 1
        return raised / self.width

    def loss(self, y_true, raw_prediction):
        return self.width * LogLoss().loss(y_true, self._raised(y_true, raw_prediction))

    def gradient(self, y_true, raw_prediction):
        return LogLoss().gradient(y_true, self._raised(y_true, raw_prediction))

    def hessian_product(self, y_true, raw_prediction, weight, direction):
        raised = self._raised(y_true, raw_prediction)
        return LogLoss().hessian_product(y_true, raised, weight / self.width, direction)

    fit_intercept_only = CrammerSinger.fit_intercept_only


def _own(y_true):
    """Class index of each row, from indices or one-hot rows."""
    return y_true if y_true.ndim == 1 else y_true.argmax(axis=1)
