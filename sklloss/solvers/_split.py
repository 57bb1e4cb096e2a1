"""An l1 penalty or bounds on many parameters, or on a loss without curvature.

Where the penalty leaves most coefficients at 0, few are worked on: a set of features is solved by itself, the others,
all 0, are looked at in one pass, and those with the steepest slopes join, until none has a slope beyond its penalty.
A set that others join gets a single step of Newton's method, the last one all that it takes.
What is left, without curvature or with too many parameters in the set, is L-BFGS-B of SciPy on w = u - v, u and v
non-negative, in which l1 is linear and a bound is a bound.

The certificate is a strict duality gap from the slopes of the loss at the solution, where the l1 penalty, the l2
penalty or both cover every coefficient; else the least subgradient.
"""

import numpy as np
from scipy import optimize

from ._base import NEWTON_PARAMS, Solution, Solver
from ._newton import Newton
from ._proximal_newton import ProximalNewton

__all__ = ["Split"]

FIRST = 50  # features of a working set, at least
SPARE = 8  # of so many features, another one is taken that is not beyond its penalty yet
ROUNDS = 50


class Split(Solver):
    """Working sets, and L-BFGS-B on positive and negative parts; see the module's docstring."""

    name = "split"

    def unsupported(self, objective):
        if not objective.loss_smooth:
            return f"it needs a smooth loss, and {objective.loss!r} is not"
        if objective.smooth:
            return "it is for objectives with an l1 penalty or bounds, and this one has neither"
        if objective.norms is not None:
            return f"it knows no norms of several coefficients, and {objective.penalty!r} is made of them"
        return None

    def solve(self, objective, params, *, tol, max_iter, callback=None):
        history: list[tuple[float, float]] = []

        def record(w):
            optimality = _optimality(objective, w)
            history.append((objective.value_gradient(w)[0], optimality))
            if callback is not None:
                callback(len(history), *history[-1], w)
            return optimality

        w = objective.feasible(params)
        w = (
            _by_working_sets(objective, w, tol, max_iter, record)
            if objective.sparse and objective.smooth_part.has_curvature
            else w
        )
        if not history or history[-1][1] > tol:
            w = _by_parts(objective, w, tol, max_iter, record)
        value, optimality = objective.value_gradient(w)[0], _optimality(objective, w)
        gap, converged = _gap(objective, w), optimality <= tol
        kind = "a minimum" if objective.convex else "a stationary point, so at best a local minimum"
        certificate = f"{kind}: the least subgradient is {optimality:.1e} of the gradient of the model without features"
        if gap is not None:
            certificate += f"; the optimum is at most {gap:.1e} below the value {value:.6g} (strict duality gap)"
        return Solution(
            w, value, max(1, len(history)), objective.n_passes, optimality, gap,
            certificate if converged else "not " + certificate, converged, self.name,
            "tol reached" if converged else "no lower value found", history,
        )  # fmt: skip


def _optimality(objective, w):
    return objective.optimality(objective.least_subgradient(w, objective.smooth_part.value_gradient(w)[1]))


def _by_working_sets(objective, w, tol, max_iter, record):
    """Solve growing sets of features; the parameters of all, once no slope outside is beyond its penalty."""
    d, p, K = objective.design.n_features, objective.p, objective.n_outputs
    size, most = FIRST, NEWTON_PARAMS // K - objective.fit_intercept
    for _ in range(ROUNDS):
        theta = w.reshape(K, p)
        slope = np.abs(objective.smooth_part.value_gradient(w)[1]).reshape(K, p)[:, :d].max(axis=0)
        support = theta[:, :d].any(axis=0)
        size = min(max(size, 2 * int(support.sum())), most)
        beyond = np.where(support, np.inf, slope - objective.l1[:d])
        wanted = int(np.count_nonzero(beyond > 0))
        index = np.sort(np.argsort(-beyond)[: min(size, max(FIRST, wanted + wanted // SPARE))])
        index = index[beyond[index] > -objective.l1[index]]  # a slope of 0 is that of a constant column
        part = objective.columns(index)
        if support.sum() >= most:
            break
        kept = np.append(index, d) if objective.fit_intercept else index
        start = theta[:, kept].ravel()
        last = part.smooth or wanted == support.sum() or len(index) == d
        if last:
            solver = Newton() if part.smooth else ProximalNewton()
            found = solver.solve(part, start, tol=0.1 * tol, max_iter=max_iter)
            end, enough = found.params, tol if found.converged else -np.inf
        else:
            end, enough = ProximalNewton().step(part, start, tol), 0.0  # at rounding, as of a quadratic loss
        theta = np.zeros_like(theta)
        theta[:, kept] = end.reshape(K, -1)
        w = theta.ravel()
        if record(w) <= enough or len(index) == d:
            break
        size = 2 * size
    return w


def _by_parts(objective, w, tol, max_iter, record):
    """L-BFGS-B on u - v."""
    smooth, n = objective.smooth_part, len(w)
    l1, lower, upper = (np.tile(part, objective.n_outputs) for part in (objective.l1, objective.lower, objective.upper))
    drawn = l1 > 0  # the others need no second part
    low = np.concatenate([np.where(drawn, np.maximum(lower, 0), lower), np.where(drawn, np.maximum(-upper, 0), 0)])
    high = np.concatenate([np.where(drawn, np.maximum(upper, 0), upper), np.where(drawn, np.maximum(-lower, 0), 0)])

    def joined(parts):
        return parts[:n] - parts[n:]

    def fun(parts):
        value, gradient = smooth.value_gradient(joined(parts))
        return value + l1 @ (parts[:n] + parts[n:]), np.concatenate([gradient + l1, l1 - gradient])

    last = np.concatenate([np.where(drawn, np.maximum(w, 0), w), np.where(drawn, np.maximum(-w, 0), 0)])

    def after_iteration(parts):
        nonlocal last
        last = np.array(parts)
        if record(joined(parts)) <= tol:
            raise StopIteration

    result = optimize.minimize(
        fun, last, jac=True, method="L-BFGS-B", bounds=optimize.Bounds(low, high), callback=after_iteration,
        options={"maxiter": max_iter, "maxfun": 20 * max_iter, "ftol": 0.0, "gtol": 0.0, "maxcor": 20, "maxls": 50},
    )  # fmt: skip
    return joined(result.x)


def _gap(objective, w):
    """Value minus a lower bound, from the slopes g of a convex loss; None where they give none.

    A loss lies above its tangent, and above 0, so above any share of the tangent.  With the share at which no slope is
    beyond an l1 penalty that stands alone, the tangent plus penalty has the minimum share * (value - g'w) - sum
    (abs(share * g) - l1)_+**2 / (2 l2).
    """
    if not objective.convex or objective.bounded:
        return None
    l1, l2 = (np.tile(part, objective.n_outputs) for part in (objective.l1, objective.l2))
    value, gradient = objective.smooth_part.value_gradient(w)
    g, loss = gradient - l2 * w, value - 0.5 * float(l2 @ w**2)
    free = (l1 == 0) & (l2 == 0)
    if np.abs(g[free]).max(initial=0.0) > objective.null.rounding:
        return None
    alone = (l2 == 0) & (l1 > 0) & (np.abs(g) > l1)
    share = float((l1[alone] / np.abs(g[alone])).min(initial=1.0))
    excess = np.maximum(share * np.abs(g) - l1, 0)[l2 > 0]
    charge = float(np.abs(g[free] * w[free]).sum())
    bound = share * (loss - float(g @ w)) - float((excess**2 / (2 * l2[l2 > 0])).sum()) - charge
    return max(0.0, objective.value_gradient(w)[0] - bound)
