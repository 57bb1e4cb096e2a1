"""Convex losses of the residual r = y_true - raw_prediction that cap the pull of an outlier.

Those marked ``standardized`` have constants for residuals of scale 1; at the default constant they are 95 % as
efficient as least squares for normal residuals.  Up to a constant of proportionality all are r**2 / 2 near 0.
"""

import math
from numbers import Real
from typing import Any

import numpy as np

from .._compat import Interval
from ._base import ResidualLoss
from ._residual import AbsoluteError
from ._stable import SERIES_0, SERIES_1, cosine

__all__ = [
    "BalancedL1",
    "Charbonnier",
    "Fair",
    "Huber",
    "LogCosh",
    "PseudoHuber",
    "SmoothL1",
]

POSITIVE = Interval(Real, 0, None, closed="neither")


class Robust(ResidualLoss):
    """A loss of the residual whose outliers pull less than in proportion."""

    subquadratic: Any = True


class Huber(Robust):
    """Huber loss: squared error near zero, absolute error beyond delta.

    With r = y_true - raw_prediction::

        loss = r**2 / 2                        where abs(r) <= delta
               delta * (abs(r) - delta / 2)    elsewhere

    Domain: y_true real.  Link: identity.  Unit: the square of that of y.
    Facts: convex, smooth, slope at most delta, curvature at most 1, constants for residuals of scale 1.

    Parameters
    ----------
    delta : float > 0, default=1.35
        Where the loss turns from quadratic to linear.  1.345 makes it 95 % as efficient as least squares for normal
        residuals of scale 1.

    References
    ----------
    P. J. Huber, "Robust Estimation of a Location Parameter", Annals of Mathematical Statistics 35(1), 1964.

    Examples
    --------
    >>> Huber(delta=1.0).loss(np.array([3.0, 1.0]), np.array([1.0, 0.5]))
    array([1.5  , 0.125])
    """

    name = "huber"
    use = "mean of the bulk, between mean and median; an outlier's pull is capped at delta; unit of y squared"
    standardized = True
    _parameter_constraints = {"delta": [POSITIVE]}

    def __init__(self, delta=1.35):
        self.delta = delta

    def rho(self, r):
        a = np.abs(r)
        q = np.minimum(a, self.delta)
        return q * (a - q / 2)

    def psi(self, r):
        return np.clip(r, -self.delta, self.delta)

    def psi_prime(self, r):
        return (np.abs(r) <= self.delta).astype(r.dtype)


class SmoothL1(Robust):
    """Smooth L1 loss: absolute error with its kink rounded off; Huber(beta) / beta.

    With r = y_true - raw_prediction::

        loss = r**2 / (2 * beta)     where abs(r) < beta
               abs(r) - beta / 2     elsewhere

    Domain: y_true real.  Link: identity.  Unit: that of y.
    Facts: convex, smooth unless beta = 0 (then it is the absolute error), slope at most 1, curvature at most 1 / beta.

    Parameters
    ----------
    beta : float >= 0, default=1.0
        Where the loss turns from quadratic to linear, in units of y.

    References
    ----------
    R. Girshick, "Fast R-CNN", ICCV 2015, arXiv:1504.08083.

    Examples
    --------
    >>> SmoothL1(beta=2.0).loss(np.array([3.0, 1.0]), np.array([0.0, 0.0]))
    array([2.  , 0.25])
    """

    name = "smooth_l1"
    use = "median, smoothed within beta; an outlier's pull is capped at 1; unit of y"
    _parameter_constraints = {"beta": [Interval(Real, 0, None, closed="left")]}

    def __init__(self, beta=1.0):
        self.beta = beta

    @property
    def smooth(self):
        return self.beta != 0

    @property
    def relu(self):
        return AbsoluteError.relu if self.beta == 0 else None

    def rho(self, r):
        if not self.smooth:
            return np.abs(r)
        a = np.abs(r)
        q = np.minimum(a, self.beta)
        return q / self.beta * (a - q / 2)

    def psi(self, r):
        return np.clip(r / self.beta, -1, 1) if self.smooth else np.sign(r)

    def psi_prime(self, r):
        return (np.abs(r) < self.beta) / r.dtype.type(self.beta) if self.smooth else np.zeros_like(r)


