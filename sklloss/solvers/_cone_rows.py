"""Rows in groups whose norms add up: of a structured penalty, of kinks, of an l1 penalty, of bounds.

The rows z = b - A w, with groups g and radii h, stand for ``c'w + constant + sum_g h_g ||z_g||``.  A kink, max(low z,
high z), is a norm of one row and a slope: half the difference of low and high, and their mean.
"""

import numpy as np
from scipy import sparse

from ._kinks import STEEP, bound_rows

__all__ = ["ConeRows"]

TINY = 1e-300


class ConeRows:
    """The rows of an objective: sparse ones first, then those of the loss of one output, which are dense.

    Attributes
    ----------
    b, group, h, c, constant : as above
        The groups of dense rows have one row each.
    """

    def __init__(self, objective):
        P = objective.n_params
        self.c, self.constant = np.zeros(P), 0.0
        self.dense, rows_of_loss = np.empty((0, P)), ()
        parts = [
            *self._penalty(objective),
            *(() if objective.variation is None else self._variation(objective)),
            *(() if not objective.bounded else self._bounds(objective)),
        ]
        if not objective.loss_smooth and objective.variation is None:
            rows_of_loss = self._kinks_of_loss(objective)
            self.dense = np.vstack([A for A, *_ in rows_of_loss])
        self.sparse = sparse.csr_array(sparse.vstack([A for A, *_ in parts], format="csr"))
        every = [*parts, *rows_of_loss]
        self.b = np.concatenate([b for _, b, _, _ in every])
        self.h = np.concatenate([radius for *_, radius in every])
        sizes = [len(radius) for *_, radius in every]
        self.group = np.concatenate([g + n for (_, _, g, _), n in zip(every, np.cumsum([0, *sizes]), strict=False)])
        self.starts = np.flatnonzero(np.diff(self.group, prepend=-1))
        self.single = len(self.group) == len(self.h)
        self.m = self.sparse.shape[0]

    # ------------------------------------------------------------------------------------ (A, b, group, radius) of
    def _penalty(self, objective):
        norms = objective.norms
        if norms is not None:
            yield norms.operator, np.zeros(len(norms.group)), norms.group, norms.radius
        l1 = np.tile(objective.l1, objective.n_outputs)
        if drawn := np.flatnonzero(l1).tolist():
            one = sparse.eye_array(len(l1), format="csr")[drawn]
            yield one, np.zeros(len(drawn)), np.arange(len(drawn)), l1[drawn]

    def _bounds(self, objective):
        steep = STEEP * (objective.null.gradient + objective.steepest_penalty)
        A, at, low, high = bound_rows(objective, steep)
        return self._kinked(sparse.csr_array(A), at, low, high)

    def _kinks_of_loss(self, objective):
        kinks = objective.kinks
        bent = np.flatnonzero((kinks.high - kinks.low).sum(axis=0))
        weight = objective.weight[bent]
        self.constant += float(objective.weight @ kinks.constant)
        low, high = kinks.low[:, bent] * weight, kinks.high[:, bent] * weight
        return list(self._kinked(_design_rows(objective, bent), kinks.at[:, bent], low, high))

    def _variation(self, objective):
        """Norms and kinks of the raw predictions of a row, of which several make one problem."""
        variation, weight, n = objective.variation, objective.weight, len(objective.weight)
        X = sparse.csr_array(_design_rows(objective, np.arange(n)))
        norms = variation.norms
        rows = sparse.kron(norms.operator, X, format="csr")  # row r of the norms, sample i
        group = (norms.group[:, None] * n + np.arange(n)).ravel()
        order = np.argsort(group, kind="stable")
        yield rows[order], np.zeros(len(group)), group[order], (norms.radius[:, None] * weight).ravel()
        kinks = variation.kinks
        if kinks is not None:
            each = sparse.kron(sparse.eye_array(objective.n_outputs), X, format="csr")
            self.constant += float((weight @ kinks.constant).sum())
            at, low, high = (
                part.transpose(0, 2, 1).reshape(len(part), -1)
                for part in (kinks.at, kinks.low * weight[:, None], kinks.high * weight[:, None])
            )
            yield from self._kinked(each, at, low, high)

    def _kinked(self, A, at, low, high):
        """Kinks (J, m) of rows A (m, P)."""
        for b, lo, hi in zip(at, np.broadcast_to(low, at.shape), np.broadcast_to(high, at.shape), strict=True):
            bent = np.flatnonzero(hi > lo)
            B, b, mean = A[bent], b[bent], 0.5 * (hi + lo)[bent]
            self.c -= B.T @ mean
            self.constant += float(mean @ b)
            yield B, b, np.arange(len(bent)), 0.5 * (hi - lo)[bent]

    # ---------------------------------------------------------------------------------------------------- products
    def forward(self, w):
        """A w."""
        return np.concatenate([self.sparse @ w, self.dense @ w])

    def adjoint(self, u):
        """A'u."""
        return self.sparse.T @ u[: self.m] + u[self.m :] @ self.dense

    def sizes(self, u):
        """Size of the terms of `adjoint`."""
        u = np.abs(u)
        return abs(self.sparse).T @ u[: self.m] + u[self.m :] @ np.abs(self.dense)

    @property
    def steepest(self):
        """The largest entry of the rows of each group."""
        rows = np.zeros(len(self.b))
        np.maximum.at(rows, np.repeat(np.arange(self.m), np.diff(self.sparse.indptr)), np.abs(self.sparse.data))
        rows[self.m :] = np.abs(self.dense).max(axis=1, initial=0.0)
        return np.maximum(np.maximum.reduceat(rows, self.starts), TINY)

    def terms(self, w):
        """Norm of the size of the terms of each group of b - A w."""
        w = np.abs(w)
        return self.lengths(np.abs(self.b) + np.concatenate([abs(self.sparse) @ w, np.abs(self.dense) @ w]))

    def take(self, on):
        """The rows that a mask marks, dense."""
        return np.vstack([self.sparse[on[: self.m]].toarray(), self.dense[on[self.m :]]])

    def entries(self, on):
        """The parameters that are marked rows by themselves, with a kink at 0."""
        size = np.diff(self.sparse.indptr)
        own = np.flatnonzero(on[: self.m] & (size == 1) & (self.b[: self.m] == 0))
        return self.sparse.indices[self.sparse.indptr[own]]

    def sums(self, values):
        """Sums over the rows of each group."""
        return values if self.single else np.add.reduceat(values, self.starts)

    def lengths(self, z):
        """Norm of each group."""
        return np.abs(z) if self.single else np.sqrt(np.add.reduceat(z * z, self.starts))

    def clip(self, u):
        """u with no group beyond its radius."""
        return u * np.minimum(1.0, self.h / np.maximum(self.lengths(u), TINY))[self.group]

    def directions(self, z, r):
        """z_g / ||z_g||, 0 where that is 0."""
        return z / np.where(r > 0, r, np.inf)[self.group]

    def bent(self, z, r):
        """The `Bend` of the norms themselves, of those that are not 0."""
        along = self.directions(z, r)
        return Bend(self, np.divide(self.h, r, out=np.zeros_like(r), where=r > 0), along, along)


