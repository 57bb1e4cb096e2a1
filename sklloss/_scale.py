"""The scale of the residuals, found before, between or together with the coefficients; starts of losses not convex.

"auto"   one median regression gives the scale; it stays fixed.
"mad"    fit and scale = median abs(r) / 0.6745 alternate, from the median regression, until the scale stays.
"joint"  the scale s is a variable of the convex problem
         min over coefficients and s:  sum_i weight_i (s / 2) (1 + 2 rho(r_i / s)) + alpha * penalty.
         For given residuals the best s is the root of a function of one variable, and what is left is a convex loss of
         all rows together, which the solvers minimise like any other (`JointScale`).

A loss that is not convex is fitted twice, straight from the median regression and by way of losses with wider
constants, whose minima are fewer; the better of the two local minima is kept.
"""

from dataclasses import replace

import numpy as np

from .losses import AbsoluteError, SquaredError
from .losses._base import ResidualLoss
from .losses._derived import JointScale
from .solvers import Stopped, follow, get_solver, solve_columns

__all__ = ["ScaledFit", "check_joint"]

LEAST = 1e-6  # the least scale of "mad" and "joint", in units of the spread of y: an exact fit has none
LEAST_AUTO = (
    0.01  # that of "auto": where it interpolates, with a penalty, a median regression says nothing of the noise
)
NORMAL_MAD = 0.6745  # median of abs(r) for a normal r of scale 1
WIDER = 8.0, 4.0, 2.0  # by how much the constants of a loss that is not convex are widened, stage by stage
SETTLED = 1e-10  # relative change of a scale that has settled
ROUNDS = 100  # of fit and scale, at most
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
        get_solver(self.solver, objective)  # what it can't do, it says of the loss as it was passed
        if self.scale == "joint":
            return self._joint(objective, params, options)
        if objective.coupled and not (loss.convex and loss.standardized):
            return self._coupled(objective, params, options)
        scale = self.scale if loss.standardized and self.scale is not None else 1.0
        start, graduated = params, not loss.convex and not self.warm
        if graduated or isinstance(scale, str):
            median, estimate = _median_regression(objective, options["tol"])
            start = params if self.warm else median
            scale = estimate if isinstance(scale, str) else scale
        self.scales.append(float(scale))
        fit = self._graduated if graduated else self._rescued
        solution = fit(_with_scale(objective, scale), start, options)
        return self._settled(objective, solution, options) if self.scale == "mad" and loss.standardized else solution

    def _coupled(self, objective, start, options):
        """Of outputs that form one problem and have no scale, or a loss that is not convex; from least squares down."""
        self.scales.append(1.0 if isinstance(self.scale, str | None) else float(self.scale))
        if (
            self.solver == "auto"
            and not objective.bounded
            and of_squares(objective.penalty, objective.design.n_features)
        ):
            separated = objective.loss.separated(objective.y)
            if separated is not None:
                return _separately(objective, separated, start, options)
        if not (objective.loss.convex or self.warm):
            squares = objective.with_loss(SquaredError())
            found = solve_columns(get_solver("auto", squares), squares, squares.null.params, tol=1e-6, max_iter=1000)
            start = min(start, found.params, key=lambda params: objective.value_gradient(params)[0])
        return self._fit(_with_scale(objective, self.scales[-1]), start, options)

    def follow(self, objectives, start, guide=None, hessians=None, **options):
        """The solutions of objectives that differ in alpha alone, as by `solvers.follow`."""
        objectives = list(objectives)
        loss = objectives[0].loss
        estimated = self.scale == "joint" or (loss.standardized and isinstance(self.scale, str))
        if not loss.convex or (estimated and self.scale != "auto"):
            return [self.solve(objective, start, **options) for objective in objectives]
        if estimated:
            start, scales = self._medians(objectives, guide, options)
        else:
            scales = len(objectives) * [float(self.scale) if loss.standardized and self.scale is not None else 1.0]
        self.scales += scales
        scaled = (_with_scale(objective, scale) for objective, scale in zip(objectives, scales, strict=True))
        return follow(scaled, self.solver, start, guide, hessians, **options)

    def _medians(self, objectives, guide, options):
        """The median regression of the first objective, and the scale of that of each, as by `_median_regression`."""
        get_solver(self.solver, objectives[0])  # what it can't do, it says of the loss as it was passed
        spread = _spread(objectives[0].y, objectives[0].weight)
        first = objectives[0].with_loss(AbsoluteError(), y=objectives[0].y / spread)
        start = first.null.params
        medians = [first.with_alpha(objective.alpha) for objective in objectives]
        # Medians are about as far from the guide.
        led = None if guide is None else [(params / spread, None) for params, _ in guide]
        found = follow(medians, "auto", start, led, tol=min(options["tol"], 1e-9), max_iter=1000)
        pairs = zip(medians, found, strict=True)
        scales = [spread * _scale_of(_residuals(each, solution.params), each.weight) for each, solution in pairs]
        return spread * found[0].params, [float(scale) for scale in scales]

    def _fit(self, objective, start, options):
        return get_solver(self.solver, objective).solve(objective, start, **options)

    def _rescued(self, objective, start, options):
        """The solution from the start; if that is lost, from the median regression.

        Far from the rows a robust loss has no curvature, and where there are kinks Newton's method has no other help.
        """
        solution = self._fit(objective, start, options)
        if solution.converged or objective.smooth or not objective.loss.subquadratic:
            return solution
        again = self._fit(objective, _median_regression(objective, options["tol"])[0], options)
        return again if again.converged else solution

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

    def _settled(self, objective, solution, options):
        """Alternate scale and fit until neither changes, by the secant of the change."""
        scale, floor = self.scales[-1], LEAST * _spread(objective.y, objective.weight)
        n_iter, last = solution.n_iter, None
        for _ in range(ROUNDS):
            residuals = np.abs(_residuals(objective, solution.params))
            change = max(_weighted_median(residuals, objective.weight) / NORMAL_MAD, floor) - scale
            if abs(change) <= SETTLED * scale:
                solution.message += f"; at the scale {scale:.6g}, that of its own residuals"
                break
            bend = -1.0 if last is None else (change - last[1]) / (scale - last[0])
            last = scale, change
            scale = self.scales[-1] = scale - change / min(bend, -0.5)  # plain alternation is a bend of -1
            solution = self._fit(_with_scale(objective, scale), solution.params, options)
            n_iter += solution.n_iter
        else:
            solution.converged = False
            solution.message = f"The scale did not settle in {ROUNDS} rounds; pass scale='auto' or a number. "
        solution.n_iter, solution.n_passes = n_iter, objective.n_passes
        return solution

    def _joint(self, objective, params, options):
        """Minimise over the scale as well."""
        joint = objective.with_loss(JointScale(objective.loss, LEAST * _spread(objective.y, objective.weight)))
        found = None
        try:
            found = self._fit(joint, params, options)
            found.certificate += f", over coefficients and scales from {joint.loss.floor:.3g} on"
            return found
        except Stopped as stopped:
            found = stopped
            raise
        finally:
            if found is not None:
                raw = joint.raw_prediction(found.params)
                self.scales.append(joint.loss.best_scale(joint.y, raw, joint.weight))


