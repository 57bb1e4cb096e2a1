"""Piecewise linear losses, solved exactly: pinball, absolute error, hinge and every loss that declares ``relu``.

Rows are max(low z, high z) with z = kink - sign * raw prediction.  A small problem goes whole to the interior point,
whose end is exact, and is bounded from below (`_interior_point`, `_dual_bound`); if the gap is still open, once more
with QR in place of Cholesky or, of more columns than rows, LU of a system of both, without a penalty in an orthonormal
basis of the columns, and then by HiGHS on the boxed dual.  A large one is reduced first (Portnoy and Koenker): a
systematic sample of the rows gives a pilot fit; the m rows nearest to a kink are kept, and all other rows of one sign
pattern are *summed* into a single row, their weighted mean.  As max(low z, high z) is sublinear, the reduced problem is
always bounded and never above the true one, so its dual bound is a bound for the true one, and at its solution the two
agree when no summed row has changed side.  Rows that did are kept in the next round.
"""

import numpy as np

from .._compat import one_blas_thread
from ._base import Solution, Solver
from ._dual_bound import boxed_dual, dual_bound
from ._interior_point import (
    MOST,
    KinkedRows,
    begin,
    candidates,
    factor_augmented,
    factor_cholesky,
    factor_qr,
    interior_point,
    orthonormal,
    stack,
)
from ._linalg import factor

__all__ = ["FLOOR", "KinkedProblem", "Kinks", "Trace", "bound_rows", "norm_rows"]

PILOT = 30, 3.0  # m = max(30 p, 3 (n log p)^(2/3)) rows; no reduction when m > n / 2
PILOT_TOL = 1e-2
BAND = 3  # rows kept in rounds 2 to NARROW: m / BAND, around the better w; later rounds only add rows
NARROW, ROUNDS = 4, 20
VERTEX = 1e-12  # a gap at a vertex, where the minimum is one
NOTHING = 1e-200  # a value that is 0
FLOOR = 1e-6  # of the value of the model without features: where the relative gap becomes an absolute one;
ROUNDING = 4 * np.finfo(float).eps  # or this much of the mean size of the kinks, if that is more
STEEP = 1e3  # slope of a bound, in units of what a slope of the objective can be


def bound_rows(objective, steep):
    """The bounds as kinked rows (A, kinks, low, high): beyond a bound the objective rises by `steep`."""
    lower, upper = (np.tile(part, objective.n_outputs) for part in (objective.lower, objective.upper))
    which = np.flatnonzero(np.isfinite(lower) | np.isfinite(upper))
    lower, upper, none = lower[which], upper[which], np.zeros(len(which))
    below, above = np.isfinite(lower), np.isfinite(upper)
    at = np.array([np.where(below, lower, 0.0), np.where(above, upper, 0.0)])
    low, high = np.array([none, np.where(above, -steep, 0.0)]), np.array([np.where(below, steep, 0.0), none])
    return np.eye(objective.n_params)[which], at, low, high


def norm_rows(objective):
    """The norms of the penalty as kinked rows (A, kinks, low, high), where they are absolute values."""
    A, radius = objective.norms.operator.toarray(), objective.norms.radius[None]
    return A, np.zeros(radius.shape), -radius, radius


class Kinks(Solver):
    """Interior point, exact at its end, and strict dual bound; see the module's docstring."""

    name = "kinks"

    def unsupported(self, objective):
        if not objective.kinked:
            return f"it needs a loss that declares its kinks as relu, and {objective.loss!r} does not"
        if objective.norms is not None and not objective.norms.absolute:
            return f"it needs a penalty of absolute values, and the norms of {objective.penalty!r} are not"
        return None

    def solve(self, objective, params, *, tol, max_iter, callback=None):
        trace = Trace(min(max_iter, MOST), callback)
        problem = KinkedProblem(objective, trace, tol)
        with one_blas_thread():
            # Without curvature the minimum is a vertex, which is reached exactly or not at all.
            problem.solve(params, tol if objective.l2.any() else min(tol, VERTEX))
        problem.w = objective.feasible(problem.w)
        value = objective.value_gradient(problem.w)[0]
        gap = max(0.0, value - (problem.dual + problem.relu.constant))
        scale = max(value, problem.floor)
        optimality = gap / scale if scale > 0 else 0.0
        origin = objective.kinks.origin
        certificate = f"the optimum is at most {gap:.1e} below the value {value:.6g} (strict duality gap{origin})"
        if not (converged := optimality <= tol):
            certificate = "not a minimum: " + certificate
        if not trace.history:  # an exact fit needs no iteration
            trace(value, gap)
        return Solution(
            problem.w, value, max(1, len(trace.history)), objective.n_passes, optimality, gap, certificate, converged,
            self.name, problem.route, trace.history,
        )  # fmt: skip


