"""Newton's method for smooth convex objectives with few parameters.

Each iteration reads X once: value, gradient and Hessian come out of the same pass over row blocks.  The direction
solves H step = -gradient by Cholesky; where H is singular (more columns than rows) it is the shortest such step, so
that the solution is the one of least norm.  Where the full step does not lower the objective by a part of what the
slope predicts (Armijo), the minimum along it is taken, found from the raw predictions at its two ends without another
pass over X; piecewise quadratic losses then end in finitely many steps.  Far from the optimum a loss that is almost
linear has next to no curvature; where Newton's step fails, shares of a curvature that lies above the loss are added to
its own: that of iteratively reweighted least squares, whose full step always descends, or where the loss gives none, of
the damped Hessian.  The fit ends where the gradient is small and the next step promises little: on a flat spot only the
first is so.  After that one more step is taken, or two: it squares the error, so that repeated and weighted fits agree
to rounding.

With many rows the first iterations run on a strided subsample.  With many columns as well one Hessian serves for all
steps that follow, as long as each leaves little of the gradient; then a new one is taken.  Such a step costs a pass for
value and gradient, a third of one with a Hessian or less.  The first Hessian is that of a fifth of the rows, where the
fit has gone on before, or of all rows where they are sparse.  At the end the intercept alone is brought to rounding,
from the raw predictions: the duality gap asks for it.
"""

from functools import partial

import numpy as np
from scipy import optimize

from ._base import NEWTON_PARAMS, Solver
from ._linalg import factor_or_pseudo_inverse
from ._minimize import needs_smooth, run

__all__ = ["Newton", "minimum_along", "newton"]

PILOT_ROWS = 20  # rows of the subsample for each parameter, and at least
PILOT_LEAST = 2000
PILOT_TOL = 1e-3
DEAR = 30  # columns from which a Hessian costs as much as two passes, or more
SAMPLE = 5  # there one row in so many gives the Hessian of all steps
LEFT = 0.3  # the part of the gradient that such a step may leave, else it pays to take a new Hessian
POLISH = 2  # steps taken after tol is met, one if it reaches rounding
ARMIJO = 1e-4  # the part of the predicted decrease that must be seen
WOLFE = 0.5  # the part of the slope that may be left after a full step, else the model was bad
SHORT = 0.1  # of a step: a minimum along it that is nearer says that the model was bad
UNSOLVED = 1e-6  # the part of the gradient that a step may leave out
LONGEST = 1024.0  # how far beyond the full step a minimum is looked for
BEYOND = 1e100  # a step without curvature, to where nothing can be evaluated
SHARES = 1e-4, 1e-2, 1.0  # of a curvature that lies above the loss, added to its own
LEAST = 1e-6  # of the value of the model without features: a value that counts as this
ROUNDING = 64 * np.finfo(float).eps


