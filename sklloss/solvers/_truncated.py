"""Losses that are a convex loss cut off at a cap, min(base, cap): the ramp loss, and others of that form.

Such a loss is neither convex nor smooth.  Where a row's base loss is above the cap, the constant cap lies above the
loss and touches it; elsewhere the base loss does.  So the objective without the rows at the cap, plus a constant, is a
convex bound that touches the objective, and its minimum is at least as good (a convex-concave step).  The steps start
at the convex fit of all rows and end, in finitely many, when no row crosses the cap: at a local minimum, as said in
the certificate.  Each step is solved by whatever solver the base loss calls for.
"""

import numpy as np

from ._base import Solution, Solver

__all__ = ["Truncated"]

STEPS = 100


class Truncated(Solver):
    """Convex-concave steps; see the module's docstring."""

    name = "truncated"

    def unsupported(self, objective):
        if objective.loss.truncated is None:
            return f"it needs a loss that is cut off at a cap, and {objective.loss!r} is not"
        return None

    def solve(self, objective, params, *, tol, max_iter, callback=None):
        from . import get_solver  # the table of all solvers, this one among them

        base, cap = objective.loss.truncated
        kept = np.ones(len(objective.y), bool)
        history: list[tuple[float, float]] = []
        message = "maximum number of steps reached"
        for _ in range(min(max_iter, STEPS)):
            problem = objective.only(np.flatnonzero(kept), base)
            inner = get_solver("auto", problem).solve(problem, params, tol=tol, max_iter=max_iter)
            params = inner.params
            value = objective.value_gradient(params)[0]
            history.append((value, inner.optimality))
            if callback is not None:
                callback(len(history), *history[-1], params)
            below = base.loss(objective.y, objective.raw_prediction(params)) < cap
            if np.array_equal(below, kept):
                message = "no row crosses the cap"
                break
            if not below.any() or (len(history) > 1 and value >= history[-2][0]):
                message = "no step lowers the objective"
                break
            kept = below
        value = objective.value_gradient(params)[0]
        converged = inner.converged and not message.startswith("maximum")
        certificate = f"a local minimum: {message}, and of the others the convex fit is certified: {inner.certificate}"
        return Solution(
            params, value, len(history), objective.n_passes, inner.optimality, None,
            certificate if converged else "not " + certificate, converged, self.name, message, history,
        )  # fmt: skip
