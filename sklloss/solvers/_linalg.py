"""Linear systems of the solvers."""

import numpy as np
from scipy import linalg

__all__ = ["factor", "factor_or_pseudo_inverse"]

TINY = 1e-290
SINGULAR = 1e-13  # a pivot, relative to its diagonal, or an eigenvalue, relative to the largest, that is rounding


def factor(H):
    """Return a function that solves H x = g by Cholesky: unit diagonal, the smallest ridge that works.

    H is symmetric and, up to rounding, positive semidefinite; it may be singular.  Where its diagonal is 0, x is 0.
    """
    diagonal = H.diagonal()
    scale = np.divide(1, np.sqrt(np.maximum(diagonal, 0)), out=np.zeros(len(H)), where=diagonal > TINY)
    H = H * scale * scale[:, None]
    for ridge in 10.0 ** np.arange(-14, 1, 2):
        H.flat[:: len(H) + 1] = 1 + ridge
        try:
            C = linalg.cho_factor(H, lower=True, check_finite=False)
            return lambda g: scale * linalg.cho_solve(C, scale * g, check_finite=False)
        except linalg.LinAlgError:
            continue
    return lambda g: scale**2 * g


def factor_or_pseudo_inverse(H):
    """Like `factor`, but where H is numerically singular x is the solution of least norm."""
    diagonal = H.diagonal()
    scale = 1 / np.sqrt(np.where(diagonal > TINY, diagonal, 1.0))
    unit = H * scale * scale[:, None]
    unit.flat[:: len(H) + 1] = 1.0
    try:
        C = linalg.cho_factor(unit, lower=True, check_finite=False)
        if C[0].diagonal().min() ** 2 > SINGULAR:
            return lambda g: scale * linalg.cho_solve(C, scale * g, check_finite=False)
    except linalg.LinAlgError:
        pass
    values, vectors = linalg.eigh(H, check_finite=False)
    inverse = np.divide(1.0, values, out=np.zeros(len(H)), where=values > SINGULAR * values[-1])
    return lambda g: vectors @ (inverse * (vectors.T @ g))
