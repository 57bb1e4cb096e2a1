"""Several levels of a loss, as quantiles, whose predictions must not cross at the rows of the fit: one convex problem.

The variables are those of all levels; where the prediction of a level is above that of the next, a kinked row rises
steeply.  Few of these rows matter: those that cross at the levels' own minima come first, and each solution names the
next, until no row crosses.  Kinked losses (pinball) make a linear program, or a quadratic one with an l2 penalty, of
which rows that are far from their kink are summed, side by side, as in `_kinks`; if one has changed side it is kept.
Smooth losses (expectile) are replaced by their quadratic model at each iterate.

The certificate is a strict dual bound.  A problem with fewer of the steep rows, and with summed rows, is never above
the whole one, so its bound holds for that; a smooth loss lies above the parabola of its least curvature that touches
it.
"""

from typing import Any

import numpy as np
from scipy import linalg, sparse

from .._compat import one_blas_thread
from ._base import Solution
from ._dual_bound import dual_bound
from ._interior_point import KinkedRows, candidates, stack
from ._kinks import FLOOR, NOTHING, STEEP, bound_rows
from ._linalg import factor_or_pseudo_inverse

__all__ = ["crossing", "without_crossing"]

ROUNDS = 60
NEWTON = 30  # models of a smooth loss, at most
MORE = 10  # steep rows for each parameter of a level that a round adds, at most
KEPT = 40, 2000  # rows kept for each parameter of a level, and at least
DENSE = 5e6  # entries: a larger matrix of rows is sparse
TOUCH = 1e-11  # of the size of the predictions: they touch, and do not cross
SETTLED = 1e-13
HALVINGS = 30


def crossing(raw):
    """By how much each prediction is above that of the next level, (n, n_levels - 1); 0 where they touch."""
    below = raw[:, :-1] - raw[:, 1:]
    return np.where(below > TOUCH * np.abs(raw).max(initial=0.0), below, 0.0)


def without_crossing(objective, free, *, tol, max_iter):
    """The solution without crossings, from that of the levels on their own."""
    raw = objective.raw_prediction(free.params)
    if not crossing(raw).any():
        free.message += "; no predictions cross"
        free.certificate += ", and the predictions do not cross at its rows"
        return free
    with one_blas_thread():
        return _Joint(objective, free, max_iter).solve(raw, tol)