class Trace:
    """Counts interior-point iterations and hands them on."""

    def __init__(self, max_iter, callback):
        self.max_iter, self.callback = max_iter, callback
        self.history = []

    def __call__(self, value, error):
        self.history.append((value, error / max(abs(value), 1e-300)))
        if self.callback is not None:
            self.callback(len(self.history), *self.history[-1])


class KinkedProblem:
    """The full problem, its reductions, the best w and the best strict bound."""

    def __init__(self, objective, trace, enough, relu=None):
        self.objective, self.trace, self.enough = objective, trace, enough
        self.relu = objective.relu_rows() if relu is None else relu
        self.n, self.p = objective.design.n_rows, objective.p
        self.dual, self.route = 0.0, "interior point"
        self.floor = 0.0  # where the relative gap becomes an absolute one
        self.w = np.zeros(self.p)

    def solve(self, start, tol):
        n, m = self.n, int(max(PILOT[0] * self.p, PILOT[1] * (self.n * np.log(self.p + 1)) ** (2 / 3)))
        bent = np.flatnonzero(self.relu.weight)
        if m > n / 2 or self.relu.low.shape[1] > 1 or len(bent) < n:  # only rows that bend alike can be summed
            rows = self.rows(bent, self.relu.weight[bent])
            w = self.start(rows, self.relu.weight[bent], self.relu.sign[bent], start)
            self.w, _, self.dual = self.solve_rows(rows, w, tol)
        else:
            self.reduce(m, start, tol)

    def rows(self, keep, mass, groups=None):
        """Rows `keep` with weights `mass`, then one summed row for each line of `groups`, weights of its members."""
        relu, design = self.relu, self.objective.design
        A = self.bordered(design.dense(keep)) * relu.sign[keep, None]
        kinks = relu.kinks[:, keep]
        if groups is not None and len(groups):
            signed, weight = groups * relu.sign, groups.sum(axis=1)
            sums = self.bordered(design.sums(signed), signed.sum(axis=1)) / weight[:, None]
            A, mass = np.vstack([A, sums]), np.append(mass, weight)
            kinks = np.hstack([kinks, relu.kinks @ groups.T / weight])
        objective = self.objective
        low, high = (mass * (part if part.shape[1] == 1 else part[:, keep]) for part in (relu.low, relu.high))
        if objective.norms is not None:
            A, kinks, low, high = stack([(A, kinks, low, high), norm_rows(objective)])
        if objective.bounded:
            steep = STEEP * (float(np.abs([relu.low, relu.high]).max()) + objective.steepest_penalty)
            A, kinks, low, high = stack([(A, kinks, low, high), bound_rows(objective, steep)])
        return KinkedRows(A, kinks, low, high, objective.l1, objective.l2)

    def bordered(self, A, last=None):
        if not self.objective.fit_intercept:
            return A
        return np.column_stack([A, np.ones(len(A)) if last is None else last])

    def residual(self, w):
        """z of every row and kink, (J, n)."""
        return self.relu.kinks - self.relu.sign * self.objective.raw_prediction(w)

    def value(self, z, w):
        relu, objective = self.relu, self.objective
        data = np.maximum(relu.low * z, relu.high * z).sum(axis=0) @ relu.weight
        data += 0.0 if objective.norms is None else objective.norms.value(w)
        return float(data + objective.l1 @ np.abs(w) + 0.5 * objective.l2 @ w**2)

    def start(self, rows, weight, sign, given):
        """The best of the given w, ridge regression on the kinks, and 0, each with its exact best intercept."""
        A, b, p = rows.A[: len(weight)], rows.kinks.mean(axis=0)[: len(weight)], self.p
        ridge = rows.l2 + 1e-3 * weight.sum()  # standardised columns have unit norm: it never interpolates
        if self.objective.fit_intercept:
            ridge[-1] = 0.0
        starts = [np.zeros(p), factor((A.T * weight) @ A + np.diag(ridge))((weight * b) @ A), given.copy()]
        if self.objective.fit_intercept:
            for w in starts:
                w[-1] += _best_shift(rows, w, sign)
            starts = [self.objective.feasible(w) for w in starts]
        width, size = rows.high - rows.low, np.abs(rows.kinks)
        self.floor = max(FLOOR * rows.primal(starts[0]), ROUNDING * float((width * size).sum()), NOTHING)
        return min(starts, key=rows.primal)

    def solve_rows(self, rows, w, tol):
        """Interior point and bound; then what else can close the gap.  (w, primal, dual)."""
        best_w, best, dual = w, rows.primal(w), 0.0
        if best <= tol * self.floor:
            return best_w, best, dual  # an exact fit: no loss is below 0

        def offer(w, bound, route):
            nonlocal best_w, best, dual
            primal, dual = rows.primal(w), max(dual, bound)
            if primal < best:
                best_w, best, self.route = w, primal, route
            return best - dual <= tol * max(best, self.floor)

        def attempt(rows, start, factorise, route, back=np.asarray):
            given = {"tol": tol, "floor": self.floor, "factorise": factorise}
            for w, u, by in candidates(rows, start, max_iter=self.trace.max_iter, callback=self.trace, **given):
                if offer(back(w), dual_bound(rows, u, w), route + by):
                    return True
            return False

        # The dearer routes are for a gap that is open, not for the last digits.
        if attempt(rows, w, factor_cholesky, "interior point") or best - dual <= self.enough * max(best, self.floor):
            return best_w, best, dual
        if rows.l1.any() or rows.l2.any():
            if rows.n_data <= self.p:
                attempt(rows, w, factor_augmented, "interior point with rows and columns")
            else:
                attempt(rows, w, factor_qr, "interior point with QR")
            return best_w, best, dual
        # Without a penalty nearly dependent columns may be replaced by an orthonormal basis of what they span.
        basis, to_basis, back = orthonormal(rows)
        if not attempt(basis, to_basis(w), factor_qr, "interior point in an orthonormal basis", back):
            vertex = boxed_dual(basis)
            if vertex is not None:
                offer(back(vertex[0]), dual_bound(basis, vertex[1], vertex[0]), "linear program")
        return best_w, best, dual

    def reduce(self, m, start, tol):
        """Pilot, then rounds on kept and summed rows until the gap closes or no summed row has changed side."""
        n, s = self.n, self.relu.weight
        chance = np.cumsum(np.minimum(1.0, m * s))  # a systematic sample: heavy rows all, light rows by weight
        keep = np.flatnonzero(np.diff(np.floor(chance), prepend=0.0) > 0)
        mass = np.maximum(s[keep], 1 / m)
        rows = self.rows(keep, mass)
        w = self.start(rows, mass, self.relu.sign[keep], start)
        w = interior_point(
            rows,
            begin(rows, w),
            tol=PILOT_TOL,
            floor=PILOT_TOL * self.floor / FLOOR,
            max_iter=self.trace.max_iter,
            callback=self.trace,
        )[0]
        best, power = np.inf, 1 << np.arange(len(self.relu.kinks))
        z = self.residual(w)
        pattern, kept, changed = power @ (z > 0), np.zeros(n, bool), np.zeros(n, bool)
        for rounds in range(1, ROUNDS + 1):
            if rounds <= NARROW:
                nearest = m if rounds == 1 else m // BAND
                pattern, kept[:] = power @ (z > 0), changed
                kept[np.argpartition(np.abs(z).min(axis=0), nearest)[:nearest]] = True
            groups = (pattern == np.unique(pattern[~kept])[:, None]) * np.where(kept, 0, s)
            rows = self.rows(np.flatnonzero(kept), s[kept], groups)
            w, _, dual = self.solve_rows(rows, w, tol)
            self.dual = max(self.dual, dual)
            z = self.residual(w)
            if (value := self.value(z, w)) < best:
                self.w, best = w, value
            changed = ~kept & (power @ (z > 0) != pattern)
            if best - self.dual <= tol * max(best, self.floor) or not changed.any():
                break
            kept |= changed
        self.route += f", {rounds} rounds"


def _best_shift(rows, w, sign):
    """How far the intercept must move to be optimal for the other coefficients: a weighted quantile."""
    m = len(sign)  # rows of data; those of bounds do not depend on the intercept
    kinks, A, low, high = rows.kinks[:, :m], rows.A[:m], rows.low[:, :m], rows.high[:, :m]
    at = ((kinks - A @ w) * sign).ravel()  # where each kink lies along the intercept
    order = np.argsort(at)
    slope = np.where(sign > 0, -high, low).sum() + np.cumsum((high - low).ravel()[order])
    return at[order[min(int(np.searchsorted(slope, 0.0)), len(at) - 1)]]
