"""Losses of the residual r = y_true - raw_prediction that limit what an outlier does.

Those marked ``standardized`` have constants for residuals of scale 1; at the default constant they are 95 % as
efficient as least squares for normal residuals.  Up to a constant of proportionality all are r**2 / 2 near 0.
"""

import math
from numbers import Real
from typing import Any

import numpy as np
from scipy import special

from .._compat import Interval
from ._base import ResidualLoss
from ._residual import AbsoluteError

__all__ = [
    "Andrews",
    "BalancedL1",
    "Barron",
    "Cauchy",
    "Charbonnier",
    "Fair",
    "GemanMcClure",
    "Hampel",
    "Huber",
    "LogCosh",
    "PseudoHuber",
    "SmoothL1",
    "Tukey",
    "Welsch",
]

_POSITIVE = Interval(Real, 0, None, closed="neither")


class _Robust(ResidualLoss):
    """A loss of the residual whose outliers pull less than in proportion."""

    subquadratic: Any = True


class Huber(_Robust):
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
    _parameter_constraints = {"delta": [_POSITIVE]}

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


class SmoothL1(_Robust):
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


class LogCosh(_Robust):
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


class PseudoHuber(_Robust):
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
    _parameter_constraints = {"delta": [_POSITIVE]}

    def __init__(self, delta=1.0):
        self.delta = delta

    def rho(self, r):
        return r / (1 + np.hypot(1, r / self.delta)) * r

    def psi(self, r):
        return r / np.hypot(1, r / self.delta)

    def psi_prime(self, r):
        return _cosine(r / self.delta) ** 3


class Charbonnier(_Robust):
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
    _parameter_constraints = {"epsilon": [_POSITIVE]}

    def __init__(self, epsilon=1e-3):
        self.epsilon = epsilon

    def rho(self, r):
        return np.hypot(r, self.epsilon)

    def psi(self, r):
        return r / np.hypot(r, self.epsilon)

    def psi_prime(self, r):
        return _cosine(r / self.epsilon) ** 3 / self.epsilon


class BalancedL1(_Robust):
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
    _parameter_constraints = {"alpha": [_POSITIVE], "gamma": [_POSITIVE], "beta": [_POSITIVE]}

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


class Fair(_Robust):
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
    _parameter_constraints = {"delta": [_POSITIVE]}

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


class Cauchy(_Robust):
    """Cauchy (Lorentzian) loss.

    With t = (y_true - raw_prediction) / delta::

        loss = delta**2 / 2 * log(1 + t**2)

    Domain: y_true real.  Link: identity.  Unit: the square of that of y.
    Facts: not convex, smooth, the pull of an outlier fades like 1 / r, constants for residuals of scale 1.

    Parameters
    ----------
    delta : float > 0, default=2.3849

    References
    ----------
    P. W. Holland, R. E. Welsch, "Robust regression using iteratively reweighted least-squares", Communications in
    Statistics 6(9), 1977.

    Examples
    --------
    >>> Cauchy(delta=1.0).loss(np.array([1.0, 3.0]), np.array([0.0, 0.0])).round(6)
    array([0.346574, 1.151293])
    """

    name = "cauchy"
    use = "the bulk; an outlier's pull fades like 1 / r; unit of y squared"
    convex = False
    standardized = True
    _parameter_constraints = {"delta": [_POSITIVE]}

    def __init__(self, delta=2.3849):
        self.delta = delta

    def rho(self, r):
        t = r / self.delta
        return self.delta * self.delta / 2 * _log1p_square(t, np.hypot(1, t))

    def psi(self, r):
        c = _cosine(r / self.delta)
        return r * c * c

    def psi_prime(self, r):
        t = r / self.delta
        c, s = _cosine(t), _sine(t)
        return (c * c - s * s) * c * c


