"""Many features in groups: working sets of groups for the group lasso.

The penalty leaves most groups at 0.  A set of groups is solved by itself, the others, all 0, are looked at in one pass
over X, and those whose slopes are longest, in units of their radius, join, until none is beyond it.

The certificate is a strict duality gap from the slopes of the loss at the solution.  The loss lies above its tangent,
and above 0, so above any share of the tangent; with the share at which no slope of a group is longer than its radius,
the share of the tangent plus penalty is least at 0.
"""

import numpy as np

from ._base import Solution, Solver, choose_solver
from ._kinks import FLOOR, NOTHING

__all__ = ["GroupSets"]

FIRST = 50  # features of the first working set, at least
ROUNDS = 50
INNER = 0.1, 1e-3, 1e-6  # of tol, for the fit of a set: again and closer where no group joins, but a gap is left


class GroupSets(Solver):
    """Working sets of groups; see the module's docstring."""

    name = "group_sets"

    def unsupported(self, objective):
        if not objective.in_groups:
            return f"it is for penalties that draw every coefficient to 0 in groups, and {objective.penalty!r} does not"
        if not objective.loss_smooth or not objective.smooth_part.has_curvature or objective.bounded:
            return f"it needs a smooth loss with a second derivative, without bounds, unlike {objective.loss!r}"
        return None

    def solve(self, objective, params, *, tol, max_iter, callback=None):
        from . import SOLVERS  # the table of all solvers, this one among them

        d, p, K = objective.design.n_features, objective.p, objective.n_outputs
        floor, history, inner = max(FLOOR * objective.null.value, NOTHING), [], list(INNER)
        w, size = params, FIRST
        index = np.flatnonzero(_whole(objective, np.flatnonzero(w.reshape(K, p)[:, :d].any(axis=0))))
        message = "maximum number of rounds reached"
        for _ in range(min(ROUNDS, max_iter)):
            value, gap, length = _bound(objective, w)
            history.append((value, gap / max(value, floor)))
            if callback is not None:
                callback(len(history), *history[-1], w)
            if history[-1][1] <= tol:
                message = "tol reached"
                break
            # Of each feature the length of its group's slope in units of the radius, in the output where it is longest.
            excess = length[: K * p].reshape(K, p)[:, :d].max(axis=0)
            inside = np.zeros(d, bool)
            inside[index] = True
            steep = np.flatnonzero((excess > 1) & ~inside)
            if not len(steep) and len(index):
                inner.pop(0)
                if not inner:
                    message = "no group joins, and the gap stays open"
                    break
            size = max(size, 2 * int(w.reshape(K, p)[:, :d].any(axis=0).sum()))
            joining = steep[np.argsort(-excess[steep], kind="stable")][:size]
            index = np.flatnonzero(inside | _whole(objective, joining))
            size = 2 * size
            part = objective.columns(index)
            name = choose_solver(part)
            solver = SOLVERS["cones" if name == self.name else name]
            kept = np.append(index, d) if objective.fit_intercept else index
            start = w.reshape(K, p)[:, kept].ravel()
            found = solver.solve(part, start, tol=inner[0] * tol, max_iter=max_iter)
            theta = np.zeros((K, p))
            theta[:, kept] = found.params.reshape(K, -1)
            w = theta.ravel()
        value, gap, _ = _bound(objective, w)
        optimality = gap / max(value, floor)
        converged = bool(optimality <= tol)
        certificate = (
            f"the optimum is at most {gap:.1e} below the value {value:.6g} (strict duality gap)"
            if objective.convex
            else "a stationary point, so at best a local minimum: slopes of groups leave "
            f"{gap:.1e} of the value {value:.6g} unexplained"
        )
        return Solution(
            w, value, len(history), objective.n_passes, optimality, gap if objective.convex else None,
            certificate if converged else "not a minimum: " + certificate, converged, self.name,
            f"{message}, {len(index)} of {d} features looked at closely", history,
        )  # fmt: skip


def _whole(objective, features):
    """The groups of some features, a mask of features."""
    norms, d = objective.norms, objective.design.n_features
    feature = norms.operator.indices % objective.p  # each row has one entry
    joined = np.zeros(len(norms.radius), bool)
    joined[norms.group[np.isin(feature, features)]] = True
    found = np.zeros(objective.p, bool)
    found[feature[joined[norms.group]]] = True
    return found[:d]


def _bound(objective, w):
    """(value, gap, length of the slope of each parameter's group in units of its radius)."""
    norms, l2 = objective.norms, np.tile(objective.l2, objective.n_outputs)
    value, slope = objective.value_gradient(w)
    slope = slope - l2 * w
    loss = value - float(norms.value(w)) - 0.5 * float(l2 @ w**2)
    of_rows = norms.operator.indices  # each row has one entry; another unit of it is another unit of its multiplier
    lengths = norms.lengths(slope[of_rows] / norms.operator.data)
    share = float(np.min(norms.radius / np.maximum(lengths, norms.radius)))
    free = np.ones(len(w), bool)
    free[of_rows] = False
    free &= l2 == 0
    charge = float(np.abs(slope[free]) @ np.abs(w[free]))
    left = np.abs(slope[free]).max(initial=0.0)
    ratio = np.zeros(len(w))
    ratio[of_rows] = (lengths / norms.radius)[norms.group]
    if left > 16 * np.finfo(float).eps * max(objective.null.mass, objective.mass(w)):
        return value, value, ratio
    return value, max(0.0, value - share * (loss - float(slope @ w)) + charge), ratio