class _Joint:
    """The problem of all levels, its rows so far, the best parameters and the best bound."""

    def __init__(self, objective, free, max_iter):
        self.objective, self.max_iter = objective, max_iter
        self.q, self.p, self.n = objective.n_outputs, objective.p, objective.design.n_rows
        self.columns = [objective.column(k) for k in range(self.q)]
        self.l1, self.l2 = np.tile(objective.l1, self.q), np.tile(objective.l2, self.q)
        self.kinked = self.columns[0].kinked
        self.w, self.value, self.lower = free.params, free.value, 0.0
        self.floor = max(FLOOR * sum(column.null.value for column in self.columns), NOTHING)
        slope = 1.0 if self.kinked else sum(column.null.gradient for column in self.columns)
        # Of multipliers the levels below can ask for no more than their own slopes, if the intercept balances them.
        self.steep = STEEP * (slope * self.q + objective.steepest_penalty)
        self.pairs = np.zeros((self.n, self.q - 1), bool)  # steep rows in use
        self.n_iter, self.history = free.n_iter, []

    def solve(self, raw, tol):
        self._keep_near(raw)
        message = "rounds exhausted"
        for rounds in range(1, ROUNDS + 1):
            self._add(crossing(raw))
            rows, sums = self._rows(raw)
            w = self._minimum(rows, self.w, tol)
            raw = self.objective.raw_prediction(w)
            self.w, self.value = (
                w,
                sum(c.value_gradient(v)[0] for c, v in zip(self.columns, self._split(w), strict=True)),
            )
            crossed = crossing(raw)
            gap = max(0.0, self.value - self.lower)
            self.history.append((self.value, gap / max(self.value, self.floor)))
            changed = self._changed(raw, sums)
            if not crossed.any() and (gap <= tol * max(self.value, self.floor) or not changed):
                message = (
                    f"interior point, {rounds} rounds, {int(self.pairs.sum())} pairs of predictions that might cross"
                )
                break
            if crossed.any() and not np.any(crossed[~self.pairs] > 0) and not changed:
                message = "predictions cross where they should be in touch"
                break
        optimality = gap / max(self.value, self.floor)
        converged = bool(optimality <= tol and not crossed.any())
        certificate = (
            f"the optimum without crossings at the rows is at most {gap:.1e} below the value {self.value:.6g} "
            "(strict duality gap)"
        )
        return Solution(
            self.w, self.value, max(1, self.n_iter), self.objective.n_passes, optimality, gap,
            certificate if converged else "not a minimum: " + certificate, converged,
            "kinks" if self.kinked else "proximal_newton", message, self.history,
        )  # fmt: skip

    def _split(self, w):
        return w.reshape(self.q, self.p)

    # ------------------------------------------------------------------------------------------------- the rows
    def _keep_near(self, raw):
        """Which rows of each level are kept: those near their kinks; all where there are few."""
        m = max(KEPT[0] * self.p, KEPT[1])
        self.kept = np.ones((self.n, self.q), bool)
        if self.kinked and m < self.n / 2:
            self.kept[:] = False
            z = np.abs(self.objective.kinks.at[0] - raw)
            for k in range(self.q):
                self.kept[np.argpartition(z[:, k], m)[:m], k] = True

    def _add(self, crossed):
        """Add the steep rows that cross most."""
        most = MORE * self.p
        for k in range(self.q - 1):
            new = np.flatnonzero((crossed[:, k] > 0) & ~self.pairs[:, k])
            if len(new) > most:
                new = new[np.argpartition(-crossed[new, k], most)[:most]]
            self.pairs[new, k] = True

    def _changed(self, raw, sides):
        """Keep the summed rows that have changed side; whether there are any."""
        if sides is None:
            return False
        changed = ~self.kept & ((self.objective.kinks.at[0] > raw) != sides)
        self.kept |= changed
        return bool(changed.any())

    def _bordered(self, A, last=1.0):
        return np.column_stack([A, last * np.ones(len(A))]) if self.objective.fit_intercept else A

    def _rows(self, raw):
        """The problem as kinked rows, and on which side of their kink rows are, None where none is summed."""
        blocks: list[tuple[Any, ...]] = []
        sides: Any = None
        if self.kinked:
            kinks, weight = self.objective.kinks, self.objective.weight
            sides = None if self.kept.all() else kinks.at[0] > raw
            for k in range(self.q):
                keep = np.flatnonzero(self.kept[:, k])
                A, at = self._bordered(self.objective.design.dense(keep)), kinks.at[0, keep, k]
                low, high = kinks.low[0, keep, k] * weight[keep], kinks.high[0, keep, k] * weight[keep]
                if len(keep) < self.n:
                    side = sides[:, k]
                    groups = np.array([side, ~side]) * np.where(self.kept[:, k], 0.0, weight)
                    groups = groups[groups.any(axis=1)]
                    mass = groups.sum(axis=1)
                    A = np.vstack([A, self._bordered(self.objective.design.sums(groups), mass) / mass[:, None]])
                    at = np.append(at, groups @ kinks.at[0, :, k] / mass)
                    low = np.append(low, groups @ kinks.low[0, :, k])
                    high = np.append(high, groups @ kinks.high[0, :, k])
                blocks.append((self._placed([(k, A)]), at[None], low[None], high[None]))
        for k in range(self.q - 1):
            keep = np.flatnonzero(self.pairs[:, k])
            A, none = self._bordered(self.objective.design.dense(keep)), np.zeros((1, len(keep)))
            blocks.append((self._placed([(k, -A), (k + 1, A)]), none, none, none + self.steep))
        if self.objective.bounded:
            A, at, low, high = bound_rows(self.objective, self.steep)
            blocks.append((sparse.csr_array(A), at, low, high))
        A = sparse.vstack([block[0] for block in blocks], format="csr")
        _, at, low, high = stack([(np.empty((block[1].shape[1], 0)), *block[1:]) for block in blocks])
        A = A.toarray() if np.prod(A.shape) <= DENSE else A
        return (_SparseRows if sparse.issparse(A) else KinkedRows, (A, at, low, high)), sides

    def _placed(self, parts):
        """Blocks of columns in their places."""
        m = len(parts[0][1])
        row, column = np.divmod(np.arange(m * self.p), self.p)
        data = np.concatenate([A.ravel() for _, A in parts])
        columns = np.concatenate([column + k * self.p for k, _ in parts])
        return sparse.csr_array((data, (np.tile(row, len(parts)), columns)), shape=(m, self.q * self.p))

    # ---------------------------------------------------------------------------------------------- the minimum
    def _minimum(self, made, w, tol):
        kind, data = made
        if not self.kinked:
            return self._smooth_minimum(kind, data, w, tol)
        rows, best, least, bound = kind(*data, self.l1, self.l2), w, np.inf, 0.0
        for found, u, _ in self._candidates(rows, w, tol):
            value, bound = rows.primal(found), max(bound, dual_bound(rows, u, found))
            if value < least:
                best, least = found, value
            if least - bound <= 0.1 * tol * max(least, self.floor):
                break
        self.lower = max(self.lower, bound)
        return best

    def _candidates(self, rows, w, tol):
        def count(*seen):
            self.n_iter += 1

        yield from candidates(rows, w, tol=min(tol, 1e-9), floor=self.floor, max_iter=self.max_iter, callback=count)

    def _smooth_minimum(self, kind, data, w, tol):
        """Newton's method on quadratic models, with the steep rows as they are."""
        kinked = kind(*data, self.l1, np.zeros_like(self.l1))
        smooth = [column.smooth_part for column in self.columns]

        def evaluated(w):
            found = [part.value_gradient(v) for part, v in zip(smooth, self._split(w), strict=True)]
            return sum(value for value, _ in found), np.concatenate([gradient for _, gradient in found])

        value, gradient = evaluated(w)
        total = value + kinked.primal(w)
        for _ in range(NEWTON):
            H = linalg.block_diag(*(part.hessian(v) for part, v in zip(smooth, self._split(w), strict=True)))
            rows = kind(*data, self.l1, np.zeros_like(self.l1), model=(H, gradient - H @ w, 0.0))
            new, u = min(((v, u) for v, u, _ in self._candidates(rows, w, tol)), key=lambda each: rows.primal(each[0]))
            step = new - w
            for halving in range(HALVINGS):
                moved = w + 0.5**halving * step
                new_value, new_gradient = evaluated(moved)
                new_total = new_value + kinked.primal(moved)
                if new_total <= total:
                    w, value, gradient = moved, new_value, new_gradient
                    break
            bound = self._below(rows, u, w, value, gradient)
            done = new_total - bound <= 0.1 * tol * max(new_total, self.floor)
            stuck = new_total >= total or np.abs(step).max() <= SETTLED * np.abs(w).max()
            total = min(total, new_total)
            if done or stuck:
                break
        self.lower = max(self.lower, bound)
        return w

    def _below(self, rows, u, w, value, gradient):
        """Bound from the parabola of least curvature that touches the smooth part at w, and the multipliers u."""
        gram, u = self.objective.gram(), np.clip(u, rows.lo, rows.hi)
        least = [column.loss.least_curvature for column in self.columns]
        bound = value + float(rows.b @ u)
        left = (gradient - rows.adjoint(u)).reshape(self.q, self.p)
        # min over v of gradient'(v - w) + curvature(v - w) / 2 + u'(b - A v)
        bound -= float(rows.adjoint(u) @ w)
        for curvature, slope in zip(least, left, strict=True):
            M = curvature * gram + np.diag(self.objective.l2)
            step = factor_or_pseudo_inverse(M)(slope)
            if np.abs(M @ step - slope).max() > 1e-3 * np.abs(slope).max():
                return 0.0
            bound -= 0.5 * float(slope @ step)
        return bound


class _SparseRows(KinkedRows):
    """Kinked rows whose matrix is sparse: few of the blocks of a row are filled."""

    def gram(self, q):
        A = self.A[: len(self.per_row(q))]
        H = (A.T @ A.multiply(self.per_row(q)[:, None]).tocsr()).toarray()
        H[self.penalised, self.penalised] += q[self.n_data :]
        return H

    def take(self, index):
        return self.A[index % self.A.shape[0]].toarray(), None
