"""Losses of the residual r = y_true - raw_prediction that estimate a mean, a median, a quantile or an expectile."""

from numbers import Real

import numpy as np

from .._compat import Interval
from ..links import LOG1P, Domain
from ._base import ResidualLoss, refuse
from ._kinks import Kinks
from ._levels import LEVELS, LevelLoss

__all__ = [
    "AbsoluteError",
    "AbsolutePercentageError",
    "EpsilonInsensitive",
    "Expectile",
    "Pinball",
    "SquaredEpsilonInsensitive",
    "SquaredError",
    "SquaredLogError",
]


class SquaredError(ResidualLoss):
    """Squared error: its minimiser is the conditional mean.

    With r = y_true - raw_prediction::

        loss = r**2

    Domain: y_true real.  Link: identity.  Unit: the square of that of y.
    Facts: convex, quadratic.

    References
    ----------
    A.-M. Legendre, "Nouvelles méthodes pour la détermination des orbites des comètes", 1805.

    Examples
    --------
    >>> SquaredError().loss(np.array([3.0, 1.0]), np.array([1.0, 2.0]))
    array([4., 1.])
    """

    name = "squared_error"
    aliases = ("mse", "l2")
    use = "mean; one outlier moves it without bound; unit of y squared"
    quadratic = True
    subquadratic = True

    def rho(self, r):
        return r * r

    def psi(self, r):
        return 2 * r

    def psi_prime(self, r):
        return np.full_like(r, 2)

    def fit_intercept_only(self, y_true, weight):
        return weight @ y_true / weight.sum()


class Pinball(LevelLoss):
    """Pinball (quantile) loss: its minimiser is a conditional quantile.

    With r = y_true - raw_prediction::

        loss = max(quantile * r, (quantile - 1) * r)

    Domain: y_true real.  Link: identity.  Unit: that of y.
    Facts: convex, kink at r = 0, slope at most max(quantile, 1 - quantile).

    Parameters
    ----------
    quantile : float in (0, 1) or sequence of floats, default=0.5
        Level of the quantile to predict.  Several, from low to high, are fitted to one target, and predicted side by
        side, (n, n_levels); the average loss is then the mean over the levels.

    References
    ----------
    R. Koenker, G. Bassett, "Regression Quantiles", Econometrica 46(1), 1978.

    Examples
    --------
    >>> Pinball(quantile=0.9).loss(np.array([3.0, 1.0]), np.array([1.0, 3.0]))
    array([1.8, 0.2])
    """

    name = "pinball"
    aliases = ("quantile",)
    use = "a quantile; an outlier counts by its side alone; unit of y"
    smooth = False
    level_parameter = "quantile"
    _parameter_constraints = {"quantile": LEVELS}

    def __init__(self, quantile=0.5):
        self.quantile = quantile

    @property
    def relu(self):
        return None if self.levels is not None else ((self.quantile, 0.0), (self.quantile - 1.0, 0.0))

    def kinks(self, y_true):
        slopes = np.broadcast_to(self._level, (1, *y_true.shape))
        return Kinks(y_true[None], slopes - 1.0, slopes, np.zeros(y_true.shape))

    def rho(self, r):
        return np.maximum(self._level * r, (self._level - 1.0) * r).astype(r.dtype, copy=False)

    def psi(self, r):
        slope = self._level - np.heaviside(-r, 0.5)  # by the sign of r itself: quantile * r may underflow
        return slope.astype(r.dtype, copy=False)

    def psi_prime(self, r):
        return np.zeros_like(r)

    def fit_intercept_only(self, y_true, weight):
        if self.levels is not None:
            return super().fit_intercept_only(y_true, weight)
        if y_true.ndim == 2:
            return np.array([self.fit_intercept_only(column, weight) for column in y_true.T])
        order = np.argsort(y_true)
        reached = np.cumsum(weight[order]) >= self.quantile * weight.sum()
        return y_true[order[np.argmax(reached)]]


