"""Objectives that are smooth but for kinks: an l1 penalty, bounds on coefficients, a loss that is curved and has kinks.

The objective is f + k: f smooth, with the l2 penalty, and k what has kinks.  An iteration replaces f by its quadratic
model and minimises model + k exactly: from the active set of the last model (`_active_set`) or, where that leads
nowhere, with the interior point of the kinked losses, which takes any convex quadratic for the l2 penalty.  Bounds are
kinks that are as steep as it takes.  Where a step keeps much less, or gives much more, than the model promised, the
minimum along it is taken.  The convergence is that of Newton's method, and it ends at rounding.

The certificate needs no model.  f lies above its tangent at the solution; the tangent is linear, so tangent + k +
penalty is a kinked problem, and the multipliers of the last step give a strict lower bound on it
(`_dual_bound.dual_bound`), hence on the objective.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from .._compat import one_blas_thread
from ._active_set import active_set, sides
from ._base import NEWTON_PARAMS, Solution, Solver
from ._dual_bound import dual_bound
from ._interior_point import EXACT, KinkedRows, candidates, stack
from ._kinks import FLOOR, STEEP, bound_rows, norm_rows
from ._linalg import factor_or_pseudo_inverse
from ._newton import BEYOND, minimum_along

__all__ = ["ProximalNewton"]

RIDGE = 1e-10  # of the diagonal of the curvature: as much negative curvature is rounding
FLAT = 1e-3  # of the largest curvature of the loss: a step along a coordinate without curvature is long, but ends
HALVINGS = 30
KEPT = 0.5  # of the decrease that the model promised: less, and the model is not trusted
MORE = 1.5  # times that decrease: more, and there is little curvature in the step
MOST = 200  # iterations
POLISH = 4  # iterations after tol is met, at most; each squares the error
SETTLED = 1e-9  # of the largest parameter: a step after which the error is at rounding
ROUNDING = 1e-14  # of the value of the model without features
ENOUGH = 1e-12  # of the value: a gap that is closed
CLOSED = 0.1  # of tol times the value: a gap that is, where the minimum was found otherwise
REFINED = 6  # Newton steps of the tangent's place, at most
SMALL, TINY = 1e-8, 1e-300
STALLED = 20  # iterations without a better gap or value


class ProximalNewton(Solver):
    """Quadratic models of the smooth part, with exact kinks; see the module's docstring."""

    name = "proximal_newton"

    def unsupported(self, objective):
        kinks = objective.kinks
        if not objective.loss_smooth and (kinks is None or kinks.rest is None):
            return f"it needs a loss that is smooth but for kinks, and {objective.loss!r} is not"
        if objective.smooth:
            return "it is for objectives with kinks, and this one is smooth"
        if not objective.smooth_part.has_curvature:
            return f"it needs a second derivative, and the smooth part of {objective.loss!r} has none"
        if objective.norms is not None and not objective.norms.absolute:
            return f"it needs a penalty of absolute values, and the norms of {objective.penalty!r} are not"
        if objective.n_params > 5 * NEWTON_PARAMS:
            return f"it would need a Hessian of {objective.n_params} x {objective.n_params} numbers"
        return None

    def solve(self, objective, params, *, tol, max_iter, callback=None):
        w, convex = objective.feasible(params), objective.smooth_part.convex
        problem = _Problem(objective, w)
        value, lower = problem.value(w), 0.0
        floor = _floor(objective)
        best, least, stalled, polished, history = np.inf, np.inf, 0, 0, []
        message = "maximum number of iterations reached"
        with one_blas_thread():
            for _ in range(min(max_iter, MOST)):
                step = problem.step(w, value, tol)
                settled = np.abs(step.w - w).max() <= SETTLED * np.abs(w).max()
                w, value, scale = step.w, step.value, max(step.value, floor)
                gap = max(0.0, value - lower if convex and polished else step.promised)
                last = settled or polished == POLISH
                if convex and (last or stalled or (gap <= tol * scale and not polished)):
                    lower = max(lower, problem.bound(step, value - ENOUGH * scale))
                    gap = max(0.0, value - lower)
                history.append((value, gap / scale))
                if callback is not None:
                    callback(len(history), *history[-1], w)
                if (done := history[-1][1] <= tol) and last:
                    message = "tol reached"
                    break
                polished += done
                stalled = 0 if gap < 0.9 * best or value < least * (1 - 1e-3 * tol) else stalled + 1
                best, least = min(best, gap), min(least, value)
                if stalled == STALLED:
                    message = "no step closes the gap"
                    break
            if convex and not done:
                gap = max(0.0, value - max(lower, problem.bound(step, value)))
                history[-1] = value, gap / scale
        return self._solution(objective, w, gap, message, history, converged=history[-1][1] <= tol)

    def certify(self, objective, w, hessian, *, tol, history):
        """The solution at a minimum that was found otherwise, of a smooth loss and an l1 penalty; None if it is none.

        ``hessian`` is one near w.
        """
        problem, slope = _Problem(objective, w), objective.smooth_part.value_gradient(w)[1]
        value, u = objective.value_gradient(w)[0], slope[problem.kinked.penalised]
        scale = max(value, _floor(objective))
        gap = max(0.0, value - problem.bound(_Step(w, value, u, 0.0), value - CLOSED * tol * scale, hessian))
        if gap > tol * scale:
            return None
        return self._solution(objective, w, gap, "tol reached", [*history, (value, gap / scale)], converged=True)

    def _solution(self, objective, w, gap, message, history, converged):
        (value, optimality), convex = history[-1], objective.smooth_part.convex
        origin = "" if objective.loss_smooth else objective.kinks.origin
        certificate = (
            f"the optimum is at most {gap:.1e} below the value {value:.6g} (strict duality gap{origin})"
            if convex
            else "a stationary point, so at best a local minimum: a convex model at it promises "
            f"{gap:.1e} less than the value {value:.6g}"
        )
        return Solution(
            w, value, len(history), objective.n_passes, optimality, gap if convex else None,
            certificate if converged else "not a minimum: " + certificate, converged, self.name, message, history,
        )  # fmt: skip

    def step(self, objective, params, tol):
        """Parameters after a single step."""
        w = objective.feasible(params)
        problem = _Problem(objective, w)
        with one_blas_thread():
            value, problem.goes_on = problem.value(w), False
            return problem.step(w, value, tol).w


