"""The last resort: losses with kinks that nobody declared and that could not be read off, convex or not.

The average of a loss over a window of width h around the raw prediction is smooth, and its gradient is a difference
of the loss itself, (loss(f + h / 2) - loss(f - h / 2)) / h: a kink does no harm.  L-BFGS-B minimises the averages over
narrower and narrower windows, each fit starting at the last.  There is no bound on what is left; the certificate is
the gradient of the last average, and says so.
"""

from dataclasses import replace

import numpy as np

from ._base import Solver

__all__ = ["Averaging"]

WIDTHS = 0.2 ** np.arange(10)  # of the windows, from the spread of y to 5e-7 of it


class Averaging(Solver):
    """A path of averages over windows; see the module's docstring."""

    name = "averaging"

    def unsupported(self, objective):
        if objective.coupled or not objective.loss.elementwise:
            return f"it needs a loss of one raw prediction for each row, and {objective.loss!r} is not"
        if objective.loss_smooth or objective.declared:
            return f"it is for kinks that nobody declared, and those of {objective.loss!r} are known"
        return None

    def solve(self, objective, params, *, tol, max_iter, callback=None):
        from . import get_solver  # the table of all solvers, this one among them

        spread, history = float(np.std(objective.y)) or 1.0, []
        best, least = objective.feasible(params), np.inf
        for width in spread * WIDTHS:
            averaged = objective.with_loss(objective.loss.averaged(width))
            solver = get_solver("auto", averaged)
            found = solver.solve(averaged, best, tol=tol, max_iter=max_iter, callback=callback)
            history += found.history
            value = objective.value_gradient(found.params)[0]
            if value <= least:
                best, least = found.params, value
        certificate = (
            f"a stationary point of the average over a window of {width:.1e}, so at best near a local minimum: its "
            f"gradient is {found.optimality:.1e} of that of the model without features"
        )
        return replace(
            found, params=best, value=least, n_iter=max(1, len(history)), n_passes=objective.n_passes, gap=None,
            certificate=certificate if found.converged else "not " + certificate, solver=self.name, history=history,
        )  # fmt: skip
