"""Losses of adversarial training, here of a linear critic."""

import numpy as np

from ._base import ResidualLoss
from ._margin import MarginLoss
from ._residual import SquaredError

__all__ = ["LSGAN"]


class LSGAN(ResidualLoss):
    """Least-squares GAN loss of a critic, real = 1 and fake = 0: least squares on the labels.

    With f = raw_prediction::

        loss = (f - y_true)**2

    Domain: y_true in {0, 1}.  Response: decision_function = f - 1/2, whose sign is the class; its probability is
    clip(f, 0, 1).  Unit: none.
    Facts: convex, quadratic.

    References
    ----------
    X. Mao et al., "Least Squares Generative Adversarial Networks", ICCV 2017, arXiv:1611.04076; without factors 1/2.

    Examples
    --------
    >>> LSGAN().loss(np.array([1.0, 0.0]), np.array([0.5, 2.0]))
    array([0.25, 4.  ])
    """

    name = "lsgan"
    aliases = ("least_squares",)
    use = "the probability, as a straight line; an outlier moves it without bound; no unit"
    response_method = "decision_function"
    interval_y_true = MarginLoss.interval_y_true
    quadratic = True
    probabilistic = True
    rho, psi, psi_prime = SquaredError.rho, SquaredError.psi, SquaredError.psi_prime
    fit_intercept_only = SquaredError.fit_intercept_only
    check_y_true = MarginLoss.check_y_true

    def decision(self, raw_prediction):
        return raw_prediction - 0.5

    def response(self, raw_prediction):
        return raw_prediction - 0.5

    def raw(self, y_pred):
        return y_pred + 0.5

    def probability(self, raw_prediction):
        return np.clip(raw_prediction, 0, 1)