class Newton(Solver):
    """Newton's method; see the module's docstring."""

    name = "newton"

    def unsupported(self, objective):
        if not objective.smooth:
            return needs_smooth(objective)
        if not objective.has_curvature:
            return f"it needs a second derivative, and {type(objective.loss).__name__} defines none"
        if not objective.convex:
            return f"it needs a convex loss, and {objective.loss!r} is not convex"
        if objective.n_params > 5 * NEWTON_PARAMS:
            return f"it would need a Hessian of {objective.n_params} x {objective.n_params} numbers"
        return None

    def solve(self, objective, params, *, tol, max_iter, callback=None):
        size, n_rows = max(PILOT_LEAST, PILOT_ROWS * objective.n_params), objective.design.n_rows
        if size >= n_rows / SAMPLE:
            return _solve(newton, objective, params, tol, max_iter, callback)
        params = _pilot(objective.subsample(size), params, max_iter)
        if objective.design.n_features < DEAR:
            return _solve(newton, objective, params, tol, max_iter, callback)
        sample = objective
        if not objective.design.sparse:  # of sparse rows a sample may lack the rare columns
            sample = objective.subsample(n_rows // SAMPLE)
            params = _pilot(sample, params, max_iter)

        def method(objective, x, **given):
            return chords(objective, x, sample.hessian, **given)

        return _solve(method, objective, params, tol, max_iter, callback)


def _pilot(sample, params, max_iter):
    """The fit of a subsample, or the start where it is no better."""
    sample.hessian(params)  # value, gradient and Hessian in one pass
    before = sample.value_gradient(params)[0]
    found = _solve(partial(newton, polish=0), sample, params, PILOT_TOL, max_iter, None)
    return found.params if found.value < before else params


def _solve(function, objective, params, tol, max_iter, callback):
    def method(fun, x0, args=(), *, callback, **unused):
        return function(objective, x0, tol=tol, maxiter=max_iter, callback=callback)

    # Its own test: it stops one step after tol.
    return run(objective, params, method, Newton.name, tol=tol, options={}, callback=callback, own_test=True)


def chords(objective, x, hessian, *, tol, maxiter, callback):
    """Minimise by steps of one Hessian, with a new one where a step leaves too much; where that fails, by `newton`."""
    solve, own = factor_or_pseudo_inverse(hessian(x)), False  # whether the Hessian is one that was taken at x
    value, gradient = objective.value_gradient(x)
    step = -solve(gradient)
    for n_iter in range(maxiter):
        largest = np.abs(gradient).max()
        new, end = objective.value_gradient(x + step)
        left = np.abs(end).max() if new <= value else np.inf
        if own and not left < largest:
            return newton(objective, x, tol=tol, maxiter=maxiter - n_iter, callback=callback)
        if left < largest:
            x, value, gradient = x + step, new, end
            callback(x)
        own = left > LEFT * largest
        if own:
            solve = factor_or_pseudo_inverse(objective.hessian(x))
        step = -solve(gradient)
        if objective.optimality(gradient) <= tol and not _promises(objective, value, gradient, step, tol):
            x = objective.with_best_intercept(x)
            value, gradient = objective.value_gradient(x)
            return optimize.OptimizeResult(x=x, fun=value, jac=gradient, message="tol reached")
    return optimize.OptimizeResult(x=x, fun=value, jac=gradient, message="maximum number of iterations reached")


def newton(objective, x, *, tol, maxiter, callback, polish=POLISH):
    """Minimise; see the module's docstring."""
    polished, message = 0, "maximum number of iterations reached"
    for _ in range(maxiter):
        value, gradient = objective.value_gradient(x)
        error = objective.optimality(gradient)
        if polished and error <= tol and (polished == polish or error == 0):
            message = "tol reached"
            break
        H = objective.hessian(x)
        step = -factor_or_pseudo_inverse(H)(gradient)
        done = error <= tol and (polished or not _promises(objective, value, gradient, step, tol))
        polished += done
        if polished > polish:
            message = "tol reached"
            break
        # The error of the next iterate is about the square of this one.
        found, trusted = _along(objective, H, step, x, last=polished == polish and error <= np.sqrt(tol))
        if not trusted and not done:
            above = objective.majorizer(x) if objective.has_majorizer else _damped(H)
            points = [found]
            for share in SHARES:
                bent = H + share * above
                point, trusted = _along(objective, bent, -factor_or_pseudo_inverse(bent)(gradient), x)
                points.append(point)
                if trusted:
                    break
            points = [point for point in points if point is not None]
            found = min(points, key=lambda point: objective.value_gradient(point)[0], default=None)
        if found is None:
            message = "tol reached" if done else "no lower value along the step"
            break
        x = found
        callback(x)
    value, gradient = objective.value_gradient(x)
    return optimize.OptimizeResult(x=x, fun=value, jac=gradient, message=message)


def _promises(objective, value, gradient, step, tol):
    """Whether a step promises much: a gradient may be small far from the minimum, where all is flat; this is not."""
    return -0.5 * (gradient @ step) > tol * max(value, LEAST * objective.null.value)


def _along(objective, curvature, step, x, last=False):
    """The next iterate along a step, or None where there is none, and whether the full step was a good model."""
    value, gradient = objective.value_gradient(x)
    slope = gradient @ step
    if not slope < 0 or np.abs(step).max() > BEYOND:
        return None, False
    # Where rows have slope but no curvature, the least-norm step may leave a part of the gradient as it is.
    largest = np.abs(gradient).max()
    solved = np.abs(curvature @ step + gradient).max() <= UNSOLVED * largest
    if not last:
        objective.hessian(x + step)  # most often the full step is taken: value, gradient and Hessian in one pass
    new, end = objective.value_gradient(x + step)
    if -slope <= ROUNDING * abs(value):  # values cannot tell any more, gradients can
        return (x + step if new < np.inf and np.abs(end).max() < largest else None), solved
    if _falls(new, value, slope) and abs(end @ step) <= -WOLFE * slope:
        return x + step, solved
    t = minimum_along(objective.slope_along(x, step))
    objective.hessian(x + t * step)
    new = objective.value_gradient(x + t * step)[0]
    return (x + t * step if new < value else None), solved and t >= SHORT


def _damped(H):
    """The Hessian with as much curvature again in every direction."""
    return H + (H.diagonal().max() or 1.0) * np.eye(len(H))


def _falls(new, value, predicted):
    return new < value and new <= value + ARMIJO * predicted


def minimum_along(slope):
    """Where the derivative of a convex function, negative at 0, changes sign; at most LONGEST."""
    if not slope(0.0) < 0:
        return 0.0  # rounding
    high = 1.0
    while not np.isfinite(slope(high)):
        high /= 2
    while high < LONGEST and slope(high) < 0:
        high *= 2
    return high if slope(high) <= 0 else optimize.brentq(slope, 0.0, high, xtol=1e-12, rtol=1e-6)
