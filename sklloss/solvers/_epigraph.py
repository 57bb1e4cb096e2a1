"""Losses of several coupled columns that are a maximum of affine functions (Crammer-Singer), solved exactly.

With t_i the loss of row i, the loss is the least t_i that is at least 0 and at least every affine function f_ij of the
raw predictions, and the minimum over t_i of a sum of kinks is the same::

    weight_i * max(0, max_j f_ij) = min_t  weight_i * (abs(t) + 2 * sum_j max(0, f_ij - t))

So with one variable more for each row the problem is one of kinked rows, and goes the way of the others: interior
point, snap to the active set, strict dual bound.  Each row of the problem has one of the new variables, which are
eliminated from every linear system; a system is no larger than that of softmax regression.
"""

import numpy as np
from scipy import sparse

from .._compat import one_blas_thread
from ._base import Solution, Solver
from ._dual_bound import dual_bound
from ._interior_point import MOST, KinkedRows, candidates, stack
from ._kinks import FLOOR, STEEP, Trace, bound_rows, norm_rows
from ._linalg import factor

__all__ = ["Epigraph"]


class Epigraph(Solver):
    """Interior point over coefficients and losses of rows; see the module's docstring."""

    name = "epigraph"

    def unsupported(self, objective):
        if not objective.polyhedral:
            return (
                f"it needs a loss of several columns that is a maximum of affine functions, unlike {objective.loss!r}"
            )
        if objective.norms is not None and not objective.norms.absolute:
            return f"it needs a penalty of absolute values, and the norms of {objective.penalty!r} are not"
        return None

    def solve(self, objective, params, *, tol, max_iter, callback=None):
        trace = Trace(min(max_iter, MOST), callback)
        P, rows = objective.n_params, _rows(objective)
        floor = FLOOR * objective.null.value
        best, least, lower, route = objective.feasible(params), np.inf, 0.0, "interior point"

        start = np.append(best, objective.loss.loss(objective.y, objective.raw_prediction(best)))
        with one_blas_thread():
            for w, u, by in candidates(rows, start, tol=tol, floor=floor, max_iter=trace.max_iter, callback=trace):
                params = objective.feasible(w[:P])
                value, lower = objective.value_gradient(params)[0], max(lower, dual_bound(rows, u, w))
                if value < least:
                    best, least, route = params, value, "interior point" + by
                if least - lower <= tol * max(least, floor):
                    break
        gap = max(0.0, least - lower)
        optimality = gap / max(least, floor, 1e-300)
        certificate = f"the optimum is at most {gap:.1e} below the value {least:.6g} (strict duality gap)"
        if not (converged := optimality <= tol):
            certificate = "not a minimum: " + certificate
        return Solution(
            best, least, len(trace.history), objective.n_passes, optimality, gap, certificate, converged, self.name,
            route, trace.history,
        )  # fmt: skip


def _rows(objective):
    """The problem as kinked rows, the losses of the rows its last variables."""
    design, weight, n = objective.design, objective.weight, objective.design.n_rows
    X = design.dense(np.arange(n))
    if objective.fit_intercept:
        X = np.column_stack([X, np.ones(n)])
    at, slopes = objective.pieces()
    J, i = np.nonzero(slopes.any(axis=2))  # the others are 0, which is below every loss
    B = -(slopes[J, i][:, :, None] * X[i][:, None, :]).reshape(len(i), -1)
    none = np.zeros((n, B.shape[1]))
    blocks = [
        (B, at[J, i][None], np.zeros((1, len(i))), 2 * weight[i][None]),
        (none, np.zeros((1, n)), -weight[None], weight[None]),
    ]
    own = np.concatenate([i, np.arange(n)])
    if objective.norms is not None:
        blocks.append(norm_rows(objective))
    if objective.bounded:
        steep = STEEP * (2 * float(np.abs(slopes).max()) + objective.steepest_penalty)
        blocks.append(bound_rows(objective, steep))
    B, at, low, high = stack(blocks)
    own = np.append(own, np.full(len(B) - len(own), -1))
    l1, l2 = (np.append(np.tile(part, objective.n_outputs), np.zeros(n)) for part in (objective.l1, objective.l2))
    return _TallRows(B, own, at, low, high, l1, l2)


class _TallRows(KinkedRows):
    """Kinked rows of which each has one of the last variables to itself, or shares it with few others.

    The matrix of the rows is (B, G), with a one in column own of G, and none where own is -1.
    """

    def __init__(self, B, own, kinks, low, high, l1, l2):
        has, n = own >= 0, len(l1) - B.shape[1]
        G = sparse.csr_array((np.ones(has.sum()), (np.flatnonzero(has), own[has])), shape=(len(B), n))
        super().__init__(sparse.hstack([sparse.csr_array(B), G], format="csr"), kinks, low, high, l1, l2)
        self.B, self.G, self.own = B, G, own

    def take(self, index):
        return self.B[index % len(self.own)], self.own[index % len(self.own)]

    def curvature(self):
        return np.diag(self.l2[: self.B.shape[1]])

    def factor(self, q, on=None):
        """As in `KinkedRows`, by elimination of the private variables; `on` must hold them all."""
        B, G, P = self.B, self.G, self.B.shape[1]
        per_row = self.per_row(q)
        mass, cross = G.T @ per_row, G.T @ (per_row[:, None] * B)
        inverse = np.divide(1.0, mass, out=np.zeros_like(mass), where=mass > 0)
        mean = inverse[:, None] * cross
        root = (B - G @ mean) * np.sqrt(per_row)[:, None]
        H, shared = root.T @ root, np.arange(P)
        H[self.penalised, self.penalised] += q[self.n_data :]
        if on is None:
            H += self.curvature()
        else:
            shared = on[on < P]
            H, cross, mean = H[np.ix_(shared, shared)], cross[:, shared], mean[:, shared]
        solve = factor(H)

        def eliminated(g):
            own = g[len(shared) :]
            dw = solve(g[: len(shared)] - own @ mean)
            return np.append(dw, inverse * (own - cross @ dw))

        return eliminated
