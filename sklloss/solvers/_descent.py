"""Losses of all rows together whose kinks are not data, such as the Lovász extension of a set function.

L-BFGS-B comes first: it goes far although its model knows no kinks.  Then gradient sampling: at a kink no single
gradient says where it goes down, but the shortest convex combination of the gradients around a point does, and is near
0 where nothing does.  The gradients are taken at fixed distances along each coordinate; where their combination is
short, or no lower value is found along it, the distance shrinks.  The certificate is that combination at the last
distance; of a loss that is not convex it is one of a local minimum.  A step costs 2 p + 1 readings of X.

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
HALVINGS = 20


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
        objective = _with_l1(objective)
        options = {"maxiter": max_iter, "maxls": 50}
        found = run(objective, params, "L-BFGS-B", self.name, tol=tol, options=options, callback=callback)
        w, value, history = found.params, found.value, found.history
        size = max(1.0, np.abs(w).max(initial=0.0))
        for distance in size * DISTANCES:
            for _ in range(STEPS):
                direction = -_shortest(objective, w, distance)
                length = objective.optimality(direction)
                history.append((value, length))
                if callback is not None:
                    callback(len(history), *history[-1], w)
                if length <= SHORT * distance / (size * DISTANCES[0]) or len(history) >= max_iter:
                    break
                step = _lower(objective, w, value, direction, distance)
                if step is None:
                    break
                w, value = w + step, objective.value_gradient(w + step)[0]
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


def _with_l1(objective):
    """The objective whose gradient is that of the l1 penalty as well, 0 at its kinks."""
    whole, l1 = copy(objective), np.tile(objective.l1, objective.n_outputs)

    def value_gradient(params):
        value, gradient = objective.value_gradient(params)
        return value, gradient + l1 * np.sign(params)

    whole.value_gradient = value_gradient
    return whole


def _shortest(objective, w, distance):
    """The shortest convex combination of the gradients at w and at a distance from it along each coordinate."""
    points = [w, *(w + distance * np.eye(len(w))), *(w - distance * np.eye(len(w)))]
    G = np.array([objective.value_gradient(point)[1] for point in points]).T
    unit = np.abs(G).max() or 1.0
    # min |G shares|**2 + (sum(shares) - 1)**2 over shares >= 0: up to a factor those of the shortest combination
    equations, sides = np.vstack([G / unit, np.ones(G.shape[1])]), np.append(np.zeros(len(w)), 1.0)
    shares = optimize.nnls(equations, sides, maxiter=100 * len(points))[0]
    return G @ (shares / shares.sum())


def _lower(objective, w, value, direction, distance):
    """A step along the direction to a value that is lower by a part of what it promises; None if there is none."""
    slope = float(direction @ direction)
    step = direction * (max(1.0, 10 * distance / np.sqrt(slope)))
    for _ in range(HALVINGS):
        if objective.value_gradient(w + step)[0] < value - ARMIJO * float(step @ direction):
            return step
        step = step / 2
    return None