class Bend:
    """Curvature by z: of each group the matrix q (1 - (a b' + b a') / 2)."""

    def __init__(self, rows, q, a, b):
        self.rows, self.q, self.a, self.b = rows, q, a, b

    def times(self, x):
        """Its product with x, like z."""
        rows, a, b = self.rows, self.a, self.b
        along_a, along_b = rows.sums(a * x), rows.sums(b * x)
        return self.q[rows.group] * (x - 0.5 * (a * along_b[rows.group] + b * along_a[rows.group]))

    def gram(self):
        """A' (.) A, (P, P)."""
        rows, m = self.rows, self.rows.m
        q = self.q[rows.group]
        straight = np.maximum(q * (1 - self.a * self.b), 0.0) if rows.single else q.copy()
        straight[m:] = np.maximum(q[m:] * (1 - self.a[m:] * self.b[m:]), 0.0)
        root = rows.dense * np.sqrt(straight[m:])[:, None]
        gram = (rows.sparse.T @ (sparse.diags_array(straight[:m]) @ rows.sparse)).toarray() + root.T @ root
        if rows.single:
            return gram
        shape = (len(rows.h), m)
        along_a, along_b = (
            sparse.csr_array((np.sqrt(q[:m]) * v[:m], (rows.group[:m], np.arange(m))), shape=shape) @ rows.sparse
            for v in (self.a, self.b)
        )
        cross = (along_a.T @ along_b).toarray()
        return gram - 0.5 * (cross + cross.T)


def _design_rows(objective, index):
    """Standardised rows, dense, ended by the one of the intercept."""
    A = objective.design.dense(index)
    return np.column_stack([A, np.ones(len(index))]) if objective.fit_intercept else A
