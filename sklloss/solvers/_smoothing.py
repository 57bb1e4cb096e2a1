"""Losses with kinks that are not a sum of max(0, .) of each row: a path of smooth losses that close in on them.

``loss.smoothed(width)`` is a smooth convex loss above the loss, by at most ``width * loss.excess``.  The objective
with widths that fall by a factor is minimised again and again, each fit starting at the last.  The duality gap of the
smooth objective, plus how far it lies above the true one, is a strict bound on what is left; where there is no l2
penalty to give a gap, the gradient of the smooth objective stands in, and the certificate says so.

Of a loss that is not convex the path is the same, shorter, and ends at a stationary point of the last smooth loss: a
few coarse fits, then one to tol.  The certificate says how far the loss itself is from it there.
"""

from dataclasses import replace

import numpy as np

from ._base import Solution, Solver

__all__ = ["Smoothing"]

FALL = 0.2  # of the width from one fit to the next
STEPS = 40
STALLED = 10  # fits in which the gap does not halve
NOT_CONVEX = 9  # widths, where there is no gap that falls with them
CLOSE = 1e-3  # the part by which a loss and its smooth one may differ in the end, or tol if that is less
COARSE, SHORT = 1e-3, 100  # tol and iterations of all but the last of these fits


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

        if not objective.convex:
            return self._local(objective, params, tol, max_iter, callback)
        history: list[tuple[float, float]] = []
        upper, best, width = np.inf, params, objective.null.value or 1.0
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

    def _local(self, objective, params, tol, max_iter, callback):
        """A stationary point of the narrowest smooth loss, near one of a loss that is not convex."""
        from . import get_solver

        coarse = {"tol": max(tol, COARSE), "max_iter": min(max_iter, SHORT)}
        history: list[tuple[float, float]] = []
        for width in (objective.null.value or 1.0) * FALL ** np.arange(NOT_CONVEX):
            smooth = objective.with_loss(objective.loss.smoothed(width))
            solver = get_solver("auto", smooth)
            found = solver.solve(smooth, params, callback=callback, **coarse)
            params, history = found.params, history + found.history
            if abs(found.value - objective.value_gradient(params)[0]) <= min(tol, CLOSE) * abs(found.value):
                break  # no kink is near
        found = solver.solve(smooth, params, callback=callback, tol=tol, max_iter=max_iter)
        params, history = found.params, history + found.history
        value = objective.value_gradient(params)[0]
        certificate = (
            f"a stationary point of the loss with its kinks rounded off over {width:.1e}, so at best near a local "
            f"minimum: its gradient is {found.optimality:.1e} of that of the model without features, and the loss "
            f"itself differs by {abs(found.value - value):.1e} of {value:.6g}"
        )
        return replace(
            found, value=value, n_iter=max(1, len(history)), n_passes=objective.n_passes, gap=None,
            certificate=certificate if found.converged else "not " + certificate, solver=self.name, history=history,
        )  # fmt: skip


def _stalled(history):
    return len(history) > STALLED and history[-1][1] > 0.5 * history[-1 - STALLED][1]
