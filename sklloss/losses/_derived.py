"""Losses that are another loss, seen differently: in units of a scale, averaged, with another weight on each side."""

from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils.metaestimators import available_if

from .._compat import Interval
from ._base import Loss, ResidualLoss

__all__ = ["Asymmetric"]

CLOSE = 1e-8  # relative step of Newton's method for a scale, after which its error, about the square, is rounding
ENOUGH_ROWS = 10_000  # for a median, and the scale around it


class _OfResidual(ResidualLoss):
    """A loss that is another in all but what it makes of the residual."""

    base: Any

    @property
    def link(self):
        return self.base.link

    @property
    def interval_y_true(self):
        return self.base.interval_y_true

    @property
    def interval_y_pred(self):
        return self.base.interval_y_pred

    @property
    def convex(self):
        return self.base.convex

    @property
    def smooth(self):
        return self.base.smooth

    @property
    def positive_only(self):
        return self.base.positive_only

    @property
    def translates(self):
        return self.base.translates

    def target(self, y_true):
        return self.base.target(y_true)

    def row_weight(self, y_true):
        return self.base.row_weight(y_true)

    def check_y_true(self, y_true, fit=False):
        self.base.check_y_true(y_true, fit)

    def check(self):
        if not isinstance(self.base, ResidualLoss):
            raise ValueError(
                f"base of {type(self).__name__} must be a loss of the residual, an instance of a ResidualLoss such as "
                f"Huber(); got {self.base!r}."
            )
        self.base.check()
        return super().check()


class Scaled(_OfResidual):
    """A loss of residuals measured in units of a scale.

    With r = y_true - raw_prediction::

        loss = scale**2 * base(r / scale)

    so that near 0, where robust losses are r**2 / 2, nothing changes, and ``Scaled(Huber(delta), s)`` is
    ``Huber(delta * s)``.  It is how `LossRegressor` applies its ``scale``.

    Parameters
    ----------
    base : ResidualLoss
    scale : float > 0 or ndarray of shape (n_outputs,)

    Examples
    --------
    >>> from sklloss.losses import Huber
    >>> r = np.array([0.5, 7.0])
    >>> Scaled(Huber(1.5), 2.0).rho(r), Huber(3.0).rho(r)
    (array([ 0.125, 16.5  ]), array([ 0.125, 16.5  ]))
    """

    def __init__(self, base, scale):
        self.base = base
        self.scale = scale

    @property
    def quadratic(self):
        return self.base.quadratic

    @property
    def relu(self):
        s = self.scale
        return None if self.base.relu is None else tuple((c * s, o * s * s) for c, o in self.base.relu)

    def column(self, k):
        return self if np.ndim(self.scale) == 0 else Scaled(self.base, float(self.scale[k]))

    def rho(self, r):
        return self.scale * self.scale * self.base.rho(r / self.scale)

    def psi(self, r):
        return self.scale * self.base.psi(r / self.scale)

    def psi_prime(self, r):
        return self.base.psi_prime(r / self.scale)

    @available_if(lambda self: hasattr(self.base, "majorizer"))
    def majorizer(self, y_true, raw_prediction):
        return self.base.majorizer(np.zeros_like(raw_prediction), (raw_prediction - y_true) / self.scale)


