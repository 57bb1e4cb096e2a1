"""How a loss is asked: all its arrays at once, its best constant, a copy, and numbers along a direction.

Nothing here fails.  A difference comes with how little it is known, and what overflows along a line is NaN, so that a
check can tell a loss that is wrong from one that cannot be told.
"""

import pickle

import numpy as np

from ._samples import MOVES, SAMPLE_SET, STEP, raw_interval, samples, within

EPS = np.finfo(np.float64).eps


def arrays(loss, y, raw, sample_set=SAMPLE_SET):
    """Name, values, and an array of the same shape, of every method that makes an array of raw predictions."""
    weight = np.full(len(raw), 1 / len(raw), raw.dtype)  # as in a mean, which overflows only where a row does
    if loss.elementwise:
        yield "loss", loss.loss(y, raw), weight
        yield "gradient", loss.gradient(y, raw), raw
        if hasattr(loss, "hessian") and not (loss.multiclass and raw.ndim == 2):
            yield "hessian", loss.hessian(y, raw), raw
        if loss.has_curvature:
            yield "hessian_product", loss.hessian_product(y, raw, weight, np.ones_like(raw)), raw
    yield "value_gradient", value_gradient(loss, y, raw, weight, sample_set)[1], raw
    yield "response", loss.response(raw), raw
    yield "decision", loss.decision(raw), raw
    if loss.probabilistic:
        yield "probability", loss.probability(raw), raw


def value_gradient(loss, y, raw, weight, sample_set=SAMPLE_SET):
    """As the method of the loss, which gets the sets where it is one of sets."""
    return loss.value_gradient(y, raw, weight, *[] if loss.elementwise else [sample_set])


def value(loss, y, weight, raw, sample_set=SAMPLE_SET):
    """Weighted sum of the rows' losses, or the mean of the sets'."""
    return value_gradient(loss, y, raw, weight, sample_set)[0]


def losses(loss, y, raw):
    """Loss of each row, (n,); of a loss of sets the mean, (1,)."""
    return loss.loss(y, raw) if loss.elementwise else np.array([value(loss, y, np.ones(len(y)), raw)])


def has_least_value(loss):
    """Whether a loss has a lower bound: minus the logarithm of an error has none, -inf where it is right."""
    if loss.elementwise or loss.response_method != "predict":
        return True
    y = samples(loss)[0][0]
    return value(loss, y, np.ones(len(y)), loss.raw(y)) > -np.inf


def metric(loss, y, p, weight=None, sample_set=None):
    """Average of the loss for predictions as a user sees them; of a loss of sets, by default of a single one."""
    return loss(y, p, weight, np.zeros(len(y)) if sample_set is None else sample_set)


def intercept(loss, y, weight, raw):
    """The best constant raw prediction, as the loss finds it for as many columns as `raw` has."""
    n_columns = (raw.shape[1] if raw.ndim == 2 else 1,) if loss.multiclass else ()
    return loss.fit_intercept_only(y, weight, *n_columns, **({} if loss.elementwise else {"sample_set": SAMPLE_SET}))


def through_pickle(thing):
    """A copy that has been a string of bytes."""
    try:
        return pickle.loads(pickle.dumps(thing))
    except (pickle.PicklingError, AttributeError):  # defined inside a function: parallel searches take it all the same
        import joblib

        return pickle.loads(pickle.dumps(joblib.wrap_non_picklable_objects(thing, keep_wrapper=False)))


# ------------------------------------------------------------------------------------------------ along a direction
def along(gradient, direction):
    """Slope along a direction, (n,)."""
    slope = gradient * direction
    return slope if slope.ndim == 1 else slope.reshape(len(slope), -1).sum(axis=1)


def _each(loss, y, raw):
    """Losses and gradients of rows, or of sets of rows, (n, size, ...)."""
    if loss.elementwise:
        return loss.loss(y, raw), loss.gradient(y, raw)
    n, size = y.shape[:2]
    sample_set = np.repeat(np.arange(n), size)
    rows = y.reshape(n * size, *y.shape[2:]), raw.reshape(n * size, *raw.shape[2:]), np.ones(n * size), sample_set
    return loss.set_values(*rows), n * loss.value_gradient(*rows)[1].reshape(raw.shape)


def difference(f, raw, direction):
    """Fourth-order central difference of f along a direction, and how little it is known.

    A doubled step changes it by 15 times its error where f is smooth, and by much where a kink lies within the step,
    unless it lies in the middle: then what is even in f does not grow with the square of the step.
    """
    middle = f(raw)
    sides = [(f(raw + k * STEP * direction), f(raw - k * STEP * direction)) for k in (1, 2, 4)]
    odd, even = [right - left for right, left in sides], [right + left - 2 * middle for right, left in sides]
    single, double = (8 * odd[0] - odd[1]) / (12 * STEP), (8 * odd[1] - odd[2]) / (24 * STEP)
    return single, np.abs(single - double) + (np.abs(even[1] - 4 * even[0]) + 8 * EPS * np.abs(middle)) / STEP


def on_line(loss, line, moves=None):
    """Raw predictions, values and slopes at moves (n, g) along n lines, (n, g, ...), (n, g) and (n, g).

    Values and slopes are NaN where they overflow and outside the range of the loss.
    """
    y, start, direction = line
    moves = np.tile(MOVES, (len(y), 1)) if moves is None else moves
    raw = start[:, None] + moves.reshape(*moves.shape, *[1] * (start.ndim - 1)) * direction[:, None]
    y, direction = (np.repeat(a, moves.shape[1], axis=0) for a in (y, direction))
    flat = raw.reshape(direction.shape)
    with np.errstate(all="ignore"):  # check_extremes is the check of warnings
        values, gradient = _each(loss, y, flat)
        slopes = along(gradient, direction)
    known = np.isfinite(values) & np.isfinite(slopes)
    if raw.ndim == 2:
        known &= within(flat, raw_interval(loss))
    return raw, *(np.where(known, numbers, np.nan).reshape(moves.shape) for numbers in (values, slopes))


def extrapolated(points, values, slopes, curvature=None):
    """From each point to every other, (m, m): its tangent or parabola there, the other point, and its loss."""
    others = np.broadcast_to(points, (len(points), *points.shape))
    step = others - points[:, None]
    with np.errstate(all="ignore"):  # where a value or a slope overflows
        rise = slopes[:, None] * step if points.ndim == 1 else np.einsum("ik,ijk->ij", slopes, step)
        reached = values[:, None] + rise + (0 if curvature is None else curvature[:, None] * step**2 / 2)
    return reached, others, np.broadcast_to(values, reached.shape)