def of_squares(penalty, n_features):
    """Whether a penalty is of squares alone, found from its value at a point where no part of it is 0 by chance."""
    if penalty is None:
        return True
    squares, point = penalty.l2_matrix(n_features), np.sqrt(np.arange(2.0, n_features + 2))
    return squares is not None and bool(np.isclose(penalty.value(point), 0.5 * (squares * point**2).sum(), rtol=1e-12))


def _separately(objective, parts, start, options):
    """The solution of a coupled loss that is a sum over orthogonal features: of each by itself, put together.

    The penalty is of squares, if any, of which the features share no part: alpha weighs on one of squared length s and
    share w in the loss like alpha / (s * w).
    """
    callback, m = options.pop("callback", None), len(parts.J)
    watched = None if callback is None else lambda n_iter, value, optimality, params=None: callback(
        n_iter, value, optimality
    )  # fmt: skip
    theta = start.reshape(objective.n_outputs, objective.p)
    features, found = parts.J @ theta, []
    if objective.fit_intercept:
        features[:, -1] += parts.constant
    for j in range(m):
        alpha = objective.alpha / (parts.size[j] * parts.share[j])
        y = parts.targets[:, j] if objective.fit_intercept else parts.targets[:, j] - parts.constant[j]
        single = objective.single(np.ascontiguousarray(y), parts.base, alpha)
        found.append(get_solver("auto", single).solve(single, features[j], callback=watched, **options))
    solved = np.array([each.params for each in found])
    if objective.fit_intercept:
        # Along what no feature sees, predictions stay at the mean of y.
        solved[:, -1] -= parts.constant
        unseen = np.zeros_like(theta)
        mean = objective.weight @ objective.y
        unseen[:, -1] = mean - parts.back((parts.J @ mean)[:, None])[:, 0]
        params = parts.back(solved) + unseen
    else:
        params = parts.back(solved)
    worst = max(found, key=lambda each: each.optimality)
    known = all(each.gap is not None for each in found)
    return replace(
        worst, params=params.ravel(), value=objective.value_gradient(params.ravel())[0],
        n_iter=max(each.n_iter for each in found), n_passes=objective.n_passes,
        gap=sum(share * each.gap for share, each in zip(parts.share, found, strict=True)) if known else None,
        certificate=f"the worst of {m} features, each of which is a problem of its own: {worst.certificate}",
        converged=all(each.converged for each in found),
    )  # fmt: skip


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