def _floor(objective):
    """The least value to which a gap is relative."""
    # Where the model without features is exact, a value is at most what rounding of the predictions makes of it.
    exact = SMALL * objective.null.rounding * float(np.abs(objective.y).max())
    return max(FLOOR * objective.null.value, exact, TINY)


@dataclass
class _Step:
    """A new w, its value, the multipliers of the kinks, and the decrease promised by the model."""

    w: np.ndarray
    value: float
    u: np.ndarray
    promised: float


class _Problem:
    """The smooth part, and the rows that have kinks: of the loss, of bounds; the l1 penalty is one of the rows."""

    def __init__(self, objective, start):
        self.objective, self.smooth = objective, objective.smooth_part
        self.l1, self.l2 = (np.tile(part, objective.n_outputs) for part in (objective.l1, objective.l2))
        self.constant, blocks = 0.0, []
        if not objective.loss_smooth:
            kinks, design = objective.kinks, objective.design
            bent = np.flatnonzero((kinks.high - kinks.low).sum(axis=0))
            A = design.dense(bent)
            if objective.fit_intercept:
                A = np.column_stack([A, np.ones(len(bent))])
            weight = objective.weight[bent]
            blocks.append((A, kinks.at[:, bent], kinks.low[:, bent] * weight, kinks.high[:, bent] * weight))
            self.constant = float(objective.weight @ kinks.constant)
        if objective.norms is not None:
            blocks.append(norm_rows(objective))
        if objective.bounded:
            curvature = float(np.abs(self.smooth.hessian(start).diagonal()).max())
            reach = float(np.abs(objective.feasible(0 * start)).max() + np.abs(start).max())
            steep = STEEP * (objective.null.gradient + objective.steepest_penalty + curvature * reach)
            blocks.append(bound_rows(objective, steep))
        none = np.empty((1, 0))
        A, at, low, high = stack(blocks) if blocks else (np.empty((0, len(start))), none, none, none)
        self.rows = A, at, low, high
        self.kinked = KinkedRows(A, at, low, high, self.l1, np.zeros(len(start)))
        self.rounding = ROUNDING * objective.null.value  # of a value
        self.u = None  # slopes of the kinks at the minimum of the last model
        self.goes_on = True  # whether another step follows, which needs the curvature

    def step(self, w, value, tol):
        """The next step, or one that stays where no lower value is found.

        Where Newton's model promises much more than it keeps, rows have left the piece of the loss on which their
        curvature was taken; then a curvature that lies above the loss, or twice the own one, is tried as well.
        """
        slope, H = self.smooth.value_gradient(w)[1], self.smooth.hessian(w)
        step = self.minimise_model(w, value, slope, H, tol)
        if value - step.value < KEPT * step.promised and step.promised > self.rounding:
            above = self.smooth.majorizer(w) if self.smooth.has_majorizer else H + np.diag(np.abs(H.diagonal()))
            other = self.minimise_model(w, value, slope, above, tol)
            step = min(step, other, key=lambda each: each.value)
        self.u = step.u
        return step

    def minimise_model(self, w, value, slope, H, tol):
        """The step to the minimum of the model of one curvature, and of the kinks."""
        rows = self.model(w, value, slope, H)
        found = self.exact_minimum(rows, w)
        if found is None:
            H = _positive(H, self.l2)
            rows = self.model(w, value, slope, H)
            start = w - factor_or_pseudo_inverse(H)(slope)
            found = _interior_minimum(rows, start if np.abs(start).max() <= BEYOND else w, tol)
        new, u = found
        promised = value - rows.primal(new)
        if promised < -SMALL * self.objective.null.value:  # a model without a minimum
            return _Step(w, value, u, np.inf)
        direction = self.objective.feasible(new) - w
        direction *= min(1.0, BEYOND / max(np.abs(direction).max(), TINY))
        self.goes_on &= promised > self.rounding  # few steps follow, if any
        kept = value - self.value(w + direction)
        if promised <= self.rounding:  # values cannot tell any more
            new = w + direction if -kept <= self.rounding else w
            return _Step(new, self.value(new), u, promised)
        if self.objective.convex and not KEPT * promised <= kept <= MORE * promised:  # the minimum along the step
            t = minimum_along(self.objective.slope_along(w, direction))
            new = w + min(t, max(1.0, self.objective.reach(w, direction))) * direction
        for halving in range(HALVINGS):
            end = self.objective.feasible(w + 0.5**halving * (new - w) if halving else new)
            lower = self.value(end)
            if lower < value:
                return _Step(end, lower, u, promised)
        return _Step(w, value, u, promised)

    def value(self, w):
        """The objective; the smooth part is asked for its curvature in the same pass, if the next step needs it."""
        if self.goes_on:
            self.smooth.hessian(w)
        return self.smooth.value_gradient(w)[0] + self.kinked.primal(w) + self.constant

    def model(self, w, value, slope, H):
        """The quadratic model at w, which has the value of the objective there, and the kinks."""
        rows = KinkedRows(*self.rows, self.l1, np.zeros(len(w)), model=(H, slope - H @ w, 0.0))
        rows.model = *rows.model[:2], value - rows.primal(w)
        return rows

    def exact_minimum(self, rows, w):
        """(w, u) at the minimum of the rows, from what was tied at the last one; None where that leads nowhere."""
        u = self.u
        if u is None:  # of a coefficient at 0, the slope that keeps it there, or would
            u, at, n = sides(rows, w), rows.penalised, rows.n_data
            u[n:] += np.where(w[at] == 0, (rows.smooth(w)[1] - rows.adjoint(u))[at], 0.0)
        return active_set(rows, w, u)

    @np.errstate(over="ignore", invalid="ignore")  # at places that are tried
    def bound(self, step, enough, hessian=None):
        """Strict lower bound on the objective, from a tangent of the smooth part and the multipliers of the kinks.

        Where the tangent touches is free.  Unless it is good enough at the solution itself, it is moved to where its
        slope and u balance, which leaves only rounding on the coordinates without a penalty; few rows, or none, may
        sit on a kink and could take up more.
        """
        w, u = step.w, np.clip(step.u, self.kinked.lo, self.kinked.hi)
        bound, pull = self.tangent_bound(w, u), self.kinked.adjoint(u)
        left = self.smooth.value_gradient(w)[1] - pull
        for _ in range(REFINED):
            if bound >= enough or np.abs(left).max() <= self.objective.null.rounding:
                break
            H = self.smooth.hessian(w) if hessian is None else hessian
            solve = factor_or_pseudo_inverse(_positive(H, self.l2))
            for halving in range(HALVINGS):
                moved = w - 0.5**halving * solve(left)
                value, slope = self.smooth.value_gradient(moved)
                still = slope - pull
                if value < np.inf and np.abs(still).max() < np.abs(left).max():
                    w, left = moved, still
                    break
            else:
                break
            bound = max(bound, self.tangent_bound(w, u))
        return bound

    def tangent_bound(self, w, u):
        """That of the tangent at w."""
        A, at, low, high = self.rows
        value, slope = self.smooth.value_gradient(w)
        slope, value = slope - self.l2 * w, value - 0.5 * self.l2 @ w**2  # of the loss alone
        # The tangent, value + slope'(w' - w), is one more row, linear: its box is a point.
        J = len(at)
        once = np.eye(J)[:, :1]
        rows = KinkedRows(
            np.vstack([A, -slope]), np.column_stack([at, np.full(J, value - slope @ w)]),
            np.column_stack([low, once]), np.column_stack([high, once]), self.l1, self.l2,
        )  # fmt: skip
        data, of_l1 = np.split(u, [at.size])
        u = np.concatenate([np.column_stack([data.reshape(at.shape), once]).ravel(), of_l1])
        bound = dual_bound(rows, u, w, summed=self.objective.null.mass) or dual_bound(rows, u, w, self.smooth.mass(w))
        return bound + self.constant


def _interior_minimum(rows, start, tol):
    """(w, u) at the minimum of the rows by the interior point, from a start off the kinks."""
    found = []
    for w, u, route in candidates(rows, start, tol=tol, floor=0.0):
        found.append((w, u))
        if route == EXACT:
            return w, u
    return min(found, key=lambda each: rows.primal(each[0]))


def _positive(H, l2):
    """The curvature, without its negative part where it has one, and with a little where a coordinate has none."""
    diagonal = H.diagonal()
    least = FLAT * (float(np.abs(diagonal - l2).max()) or 1.0)
    H = H + np.diag(np.maximum(least - diagonal, 0.0))
    try:
        linalg.cholesky(H + np.diag(RIDGE * H.diagonal()), check_finite=False)
        return H
    except linalg.LinAlgError:
        values, vectors = linalg.eigh(H, check_finite=False)
        return (vectors * np.maximum(np.abs(values), 1e-6 * np.abs(values).max())) @ vectors.T
