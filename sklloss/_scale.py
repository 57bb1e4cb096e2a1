"""The scale of the residuals, found before, between or together with the coefficients; starts of losses not convex.

"auto"   one median regression gives the scale; it stays fixed.
"mad"    fit and scale = median abs(r) / 0.6745 alternate, from the median regression, until the scale stays.
"joint"  the scale s is a variable of the convex problem
         min over coefficients and s:  sum_i weight_i (s / 2) (1 + 2 rho(r_i / s)) + alpha * penalty.
         For a given s the coefficients are those of an ordinary objective of strength s * alpha, so its minimum over
         them is a convex function of s, whose slope 1/2 - sum_i weight_i (z psi(z) - rho(z)), z = r / s, has one root.

A loss that is not convex is fitted twice, straight from the median regression and by way of losses with wider
constants, whose minima are fewer; the better of the two local minima is kept.
"""

import numpy as np

from .losses import AbsoluteError
from .losses._base import ResidualLoss
from .losses._derived import Scaled
from .solvers import get_solver

__all__ = ["ScaledFit", "check_joint"]

LEAST = 1e-6  # the least scale of "mad" and "joint", in units of the spread of y: an exact fit has none
LEAST_AUTO = (
    0.01  # that of "auto": where it interpolates, with a penalty, a median regression says nothing of the noise
)
NORMAL_MAD = 0.6745  # median of abs(r) for a normal r of scale 1
WIDER = 8.0, 4.0, 2.0  # by how much the constants of a loss that is not convex are widened, stage by stage
SETTLED = 1e-10  # relative change of a scale that has settled
FLAT = 1e-13  # slope in the scale that is rounding
ROUNDS = 100  # of fit and scale, at most
PILOT_ROWS = 20  # rows for each parameter, and at least, of a subsample on which a joint fit starts
PILOT_LEAST = 2000
FAR = 1e8  # a residual, in units of the scale, at which z psi(z) - rho(z) has reached its supremum


class ScaledFit:
    """A solver of the objective of one output whose residuals are in units of a scale that it finds as well.

    Parameters
    ----------
    solver : str or callable
        What fits the objective once its scale is known; as for `get_solver`.
    scale : "auto", "mad", "joint", float or None
    warm : bool
        Whether the given start is a fit already, which a loss that is not convex then starts from.

    Attributes
    ----------
    scales : list of float
        The scale of each objective solved so far.
    """

    def __init__(self, solver, scale, warm):
        self.solver, self.scale, self.warm = solver, scale, warm
        self.scales: list[float] = []

    def solve(self, objective, params, **options):
        """As `Solver.solve`."""
        loss = objective.loss
        if self.scale == "joint":
            solution, scale = self._joint(objective, params, options)
        else:
            scale = self.scale if loss.standardized and self.scale is not None else 1.0
            start, graduated = params, not loss.convex and not self.warm
            if graduated or isinstance(scale, str):
                median, estimate = _median_regression(objective, options["tol"])
                start = params if self.warm else median
                scale = estimate if isinstance(scale, str) else scale
            fit = self._graduated if graduated else self._fit
            solution = fit(_with_scale(objective, scale), start, options)
            if self.scale == "mad" and loss.standardized:
                solution, scale = self._settled(objective, solution, scale, options)
        self.scales.append(float(scale))
        return solution

    def _fit(self, objective, start, options):
        return get_solver(self.solver, objective).solve(objective, start, **options)

    def _graduated(self, objective, start, options):
        """The better of the local minima straight from the start and by way of wider constants."""
        if not np.isfinite(objective.value_gradient(start)[0]):
            start = objective.null.params  # the median regression leaves the domain of the loss
        straight, params = self._fit(objective, start, options), start
        if objective.loss.widened(WIDER[0]) is objective.loss:
            straight.message += "; a local minimum"
            return straight
        for factor in WIDER:
            params = self._fit(objective.with_loss(objective.loss.widened(factor)), params, options).params
        found = self._fit(objective, params, options)
        better, other = (found, straight) if found.value < straight.value else (straight, found)
        better.n_passes = objective.n_passes
        better.message += (
            f"; a local minimum, the better of two: {better.value:.6g} and {other.value:.6g}, from the median "
            "regression directly and by way of wider constants"
        )
        return better

    def _settled(self, objective, solution, scale, options):
        """Alternate scale and fit until neither changes, by the secant of the change."""
        floor = _floor(objective)
        n_iter, last = solution.n_iter, None
        for _ in range(ROUNDS):
            residuals = np.abs(_residuals(objective, solution.params))
            change = max(_weighted_median(residuals, objective.weight) / NORMAL_MAD, floor) - scale
            if abs(change) <= SETTLED * scale:
                solution.message += f"; at the scale {scale:.6g}, that of its own residuals"
                break
            bend = -1.0 if last is None else (change - last[1]) / (scale - last[0])
            last = scale, change
            scale -= change / min(bend, -0.5)  # plain alternation is a bend of -1
            solution = self._fit(_with_scale(objective, scale), solution.params, options)
            n_iter += solution.n_iter
        else:
            solution.converged = False
            solution.message = f"The scale did not settle in {ROUNDS} rounds; pass scale='auto' or a number. "
        solution.n_iter, solution.n_passes = n_iter, objective.n_passes
        return solution, scale

    def _joint(self, objective, params, options):
        """Minimise over the scale as well; the certificate is that of both."""
        floor, size = _floor(objective), max(PILOT_LEAST, PILOT_ROWS * objective.p)
        scale = floor / LEAST
        if size < objective.design.n_rows / 5:
            pilot, scale = self._joint(objective.subsample(size), params, options)
            params, scale = pilot.params, max(scale, floor)
        low, high, last, n_iter = 0.0, np.inf, None, 0
        for _ in range(ROUNDS):
            at = objective.with_loss(Scaled(objective.loss, scale), alpha=scale * objective.alpha)
            solution = self._fit(at, params, options)
            params, n_iter = solution.params, n_iter + solution.n_iter
            raw = objective.raw_prediction(params)
            value, gradient = at.loss.value_gradient(at.y, raw, at.weight)
            slope = 0.5 + (value + (at.loss.target(at.y) - raw) @ gradient) / scale**2
            if abs(slope) <= FLAT or (scale == floor and slope > 0):
                break
            low, high = (scale, high) if slope < 0 else (low, scale)
            # The first step would be the last if the residuals stayed and the loss were quadratic.
            new = (
                scale * np.sqrt(max(1 - 2 * slope, 0.01))
                if last is None or slope == last[1]
                else scale - slope * (scale - last[0]) / (slope - last[1])
            )
            if not low < new < high:
                new = np.sqrt(max(low, floor) * high) if high < np.inf else 2 * scale
            last, scale = (scale, slope), max(float(new), floor)
        solution.n_iter, solution.n_passes = n_iter, objective.n_passes
        return _over_scales(solution, scale, slope, floor, options["tol"]), scale


