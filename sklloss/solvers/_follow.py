"""The next of a sequence of neighbouring objectives, as along a path of alphas, from a start that is nearly right.

Near its minimum the Hessian hardly changes: that of the start does for a few steps of Newton's method, mostly for one,
and there are none of the pilots and polishing of a fit from nowhere.  That of a similar objective, as of all rows where
these are most of them, does as well.

Of a kinked loss the start says on which side of their kink almost all rows are.  Those are summed, as in `_kinks`, and
only the rows near a kink are kept, far fewer than after a pilot: how many adapts to how many changed side along the
way.  The bound is that of all rows as well.

Other objectives are handed to their solver with the start.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._objective import ReluRows
from ._base import Solution, smooth_solution
from ._dual_bound import dual_bound
from ._interior_point import MOST, KinkedRows
from ._kinks import FLOOR, KinkedProblem, Trace
from ._linalg import factor, factor_or_pseudo_inverse
from ._vertex import descend, vertex

__all__ = ["Memory", "extrapolated", "next_solution"]

STEPS = 6  # with one Hessian, before the solver itself takes over
CLOSER = 0.2  # of the error, that a step may leave
ENOUGH = 0.1  # of tol
EXACT = 1e-12  # of the gradient of the model without features: where a quadratic objective has its minimum
NEAR = 1.0, 8  # rows kept at first: that much of (n p)^(1/2), and for each parameter at least
GROW, SHRINK = 2.0, 0.8  # of the rows kept, where some changed side, and where none did
SMALL = 3  # times the rows kept: with fewer rows all are kept
ROUNDS = 5
TOWARDS = 4  # Newton steps before the exact ones, at most
VERTEX = 1e-12  # as in `_kinks`


@dataclass
class Memory:
    """What the next objective of a sequence takes over from the last: how many rows to keep, kinks, raw predictions.

    ``hessian`` is what the last was solved with, if it was.
    """

    brief: bool = False
    near: float = 0.0
    floor: float = 0.0
    kinks: Any = None
    relu: Any = None
    params: Any = None
    raw: Any = None
    hessian: Any = None


def extrapolated(past, smooth):
    """The next point after those of the past: of a smooth objective by the last three, else the last one."""
    if not past:
        return 0.0
    if not smooth or len(past) == 1:
        return past[-1]
    return 2 * past[-1] - past[-2] if len(past) == 2 else 3 * past[-1] - 3 * past[-2] + past[-3]


def next_solution(objective, solver, params, memory, hessian=None, *, tol, max_iter):
    """The solution of an objective from a start near its minimum, and perhaps with the Hessian of a similar one."""
    found, memory.hessian = None, None
    of_newton = solver.name == "newton" or (solver.name == "least_squares" and memory.brief)
    with_l1 = solver.name == "proximal_newton" and objective.loss_smooth
    if of_newton or (with_l1 and not objective.bounded and objective.norms is None):
        found = _newton(objective, solver, params, memory, hessian, tol, max_iter)
    elif solver.name == "kinks" and (memory.floor or memory.brief):  # a start of which something is known
        memory.floor = memory.floor or FLOOR * objective.null.value
        found = _kinked(objective, solver, params, memory, tol, max_iter)
    if found is None:
        found = solver.solve(objective, params, tol=tol, max_iter=max_iter)
        memory.floor = memory.floor or FLOOR * objective.null.value
    return found


def _newton(objective, solver, params, memory, hessian, tol, max_iter):
    """Steps with one Hessian as long as they lead down fast, else with a new one; None where they do not lead down."""
    enough = tol if memory.brief else ENOUGH * tol
    if objective.loss.quadratic:
        hessian, enough = None, EXACT
    own = hessian is None  # whether the Hessian is that of the parameters
    memory.hessian = objective.hessian(params) if own else hessian
    value, gradient = objective.value_gradient(params)
    error, step = objective.optimality(objective.least_subgradient(params, gradient)), _steps(objective, memory.hessian)
    history = [(value, error)]
    while error > enough and len(history) <= STEPS:
        new = step(params, gradient)
        value, slope = (np.inf, None) if new is None else objective.value_gradient(new)
        left = objective.optimality(objective.least_subgradient(new, slope)) if value < np.inf else np.inf
        if own and not left < error:
            return None
        own = left > CLOSER * error
        if left < error:
            params, gradient, error = new, slope, left
            history.append((value, error))
        if own:
            memory.hessian = objective.hessian(params)
            step = _steps(objective, memory.hessian)
    if error > enough:
        return None
    if memory.brief:
        certificate = f"a minimum: the least subgradient is {error:.1e} of that of the model without features"
        return Solution(
            params, history[-1][0], len(history), objective.n_passes, error, None, certificate, True, solver.name,
            "tol reached", history,
        )  # fmt: skip
    if not objective.smooth:
        params = objective.with_best_intercept(params)  # for the gap
        found = solver.certify(objective, params, memory.hessian, tol=tol, history=history)
        return found or solver.solve(objective, params, tol=tol, max_iter=max_iter)
    return smooth_solution(
        objective, params, tol=tol, n_iter=len(history), solver=solver.name, message="tol reached", history=history
    )


def _steps(objective, hessian):
    """A function of the parameters and the slope there: the minimum of the model with this Hessian, or None."""
    if objective.smooth:
        solve = factor_or_pseudo_inverse(hessian)
        return lambda params, gradient: params - solve(gradient)
    none, l1 = np.empty((1, 0)), np.tile(objective.l1, objective.n_outputs)

    def step(params, gradient):
        model = hessian, gradient - hessian @ params, 0.0
        found = descend(KinkedRows(np.empty((0, len(l1))), none, none, none, l1, 0 * l1, model=model), params)
        return None if found is None else found[0]

    return step


def _kinked(objective, solver, params, memory, tol, max_iter):
    """Rows near a kink, and the sums of the others; None where there are too few rows, or where it fails."""
    if memory.kinks is not objective.kinks:
        memory.kinks, memory.relu = objective.kinks, _relu_rows(objective)
    trace, relu = Trace(min(max_iter, MOST), None), memory.relu
    problem = KinkedProblem(objective, trace, tol, relu)
    n, p, s = problem.n, problem.p, relu.weight
    memory.near = min(max(memory.near or NEAR[0] * np.sqrt(n * p), NEAR[1] * p), n / SMALL)
    m = int(memory.near)
    if NEAR[1] * p > m or relu.low.shape[1] > 1 or not s.all():
        return None
    if memory.params is not params:  # else they are known
        memory.raw = objective.raw_prediction(params)
    z = relu.kinks - relu.sign * memory.raw
    problem.floor = memory.floor
    w, z = _balanced(problem, params, z, m)
    exact = min(tol, VERTEX)
    aim = tol if objective.l2.any() else exact
    last = aim if memory.brief else exact  # with rows on the wrong side, a gap is small enough
    best = np.inf
    kept = np.zeros(n, bool)
    kept[np.argpartition(np.abs(z).min(axis=0), m)[:m]] = True
    for _ in range(ROUNDS):
        pattern, summed = _pattern(z), np.where(kept, 0.0, s)
        groups = np.array([side * summed for side in _sides(pattern)])
        groups = groups[groups.any(axis=1)]
        rows = problem.rows(np.flatnonzero(kept), s[kept], groups)
        w, dual = _minimum(problem, rows, w, m, aim)
        problem.dual = max(problem.dual, dual)
        raw = objective.raw_prediction(w)
        z = relu.kinks - relu.sign * raw
        if (value := problem.value(z, w)) < best:
            problem.w, best, memory.raw, memory.params = w, value, raw, w
        changed = ~kept & (_pattern(z) != pattern)
        memory.near *= GROW if changed.any() else SHRINK
        if best - problem.dual <= last * max(best, problem.floor) or not changed.any():
            break
        kept |= changed
    value, gap = best + relu.constant, max(0.0, best - problem.dual)
    optimality = gap / max(value, problem.floor)
    if optimality > tol:
        return None
    trace(value, gap)
    certificate = f"the optimum is at most {gap:.1e} below the value {value:.6g} (strict duality gap)"
    if objective.bounded:
        problem.w = objective.feasible(problem.w)
    return Solution(
        problem.w, value, len(trace.history), objective.n_passes, optimality, gap, certificate, True, solver.name,
        f"{problem.route}, from a neighbour", trace.history,
    )  # fmt: skip


def _pattern(z):
    """On which side of their kinks rows are, (n,)."""
    return z[0] > 0 if len(z) == 1 else (1 << np.arange(len(z))) @ (z > 0)


def _sides(pattern):
    """Which rows have each pattern."""
    return (pattern, ~pattern) if pattern.dtype == bool else (pattern == each for each in np.unique(pattern))


def _relu_rows(objective):
    """As `LinearObjective.relu_rows`, and faster where all rows bend alike, at one kink."""
    kinks = objective.kinks
    low, high = kinks.low, kinks.high
    if len(kinks.at) > 1 or low.min() != low.max() or high.min() != high.max():
        return objective.relu_rows()
    sign = np.ones(len(objective.weight))
    return ReluRows(kinks.at, low[:, :1], high[:, :1], sign, objective.weight, float(objective.weight @ kinks.constant))


def _minimum(problem, rows, w, near, tol):
    """The minimum of few rows and its bound: from the vertex or the active set at w, else by the interior point."""
    w = _towards(rows, w, near)
    found = (descend if rows.curved else vertex)(rows, w)
    if found is not None:
        bound = dual_bound(rows, found[1], found[0])
        if rows.primal(found[0]) - bound <= tol * max(bound, problem.floor):
            problem.route = "edges"
            return found[0], bound
    w, _, dual = problem.solve_rows(rows, w, tol)
    return w, dual


def _towards(rows, w, near):
    """A better start: Newton steps, with the curvature that the kinks of the rows near w have together."""
    if len(rows.kinks) > 1:
        return w
    A, width, value = rows.A[:near], (rows.hi - rows.lo)[:near], rows.primal(w)
    free = np.ones(len(w), bool)
    free[rows.penalised[w[rows.penalised] == 0]] = False
    z, last = rows.b - rows.forward(w), near - 1
    for _ in range(TOWARDS):
        size = np.abs(z[:near])
        reach = np.partition(size, last)[last]
        if not reach > 0:
            break  # all of them sit on their kink
        inside = size <= reach
        B = A[inside] * np.sqrt(width[inside] / (2 * reach))[:, None]
        slope = rows.adjoint(np.where(z > 0, rows.hi, rows.lo)) - rows.smooth(w)[1]
        new = w.copy()
        new[free] += factor((B.T @ B + rows.curvature())[np.ix_(free, free)])(slope[free])
        lower = rows.primal(new)
        if not lower < value:
            break
        w, value, z, last = new, lower, rows.b - rows.forward(new), last // 2
    return w


def _balanced(problem, params, z, m):
    """The start with the intercept that is best for it, if that is near, and its z: where the slopes of rows cancel."""
    relu = problem.relu
    if not problem.objective.fit_intercept or len(relu.kinks) > 1 or np.any(relu.sign != relu.sign[0]):
        return params, z
    at = z[0]
    near = np.argpartition(np.abs(at), 4 * m)[: 4 * m] if 4 * m < len(at) else np.arange(len(at))
    order = near[np.argsort(at[near])]
    low, high, mass = float(relu.low[0, 0]), float(relu.high[0, 0]), relu.weight
    # Rows with z above the shift have the slope high, those below it the slope low.
    inside = mass[order].sum()
    above = float(mass @ (at > 0)) - float(mass[order] @ (at[order] > 0))
    slope = high * (above + inside) + low * (1.0 - above - inside) - (high - low) * np.cumsum(mass[order])
    k = int(np.searchsorted(-slope, 0.0))
    if not 0 < k < len(order):
        return params, z
    shift, shifted = at[order[k]], params.copy()
    shifted[-1] += relu.sign[0] * shift
    return shifted, z - shift
