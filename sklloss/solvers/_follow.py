"""The next of a sequence of neighbouring objectives, as along a path of alphas, from a start that is nearly right.

Near its minimum Newton's method needs a step or two, each with one pass over X, and none of the pilots and polishing of
a fit from nowhere: the certificate of the last point is all that is asked for.  Other objectives are handed to their
solver with the start.
"""

from ._base import smooth_solution
from ._linalg import factor_or_pseudo_inverse

__all__ = ["next_solution"]

STEPS = 3  # of Newton's method, before the solver itself takes over
ENOUGH = 1e-2  # of tol: a step squares the error, so that there is rarely more than one too many


def next_solution(objective, solver, params, *, tol, max_iter):
    """The solution of an objective from a start near its minimum."""
    if solver.name == "newton":
        return _newton(objective, solver, params, tol, max_iter)
    return solver.solve(objective, params, tol=tol, max_iter=max_iter)


def _newton(objective, solver, params, tol, max_iter):
    """Full Newton steps as long as they lead down fast, else the solver."""
    history, least = [], None
    for _ in range(STEPS):
        hessian = objective.hessian(params)
        value, gradient = objective.value_gradient(params)
        error = objective.optimality(gradient)
        if not value < float("inf") or (least is not None and error > 0.5 * least):
            break
        least = error
        params = params - factor_or_pseudo_inverse(hessian)(gradient)
        value, gradient = objective.value_gradient(params)
        history.append((value, objective.optimality(gradient)))
        if history[-1][1] <= ENOUGH * tol:
            return smooth_solution(
                objective, params, tol=tol, n_iter=len(history), solver=solver.name, message="tol reached",
                history=history,
            )  # fmt: skip
    return solver.solve(objective, params, tol=tol, max_iter=max_iter)