def _over_scales(solution, scale, slope, floor, tol):
    """The solution at a scale as one over coefficients and scales, at whose end the objective has that slope."""
    solution.value = scale / 2 + solution.value / scale
    proof = solution.certificate
    if solution.gap is not None:
        # The slopes of the rows bound the optimum from below once the sum of their conjugates is at most 1/2.
        bound, shrink = solution.value - solution.gap / scale - (scale - floor) * slope, min(1.0, 1 / (1 - 2 * slope))
        solution.gap = float(max(solution.value - shrink * bound, 0.0))
        proof = f"the optimum is at most {solution.gap:.1e} below the value {solution.value:.6g} (duality gap)"
    if scale == floor and slope > 0:
        solution.certificate = f"over coefficients and scales from {floor:.3g} on: {proof}"
        return solution
    solution.optimality = max(solution.optimality, 2 * abs(slope))
    solution.converged = solution.converged and solution.optimality <= tol
    solution.certificate = f"over coefficients and scale, in which the slope is {slope:.1e}: {proof}"
    return solution


def check_joint(loss):
    """Raise a ValueError for a loss that has no minimum over the scale."""
    if not isinstance(loss, ResidualLoss) or not (loss.convex and loss.smooth):
        raise ValueError(
            f"scale='joint' needs a convex, smooth loss of the residual, as huber is, and {loss!r} is not one; use "
            "scale='auto' or 'mad'."
        )
    z = np.array([-FAR, FAR])
    if not np.max(z * loss.psi(z) - loss.rho(z)) > 0.5:
        raise ValueError(
            f"scale='joint' needs a loss with z * psi(z) - rho(z) > 1/2 somewhere, else the best scale is 0; {loss!r} "
            "has none. Use larger constants, for huber delta > 1, or scale='auto'."
        )


def _floor(objective):
    return LEAST * _spread(objective.y, objective.weight)


def _with_scale(objective, scale):
    return objective.with_loss(objective.loss.scaled(scale))


def _residuals(objective, params):
    return objective.y - objective.raw_prediction(params)


def _median_regression(objective, tol):
    """Parameters of the median regression with the same penalty, and the scale of its residuals."""
    # In units of the spread of y, where alpha means the same for abs(r) as for the loss.
    spread = _spread(objective.y, objective.weight)
    median = objective.with_loss(AbsoluteError(), y=objective.y / spread)
    found = get_solver("auto", median).solve(median, median.null.params, tol=min(tol, 1e-9), max_iter=1000)
    return spread * found.params, spread * _scale_of(_residuals(median, found.params), median.weight)


def _spread(y, weight):
    """Mean absolute deviation of y from its median; 1 where that is 0, or rounding."""
    middle = _weighted_median(y, weight)
    spread = float(np.average(np.abs(y - middle), weights=weight))
    return spread if spread > 1e-14 * abs(middle) else 1.0


def _scale_of(residuals, weight):
    """Scale of the residuals of a median regression of a target of spread 1; weights count as copies.

    The residuals that are zero are the degrees of freedom of the fit and are left out, unless they are the majority.
    """
    size = np.abs(residuals)
    off = size > 1e-9
    exact = weight[off].sum() <= 0.5 * weight.sum()
    return max(0.0 if exact else _weighted_median(size[off], weight[off]) / NORMAL_MAD, LEAST_AUTO)


def _weighted_median(values, weight):
    """Median of values repeated by their weights: between two values, their mean."""
    order = np.argsort(values)
    values, reached = values[order], np.cumsum(weight[order])
    half = 0.5 * reached[-1]
    slack = 1e-12 * reached[-1]
    low, high = np.searchsorted(reached, [half - slack, half + slack])
    return float(0.5 * (values[low] + values[min(high, len(values) - 1)]))
