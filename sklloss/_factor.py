"""Least squares on parts of the rows: all that it asks of rows is the factor R of their QR decomposition.

With [1, X, t], each row times the root of its weight, decomposed into Q R::

    sum_i weight_i * (t_i - x_i . coef - intercept)**2 = |R [-intercept, -coef, 1]|**2

so the few rows of R do for all of the rows, in any solver.  The first row of R is where the intercept is; without it
the others are the factor of the centred columns.  The factor of several parts is that of their factors one below the
other.  No Gram matrix is formed, which would square the condition number, and nothing is subtracted.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

__all__ = ["Factors", "Reduced"]

BLOCK_ROWS = 4096
CONSTANT = 1e-13  # of its size: the spread of a column that is constant
MOST = 0.5  # of the rows: factors with more of them are not worth it


@dataclass
class Reduced:
    """Rows (X, target) of weight 1 / m each, without an intercept, and what gives it back."""

    X: np.ndarray
    target: np.ndarray
    mean: np.ndarray
    mean_target: np.ndarray

    def intercept(self, coef):
        """The intercepts that belong to coefficients (n_outputs, n_features)."""
        return self.mean_target - coef @ self.mean


class Factors:
    """Factors of the rows, by the training parts that they are in.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n, n_features)
    target : ndarray of shape (n, n_outputs)
    weight : ndarray of shape (n,)
    parts : list of ndarray
        The rows of each training part.
    fit_intercept : bool
    """

    def __init__(self, X, target, weight, parts, fit_intercept):
        self.fit_intercept, self.d = fit_intercept, X.shape[1]
        cell, self.times = _cells(len(target), parts)
        # Around a mean the digits of a column far from 0 are not lost.
        self.origin = np.zeros(self.d + target.shape[1])
        if fit_intercept:
            self.origin[:] = np.append(np.ravel(X.mean(axis=0, dtype=np.float64)), target.mean(axis=0))
        self.factors, self.masses = [], []
        for k in range(self.times.shape[1]):
            rows = np.flatnonzero((cell == k) & (weight > 0))
            self.factors.append(self._factor(X, target, weight, rows))
            self.masses.append(weight[rows].sum())

    @staticmethod
    def worthwhile(X, parts):
        """Whether the factors are small beside the rows."""
        return _cells(X.shape[0], parts)[1].shape[1] * (X.shape[1] + 2) <= MOST * X.shape[0]

    def _factor(self, X, target, weight, rows):
        R = np.empty((0, self.fit_intercept + self.d + target.shape[1]))
        for start in range(0, len(rows), BLOCK_ROWS):
            index = rows[start : start + BLOCK_ROWS]
            block = X[index]
            block = np.column_stack([block.toarray() if sparse.issparse(block) else block, target[index]])
            block = block.astype(np.float64) - self.origin
            if self.fit_intercept:
                block = np.column_stack([np.ones(len(block)), block])
            R = _factor_of([R, block * np.sqrt(weight[index])[:, None]])
        return R

    def part(self, k):
        """The rows of training part k."""
        return self._reduced(self.times[k])

    def whole(self):
        """All rows."""
        return self._reduced(np.ones(len(self.factors)))

    def _reduced(self, times):
        used = np.flatnonzero(times)
        R = _factor_of([np.sqrt(times[i]) * self.factors[i] for i in used])
        mass, mean = sum(times[i] * self.masses[i] for i in used), self.origin
        if self.fit_intercept:
            mean = mean + R[0, 1:] / R[0, 0]
            size, R = np.sqrt((R[:, 1:] ** 2).sum(axis=0)), R[1:, 1:]
            R = np.where(np.sqrt((R**2).sum(axis=0)) <= CONSTANT * size, 0.0, R)
        R = R * np.sqrt(len(R) / mass)
        return Reduced(R[:, : self.d], R[:, self.d :], mean[: self.d], mean[self.d :])


def _cells(n_rows, parts):
    """The cell of each row, (n_rows,), and how often the rows of each cell are in each part, (n_parts, n_cells)."""
    cell, first = np.zeros(n_rows, dtype=np.int64), np.zeros(1, dtype=np.int64)
    counts = [np.bincount(part, minlength=n_rows) for part in parts]
    for count in counts:
        _, first, cell = np.unique(cell * (count.max() + 1) + count, return_index=True, return_inverse=True)
    return cell, np.array([count[first] for count in counts])


def _factor_of(parts):
    """The factor of rows one below the other."""
    return np.linalg.qr(np.vstack(parts), mode="r")
