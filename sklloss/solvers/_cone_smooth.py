"""What is smooth in an objective with norms: the loss without its kinks, and the l2 penalty."""

import numpy as np
from scipy import linalg

__all__ = ["ConeSmooth"]

RIDGE = 1e-10  # of the diagonal of the curvature: as much negative curvature is rounding


class ConeSmooth:
    """The loss without its kinks, and the l2 penalty; where the loss has no second derivative, that of BFGS."""

    def __init__(self, objective):
        self.l2 = np.tile(objective.l2, objective.n_outputs)
        alone = objective.smooth_part
        self.objective = None if alone.loss is None else alone
        self.convex, self.bfgs = objective.convex, None
        if self.objective is not None and not alone.has_curvature:
            self.bfgs = np.kron(np.eye(objective.n_outputs), objective.gram() + np.diag(objective.l2))

    def value_gradient(self, w):
        if self.objective is None:
            return 0.5 * float(self.l2 @ w**2), self.l2 * w
        if self.bfgs is None:
            self.objective.hessian(w)  # in the same pass; the next step needs it
        return self.objective.value_gradient(w)

    def hessian(self, w):
        if self.objective is None:
            return np.diag(self.l2)
        H = self.objective.hessian(w) if self.bfgs is None else self.bfgs
        return H if self.convex else _positive(H)

    def mass(self, w):
        """See `LinearObjective.mass`."""
        return 0.0 if self.objective is None else self.objective.mass(w)

    def slope_along(self, w, step):
        if self.objective is None:
            return lambda t: float((self.l2 * (w + t * step)) @ step)
        return self.objective.slope_along(w, step)

    def learn(self, before, after):
        """The curvature of BFGS, damped so that it stays positive."""
        if self.bfgs is None or after is before:
            return
        s, y = after.w - before.w, after.slope - before.slope
        Bs = self.bfgs @ s
        bend, seen = float(s @ Bs), float(s @ y)
        if bend > 0:
            share = 0.8 * bend / (bend - seen) if seen < 0.2 * bend else 1.0
            y = share * y + (1 - share) * Bs
            self.bfgs = self.bfgs + np.outer(y, y) / float(s @ y) - np.outer(Bs, Bs) / bend


def _positive(H):
    """The curvature, its negative part turned."""
    try:
        linalg.cholesky(H + np.diag(RIDGE * np.abs(H.diagonal())), check_finite=False)
        return H
    except linalg.LinAlgError:
        values, vectors = linalg.eigh(H, check_finite=False)
        return (vectors * np.maximum(np.abs(values), 1e-6 * np.abs(values).max())) @ vectors.T
