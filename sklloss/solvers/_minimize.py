"""Smooth objectives through `scipy.optimize.minimize`, by any of its methods or a callable of its interface.

The iterations stop when the optimality reaches the dimensionless ``tol``, whatever test the method has of its own:
methods that measure the gradient in absolute units, or give up on small steps, neither stop early nor run on.
"""

import numpy as np
from scipy import optimize

from ._base import Solver, smooth_solution

__all__ = ["Minimize", "needs_smooth", "run"]

HUGE = 1e150  # stands for inf in SciPy's line searches, which interpolate between values


class Minimize(Solver):
    """A method of `scipy.optimize.minimize` named by the user, or a callable with the same interface."""

    def __init__(self, method):
        self.method = method
        self.name = method if isinstance(method, str) else getattr(method, "__name__", type(method).__name__)

    def unsupported(self, objective):
        if not objective.smooth:
            return needs_smooth(objective)
        if isinstance(self.method, str) and self.method.lower() in WITH_HESSIAN and not objective.has_curvature:
            return f"it needs a second derivative, and {objective.loss!r} defines none"
        return None

    def solve(self, objective, params, *, tol, max_iter, callback=None):
        builtin = isinstance(self.method, str)
        # The methods' own tests are made so strict that ours, which has no unit, comes first.
        small = 1e-3 * tol * objective.null.gradient
        own_test = {name: {"gtol": small} for name in WITH_GTOL} | {
            "newton-cg": {"xtol": 1e-12}, "slsqp": {"ftol": 1e-15}, "tnc": {"gtol": small, "ftol": 0.0, "xtol": 0.0},
            "nelder-mead": {"xatol": small, "fatol": small}, "powell": {"xtol": 1e-12, "ftol": 1e-15},
        }  # fmt: skip
        limit = {"maxfun" if builtin and self.method.lower() == "tnc" else "maxiter": max_iter}
        return run(
            objective,
            params,
            self.method,
            self.name,
            tol=tol,
            callback=callback,
            options=limit | own_test.get(self.method.lower(), {}) if builtin else {},
            with_hessian=objective.has_curvature and (not builtin or self.method.lower() in WITH_HESSIAN),
        )


WITH_GTOL = ("cg", "bfgs", "l-bfgs-b", "trust-ncg", "trust-krylov", "trust-exact", "trust-constr")
WITH_HESSIAN = {"newton-cg", "dogleg", "trust-ncg", "trust-krylov", "trust-exact", "trust-constr"}


def needs_smooth(objective):
    """The reason for refusing a loss or penalty with kinks, or bounds."""
    if not objective.loss_smooth:
        what = f"the loss {objective.loss!r} is not smooth"
    elif objective.bounded:
        what = "bounds on coefficients are not"
    else:
        what = f"the penalty {objective.penalty!r} is not smooth"
    return f"it needs a smooth objective, and {what}"


def run(
    objective, params, method, name, *, tol, options, callback=None, with_hessian=False, basis=None, own_test=False
):
    """Minimise through SciPy, stop at the dimensionless tol unless the method has its own test of it, and certify.

    ``basis`` is a triple of functions for a change of variables: params → z, z → params, and gradient by params →
    gradient by z.
    """
    to_z, to_params, to_gradient = basis or (_same, _same, _same)
    history = []
    last = to_z(params)

    def fun(z):
        value, gradient = objective.value_gradient(to_params(z))
        return (value if np.isfinite(value) else HUGE), to_gradient(gradient)

    def hessian(z):
        found = objective.hessian(to_params(z))
        return np.eye(len(z)) if found is None else found  # of a value that overflows, whose point is refused

    def after_iteration(z, *_):
        nonlocal last
        last = np.array(z)
        value, gradient = objective.value_gradient(to_params(last))
        history.append((value, objective.optimality(gradient)))
        if callback is not None:
            callback(len(history), *history[-1], to_params(last))
        if history[-1][1] <= tol and not own_test:
            raise StopIteration

    message = "tol reached"
    try:
        if objective.optimality(objective.value_gradient(params)[1]) == 0:  # slopes may be too small to divide by
            after_iteration(last)
        result = optimize.minimize(
            fun,
            last,
            jac=True,
            hess=hessian if with_hessian else None,
            method=method,
            callback=after_iteration,
            options=options,
        )
        if not hasattr(result, "x"):
            raise TypeError(
                f"A callable solver must return a scipy.optimize.OptimizeResult with the solution x, as a method of "
                f"scipy.optimize.minimize does; {name} returned {result!r}."
            )
        last = np.asarray(result.x, dtype=float)
        if not history or history[-1][1] > tol:
            message = str(getattr(result, "message", ""))
    except StopIteration:  # from methods that leave it to the caller
        pass
    return smooth_solution(
        objective, to_params(last), tol=tol, n_iter=len(history), solver=name, message=message, history=history
    )


def _same(z):
    return z