class AbsoluteError(ResidualLoss):
    """Absolute error: its minimiser is a conditional median.

    With r = y_true - raw_prediction::

        loss = abs(r)

    Domain: y_true real.  Link: identity.  Unit: that of y.
    Facts: convex, kink at r = 0, slope at most 1.

    References
    ----------
    R. Boscovich, "De litteraria expeditione per pontificiam ditionem", 1757.

    Examples
    --------
    >>> AbsoluteError().loss(np.array([3.0, 1.0]), np.array([1.0, 1.5]))
    array([2. , 0.5])
    """

    name = "absolute_error"
    aliases = ("mae", "l1")
    use = "median; an outlier counts by its side alone; unit of y"
    smooth = False
    relu = (1.0, 0.0), (-1.0, 0.0)

    def fit_intercept_only(self, y_true, weight):
        return Pinball(0.5).fit_intercept_only(y_true, weight)


class Expectile(LevelLoss):
    """Expectile loss: squared error with another weight on each side; its minimiser is a conditional expectile.

    With r = y_true - raw_prediction::

        loss = level * r**2          where r >= 0
               (1 - level) * r**2    where r < 0

    Domain: y_true real.  Link: identity.  Unit: the square of that of y.
    Facts: convex, smooth, quadratic at level = 0.5 (half the squared error), curvature at most 2 max(level, 1 - level).

    Parameters
    ----------
    level : float in (0, 1) or sequence of floats, default=0.5
        Level of the expectile to predict.  Several, from low to high, are fitted to one target, and predicted side by
        side, (n, n_levels); the average loss is then the mean over the levels.

    References
    ----------
    W. K. Newey, J. L. Powell, "Asymmetric Least Squares Estimation and Testing", Econometrica 55(4), 1987.

    Examples
    --------
    >>> Expectile(level=0.9).loss(np.array([3.0, 1.0]), np.array([1.0, 3.0]))
    array([3.6, 0.4])
    """

    name = "expectile"
    use = "an expectile; an outlier moves it without bound; unit of y squared"
    level_parameter = "level"
    _parameter_constraints = {"level": LEVELS}

    def __init__(self, level=0.5):
        self.level = level

    @property
    def quadratic(self):
        return self.levels is None and self.level == 0.5

    @property
    def least_curvature(self):
        """Of a single level."""
        return 2 * min(self.level, 1 - self.level)

    def _side(self, r):
        return np.abs(self._level - (r < 0)).astype(r.dtype)

    def rho(self, r):
        return self._side(r) * r * r

    def psi(self, r):
        return 2 * self._side(r) * r

    def psi_prime(self, r):
        return 2 * self._side(r)

    def majorizer(self, y_true, raw_prediction):
        return 2 * np.maximum(self._level, 1 - self._level) * np.ones_like(raw_prediction)


class EpsilonInsensitive(ResidualLoss):
    """Epsilon-insensitive loss: absolute error beyond a tolerance; that of support vector regression.

    With r = y_true - raw_prediction::

        loss = max(0, abs(r) - epsilon)

    Domain: y_true real.  Link: identity.  Unit: that of y.
    Facts: convex, kinks at abs(r) = epsilon, slope at most 1.

    Parameters
    ----------
    epsilon : float >= 0, default=0.1
        Half-width of the tolerance, in units of y.

    References
    ----------
    V. N. Vapnik, "The Nature of Statistical Learning Theory", 1995.

    Examples
    --------
    >>> EpsilonInsensitive(epsilon=0.5).loss(np.array([3.0, 1.0]), np.array([1.0, 0.75]))
    array([1.5, 0. ])
    """

    name = "epsilon_insensitive"
    use = "median, errors below epsilon ignored; an outlier counts by its side alone; unit of y"
    smooth = False
    _parameter_constraints = {"epsilon": [Interval(Real, 0, None, closed="left")]}

    def __init__(self, epsilon=0.1):
        self.epsilon = epsilon

    @property
    def relu(self):
        return (1.0, -self.epsilon), (-1.0, -self.epsilon)