class LogCosh(Robust):
    """Log-cosh loss: a smooth absolute error.

    With r = y_true - raw_prediction::

        loss = log(cosh(r))

    Domain: y_true real.  Link: identity.  Unit: none of its own; r is taken in units of y.
    Facts: convex, smooth, slope at most 1, curvature at most 1.

    References
    ----------
    P. J. Green, "Bayesian reconstructions from emission tomography data using a modified EM algorithm", IEEE
    Transactions on Medical Imaging 9(1), 1990.

    Examples
    --------
    >>> LogCosh().loss(np.array([0.0, 1000.0]), np.array([1.0, 0.0])).round(6)
    array([4.33781000e-01, 9.99306853e+02])
    """

    name = "log_cosh"
    use = "between mean and median; an outlier's pull is capped at 1; y should have scale 1"

    def rho(self, r):
        a = np.abs(r)
        near = np.sinh(np.minimum(a, 1))  # log cosh a = log(1 + sinh(a)**2) / 2 keeps its digits near 0
        return np.where(a < 1, np.log1p(near * near) / 2, a + np.log1p(np.exp(-2 * a)) - math.log(2))

    def psi(self, r):
        return np.tanh(r)

    def psi_prime(self, r):
        e = np.exp(-2 * np.abs(r))
        return 4 * e / (1 + e) ** 2


class PseudoHuber(Robust):
    """Pseudo-Huber loss: a Huber loss without a seam.

    With r = y_true - raw_prediction::

        loss = delta**2 * (sqrt(1 + (r / delta)**2) - 1)

    Domain: y_true real.  Link: identity.  Unit: the square of that of y.
    Facts: convex, smooth, slope at most delta, curvature at most 1.

    Parameters
    ----------
    delta : float > 0, default=1.0
        Where the loss turns from quadratic to linear, in units of y.

    References
    ----------
    P. Charbonnier et al., "Deterministic edge-preserving regularization in computed imaging", IEEE Transactions on
    Image Processing 6(2), 1997.

    Examples
    --------
    >>> PseudoHuber(delta=3.0).loss(np.array([4.0, 0.0]), np.array([0.0, 0.0]))
    array([6., 0.])
    """

    name = "pseudo_huber"
    use = "mean of the bulk; an outlier's pull is capped at delta; unit of y squared"
    _parameter_constraints = {"delta": [POSITIVE]}

    def __init__(self, delta=1.0):
        self.delta = delta

    def rho(self, r):
        return r / (1 + np.hypot(1, r / self.delta)) * r

    def psi(self, r):
        return r / np.hypot(1, r / self.delta)

    def psi_prime(self, r):
        return cosine(r / self.delta) ** 3


class Charbonnier(Robust):
    """Charbonnier loss: an absolute error whose kink is rounded off within epsilon.

    With r = y_true - raw_prediction::

        loss = sqrt(r**2 + epsilon**2)

    Domain: y_true real.  Link: identity.  Unit: that of y.  Its minimum is epsilon.
    Facts: convex, smooth, slope at most 1, curvature at most 1 / epsilon.

    Parameters
    ----------
    epsilon : float > 0, default=1e-3
        Within which the kink is rounded off, in units of y.

    References
    ----------
    W.-S. Lai et al., "Deep Laplacian Pyramid Networks", CVPR 2017, arXiv:1704.03915.

    Examples
    --------
    >>> Charbonnier(epsilon=3.0).loss(np.array([4.0, 0.0]), np.array([0.0, 0.0]))
    array([5., 3.])
    """

    name = "charbonnier"
    use = "median, smoothed within epsilon; an outlier's pull is capped at 1; unit of y"
    _parameter_constraints = {"epsilon": [POSITIVE]}

    def __init__(self, epsilon=1e-3):
        self.epsilon = epsilon

    def rho(self, r):
        return np.hypot(r, self.epsilon)

    def psi(self, r):
        return r / np.hypot(r, self.epsilon)

    def psi_prime(self, r):
        return cosine(r / self.epsilon) ** 3 / self.epsilon


