"""L-BFGS-B of SciPy for smooth objectives with many parameters, without curvature, or not convex.

It runs in variables in which the Gram matrix of X is the identity: with G = R'R from a strided subsample of the rows,
z = R params, column by column of the raw prediction (for softmax regression this is Böhning's bound).  What is left
of the conditioning is that of the loss alone, so that 10 to 20 evaluations suffice where plain L-BFGS needs hundreds.
Beyond a few thousand columns the factor costs more than it saves; there each parameter is measured by its own
curvature: that of the loss, alike for all as their columns have unit norm, and that of the l2 penalty, which is large
for a column of few entries.  With curvature and few parameters, where that takes too long, Newton's method goes on if
the loss is convex, else SciPy's trust-region method, and Newton steps, where they are cheap, end the fit at rounding,
as long as the Hessian is positive definite; then the minimum is strict.  A loss that is not convex ends in a local
minimum, and the certificate says so.
"""

from dataclasses import replace

import numpy as np
from scipy import linalg

from ._base import NEWTON_PARAMS, Solver, smooth_solution
from ._minimize import needs_smooth, run
from ._newton import Newton

__all__ = ["LBFGS"]

GRAM_COLUMNS = 1500
GRAM_ROWS = 20  # rows of the subsample for each column, and at least
GRAM_LEAST = 2000
PATIENCE = 60  # iterations, after which Newton's method goes on where it can
POLISH = 6  # Newton steps at the end, at most, where
POLISH_WORK = 1e9  # multiplications at most make a Hessian


class LBFGS(Solver):
    """Preconditioned L-BFGS-B; see the module's docstring."""

    name = "lbfgs"

    def unsupported(self, objective):
        return None if objective.smooth else needs_smooth(objective)

    def solve(self, objective, params, *, tol, max_iter, callback=None):
        options = {"maxiter": max_iter, "maxfun": 20 * max_iter, "ftol": 0.0, "gtol": 0.0, "maxcor": 20, "maxls": 50}
        basis = _gram_basis(objective) if objective.p <= GRAM_COLUMNS else _diagonal_basis(objective)
        curved = objective.has_curvature and objective.n_params <= NEWTON_PARAMS
        given = {"tol": tol, "callback": callback}
        newton = curved and objective.convex
        first = options | {"maxiter": min(max_iter, PATIENCE) if newton else max_iter}
        found = run(objective, params, "L-BFGS-B", self.name, options=first, basis=basis, **given)
        if not found.converged and found.n_iter < max_iter and newton and np.isfinite(found.value):
            more = Newton().solve(objective, found.params, max_iter=max_iter - found.n_iter, **given)
            history = found.history + more.history
            return replace(more, solver=self.name, history=history, n_iter=len(history))
        if not found.converged and found.n_iter < max_iter:
            # Values differ by rounding only: a trust region needs gradients alone; without curvature, a line search
            # that forgets the past may still succeed.
            before, options["maxiter"] = found, max_iter - found.n_iter
            if curved:
                options, method = {"maxiter": options["maxiter"], "gtol": 0.0}, "trust-exact"
                found = run(objective, before.params, method, self.name, options=options, with_hessian=True, **given)
            else:
                found = run(objective, before.params, "L-BFGS-B", self.name, options=options, basis=basis, **given)
            found.history[:0] = before.history
            found.n_iter = len(found.history)
        dear = objective.design.n_rows * objective.n_params**2 > POLISH_WORK
        if found.n_iter >= max_iter or not np.isfinite(found.value):
            return found
        if curved and not dear:
            polished, strict = _polish(objective, found.params)
        else:
            polished, strict = objective.with_best_intercept(found.params), False
        solution = smooth_solution(
            objective, polished, tol=tol, n_iter=len(found.history), solver=self.name, message=found.message,
            history=found.history,
        )  # fmt: skip
        if solution.converged:
            solution.message = "tol reached"
        if strict and not objective.convex:
            solution.certificate = solution.certificate.replace(
                "a stationary point, so at best a local minimum", "a strict local minimum (positive definite curvature)"
            )
        return solution


def _polish(objective, params):
    """Newton steps while the Hessian is positive definite and the gradient falls; (params, is it so at the end)."""
    gradient = objective.value_gradient(params)[1]
    for _ in range(POLISH + 1):
        try:
            factor = linalg.cho_factor(objective.hessian(params), check_finite=False)
        except linalg.LinAlgError:
            return params, False
        step = linalg.cho_solve(factor, -gradient, check_finite=False)
        value, new = objective.value_gradient(params + step)
        if value == np.inf or not np.abs(new).max() < 0.5 * np.abs(gradient).max():
            break
        params, gradient = params + step, new
    return params, True


def _diagonal_basis(objective):
    """Change of variables that turns the curvature of the model without features into one of unit diagonal."""
    curvature = np.ones(objective.n_outputs)
    if objective.loss.elementwise and objective.has_curvature:
        curvature = objective.mean_curvature(objective.null.params)
    root = np.sqrt(np.where(curvature > 0, curvature, 1.0)[:, None] + objective.l2).ravel()
    return lambda params: root * params, lambda z: z / root, lambda gradient: gradient / root


def _gram_basis(objective):
    """Change of variables that turns the Gram matrix, plus the l2 penalty in its unit, into the identity."""
    sample = objective.subsample(max(GRAM_LEAST, GRAM_ROWS * objective.p))
    gram, shape = sample.gram(), (objective.n_outputs, objective.p)
    ridged = gram + 1e-8 * np.diag(gram.diagonal() + (gram.diagonal() == 0)) + np.diag(objective.l2)
    R = linalg.cholesky(ridged, check_finite=False)

    def triangular(matrix, trans):
        return linalg.solve_triangular(R, matrix.reshape(shape).T, trans=trans, check_finite=False).T.ravel()

    return (
        lambda params: (params.reshape(shape) @ R.T).ravel(),
        lambda z: triangular(z, "N"),
        lambda gradient: triangular(gradient, "T"),
    )