class SquaredEpsilonInsensitive(ResidualLoss):
    """Squared epsilon-insensitive loss.

    With r = y_true - raw_prediction::

        loss = max(0, abs(r) - epsilon)**2

    Domain: y_true real.  Link: identity.  Unit: the square of that of y.
    Facts: convex, smooth, curvature at most 2, quadratic at epsilon = 0 (the squared error).

    Parameters
    ----------
    epsilon : float >= 0, default=0.1
        Half-width of the tolerance, in units of y.

    References
    ----------
    C.-H. Ho, C.-J. Lin, "Large-scale Linear Support Vector Regression", JMLR 13, 2012.

    Examples
    --------
    >>> SquaredEpsilonInsensitive(epsilon=0.5).loss(np.array([3.0, 1.0]), np.array([1.0, 0.75]))
    array([2.25, 0.  ])
    """

    name = "squared_epsilon_insensitive"
    use = "mean, errors below epsilon ignored; an outlier moves it without bound; unit of y squared"
    _parameter_constraints = {"epsilon": [Interval(Real, 0, None, closed="left")]}

    def __init__(self, epsilon=0.1):
        self.epsilon = epsilon

    @property
    def quadratic(self):
        return self.epsilon == 0

    def rho(self, r):
        beyond = np.maximum(0, np.abs(r) - self.epsilon)
        return beyond * beyond

    def psi(self, r):
        return 2 * np.copysign(np.maximum(0, np.abs(r) - self.epsilon), r)

    def psi_prime(self, r):
        return 2 * (np.abs(r) >= self.epsilon).astype(r.dtype)

    def majorizer(self, y_true, raw_prediction):
        return np.full_like(raw_prediction, 2)


class AbsolutePercentageError(ResidualLoss):
    """Absolute percentage error, as a fraction: a median weighted by 1 / abs(y).

    With r = y_true - raw_prediction and eps that of float64::

        loss = abs(r) / max(abs(y_true), eps)

    Domain: y_true real; not 0 in a fit, where such a row would weigh 4.5e15.  Link: identity.  Unit: none.
    Facts: convex, kink at r = 0.

    References
    ----------
    A. de Myttenaere et al., "Mean Absolute Percentage Error for regression models", Neurocomputing 192, 2016.

    Examples
    --------
    >>> AbsolutePercentageError().loss(np.array([4.0, -2.0]), np.array([5.0, -1.0]))
    array([0.25, 0.5 ])
    """

    name = "absolute_percentage_error"
    aliases = ("mape",)
    use = "median weighted by 1 / abs(y), below the median; an outlier counts by its side alone; no unit"
    smooth = False
    positive_only = True  # what a sensible target is; the domain is wider
    relu = AbsoluteError.relu

    def row_weight(self, y_true):
        return 1 / np.maximum(np.abs(y_true), y_true.dtype.type(np.finfo(np.float64).eps))

    def check_y_true(self, y_true, fit=False):
        if fit and np.any(y_true == 0):
            where = (
                "different from 0 (its weight would be infinite; leave the row out, or fit absolute_error with weights)"
            )
            refuse(y_true, y_true == 0, "y_true", where, self)

    def fit_intercept_only(self, y_true, weight):
        if y_true.ndim == 2:
            return np.array([self.fit_intercept_only(column, weight) for column in y_true.T])
        return AbsoluteError().fit_intercept_only(y_true, weight * self.row_weight(y_true))


class SquaredLogError(ResidualLoss):
    """Squared logarithmic error, on the log1p link: its minimiser is the exponential of a mean of logarithms.

    With raw_prediction = log(1 + y_pred)::

        loss = (log(1 + y_true) - raw_prediction)**2

    Domain: y_true > -1, y_pred > -1.  Link: log1p.  Unit: none.
    Facts: convex, quadratic in raw_prediction.

    References
    ----------
    scikit-learn, "Mean squared logarithmic error", User Guide 3.4.

    Examples
    --------
    >>> SquaredLogError().loss(np.array([np.e - 1, 0.0]), np.array([0.0, 2.0]))
    array([1., 4.])
    """

    name = "squared_log_error"
    aliases = ("msle",)
    use = "geometric mean of 1 + y; an outlier counts by its logarithm; no unit"
    link = LOG1P
    interval_y_true = Domain(-1.0, np.inf)
    interval_y_pred = Domain(-1.0, np.inf)
    positive_only = True
    quadratic = True
    rho, psi, psi_prime = SquaredError.rho, SquaredError.psi, SquaredError.psi_prime

    def target(self, y_true):
        return np.log1p(y_true)

    def fit_intercept_only(self, y_true, weight):
        return weight @ np.log1p(y_true) / weight.sum()
