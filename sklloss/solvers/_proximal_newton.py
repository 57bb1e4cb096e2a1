"""Losses that are smooth but for kinks: squared plus absolute error, a quantile of a curved cost.

The objective is f + k: f smooth, with the l2 penalty, and k the kinked part of every row.  An iteration replaces f by
its quadratic model and minimises model + k exactly, with the interior point of the kinked losses: with R'R the
curvature of the model and v = R (w - w*) around its minimum w*, the model is ||v||**2 / 2, and what is left is a
kinked loss with that penalty.  A step that does not lower the objective is halved.  The convergence is that of
Newton's method.

The certificate needs no model.  f lies above its tangent at the solution; the tangent is linear, so tangent + k +
penalty is a kinked problem, and the multipliers of the last step give a strict lower bound on it
(`_dual_bound.dual_bound`), hence on the objective.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import linalg

from .._compat import one_blas_thread
from ._base import Solution, Solver
from ._dual_bound import dual_bound
from ._interior_point import KinkedRows, interior_point, snap
from ._kinks import FLOOR, INTERIOR, MAX_INTERIOR

__all__ = ["ProximalNewton"]

RIDGE = 1e-10  # of the diagonal of the curvature: a step in a direction without curvature is long, but ends
HALVINGS = 30
KEPT = 0.5  # of the decrease that the model promised: less, and the model is not trusted
MOST = 200  # iterations
REFINED = 3  # Newton steps of the tangent's place
STALLED = 5  # iterations without a better gap or value


class ProximalNewton(Solver):
    """Quadratic models of the smooth part, with exact kinks; see the module's docstring."""

    name = "proximal_newton"

    def unsupported(self, objective):
        kinks = objective.kinks
        if kinks is None or kinks.rest is None or not len(kinks.at):
            return f"it needs a loss that is smooth but for kinks, and {objective.loss!r} is not"
        if not kinks.rest.has_curvature:
            return f"it needs a second derivative, and the smooth part of {objective.loss!r} has none"
        if objective.l1.any():
            return f"it needs a smooth penalty, and {objective.penalty!r} is not"
        return None

    def solve(self, objective, params, *, tol, max_iter, callback=None):
        problem, convex = _Problem(objective), objective.kinks.rest.convex
        w, value, lower = params, objective.value_gradient(params)[0], 0.0
        floor = FLOOR * objective.null.value
        best, least, stalled, history = np.inf, np.inf, 0, []
        message = "maximum number of iterations reached"
        with one_blas_thread():
            for _ in range(min(max_iter, MOST)):
                step = problem.step(w, value, tol)
                w, value = step.w, step.value
                if convex:
                    lower = max(lower, problem.bound(step))
                gap = max(0.0, value - lower if convex else step.promised)
                history.append((value, gap / max(value, floor)))
                if callback is not None:
                    callback(len(history), *history[-1])
                stalled = 0 if gap < 0.9 * best or value < least * (1 - tol) else stalled + 1
                best, least = min(best, gap), min(least, value)
                if history[-1][1] <= tol:
                    message = "tol reached"
                    break
                if stalled == STALLED:
                    message = "no step closes the gap"
                    break
        optimality = history[-1][1]
        converged = optimality <= tol
        certificate = (
            f"the optimum is at most {gap:.1e} below the value {value:.6g} (strict duality gap{objective.kinks.origin})"
            if convex
            else "a stationary point, so at best a local minimum: a convex model at it promises "
            f"{gap:.1e} less than the value {value:.6g}"
        )
        return Solution(
            w, value, len(history), objective.n_passes, optimality, gap if convex else None,
            certificate if converged else "not a minimum: " + certificate, converged, self.name, message, history,
        )  # fmt: skip


@dataclass
class _Step:
    """A new w, its value, the multipliers of the kinks, the decrease that the model promised, and its curvature."""

    w: np.ndarray
    value: float
    u: np.ndarray
    promised: float
    solve: Callable


