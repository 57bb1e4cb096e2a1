"""Losses built from others."""

import numpy as np

from ._base import ResidualLoss

__all__ = ["Scaled"]


class Scaled(ResidualLoss):
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
    def convex(self):
        return self.base.convex

    @property
    def smooth(self):
        return self.base.smooth

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
