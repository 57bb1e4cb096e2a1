"""Sums of Euclidean norms of linear functions: what structured penalties are made of.

    sum_g radius[g] * ||(operator x)_g||

The rows of the operator belong to groups; where every group has one row, the sum is one of absolute values.  The
differences along the axes of a signal or an image are such rows, and the features of a group are.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Integral
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from ._compat import Interval

__all__ = ["DIFFERENCES", "Norms", "differences", "stacked"]

DIFFERENCES: dict[str, list[Any]] = {  # the parameters of `differences`
    "shape": [Integral, "array-like", None],
    "weights": ["array-like", None],
    "order": [Interval(Integral, 1, None, closed="left")],
    "isotropic": ["boolean"],
}

SETTLED = 1e-12  # of the largest entry: a norm that is rounding


@dataclass(frozen=True)
class Norms:
    """A sum of norms as data.

    Parameters
    ----------
    operator : CSR array of shape (n_rows, n)
    group : ndarray of shape (n_rows,)
        The group of each row: 0, 1, ..., in order.
    radius : ndarray of shape (n_groups,)
        What a norm counts, above 0.
    """

    operator: Any
    group: np.ndarray
    radius: np.ndarray

    @property
    def absolute(self):
        """Whether the norms are absolute values."""
        return len(self.group) == len(self.radius)

    @cached_property
    def covers(self):
        """Which entries of x it depends on, (n,)."""
        return np.bincount(self.operator.indices, np.abs(self.operator.data), self.operator.shape[1]) > 0

    @cached_property
    def apart(self):
        """Whether each row is an entry, and no entry is in two rows, as in groups of features."""
        entries = self.operator.indices
        return bool(np.all(np.diff(self.operator.indptr) == 1)) and len(np.unique(entries)) == len(entries)

    def columns(self, index):
        """The sum for x that is 0 elsewhere, as a function of the entries at index."""
        operator = sparse.csr_array(self.operator[:, index])
        kept = np.flatnonzero(np.diff(operator.indptr))
        groups, group = np.unique(self.group[kept], return_inverse=True)
        return Norms(operator[kept], group.ravel(), self.radius[groups])

    def lengths(self, rows):
        """Norm of each group of rows of `operator x`: (n_groups,), or (n_groups, k) of (n_rows, k)."""
        if self.absolute:
            return np.abs(rows)
        largest = np.abs(rows).max(initial=0.0)
        unit = largest if largest > 0 else 1.0  # squares neither overflow nor vanish
        return unit * np.sqrt(np.add.reduceat((rows / unit) ** 2, self.starts, axis=0))

    @cached_property
    def starts(self):
        """The first row of each group."""
        return np.flatnonzero(np.diff(self.group, prepend=-1))

    def value(self, x):
        """The sum for x (n,), a float, or for each row of (k, n), (k,)."""
        return (self.radius @ self.lengths(self.operator @ x.T)).astype(x.dtype)

    def gradient(self, x):
        """Derivative of `value` for x (n,) or each row of (k, n); where a norm is 0, its part is 0."""
        rows = self.operator @ x.T
        length = self.lengths(rows)
        direction = rows / np.where(length > 0, length, np.inf)[self.group]
        return (self.operator.T @ (self.radius[self.group] * direction.T).T).T.astype(x.dtype)

    def settled(self, x):
        """x (n,) without the rounding of norms that are 0: entries are 0, neighbours equal."""
        none = self.lengths(self.operator @ x) <= SETTLED * self.steepest.max() * np.abs(x).max(initial=0.0)
        rows = self.operator[none[self.group]]
        size = np.diff(rows.indptr)
        x = x.copy()
        x[rows.indices[rows.indptr[:-1][size == 1]]] = 0.0
        pair = rows.indptr[:-1][size == 2]
        pair = pair[rows.data[pair] == -rows.data[pair + 1]]
        if len(pair):
            edges = sparse.csr_array((np.ones(len(pair)), (rows.indices[pair], rows.indices[pair + 1])), (len(x),) * 2)
            piece = connected_components(edges, directed=False)[1]
            several = np.bincount(piece)[piece] > 1
            x[several] = (np.bincount(piece, x) / np.bincount(piece))[piece][several]
        return x

    def slope_along(self, x, step):
        """Derivative, a function of t, of value(x + t * step); 0 where a norm has none."""
        return lambda t: float(self.gradient(x + t * step) @ step)

    @cached_property
    def steepest(self):
        """A bound on its derivatives, (n,)."""
        return abs(self.operator).T @ self.radius[self.group]

    def scaled(self, unit, radius=1.0):
        """The sum as a function of x / unit, times a number."""
        return replace(self, operator=(self.operator @ sparse.diags_array(unit)).tocsr(), radius=radius * self.radius)

    def repeated(self, times):
        """The sum of the sums of so many x, one after another."""
        rows, groups, step = self.operator.shape[0], len(self.radius), np.arange(times)
        return Norms(
            sparse.kron(sparse.eye_array(times), self.operator, format="csr"),
            (self.group + groups * step[:, None]).reshape(times * rows),
            np.tile(self.radius, times),
        )


def stacked(weighted):
    """The weighted sum of some sums of norms of the same x, given as pairs (weight, norms)."""
    pairs = list(weighted)
    sizes = np.cumsum([0, *(len(norms.radius) for _, norms in pairs)])
    return Norms(
        sparse.csr_array(sparse.vstack([norms.operator for _, norms in pairs], format="csr")),
        np.concatenate([norms.group + size for (_, norms), size in zip(pairs, sizes, strict=False)]),
        np.concatenate([weight * norms.radius for weight, norms in pairs]),
    )


def differences(shape, n, weights=None, order=1, isotropic=False, *, owner="TotalVariation", of="features"):
    """The variation of a signal or an image of that shape with n entries, a `Norms`.

    The parameters are those of `TotalVariation`, which is what checks them: a ValueError names the first that makes no
    sense.
    """
    shape = _valid_shape(shape, n, owner, of)
    weights = _valid_weights(weights, shape, owner)
    index = np.arange(n).reshape(shape)
    coefficients = np.array([1.0])
    for _ in range(order):
        coefficients = np.convolve(coefficients, [-1.0, 1.0])
    rows, columns, values, places, count = [], [], [], [], 0
    for axis, length in enumerate(shape):
        if length <= order or weights[axis] == 0:
            continue
        windows = np.lib.stride_tricks.sliding_window_view(index, order + 1, axis=axis).reshape(-1, order + 1)
        rows.append(np.repeat(count + np.arange(len(windows)), order + 1))
        columns.append(windows.ravel())
        values.append(np.tile(weights[axis] * coefficients, len(windows)))
        places.append(windows[:, 0])
        count += len(windows)
    if not count:
        raise ValueError(
            f"{owner} of shape {shape} with order={order} has no differences: along no axis of positive weight are "
            f"there more than {order} entries. Lower the order, or give the shape of the signal or image."
        )
    operator = sparse.csr_array(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(count, n)
    )
    if not isotropic:
        return Norms(operator, np.arange(count), np.ones(count))
    place = np.concatenate(places)
    together = np.argsort(place, kind="stable")
    group = np.unique(place[together], return_inverse=True)[1].ravel()
    return Norms(operator[together], group, np.ones(group[-1] + 1))


def _valid_shape(shape, n, owner, of):
    if shape is None:
        return (n,)
    sizes = (shape,) if isinstance(shape, Integral) else tuple(np.asarray(shape, dtype=object).ravel().tolist())
    whole = all(isinstance(s, Integral) and not isinstance(s, bool) for s in sizes)
    if not sizes or not whole or min(sizes) < 1:
        raise ValueError(
            f"shape of {owner} must be a positive integer or a tuple of them, such as (8, 8) for an image of 8 x 8 "
            f"pixels; got {shape!r}."
        )
    if int(np.prod(sizes)) != n:
        said = " x ".join(map(str, sizes))
        raise ValueError(
            f"shape={shape!r} of {owner} has {said} = {int(np.prod(sizes))} entries, but there are {n} {of}; they must "
            "be the same number, an image ravelled row by row."
        )
    return tuple(int(s) for s in sizes)


def _valid_weights(weights, shape, owner):
    if weights is None:
        return np.ones(len(shape))
    values = np.asarray(weights, dtype=float)
    if values.shape != (len(shape),) or not np.all(np.isfinite(values) & (values >= 0)) or not values.any():
        raise ValueError(
            f"weights of {owner} must be {len(shape)} finite numbers >= 0, one for each axis of shape {shape}, not all "
            f"0; got {weights!r}."
        )
    return values