class JointScale(Loss):
    """A loss of the residual at the best common scale of its rows, itself a convex loss of all rows together.

    With r = y_true - raw_prediction, and weights that sum to 1::

        loss = min over s >= floor of  sum_i weight_i * (s / 2) * (1 + 2 * base(r_i / s))

    The minimum is where sum_i weight_i * (z_i * psi(z_i) - base(z_i)) = 1 / 2, z = r / s; the sum falls as s grows.

    Parameters
    ----------
    base : ResidualLoss
        Convex and smooth.
    floor : float > 0
        Least scale.
    """

    elementwise = False
    has_curvature = True

    def __init__(self, base, floor):
        self.base = base
        self.floor = floor
        self._last = None, None  # the last raw predictions, and their scale: where the next search starts

    def best_scale(self, y_true, raw_prediction, weight):
        """The minimising s, a float."""
        if self._last[0] is raw_prediction:
            return self._last[1]
        base, weight = self.base, weight * self.base.row_weight(y_true) / weight.sum()
        r = base.target(y_true) - raw_prediction
        scale = self._last[1] or max(1.5 * float(np.median(np.abs(r))), self.floor)
        low, high = self.floor, np.inf
        for _ in range(100):
            z = r / scale
            excess = float(weight @ (z * base.psi(z) - base.rho(z)))
            low, high = (scale, high) if excess > 0.5 else (low, scale)
            if scale == self.floor and excess <= 0.5:
                break
            # Newton's method for the logarithm of both sides, which is straight where base is quadratic
            fall = float(weight @ (z * z * base.psi_prime(z)))
            step = np.log(2 * excess) * excess / fall if excess > 0 and fall > 0 else -np.inf
            new = scale * np.exp(np.clip(step, -5, 5))
            if not low <= new <= high:
                new = np.sqrt(low * high) if high < np.inf else 2 * low
            before, scale = scale, max(float(new), self.floor)
            if abs(scale - before) <= CLOSE * before:
                break
        self._last = raw_prediction, scale
        return scale

    def value_gradient(self, y_true, raw_prediction, weight):
        scale = self.best_scale(y_true, raw_prediction, weight)
        z = (self.base.target(y_true) - raw_prediction) / scale
        weighted = weight * self.base.row_weight(y_true)
        value = scale * (0.5 * float(weight.sum()) + float(weighted @ self.base.rho(z)))
        return value, -weighted * self.base.psi(z)

    def curvature(self, y_true, raw_prediction, weight):
        scale = self.best_scale(y_true, raw_prediction, weight)
        z = (self.base.target(y_true) - raw_prediction) / scale
        bend = weight * self.base.row_weight(y_true) * self.base.psi_prime(z) / scale
        mixed = bend * z  # of raw prediction and scale
        by_scale = float(mixed @ z)
        if scale == self.floor or by_scale <= 0:
            return bend, np.zeros((len(z), 0)), np.zeros((0, 0))
        return bend, mixed[:, None], np.array([[-1 / by_scale]])

    def fit_intercept_only(self, y_true, weight):
        # Near enough for a start and a yardstick: a few rounds, and of many rows a part.
        step = max(1, len(y_true) // ENOUGH_ROWS)
        y_true, weight = y_true[::step], weight[::step]
        best = float(np.median(self.base.target(y_true)))
        for _ in range(3):
            scale = self.best_scale(y_true, np.full(len(y_true), best), weight)
            best = float(Scaled(self.base, scale).fit_intercept_only(y_true, weight))
        return best


class Averaged(Loss):
    """A loss averaged over a window around the raw prediction, (n,).

    With h the width, ``gradient = (base(f + h / 2) - base(f - h / 2)) / h`` exactly; the value is Boole's rule.
    """

    convex = False
    definite = False

    def __init__(self, base, width):
        self.base = base
        self.width = width

    def loss(self, y_true, raw_prediction):
        nodes = zip(np.array([7, 32, 12, 32, 7]) / 90, np.linspace(-0.5, 0.5, 5) * self.width, strict=True)
        return sum(share * self.base.loss(y_true, raw_prediction + shift) for share, shift in nodes)

    def gradient(self, y_true, raw_prediction):
        half = self.width / 2
        right, left = self.base.loss(y_true, raw_prediction + half), self.base.loss(y_true, raw_prediction - half)
        return (right - left) / self.width

    def fit_intercept_only(self, y_true, weight):
        return self.base.fit_intercept_only(y_true, weight)


class Asymmetric(_OfResidual):
    """A loss of the residual with another weight on each side: it estimates an M-quantile.

    With r = y_true - raw_prediction::

        loss = quantile * base(r)          where r >= 0
               (1 - quantile) * base(r)    where r < 0

    Of squared_error it is the expectile loss, of absolute_error the pinball loss, of huber the quantile-Huber loss.

    Domain, link and unit: those of base.
    Facts: those of base; quadratic at quantile = 0.5 only.

    Parameters
    ----------
    base : ResidualLoss
        Its loss is 0 at r = 0, else the sum of the two sides would jump there.
    quantile : float in (0, 1), default=0.5
        Weight of the residuals above 0.

    References
    ----------
    J. Breckling, R. Chambers, "M-quantiles", Biometrika 75(4), 1988.

    Examples
    --------
    >>> from sklloss.losses import Huber
    >>> Asymmetric(Huber(delta=1.0), quantile=0.9).loss(np.array([3.0, 1.0]), np.array([1.0, 1.5]))
    array([1.35  , 0.0125])
    """

    use = "an M-quantile: what base estimates, shifted; an outlier counts as in base"
    _parameter_constraints = {"quantile": [Interval(Real, 0, 1, closed="neither")]}

    def __init__(self, base, quantile=0.5):
        self.base = base
        self.quantile = quantile

    @property
    def standardized(self):
        return self.base.standardized

    @property
    def quadratic(self):
        return self.base.quadratic and self.quantile == 0.5

    @property
    def relu(self):
        if self.base.relu is None or any(o > 0 for _, o in self.base.relu):
            return None  # a part that is active on both sides of 0
        return tuple((c * q, o * q) for c, o in self.base.relu for q in [self.quantile if c > 0 else 1 - self.quantile])

    def check(self):
        super().check()
        if (at_zero := float(self.base.rho(np.zeros(1))[0])) != 0:
            raise ValueError(
                f"base of Asymmetric must be 0 at residual 0, or the loss jumps there; {self.base!r} is {at_zero:g}."
            )
        return self

    def _side(self, r):
        return np.where(r < 0, r.dtype.type(1 - self.quantile), r.dtype.type(self.quantile))

    def rho(self, r):
        return self._side(r) * self.base.rho(r)

    def psi(self, r):
        # at a kink the middle of the subdifferential, which the middle of base is not
        return super().psi(r) if self.relu is not None else self._side(r) * self.base.psi(r)

    def psi_prime(self, r):
        return self._side(r) * self.base.psi_prime(r)

    # Centred at r = 0, a parabola would lie below the other side of the loss; with the larger weight it lies above.
    @available_if(lambda self: self.base.convex and hasattr(self.base, "majorizer"))
    def majorizer(self, y_true, raw_prediction):
        return max(self.quantile, 1 - self.quantile) * self.base.majorizer(y_true, raw_prediction)


def has_soft_kinks(loss):
    """Whether a loss is smooth, or one of the residual whose kinks are declared and weigh the same for all targets."""
    plain = isinstance(loss, ResidualLoss) and type(loss).row_weight is ResidualLoss.row_weight
    return loss.smooth or (plain and loss.relu is not None)


class SmoothedKinks(_OfResidual):
    """A loss that declares its kinks, with each of them rounded off by a parabola.

    With t = slope * r + offset, of every kink::

        loss = sum of 0                                at t <= -width / 2
                      (t + width / 2)**2 / (2 width)   in between
                      t                                at t >= width / 2

    It is above base, by at most width / 8 for each kink.

    Parameters
    ----------
    base : ResidualLoss
    width : float > 0
    """

    smooth = True

    def __init__(self, base, width):
        self.base = base
        self.width = width

    def rho(self, r):
        inner = [(c * r + o, np.clip(c * r + o + self.width / 2, 0, self.width)) for c, o in self.base.relu]
        return sum(part * part / (2 * self.width) + np.maximum(t - self.width / 2, 0) for t, part in inner)

    def psi(self, r):
        return sum(c * np.clip((c * r + o) / self.width + 0.5, 0, 1) for c, o in self.base.relu)

    def psi_prime(self, r):
        return sum(c * c / self.width * (np.abs(c * r + o) < self.width / 2) for c, o in self.base.relu)