class Welsch(_Robust):
    """Welsch (Leclerc) loss.

    With t = (y_true - raw_prediction) / delta::

        loss = delta**2 / 2 * (1 - exp(-t**2))

    Domain: y_true real.  Link: identity.  Unit: the square of that of y.
    Facts: not convex, smooth, at most delta**2 / 2, constants for residuals of scale 1.

    Parameters
    ----------
    delta : float > 0, default=2.9846

    References
    ----------
    J. E. Dennis, R. E. Welsch, "Techniques for nonlinear least squares and robust regression", Communications in
    Statistics 7(4), 1978.

    Examples
    --------
    >>> Welsch(delta=1.0).loss(np.array([1.0, 3.0]), np.array([0.0, 0.0])).round(6)
    array([0.31606 , 0.499938])
    """

    name = "welsch"
    aliases = ("leclerc",)
    use = "the bulk; an outlier has no pull; unit of y squared"
    convex = False
    standardized = True
    _parameter_constraints = {"delta": [_POSITIVE]}

    def __init__(self, delta=2.9846):
        self.delta = delta

    def _square(self, r):
        t = np.clip(r / self.delta, -1e3, 1e3)  # exp(-1e6) is 0
        return t * t

    def rho(self, r):
        return -self.delta * self.delta / 2 * np.expm1(-self._square(r))

    def psi(self, r):
        return r * np.exp(-self._square(r))

    def psi_prime(self, r):
        square = self._square(r)
        return (1 - 2 * square) * np.exp(-square)


class GemanMcClure(_Robust):
    """Geman-McClure loss.

    With r = y_true - raw_prediction::

        loss = r**2 / 2 / (1 + (r / delta)**2)

    Domain: y_true real.  Link: identity.  Unit: the square of that of y.
    Facts: not convex, smooth, at most delta**2 / 2.

    Parameters
    ----------
    delta : float > 0, default=1.0

    References
    ----------
    S. Geman, D. E. McClure, "Bayesian image analysis: An application to single photon emission tomography", 1985.

    Examples
    --------
    >>> GemanMcClure().loss(np.array([1.0, 3.0]), np.array([0.0, 0.0]))
    array([0.25, 0.45])
    """

    name = "geman_mcclure"
    use = "the bulk; an outlier has no pull; unit of y squared"
    convex = False
    _parameter_constraints = {"delta": [_POSITIVE]}

    def __init__(self, delta=1.0):
        self.delta = delta

    def rho(self, r):
        s = self.delta * _sine(r / self.delta)
        return s * s / 2

    def psi(self, r):
        c = _cosine(r / self.delta)
        return r * c * c * c * c  # c**4 alone would underflow first

    def psi_prime(self, r):
        t = r / self.delta
        c, s = _cosine(t), _sine(t)
        return (c * c - 3 * s * s) * c**4


class Tukey(_Robust):
    """Tukey's biweight loss.

    With t = (y_true - raw_prediction) / delta::

        loss = delta**2 / 6 * (1 - (1 - t**2)**3)    where abs(t) <= 1
               delta**2 / 6                          elsewhere

    Domain: y_true real.  Link: identity.  Unit: the square of that of y.
    Facts: not convex, smooth, constants for residuals of scale 1.

    Parameters
    ----------
    delta : float > 0, default=4.685

    References
    ----------
    A. E. Beaton, J. W. Tukey, "The Fitting of Power Series, Meaning Polynomials, Illustrated on Band-Spectroscopic
    Data", Technometrics 16(2), 1974.

    Examples
    --------
    >>> Tukey(delta=2.0).loss(np.array([1.0, 3.0]), np.array([0.0, 0.0])).round(6)
    array([0.385417, 0.666667])
    """

    name = "tukey"
    aliases = ("biweight",)
    use = "the bulk; an outlier beyond delta has no pull at all; unit of y squared"
    convex = False
    standardized = True
    _parameter_constraints = {"delta": [_POSITIVE]}

    def __init__(self, delta=4.685):
        self.delta = delta

    def _parts(self, r):
        """u = min(t**2, 1), and 1 - u, which keeps its digits near abs(r) = delta."""
        a = np.abs(r)
        t = np.minimum(a / self.delta, 1)
        return t * t, np.maximum(self.delta - a, 0) / self.delta * (1 + t)

    def rho(self, r):
        u, _ = self._parts(r)
        return self.delta * self.delta / 6 * (u * (3 - 3 * u + u * u))

    def psi(self, r):
        _, rest = self._parts(r)
        return r * rest * rest

    def psi_prime(self, r):
        u, rest = self._parts(r)
        return rest * (1 - 5 * u)