def _with_scale(objective, scale):
    return objective if scale == 1 else objective.with_loss(objective.loss.scaled(scale))


def _residuals(objective, params):
    return objective.y - objective.raw_prediction(params)


def _median_regression(objective, tol):
    """Parameters of the median regression with the same penalty, and the scale of its residuals."""
    # In units of the spread of y, where alpha means the same for abs(r) as for the loss.
    spread = _spread(objective.y, objective.weight)
    median = objective.with_loss(AbsoluteError(), y=objective.y / spread)
    options = {"tol": min(tol, 1e-9), "max_iter": 1000}
    found = solve_columns(get_solver("auto", median), median, median.null.params, **options)
    return spread * found.params, spread * _scale_of(_residuals(median, found.params), median.weight)


def _spread(y, weight):
    """Mean absolute deviation of y from its median; 1 where that is 0, or rounding."""
    middle = _weighted_median(y, weight)
    spread = float(np.average(np.abs(y - middle), axis=0, weights=weight).mean())
    return spread if spread > 1e-14 * abs(middle) else 1.0


def _scale_of(residuals, weight):
    """Scale of the residuals of a median regression of a target of spread 1; weights count as copies.

    The residuals that are zero are the degrees of freedom of the fit and are left out, unless they are the majority.
    """
    size, weight = np.abs(residuals).ravel(), _of_each(residuals, weight)
    off = size > 1e-9
    exact = weight[off].sum() <= 0.5 * weight.sum()
    return max(0.0 if exact else _weighted_median(size[off], weight[off]) / NORMAL_MAD, LEAST_AUTO)


def _of_each(values, weight):
    """The weights of the rows as those of all values, of which a row may have several."""
    return np.repeat(weight, values.size // len(weight))


def _weighted_median(values, weight):
    """Median of values repeated by their weights: between two values, their mean."""
    values, weight = values.ravel(), _of_each(values, weight)
    order = np.argsort(values)
    values, reached = values[order], np.cumsum(weight[order])
    half = 0.5 * reached[-1]
    slack = 1e-12 * reached[-1]
    low, high = np.searchsorted(reached, [half - slack, half + slack])
    return float(0.5 * (values[low] + values[min(high, len(values) - 1)]))
