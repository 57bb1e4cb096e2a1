"""Convex losses with kinks that are not a sum of max(0, .): a path of smooth losses that close in on them.

``loss.smoothed(width)`` is a smooth convex loss above the loss, by at most ``width * loss.excess``.  The objective
with widths that fall by a factor is minimised again and again, each fit starting at the last.  The duality gap of the
smooth objective, plus how far it lies above the true one, is a strict bound on what is left; where there is no l2
penalty to give a gap, the gradient of the smooth objective stands in, and the certificate says so.
"""

import numpy as np

from ._base import Solution, Solver

__all__ = ["Smoothing"]

FALL = 0.2  # of the width from one fit to the next
STEPS = 40
STALLED = 10  # fits in which the gap does not halve


class Smoothing(Solver):
    """A smoothing path; see the module's docstring."""

    name = "smoothing"

    def unsupported(self, objective):
        if not hasattr(objective.loss, "smoothed"):
            return f"it needs a loss with smoothed(width), and {objective.loss!r} has none"
        if not objective.coupled:
            return "it is for losses of several columns, and this problem has one"
        return None

    def solve(self, objective, params, *, tol, max_iter, callback=None):
        from . import get_solver  # the table of all solvers, this one among them

        history: list[tuple[float, float]] = []
        upper, best, width = np.inf, params, 1.0
        lower, strict = 0.0, True  # no loss is below 0
        floor = max(1e-6 * objective.null.value, np.finfo(float).tiny)
        for _ in range(STEPS):
            smooth = objective.with_loss(objective.loss.smoothed(width))
            solver = get_solver("auto", smooth)
            found = solver.solve(smooth, params, tol=min(tol, 1e-6), max_iter=max_iter)
            params, value = found.params, objective.value_gradient(found.params)[0]
            if value < upper:
                upper, best = value, params
            certain = found.gap is not None or found.converged
            bound = found.value - (found.gap or 0.0) - width * objective.loss.excess(objective.n_outputs)
            if certain and bound > lower:
                lower, strict = bound, found.gap is not None
            gap = max(0.0, upper - lower)
            optimality = gap / max(upper, floor)
            history.append((upper, optimality))
            if callback is not None:
                callback(len(history), *history[-1])
            if optimality <= tol or not certain or _stalled(history):
                break
            width *= FALL
        converged = optimality <= tol
        kind = "strict duality gap of a smooth bound" if strict else "gap of a smooth bound, whose gradient vanishes"
        certificate = f"the optimum is at most {gap:.1e} below the value {upper:.6g} ({kind})"
        return Solution(
            best, upper, len(history), objective.n_passes, optimality, gap if strict else None,
            certificate if converged else "not a minimum: " + certificate, converged, self.name,
            f"width {width:.1e}", history,
        )  # fmt: skip


def _stalled(history):
    return len(history) > STALLED and history[-1][1] > 0.5 * history[-1 - STALLED][1]
