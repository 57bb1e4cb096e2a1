"""Losses of the residual r = y_true - raw_prediction in which an outlier has less pull the farther it is.

They are not convex.  Those marked ``standardized`` have constants for residuals of scale 1; at the default constant
they are 95 % as efficient as least squares for normal residuals.  Barron's family holds convex losses as well.
"""

import math
from numbers import Real

import numpy as np
from scipy import special

from .._compat import Interval
from ._robust import POSITIVE, Robust
from ._stable import cosine, log1p_square, power, sine

__all__ = [
    "Andrews",
    "Barron",
    "Cauchy",
    "GemanMcClure",
    "Hampel",
    "Tukey",
    "Welsch",
]


class Cauchy(Robust):
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
    _parameter_constraints = {"delta": [POSITIVE]}

    def __init__(self, delta=2.3849):
        self.delta = delta

    def rho(self, r):
        t = r / self.delta
        return self.delta * self.delta / 2 * log1p_square(t, np.hypot(1, t))

    def psi(self, r):
        c = cosine(r / self.delta)
        return r * c * c

    def psi_prime(self, r):
        t = r / self.delta
        c, s = cosine(t), sine(t)
        return (c * c - s * s) * c * c


class Welsch(Robust):
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
    _parameter_constraints = {"delta": [POSITIVE]}

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


class GemanMcClure(Robust):
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
    _parameter_constraints = {"delta": [POSITIVE]}

    def __init__(self, delta=1.0):
        self.delta = delta

    def rho(self, r):
        s = self.delta * sine(r / self.delta)
        return s * s / 2

    def psi(self, r):
        c = cosine(r / self.delta)
        return r * c * c * c * c  # c**4 alone would underflow first

    def psi_prime(self, r):
        t = r / self.delta
        c, s = cosine(t), sine(t)
        return (c * c - 3 * s * s) * c**4


class Tukey(Robust):
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
    _parameter_constraints = {"delta": [POSITIVE]}

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


class Hampel(Robust):
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
    _parameter_constraints = {"a": [POSITIVE], "b": [POSITIVE], "c": [POSITIVE]}

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


class Andrews(Robust):
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
    _parameter_constraints = {"delta": [POSITIVE]}

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


class Barron(Robust):
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
    _parameter_constraints = {"alpha": [Interval(Real, None, None, closed="left")], "delta": [POSITIVE]}

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
        return alpha, b, t, u, h, log1p_square(u, h)

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
        return t / h * power(u, h, L, alpha - 1) / self.delta

    def psi_prime(self, r):
        if self.quadratic:
            return np.full_like(r, 1 / self.delta / self.delta)
        alpha, _, _, u, h, L = self._parts(r)
        c, s = 1 / h, u / h
        return power(u, h, L, alpha - 2) * (c * c + (alpha - 1) * s * s) / self.delta / self.delta
