"""Linear systems of the solvers."""

import numpy as np
from scipy import linalg
from scipy.linalg import lapack

__all__ = ["factor", "factor_or_pseudo_inverse"]

TINY = 1e-290
SINGULAR = 1e-13  # a pivot, relative to its diagonal, or an eigenvalue, relative to the largest, that is rounding
RIDGES = tuple(10.0**k for k in range(-14, 1, 2))

# LAPACK is called directly: on the small matrices of small fits what SciPy wraps around it takes longer than the work.


def factor(H):
    """Return a function that solves H x = g by Cholesky: unit diagonal, the smallest ridge that works.

    H is symmetric and, up to rounding, positive semidefinite; it may be singular.  Where its diagonal is 0, x is 0.
    """
    if not len(H):
        return np.array
    diagonal = H.diagonal()
    scale = np.divide(1, np.sqrt(np.maximum(diagonal, 0)), out=np.zeros(len(H)), where=diagonal > TINY)
    H = H * scale * scale[:, None]
    for ridge in RIDGES:
        H.flat[:: len(H) + 1] = 1 + ridge
        C, failed = lapack.dpotrf(H, lower=1, clean=0)
        if not failed:
            return lambda g: scale * lapack.dpotrs(C, scale * g, lower=1)[0]
    return lambda g: scale**2 * g


def factor_or_pseudo_inverse(H):
    """Like `factor`, but where H is numerically singular x is the solution of least norm."""
    if not len(H):
        return np.array
    diagonal = H.diagonal()
    scale = 1 / np.sqrt(np.where(diagonal > TINY, diagonal, 1.0))
    unit = H * scale * scale[:, None]
    unit.flat[:: len(H) + 1] = 1.0
    C, failed = lapack.dpotrf(unit, lower=1, clean=0)
    if not failed and C.diagonal().min(initial=1.0) ** 2 > SINGULAR:
        return lambda g: scale * lapack.dpotrs(C, scale * g, lower=1)[0]
    values, vectors = linalg.eigh(H, check_finite=False)
    inverse = np.divide(1.0, values, out=np.zeros(len(H)), where=values > SINGULAR * values[-1])
    return lambda g: vectors @ (inverse * (vectors.T @ g))
