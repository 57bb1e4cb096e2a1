"""Losses of all rows together whose kinks are not data, such as the Lovász extension of a set function.

L-BFGS-B comes first: it goes far although its model knows no kinks.  Then gradient sampling: at a kink no single
gradient says where it goes down, but the shortest convex combination of the gradients around a point does, and is near
0 where nothing does.  The gradients are taken at a fixed distance along each coordinate; where no lower value is found
along their combination, the gradient there joins them; where the combination is short, the distance shrinks.  The
certificate is that combination at the last distance; of a loss that is not convex it is one of a local minimum.  A step
costs 2 p + 1 readings of X.

J. V. Burke, A. S. Lewis, M. L. Overton, "A robust gradient sampling algorithm for nonsmooth, nonconvex optimization",
SIAM Journal on Optimization 15(3), 2005.
"""

from copy import copy

import numpy as np
from scipy import optimize

from ._base import Solution, Solver
from ._minimize import run

__all__ = ["Descent"]

DISTANCES = 0.1 * 0.2 ** np.arange(8)  # from 0.1 to 1e-6, in units of the largest coefficient
STEPS = 50  # at each distance
SHORT = 1e-3  # of the gradient of the model without features, at the first distance; then in proportion to it
ARMIJO = 1e-4


class Descent(Solver):
    """L-BFGS-B and gradient sampling; see the module's docstring."""

    name = "descent"

    def unsupported(self, objective):
        if objective.loss.elementwise:
            return f"it is for losses of all rows together, and {objective.loss!r} is one of each row"
        if objective.bounded:
            return "it takes no bounds"
        return None

    def solve(self, objective, params, *, tol, max_iter, callback=None):
        objective = _with_penalty(objective)
        options = {"maxiter": max_iter, "maxls": 50}
        found = run(objective, params, "L-BFGS-B", self.name, tol=tol, options=options, callback=callback)
        w, value, history = found.params, found.value, found.history
        size = max(1.0, np.abs(w).max(initial=0.0))
        shorts = [*(SHORT * DISTANCES[:-1] / DISTANCES[0]), tol]
        for distance, short in zip(size * DISTANCES, shorts, strict=True):
            gradients = _around(objective, w, distance)
            for _ in range(STEPS):
                direction = -_shortest(gradients)
                length = objective.optimality(direction)
                history.append((value, length))
                if callback is not None:
                    callback(len(history), *history[-1], w)
                if length <= short or len(history) >= max_iter:
                    break
                point, value_there, gradient, lower = _lower(objective, w, value, direction, distance)
                if lower:
                    w, value, gradients = point, value_there, _around(objective, point, distance)
                else:  # the combination did not know of this gradient, by which the direction does not go down
                    gradients.append(gradient)
        kind = "a minimum" if objective.convex else "at best a local minimum"
        converged = length <= tol
        certificate = "" if converged else "not "
        certificate += (
            f"{kind}: the shortest combination of the gradients within {distance:.1e} is {length:.1e} of the gradient "
            "of the model without features"
        )
        return Solution(
            w, value, len(history), objective.n_passes, length, None, certificate, converged, self.name,
            "" if converged else "no lower value along the combination of gradients", history,
        )  # fmt: skip


def _with_penalty(objective):
    """The objective whose gradient is that of the penalty as well, 0 at its kinks."""
    whole, l1 = copy(objective), np.tile(objective.l1, objective.n_outputs)

    def value_gradient(params):
        value, gradient = objective.value_gradient(params)
        of_norms = 0.0 if objective.norms is None else objective.norms.gradient(params)
        return value, gradient + l1 * np.sign(params) + of_norms

    whole.value_gradient = value_gradient
    return whole


def _around(objective, w, distance):
    """The gradients at w and at a distance from it along each coordinate."""
    points = [w, *(w + distance * np.eye(len(w))), *(w - distance * np.eye(len(w)))]
    return [objective.value_gradient(point)[1] for point in points]


def _shortest(gradients):
    """Their shortest convex combination."""
    G = np.array(gradients).T
    unit = np.abs(G).max() or 1.0
    # min |G shares|**2 + (sum(shares) - 1)**2 over shares >= 0: up to a factor those of the shortest combination
    equations, sides = np.vstack([G / unit, np.ones(G.shape[1])]), np.append(np.zeros(len(G)), 1.0)
    shares = optimize.lsq_linear(equations, sides, (0.0, np.inf), method="bvls").x.clip(0.0)
    return G @ (shares / shares.sum())


def _lower(objective, w, value, direction, distance):
    """A point along the direction, its value, its gradient, and whether it is lower by a part of what it promises."""
    length = np.linalg.norm(direction)
    step = max(1.0, 10 * distance / length)
    while True:
        point = w + step * direction
        value_there, gradient = objective.value_gradient(point)
        lower = value_there < value - ARMIJO * step * length**2
        if lower or step * length <= distance:
            return point, value_there, gradient, lower
        step /= 2