class Hampel(_Robust):
    """Hampel's three-part loss: quadratic, linear, falling slope, constant.

    With x = abs(y_true - raw_prediction)::

        loss = x**2 / 2                                                           where x <= a
               a * x - a**2 / 2                                                   where x <= b
               a * (b - a / 2) + a * (x - b) * (1 - (x - b) / (2 * (c - b)))      where x <= c
               a * (b - a + c) / 2                                                elsewhere

    Domain: y_true real.  Link: identity.  Unit: the square of that of y.
    Facts: not convex, smooth, slope at most a, constants for residuals of scale 1.

    Parameters
    ----------
    a, b, c : float, default=2.0, 4.0 and 8.0
        Where the parts end, 0 < a <= b < c.

    References
    ----------
    F. R. Hampel et al., "Robust Statistics: The Approach Based on Influence Functions", 1986.

    Examples
    --------
    >>> Hampel().loss(np.array([1.0, 3.0, 6.0, 9.0]), np.zeros(4))
    array([ 0.5,  4. ,  9. , 10. ])
    """

    name = "hampel"
    use = "the bulk; an outlier beyond c has no pull at all; unit of y squared"
    convex = False
    standardized = True
    _parameter_constraints = {"a": [_POSITIVE], "b": [_POSITIVE], "c": [_POSITIVE]}

    def __init__(self, a=2.0, b=4.0, c=8.0):
        self.a = a
        self.b = b
        self.c = c

    def check(self):
        super().check()
        if not self.a <= self.b < self.c:
            raise ValueError(
                f"The parameters of Hampel must satisfy a <= b < c. Got a={self.a}, b={self.b}, c={self.c}."
            )
        return self

    def rho(self, r):
        x = np.abs(r)
        near, falling = np.minimum(x, self.a), np.clip(x, self.b, self.c) - self.b
        linear = np.clip(x, self.a, self.b) - self.a
        return near * near / 2 + self.a * (linear + falling * (1 - falling / (2 * (self.c - self.b))))

    def psi(self, r):
        return np.clip(r, -self.a, self.a) * np.clip((self.c - np.abs(r)) / (self.c - self.b), 0, 1)

    def psi_prime(self, r):
        x = np.abs(r)
        falls = ((x > self.b) & (x < self.c)).astype(r.dtype)
        return (x <= self.a).astype(r.dtype) - self.a / (self.c - self.b) * falls


class Andrews(_Robust):
    """Andrews' wave.

    With t = (y_true - raw_prediction) / delta::

        loss = delta**2 * (1 - cos(t))    where abs(t) <= pi
               2 * delta**2               elsewhere

    Domain: y_true real.  Link: identity.  Unit: the square of that of y.
    Facts: not convex, smooth, slope at most delta, constants for residuals of scale 1.

    Parameters
    ----------
    delta : float > 0, default=1.339

    References
    ----------
    D. F. Andrews, "A Robust Method for Multiple Linear Regression", Technometrics 16(4), 1974.

    Examples
    --------
    >>> Andrews(delta=1.0).loss(np.array([np.pi / 2, 9.0]), np.array([0.0, 0.0]))
    array([1., 2.])
    """

    name = "andrews"
    use = "the bulk; an outlier beyond pi * delta has no pull at all; unit of y squared"
    convex = False
    standardized = True
    _parameter_constraints = {"delta": [_POSITIVE]}

    def __init__(self, delta=1.339):
        self.delta = delta

    def rho(self, r):
        s = self.delta * np.sin(np.minimum(np.abs(r) / self.delta, math.pi) / 2)
        return 2 * s * s

    def psi(self, r):
        t = r / self.delta
        return np.where(np.abs(t) < math.pi, self.delta * np.sin(np.clip(t, -4, 4)), 0)

    def psi_prime(self, r):
        t = r / self.delta
        return np.where(np.abs(t) < math.pi, np.cos(np.clip(t, -4, 4)), 0)