class _Problem:
    """The rows in memory, the kinks of those that have some, and the smooth rest."""

    def __init__(self, objective):
        self.objective, self.rest = objective, objective.kinks.rest
        self.y, self.weight, self.l2 = objective.y, objective.weight, objective.l2
        design, kinks = objective.design, objective.kinks
        self.A = design.dense(np.arange(design.n_rows))
        if objective.fit_intercept:
            self.A = np.column_stack([self.A, np.ones(design.n_rows)])
        bent = np.flatnonzero((kinks.high - kinks.low).sum(axis=0))
        self.at, self.bent = kinks.at[:, bent], self.A if len(bent) == len(self.A) else self.A[bent]
        self.low, self.high = (part[:, bent] * self.weight[bent] for part in (kinks.low, kinks.high))
        self.constant = float(self.weight @ kinks.constant)

    def step(self, w, value, tol):
        """The next step, or one that stays where no lower value is found.

        Where Newton's model promises much more than it keeps, rows have left the piece of the loss on which their
        curvature was taken; then a curvature that lies above the loss, or twice the own one, is tried as well.
        """
        raw = self.A @ w
        slope = self.rest.value_gradient(self.y, raw, self.weight)[1] @ self.A + self.l2 * w
        curvature = np.maximum(self.rest.hessian(self.y, raw), 0.0)
        step = self.minimise_model(w, value, slope, curvature, tol)
        if value - step.value < KEPT * step.promised:
            rest = self.rest
            above = rest.majorizer(self.y, raw) if hasattr(rest, "majorizer") else 2 * curvature + curvature.max()
            other = self.minimise_model(w, value, slope, above, tol)
            step = min(step, other, key=lambda each: each.value)
        return step

    def minimise_model(self, w, value, slope, curvature, tol):
        """The step to the minimum of the model with one curvature of the rows, and of the kinks."""
        H = (self.A.T * (self.weight * curvature)) @ self.A + np.diag(self.l2)
        diagonal = H.diagonal()
        H.flat[:: len(H) + 1] += RIDGE * np.where(diagonal > 0, diagonal, 1.0)
        R = linalg.cholesky(H, check_finite=False)
        solve = partial(linalg.cho_solve, (R, False), check_finite=False)
        center = w - solve(slope)
        B = linalg.solve_triangular(R, self.bent.T, trans="T", check_finite=False).T
        none, one = np.zeros(len(w)), np.ones(len(w))
        rows = KinkedRows(B, self.at - self.bent @ center, self.low, self.high, none, one)
        start = R @ (w - center)
        v, u, over, under = interior_point(
            rows, start, tol=max(min(tol, INTERIOR[0]), INTERIOR[1]), floor=0.0, max_iter=MAX_INTERIOR
        )
        snapped, u_snapped = snap(rows, v, u, over, under)
        if rows.primal(snapped) <= rows.primal(v):
            v, u = snapped, u_snapped
        promised = rows.primal(start) - rows.primal(v)
        direction = center + linalg.solve_triangular(R, v, check_finite=False) - w
        for halving in range(HALVINGS):
            new = w + 0.5**halving * direction
            lower = self.objective.value_gradient(new)[0]
            if lower < value:
                return _Step(new, lower, u, promised, solve)
        return _Step(w, value, u, promised, solve)

    def bound(self, step):
        """Strict lower bound on the objective, from a tangent of the rest and the multipliers of the kinks.

        Where the tangent touches is free.  It is moved to where its slope and u balance, which leaves only rounding on
        the coordinates without a penalty; few rows, or none, may sit on a kink and could take up more.
        """
        J, w = len(self.at), step.w
        u = np.clip(step.u.reshape(J, -1), self.low, self.high)
        pull = u.sum(axis=0) @ self.bent
        for _ in range(REFINED):
            slope = self.rest.value_gradient(self.y, self.A @ w, self.weight)[1]
            w = w - step.solve(slope @ self.A + self.l2 * w - pull)
        raw = self.A @ w
        value, slope = self.rest.value_gradient(self.y, raw, self.weight)
        # The tangent, value + slope'(A w' - raw), is one more row, linear: its box is a point.
        once = np.eye(J)[:, :1]
        rows = KinkedRows(
            np.vstack([self.bent, -(slope @ self.A)]),
            np.column_stack([self.at, np.full(J, value - slope @ raw)]),
            np.column_stack([self.low, once]),
            np.column_stack([self.high, once]),
            np.zeros(len(w)),
            self.l2,
        )
        u = np.column_stack([u, once]).ravel()
        return dual_bound(rows, u, w, summed=np.abs(slope) @ np.abs(self.A)) + self.constant