class BalancedL1(Robust):
    """Balanced L1 loss, whose slope grows like a logarithm up to gamma.

    With x = abs(y_true - raw_prediction) / beta and b = exp(gamma / alpha) - 1::

        loss = beta * (alpha / b * (b * x + 1) * log(b * x + 1) - alpha * x)    where x < 1
               beta * (gamma * x + gamma / b - alpha)                           elsewhere

    Domain: y_true real.  Link: identity.  Unit: that of y.
    Facts: convex, smooth, slope at most gamma, curvature at most alpha * b / beta.

    Parameters
    ----------
    alpha, gamma : float > 0, default=0.5 and 1.5
        How fast the slope grows, and where it ends.
    beta : float > 0, default=1.0
        Where the loss turns linear, in units of y.  The loss is scaled as a whole, which keeps it smooth for any beta.

    References
    ----------
    J. Pang et al., "Libra R-CNN: Towards Balanced Learning for Object Detection", CVPR 2019, arXiv:1904.02701.

    Examples
    --------
    >>> BalancedL1().loss(np.array([0.5, 2.0]), np.array([0.0, 0.0])).round(6)
    array([0.400568, 2.578594])
    """

    name = "balanced_l1"
    use = "median, smoothed within beta; an outlier's pull is capped at gamma; unit of y"
    _parameter_constraints = {"alpha": [POSITIVE], "gamma": [POSITIVE], "beta": [POSITIVE]}

    def __init__(self, alpha=0.5, gamma=1.5, beta=1.0):
        self.alpha = alpha
        self.gamma = gamma
        self.beta = beta

    @property
    def _b(self):
        return math.expm1(self.gamma / self.alpha)

    def _x(self, r):
        return np.abs(r).astype(np.float64, copy=False) / self.beta  # b * x may overflow a float32

    def rho(self, r):
        x = self._x(r)
        u = self._b * np.minimum(x, 1)
        near = self.alpha / self._b * np.where(u < 0.1, SERIES_1(np.minimum(u, 0.1)), (1 + u) * np.log1p(u) - u)
        return (self.beta * (near + self.gamma * np.maximum(x - 1, 0))).astype(r.dtype, copy=False)

    def psi(self, r):
        L = np.log1p(self._b * np.minimum(self._x(r), 1))
        return np.copysign(self.alpha * L, r).astype(r.dtype, copy=False)

    def psi_prime(self, r):
        x = self._x(r)
        slope = self.alpha * self._b / self.beta / (self._b * np.minimum(x, 1) + 1)
        return np.where(x < 1, slope, 0).astype(r.dtype, copy=False)


class Fair(Robust):
    """Fair loss.

    With x = abs(y_true - raw_prediction) / delta::

        loss = delta**2 * (x - log(1 + x))

    Domain: y_true real.  Link: identity.  Unit: the square of that of y.
    Facts: convex, smooth, slope at most delta, curvature at most 1, constants for residuals of scale 1.

    Parameters
    ----------
    delta : float > 0, default=1.3998

    References
    ----------
    R. C. Fair, "On the robust estimation of econometric models", Annals of Economic and Social Measurement 3, 1974.

    Examples
    --------
    >>> Fair(delta=1.0).loss(np.array([1.0, 3.0]), np.array([0.0, 0.0])).round(6)
    array([0.306853, 1.613706])
    """

    name = "fair"
    use = "between mean and median; an outlier's pull is capped at delta; unit of y squared"
    standardized = True
    _parameter_constraints = {"delta": [POSITIVE]}

    def __init__(self, delta=1.3998):
        self.delta = delta

    def rho(self, r):
        x = np.abs(r) / self.delta
        near = np.minimum(x, 0.1)
        return self.delta * self.delta * np.where(x < 0.1, SERIES_0(near), x - np.log1p(x))

    def psi(self, r):
        return r / (1 + np.abs(r) / self.delta)

    def psi_prime(self, r):
        return (1 / (1 + np.abs(r) / self.delta)) ** 2