class Barron(_Robust):
    """Barron's general robust loss, from quadratic to Welsch by one parameter.

    With q = ((y_true - raw_prediction) / delta)**2 and b = abs(alpha - 2)::

        loss = b / alpha * ((q / b + 1)**(alpha / 2) - 1)

    and its limits q / 2 at alpha = 2, log(q / 2 + 1) at 0 and 1 - exp(-q / 2) at -inf.  1 is the pseudo-Huber loss,
    0 the Cauchy, -2 the Geman-McClure, -inf the Welsch, each with its own scaling.

    Domain: y_true real.  Link: identity.  Unit: none.
    Facts: smooth, convex for alpha >= 1, quadratic at alpha = 2.

    Parameters
    ----------
    alpha : float < inf, default=1.0
        The shape; the smaller, the less an outlier pulls.
    delta : float > 0, default=1.0
        The scale of the quadratic bowl, in units of y.

    References
    ----------
    J. T. Barron, "A General and Adaptive Robust Loss Function", CVPR 2019, arXiv:1701.03077.

    Examples
    --------
    >>> Barron(alpha=-2.0).loss(np.array([2.0, 0.0]), np.array([0.0, 0.0]))
    array([1., 0.])
    """

    name = "barron"
    aliases = ("general_robust",)
    use = "between mean and mode by alpha; an outlier's pull falls with alpha; no unit"
    _parameter_constraints = {"alpha": [Interval(Real, None, None, closed="left")], "delta": [_POSITIVE]}

    def __init__(self, alpha=1.0, delta=1.0):
        self.alpha = alpha
        self.delta = delta

    @property
    def convex(self):
        return self.alpha >= 1

    @property
    def subquadratic(self):
        return self.alpha <= 2

    @property
    def quadratic(self):
        return self.alpha == 2

    def _parts(self, r):
        """alpha, b, t = r / delta, u = t / sqrt(b), h = sqrt(1 + u**2), L = 2 log(h)."""
        alpha = max(self.alpha, -1e30)  # from here on the loss is that of -inf to all digits
        b, t = abs(alpha - 2), r / self.delta
        u = t / math.sqrt(b)
        h = np.hypot(1, u)
        return alpha, b, t, u, h, _log1p_square(u, h)

    def rho(self, r):
        if self.quadratic:
            return (r / self.delta) ** 2 / 2
        alpha, b, t, u, h, L = self._parts(r)
        # b / alpha * expm1(x), written so that alpha = 0 is no exception
        x = alpha / 2 * L
        bL = np.where(np.abs(u) < 1e-9, t * t, b * L)  # t**2 = b * u**2, where L = u**2 may underflow
        near = bL / 2 * special.exprel(np.minimum(x, 1))
        if alpha < 1e-3:
            return near  # x <= 1 for any float
        # Beyond, a rounded exponent would cost digits: the power itself, with b inside so that only the loss overflows.
        root = b ** (1 / alpha) if alpha > 1 else 1.0
        return np.where(x <= 1, near, b / root**alpha * ((root * h) ** alpha - root**alpha) / alpha)

    def psi(self, r):
        if self.quadratic:
            return r / self.delta / self.delta
        alpha, _, t, u, h, L = self._parts(r)
        return t / h * _power(u, h, L, alpha - 1) / self.delta

    def psi_prime(self, r):
        if self.quadratic:
            return np.full_like(r, 1 / self.delta / self.delta)
        alpha, _, _, u, h, L = self._parts(r)
        c, s = 1 / h, u / h
        return _power(u, h, L, alpha - 2) * (c * c + (alpha - 1) * s * s) / self.delta / self.delta


# Quotients and logarithms of 1 + t**2 that neither overflow nor lose digits near 0.
def _cosine(t):
    """1 / sqrt(1 + t**2)."""
    return 1 / np.hypot(1, t)


def _sine(t):
    """t / sqrt(1 + t**2)."""
    t = np.clip(t, -1e18, 1e18)  # where it is 1; a quotient r / delta may be inf
    return t / np.hypot(1, t)


def _log1p_square(t, h):
    """log(1 + t**2), given h = sqrt(1 + t**2)."""
    small = np.clip(t, -1, 1)
    return np.where(np.abs(t) < 1, np.log1p(small * small), 2 * np.log(h))


def _power(t, h, L, k):
    """h**k, h = sqrt(1 + t**2) = exp(L / 2), for any size of k."""
    return np.where(np.abs(t) < 1, np.exp(k / 2 * np.minimum(L, 1)), h**k)


def _series(order):
    """The power series of x - log(1 + x), order 0, or of (1 + x) log(1 + x) - x, order 1, to 1e-15 below x = 0.1."""
    coefficients = [0.0, 0.0, *((-1) ** k / (k * (k - 1) if order else k) for k in range(2, 17))]

    def evaluate(x):
        total = np.zeros_like(x)
        for c in reversed(coefficients):
            total = total * x + x.dtype.type(c)
        return total

    return evaluate


SERIES_0, SERIES_1 = _series(0), _series(1)
