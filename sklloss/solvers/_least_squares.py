"""Least squares with an optional l2 penalty: one pass, one factorisation, one pass to certify.

The Hessian is the Gram matrix of the standardised columns.  Where its Cholesky factor says that columns are nearly
dependent, the Gram matrix, whose condition number is the square of that of X, has lost the digits; the rows
themselves are then factored by a singular value decomposition, which finds the rank and, without a penalty, the
solution of least norm.  Either way the solution is refined once with its own residual, which is also the certificate.
"""

import numpy as np
from scipy import linalg

from ._base import Solver, smooth_solution
from ._linalg import factor
from ._minimize import needs_smooth

__all__ = ["LeastSquares"]

PIVOT = (
    1e-3  # smallest pivot of the unit-diagonal Cholesky factor; its square is about 1 / condition of the Gram matrix
)


class LeastSquares(Solver):
    """Normal equations, or a rank-revealing factorisation; see the module's docstring."""

    name = "least_squares"

    def unsupported(self, objective):
        if objective.loss.quadratic and not objective.smooth:
            return needs_smooth(objective)
        if not objective.quadratic:
            return f"it needs a quadratic objective, and {objective.loss!r} is not quadratic"
        return None

    def solve(self, objective, params, *, tol, max_iter, callback=None):
        curvature, hessian = objective.constant_curvature, objective.constant_hessian
        route = "normal equations"
        apply = factor(hessian)
        if _smallest_pivot(hessian) < PIVOT:
            route, apply = "singular value decomposition", _rank_revealing(objective, curvature)
        history = []
        for n_iter in (1, 2, 3):
            gradient = objective.value_gradient(params)[1]
            step = -apply(gradient)
            new = objective.value_gradient(params + step)
            worse = np.abs(new[1]).max() >= np.abs(gradient).max()
            if n_iter > 1 and worse:
                break
            params = params + step
            history.append((new[0], objective.optimality(new[1])))
            if callback is not None:
                callback(n_iter, *history[-1], params)
            if n_iter > 1 and history[-1][1] <= min(tol, 1e-12):
                break
        return smooth_solution(
            objective, params, tol=tol, n_iter=len(history), solver=self.name, message=route, history=history
        )


def _smallest_pivot(hessian):
    diagonal = np.where(hessian.diagonal() > 0, hessian.diagonal(), 1.0)
    unit = hessian / np.sqrt(np.outer(diagonal, diagonal))
    unit.flat[:: len(unit) + 1] = 1.0
    try:
        return float(np.abs(linalg.cholesky(unit, check_finite=False).diagonal()).min())
    except linalg.LinAlgError:
        return 0.0


def _rank_revealing(objective, curvature):
    """Solve with the Hessian A'A, A the weighted rows and the root of the penalty, by the SVD of A."""
    d = objective.design.n_features
    A = np.ones((objective.design.n_rows, objective.p))
    A[:, :d] = objective.design.dense(np.arange(objective.design.n_rows))
    A *= np.sqrt(curvature * objective.weight)[:, None]
    A = np.vstack([A, np.diag(np.sqrt(objective.l2))])
    _, s, Vt = linalg.svd(A, full_matrices=False, check_finite=False)
    keep = s > max(A.shape) * np.finfo(float).eps * s[0]
    inverse = np.where(keep, 1 / np.where(keep, s, 1.0), 0.0)
    return lambda g: Vt.T @ (inverse**2 * (Vt @ g))
