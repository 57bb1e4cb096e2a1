"""A conformance suite for losses: what a loss says of itself is checked against what it computes.

``check_loss(MyLoss())`` is all there is to write in a test of a loss of one's own; `parametrize_losses` makes one
pytest case of each check.  Every check stands alone, takes a loss and draws fixed samples of targets and raw
predictions of the loss's kind; the first property that fails raises an AssertionError that names the check, the
property, the input and both numbers.  A check of something that a loss does not have, or that needs a loss for each
row where it is one of sets of rows (``elementwise = False``), returns at once.
"""

import pickle
import re
import warnings
from functools import partial, wraps
from itertools import product

import numpy as np
from scipy import optimize, special
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

from ._objective import LinearObjective
from .linear_model import LossClassifier, LossRegressor
from .losses._base import Loss, encode_classes, get_loss
from .metrics import loss_scorer
from .solvers import get_solver

__all__ = ["CHECKS", "check_loss", "parametrize_losses"]

N_ROWS, N_CLASSES, ALPHA = 60, 3, 1e-2
SOME = np.linspace(0, N_ROWS - 1, 8).astype(int)  # rows for what is tried at many raw predictions
STEP = 1e-3  # of the differences in the raw prediction
SIDE = 1e-5  # of the one-sided differences at a kink
MOVES = np.unique([0.0, *np.logspace(-3, 4, 701), *-np.logspace(-3, 4, 701)])  # from what is special, at every scale
NEAR = MOVES[np.abs(MOVES) <= 100][::8]
SIZES = np.concatenate(
    [[0.0, 5e-324, 1e-45, 1e-300, 1e-30, 1.0, 1e20], np.arange(80, 110, 0.5), np.arange(700, 750, 0.1)]
)
EXTREMES = np.concatenate([SIZES, -SIZES])  # subnormal numbers, 1e20, and where exp leaves float32 and float64
EPS = np.finfo(np.float64).eps
FALL, JUMP = 1e-9, 1e-4  # parts of a slope that it must fall, or jump, to prove anything


def check_loss(loss):
    """Check that a loss is what it claims to be.

    All of `sklloss.testing.CHECKS` are run: parameters, names, domain, shapes, dtypes, inputs left untouched, gradient
    and curvature against differences, subgradients at kinks, the facts convex, smooth, quadratic and elementwise in
    both directions (a fact that claims too little fails as well, unless the loss is not ``definite``), kinks,
    majorizer, extremes up to 1e20, values nowhere below 0, the best constant prediction, weights, denominators,
    response and probability, and a fit and a search with the linear model.

    Parameters
    ----------
    loss : str, Loss or callable

    Raises
    ------
    AssertionError
        With the failing check and property, the input and the numbers that disagree.

    See Also
    --------
    sklloss.testing.parametrize_losses : One pytest case for each check.

    Examples
    --------
    >>> from sklloss import check_loss
    >>> from sklloss.losses import Huber
    >>> check_loss(Huber(delta=2.0))
    >>> class Wrong(Huber):
    ...     def psi(self, r):
    ...         return 2 * r
    >>> check_loss(Wrong())
    Traceback (most recent call last):
        ...
    AssertionError: Wrong() fails check_gradient: gradient against differences of loss: y_true = ...
    """
    for check in CHECKS:
        check(loss)


def parametrize_losses(losses):
    """Pytest decorator: one test case for each loss and each check of `check_loss`.

    Parameters
    ----------
    losses : list of str, Loss or callable

    Returns
    -------
    decorator
        For a test function with the arguments ``loss`` and ``check``.  Its cases are called ``huber-gradient`` where a
        name was given, ``Huber(delta=2.0)-gradient`` where a loss was.

    Examples
    --------
    >>> from sklloss.losses import Huber
    >>> from sklloss.testing import parametrize_losses
    >>> @parametrize_losses(["mae", Huber(delta=2.0)])
    ... def test_losses(loss, check):
    ...     check(loss)
    """
    import pytest  # of all that is installed with the package, only this function needs it

    cases = [
        pytest.param(get_loss(loss), check, id=f"{_label(loss)}-{check.__name__.removeprefix('check_')}")
        for loss in losses
        for check in CHECKS
    ]
    return pytest.mark.parametrize(("loss", "check"), cases)


def _label(loss):
    """The name that was given, a function's own, or the loss with its parameters; without addresses."""
    if isinstance(loss, str) or not isinstance(loss, Loss):
        return loss if isinstance(loss, str) else loss.__name__
    return re.sub(r"\s+", " ", re.sub(r" at 0x[0-9a-f]+", "", repr(loss)))


class _Failure(Exception):
    """What a check found, before it is told of which loss and by which check."""


def _check(function=None, *, of_rows=False):
    """A check: its loss may be a name, a warning is a failure, and every failure is an AssertionError.

    One of rows needs a loss for each row, and has nothing to say of a loss of sets of rows.
    """
    if function is None:
        return partial(_check, of_rows=of_rows)

    @wraps(function)
    def check(loss):
        loss = get_loss(loss).check()
        if of_rows and not loss.elementwise:
            return
        head = f"{loss!r} fails {function.__name__}"
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                function(loss)
            except _Failure as failure:
                raise AssertionError(f"{head}: {failure}") from None
            except Exception as error:
                raise AssertionError(f"{head}: {type(error).__name__}: {error}") from error

    return check


def _require(ok, what, got, expected, **where):
    """Fail at the first entry of `ok` that is not true, with that entry, or that row, of each number."""
    if np.all(ok):
        return
    at, shape, shown = tuple(np.argwhere(np.logical_not(ok))[0]), np.shape(ok), []
    for key, value in {**where, "got": got, "expected": expected}.items():
        depth = max(d for d in range(len(at) + 1) if np.shape(value)[:d] == shape[:d])
        shown.append(f"{key} = {np.asarray(value)[at[:depth]] if depth else value}")
    raise _Failure(f"{what}: {', '.join(shown)}.")


def _compare(what, got, expected, tolerance, slack=0.0, **where):
    """Require equality up to a tolerance relative to each entry, or to the largest where all are below 1."""
    floor = min(1.0, np.abs(expected).max(initial=0.0))
    ok = np.abs(got - expected) <= tolerance * np.maximum(floor, np.abs(expected)) + slack
    _require(ok, what, got, expected, **where)


# ------------------------------------------------------------------------------------------------ samples and lines
def _samples(loss):
    """Samples (y_true, raw_prediction): one-dimensional, and for losses that know several classes (n, K) as well.

    Otherwise a loss of several columns is the sum over columns, as `check_shapes` proves, so that one is enough.
    """
    rng = np.random.default_rng(0)
    raw = rng.normal(scale=2.0, size=N_ROWS) * np.where(np.arange(N_ROWS) % 10 == 9, 10.0, 1.0)
    if loss.response_method == "predict":
        return [(_targets(loss.interval_y_true, N_ROWS, rng), _into(_range(loss), raw))]
    y, soft = rng.integers(0, 2, N_ROWS).astype(float), _takes_probabilities(loss)
    if soft:
        y[::3] = rng.uniform(size=len(y[::3]))
    samples, K = [(y, raw)] if loss.n_classes in (None, 2) else [], loss.n_classes or N_CLASSES
    if loss.multiclass and K > 2:
        index, raw = rng.integers(0, K, N_ROWS), rng.normal(scale=2.0, size=(N_ROWS, K))
        rows = np.eye(K)[index]
        if soft:
            rows[::3] = rng.dirichlet(np.ones(K), len(rows[::3]))
        samples += [(index, raw), (rows, raw)]
    return samples


def _targets(domain, n, rng):
    """Targets that fill a domain: whole numbers and others, and its ends where they belong to it."""
    if domain.is_real_line:
        return rng.normal(scale=3.0, size=n)
    low, high = domain.low, domain.high
    if np.isfinite(low) and np.isfinite(high):
        y, middle = low + (high - low) * np.clip(rng.uniform(-0.1, 1.1, n), 0, 1), (low + high) / 2
    else:
        size = np.where(np.arange(n) % 2, rng.gamma(1.5, 2.0, n), rng.poisson(2.0, n))
        y, middle = (low + size, low + 1) if np.isfinite(low) else (high - size, high - 1)
    return np.where(domain.includes(y), y, middle)


def _range(loss):
    """The open interval of raw predictions: all numbers, but for an identity link with a bounded prediction."""
    if loss.response_method != "predict":
        return -np.inf, np.inf
    return tuple(loss.raw(np.array([loss.interval_y_pred.low, loss.interval_y_pred.high], dtype=float)))


def _into(interval, raw):
    """Raw predictions reflected into an interval."""
    low, high = interval
    raw = low + np.abs(raw - low) + 10 * STEP if np.isfinite(low) else raw
    return high - np.abs(high - raw) - 10 * STEP if np.isfinite(high) else raw


def _within(interval, raw):
    return (raw > interval[0]) & (raw < interval[1])


def _takes_probabilities(loss):
    try:
        loss.check_y_true(np.array([0.5]))
    except ValueError:
        return False
    return True


def _perfect(loss, y, otherwise):
    """The raw prediction of a perfect prediction of a number, where there is one; else `otherwise`."""
    raw = loss.raw(y.copy()) if loss.response_method == "predict" else np.inf
    return np.where(_within(_range(loss), raw), raw, otherwise)


def _columns(raw):
    """Each direction in which one column of the raw predictions moves."""
    units = [1.0] if raw.ndim == 1 else np.eye(raw.shape[1])
    return [np.broadcast_to(unit, raw.shape) for unit in units]


def _along(gradient, direction):
    """Slope along a direction, (n,)."""
    slope = gradient * direction
    return slope if slope.ndim == 1 else slope.sum(axis=1)


def _difference(f, raw, direction):
    """Fourth-order central difference of f along a direction, and how little it is known.

    A doubled step changes it by 15 times its error where f is smooth, and by much where a kink lies within the step,
    unless it lies in the middle: then what is even in f does not grow with the square of the step.
    """
    middle = f(raw)
    sides = [(f(raw + k * STEP * direction), f(raw - k * STEP * direction)) for k in (1, 2, 4)]
    odd, even = [right - left for right, left in sides], [right + left - 2 * middle for right, left in sides]
    single, double = (8 * odd[0] - odd[1]) / (12 * STEP), (8 * odd[1] - odd[2]) / (24 * STEP)
    return single, np.abs(single - double) + (np.abs(even[1] - 4 * even[0]) + 8 * EPS * np.abs(middle)) / STEP


def _lines(loss):
    """Lines (y_true, start, direction), one for each of some rows of each sample.

    In one column they run through what is special, a perfect prediction or 0; in several along the first column, and
    along a direction that mixes all.
    """
    for y, raw in _samples(loss):
        y, raw = y[SOME], raw[SOME]
        if raw.ndim == 1:
            yield y, _perfect(loss, y, raw if loss.response_method == "predict" else 0 * raw), np.ones_like(raw)
        else:
            yield y, raw, _columns(raw)[0]
            yield y, raw, np.random.default_rng(3).normal(size=raw.shape)


def _on_line(loss, line, moves=None):
    """Raw predictions, values and slopes at moves (n, g) along lines, (n, g, ...), (n, g) and (n, g).

    Values and slopes are NaN where they overflow and outside the range of the loss.
    """
    y, start, direction = line
    moves = np.tile(MOVES, (len(y), 1)) if moves is None else moves
    raw = start[:, None] + moves.reshape(*moves.shape, *[1] * (start.ndim - 1)) * direction[:, None]
    y, direction = (np.repeat(a, moves.shape[1], axis=0) for a in (y, direction))
    flat = raw.reshape(direction.shape)
    with np.errstate(all="ignore"):  # check_extremes is the check of warnings
        values, slopes = loss.loss(y, flat), _along(loss.gradient(y, flat), direction)
    known = np.isfinite(values) & np.isfinite(slopes)
    if raw.ndim == 2:
        known &= _within(_range(loss), flat)
    return raw, *(np.where(known, numbers, np.nan).reshape(moves.shape) for numbers in (values, slopes))


# ------------------------------------------------------------------------------------------- parameters and domain
@_check
def check_parameters(loss):
    """Parameters are stored unchanged, and survive clone, set_params, pickle and repr."""
    params = {key: _unique(value) for key, value in loss.get_params(deep=False).items()}
    stored = type(loss)(**params).get_params(deep=False)
    for key, value in params.items():
        _require(stored[key] is value, f"__init__ must store {key} as it is", stored[key], value)
    params = loss.get_params(deep=False)
    copies = {"clone": clone(loss), "set_params": clone(loss).set_params(**params), "pickle": _through_pickle(loss)}
    for how, copy in copies.items():
        _require(_label(copy) == _label(loss), f"{how} must keep the parameters", copy, loss)
        for y, raw in _samples(loss):
            got, expected = (each.value_gradient(y, raw, np.ones(N_ROWS))[0] for each in (copy, loss))
            _require(got == expected, f"{how} must keep the values", got, expected)


def _unique(value):
    """A number or string that is like no other: even one that is converted to its own type is another object."""
    kind = type(value)
    return type(kind.__name__, (kind,), {})(value) if kind in (int, float, str) else value


def _through_pickle(thing):
    try:
        return pickle.loads(pickle.dumps(thing))
    except (pickle.PicklingError, AttributeError):  # defined inside a function: parallel searches take it all the same
        import joblib

        return pickle.loads(pickle.dumps(joblib.wrap_non_picklable_objects(thing, keep_wrapper=False)))


@_check
def check_names(loss):
    """The name and each alias lead to the class, and ``use`` is one line."""
    if "name" in vars(type(loss)):  # a subclass of a named loss is not filed under its name
        for key in (loss.name, *loss.aliases):
            found = type(get_loss(key))
            _require(found is type(loss), "each name must lead to its class", found, type(loss), name=key)
    _require(len(loss.use.splitlines()) <= 1, "use must be one line", repr(loss.use), "no line break")


@_check
def check_domain(loss):
    """What lies in the domains, and ends that belong to them, is accepted; just outside, value and row are named."""
    if loss.n_classes not in (None, 2):
        return
    values, outside = {}, []
    for what, domain in (("y_true", loss.interval_y_true), ("y_pred", loss.interval_y_pred)):
        numbers = loss.response_method == "predict"
        values[what] = _targets(domain, 4, np.random.default_rng(4)) if numbers else np.array([0.0, 1.0, 1.0, 0.0])
        ends = (domain.low, domain.low_inclusive, -np.inf), (domain.high, domain.high_inclusive, np.inf)
        for k, (end, belongs, away) in enumerate(ends):
            if belongs:
                values[what][k] = end
            if np.isfinite(end):
                outside.append((what, np.nextafter(end, away) if belongs else end))
    metric = loss.per_sample if loss.elementwise else loss
    loss.check_y_true(values["y_true"])
    rows = metric(**values)
    _require(~np.isnan(rows), "what is in the domain must have a loss", rows, "a number", **values)
    for what, wrong in outside:
        given = values | {what: np.array([values[what][0], wrong, *values[what][2:]])}
        for method in (metric, loss.check_y_true) if what == "y_true" else (metric,):
            message = "no error"
            try:
                method(*(given.values() if method is metric else (given[what],)))
            except ValueError as error:
                message = str(error)
            ok = repr(float(wrong)) in message and "row 1" in message
            _require(ok, f"{what} outside its domain must be refused", message, f"row 1 has {wrong}")


# --------------------------------------------------------------------------------------------------------- arrays
def _arrays(loss, y, raw):
    """Name, values, and an array of the same shape, of every method that makes an array of raw predictions."""
    weight = np.full(len(raw), 1 / len(raw), raw.dtype)  # as in a mean, which overflows only where a row does
    if loss.elementwise:
        yield "loss", loss.loss(y, raw), weight
        yield "gradient", loss.gradient(y, raw), raw
        if hasattr(loss, "hessian") and not (loss.multiclass and raw.ndim == 2):
            yield "hessian", loss.hessian(y, raw), raw
        if loss.has_curvature:
            yield "hessian_product", loss.hessian_product(y, raw, weight, np.ones_like(raw)), raw
    yield "value_gradient", loss.value_gradient(y, raw, weight)[1], raw
    yield "response", loss.response(raw), raw
    yield "decision", loss.decision(raw), raw
    if loss.probabilistic:
        yield "probability", loss.probability(raw), raw


@_check
def check_shapes(loss):
    """loss is (n,), the sum over columns; gradient and curvature are like raw_prediction; one-hot equals indices."""
    samples, rng = _samples(loss), np.random.default_rng(5)
    if loss.elementwise and not loss.multiclass:
        y, raw = samples[0]
        orders = [np.array([rng.permutation(N_ROWS) for _ in range(width)]).T for width in (1, 3)]
        samples += [(y[order], raw[order]) for order in orders]
    for y, raw in samples:
        for what, values, like in _arrays(loss, y, raw):
            got, expected = np.shape(values), like.shape
            _require(got == expected, f"the shape of {what}", got, expected, raw_prediction=raw.shape)
        if not loss.elementwise or raw.ndim == 1:
            continue
        rows, where = loss.loss(y, raw), {"y_true": y, "raw_prediction": raw}
        if not loss.multiclass:
            columns = list(zip(y.T, raw.T, strict=True))
            _compare("loss is the sum over columns", rows, sum(loss.loss(*c) for c in columns), 1e-14, **where)
            expected = np.column_stack([loss.gradient(*c) for c in columns])
            _compare("gradient is that of each column", loss.gradient(y, raw), expected, 1e-14, **where)
        elif y.ndim == 1:
            _compare("one-hot equals indices", loss.loss(np.eye(raw.shape[1])[y], raw), rows, 1e-13, **where)


@_check
def check_dtypes(loss):
    """float64 and float32 are kept, and float32 gives the values of float64."""
    for y, raw in _samples(loss):
        for dtype in map(np.dtype, (np.float64, np.float32)):
            t, f = _cast(y, dtype), raw.astype(dtype)
            for what, values, _ in _arrays(loss, t, f):
                _require(values.dtype == dtype, f"{what} must keep the dtype", values.dtype, dtype)
            if loss.elementwise:
                wide = loss.loss(_cast(t, np.float64), f.astype(np.float64))
                _compare("float32 against float64", loss.loss(t, f), wide, 1e-4, y_true=t, raw_prediction=f)


def _cast(y, dtype):
    return y if y.dtype.kind == "i" else y.astype(dtype)


@_check
def check_inputs(loss):
    """Inputs are left untouched: no method writes to an array it is given."""
    for y, raw in _samples(loss):
        given = y.copy(), raw.copy(), np.ones(N_ROWS), loss.response(raw).copy()
        for array in given:
            array.flags.writeable = False
        try:
            list(_arrays(loss, *given[:2]))
            loss.value_gradient(*given[:3])
            _intercept(loss, given[0], given[2], raw)
            loss.denominator(given[0])
            loss.raw(given[3])
        except ValueError as error:
            _require("read-only" not in str(error), "inputs must be left untouched", error, "no write")
            raise


# ---------------------------------------------------------------------------------------- derivatives in raw_prediction
@_check(of_rows=True)
def check_gradient(loss):
    """The gradient is that of the loss, away from kinks."""
    for y, raw in _samples(loss):
        for direction in _columns(raw):
            expected, error = _difference(partial(loss.loss, y), raw, direction)
            got, where = _along(loss.gradient(y, raw), direction), {"y_true": y, "raw_prediction": raw}
            _compare("gradient against differences of loss", got, expected, 1e-7, error, **where)
            known = np.mean(error <= 1e-5 * np.maximum(1, np.abs(expected)))
            _require(known >= 0.5, "most rows must have a derivative", known, ">= 0.5 of the rows")


@_check(of_rows=True)
def check_subgradient(loss):
    """At a kink the gradient is a subgradient; of a loss that is not convex, between the slopes on both sides."""
    for y, raw in _samples(loss):
        for i in SOME:
            points = _special_points(loss, y[[i]], raw[[i]])
            t = np.repeat(y[[i]], len(points), axis=0)
            values, slopes = loss.loss(t, points), loss.gradient(t, points)
            if not loss.convex:
                for direction in _columns(points):
                    _lies_between(loss, t, points, values, slopes, direction)
                continue
            tangent, others, losses = _extrapolated(points, values, slopes)
            slack = 1e-12 + 1e-11 * (np.abs(tangent) + np.abs(losses) + np.abs(values[:, None]))
            where = {"y_true": t, "touches_at": points, "gradient": slopes, "raw_prediction": others}
            ok = ~(tangent > losses + slack)  # what overflows proves nothing
            _require(ok, "a tangent must lie below a convex loss", tangent, losses, **where)


def _special_points(loss, y, raw):
    """Raw predictions for one row, with what may be a kink: a perfect prediction, the margins -1, 0 and 1, ties."""
    if raw.ndim == 2:
        corners = np.array(list(product((-1.0, 0.0, 1.0), repeat=min(raw.shape[1], 3))))
        corners = np.pad(corners, ((0, 0), (0, raw.shape[1] - corners.shape[1])))
        return np.concatenate([corners, raw + corners])
    kinks = []
    if loss.relu is not None:
        offset, slope = loss.argument(y)
        kinks = [float((-o / c - offset[0]) / slope[0]) for c, o in loss.relu if c]
    points = np.unique([*(_perfect(loss, y, 0.0) + NEAR), *raw, *kinks])
    return points[_within(_range(loss), points)]


def _extrapolated(points, values, slopes, curvature=None):
    """From each point to every other, (m, m): its tangent or parabola there, the other point, and its loss."""
    others = np.broadcast_to(points, (len(points), *points.shape))
    step = others - points[:, None]
    with np.errstate(all="ignore"):  # where a value or a slope overflows
        rise = slopes[:, None] * step if points.ndim == 1 else np.einsum("ik,ijk->ij", slopes, step)
        reached = values[:, None] + rise + (0 if curvature is None else curvature[:, None] * step**2 / 2)
    return reached, others, np.broadcast_to(values, reached.shape)


def _lies_between(loss, y, points, values, slopes, direction):
    """Require that the gradient lies between the slopes on both sides of each point."""
    sides = []
    with np.errstate(all="ignore"):  # where the range of the loss ends
        for s in (-SIDE, SIDE):
            one, two = (loss.loss(y, points + k * s * direction) for k in (1, 2))
            sides.append((4 * one - two - 3 * values) / (2 * s))
    got, low, high = _along(slopes, direction), np.minimum(*sides), np.maximum(*sides)
    slack = 1e-5 * np.maximum(1, np.abs(got)) + 4 * EPS / SIDE * values
    ok = (got >= low - slack) & (got <= high + slack) | ~np.isfinite(low + high)
    where, slopes = {"y_true": y, "raw_prediction": points}, np.column_stack([low, high])
    _require(ok, "the gradient must lie between the slopes on both sides", got, slopes, **where)


@_check(of_rows=True)
def check_curvature(loss):
    """hessian and hessian_product are the derivative of the gradient, away from its kinks."""
    for y, raw in _samples(loss) if loss.has_curvature else ():
        for direction in _columns(raw):
            expected, error = _difference(partial(loss.gradient, y), raw, direction)
            found = {"hessian_product": loss.hessian_product(y, raw, np.ones(N_ROWS), direction)}
            if raw.ndim == 1 and hasattr(loss, "hessian"):
                found["hessian"] = loss.hessian(y, raw)
            where = {"y_true": y, "raw_prediction": raw}
            for what, got in found.items():
                _compare(f"{what} against differences of gradient", got, expected, 1e-7, error, **where)


@_check(of_rows=True)
def check_hessian_product(loss):
    """The product is symmetric, linear in weight and direction, and where the loss is convex nowhere negative."""
    rng = np.random.default_rng(6)
    for y, raw in _samples(loss) if loss.has_curvature else ():
        u, v = rng.normal(size=(2, *raw.shape))
        weight, ones = rng.uniform(0.5, 2.0, N_ROWS), np.ones(N_ROWS)
        Hu, Hv = (loss.hessian_product(y, raw, ones, direction) for direction in (u, v))
        uHu, uHv, vHu = _along(Hu, u), _along(Hv, u), _along(Hu, v)
        slack = 1e-11 * (np.abs(uHu) + np.abs(_along(Hv, v)) + np.abs(uHv))  # what cancels is of that size
        where = {"y_true": y, "raw_prediction": raw}
        _compare("hessian_product must be symmetric", vHu, uHv, 0.0, slack, **where)
        got = _along(loss.hessian_product(y, raw, weight, 2 * u), v)
        _compare("hessian_product is linear in weight and direction", got, 2 * weight * vHu, 0.0, 4 * slack, **where)
        ok = uHu >= -slack if loss.convex else True
        _require(ok, "a convex loss has no negative curvature", uHu, ">= 0", **where, direction=u)


# ---------------------------------------------------------------------------------------------------------- facts
def _not_too_timid(loss, fact, evidence, found):
    """Require evidence for a fact that is False, and not merely unknown."""
    if not getattr(loss, fact) and loss.definite:
        _require(evidence, f"{fact} is False, but nothing along {len(SOME)} lines and more speaks against it", *found)


def _part(change, before, after, typical):
    """A change of slope as a part of the slopes before and after, or of a typical one if larger; 0 where unknown."""
    size = np.maximum(np.maximum(np.abs(before), np.abs(after)), typical)
    return np.nan_to_num(change / np.where(size > 0, size, 1))


def _typical(slopes):
    """The typical size of the slopes of each line, (n, 1)."""
    return np.nan_to_num(np.nanmedian(np.abs(slopes), axis=1, keepdims=True))


@_check(of_rows=True)
def check_convex(loss):
    """convex says whether slopes never fall along a line, in both directions."""
    largest = 0.0
    for line in _lines(loss):
        raw, values, slopes = _on_line(loss, line)
        fall = -np.diff(slopes, axis=1)
        part = _part(fall, slopes[:, :-1], slopes[:, 1:], 1e-4 * _typical(slopes))
        largest = max(largest, part.max())
        if loss.convex and largest > FALL:
            # The steepest fall makes the clearest chord, from a to b: the loss in the middle lies above it.
            row, a = np.unravel_index(np.argmax(np.where(part > FALL, fall, 0)), fall.shape)
            middle = np.array([[MOVES[a : a + 2].mean()]])
            between, (got,), _ = (found[0] for found in _on_line(loss, [part[[row]] for part in line], middle))
            where = {"y_true": line[0][row], "raw_prediction": between[0], "chord_ends": raw[row, a : a + 2].tolist()}
            where |= {name: found[row, a : a + 2].tolist() for name, found in (("losses", values), ("slopes", slopes))}
            bound = f"<= {values[row, a : a + 2].mean()}"
            _require(False, "convex is True, but slopes fall and the loss lies above a chord", got, bound, **where)
    _not_too_timid(loss, "convex", largest > FALL, (largest, f"a fall of > {FALL} of the slope"))


@_check(of_rows=True)
def check_smooth(loss):
    """smooth says whether the gradient is continuous along a line, in both directions."""
    largest = 0.0
    for line in _lines(loss):
        slopes = _on_line(loss, line)[2]
        rows, at = np.nonzero(_part(np.abs(np.diff(slopes)), slopes[:, :-1], slopes[:, 1:], _typical(slopes)) > JUMP)
        if len(rows) == 0:
            continue
        # Halve each interval of change, to the side where more of it is: a jump stays, a steep slope goes.
        steep, moves = [part[rows] for part in line], np.column_stack([MOVES[at], MOVES[at + 1]])
        ends = np.column_stack([slopes[rows, at], slopes[rows, at + 1]])
        for _ in range(45):
            middle = moves.mean(axis=1, keepdims=True)
            slope = _on_line(loss, steep, middle)[2]
            first = np.abs(slope - ends[:, :1]) >= np.abs(ends[:, 1:] - slope)
            replaced = np.hstack([~first, first])
            moves, ends = np.where(replaced, middle, moves), np.where(replaced, slope, ends)
        jump = _part(np.abs(np.diff(ends)), ends[:, :1], ends[:, 1:], _typical(slopes)[rows])[:, 0]
        largest = max(largest, jump.max())
        ok, where = jump <= JUMP if loss.smooth else True, {"y_true": steep[0]}
        where["raw_prediction"] = _on_line(loss, steep, moves)[0][:, 0]
        _require(ok, "smooth is True, but the gradient jumps", ends[:, 1], ends[:, 0], **where)
    _not_too_timid(loss, "smooth", largest > JUMP, (largest, f"a jump of > {JUMP} of the slope"))


@_check(of_rows=True)
def check_quadratic(loss):
    """quadratic says whether the curvature along each line is a positive constant, in both directions."""
    all_constant = True
    for line in _lines(loss):
        raw, _, slopes = (found[:, ::10] for found in _on_line(loss, line))
        bend = np.diff(slopes) / np.diff(MOVES[::10])
        least, most = np.nanmin(bend, axis=1), np.nanmax(bend, axis=1)
        constant = (most - least <= 1e-6 * most) & (most > 0)
        first, second = (raw[np.arange(len(raw)), np.argmax(bend == end[:, None], axis=1)] for end in (least, most))
        where = {"y_true": line[0], "raw_prediction": first, "other_raw_prediction": second}
        ok = constant if loss.quadratic else True
        _require(ok, "quadratic is True, but the curvature is no positive constant", least, most, **where)
        all_constant &= bool(constant.all())
    _not_too_timid(loss, "quadratic", not all_constant, (most.max(), "two curvatures"))


@_check
def check_elementwise(loss):
    """elementwise says whether a set of rows costs the sum of its parts; the loss of a row is then its own."""
    rng = np.random.default_rng(7)
    for y, raw in _samples(loss):
        weight, part, order = rng.uniform(0.5, 2.0, N_ROWS), np.arange(N_ROWS) % 3 == 0, rng.permutation(N_ROWS)[:20]
        whole = loss.value_gradient(y, raw, weight)[0]
        parts = sum(loss.value_gradient(y[rows], raw[rows], weight[rows])[0] for rows in (part, ~part))
        equal = abs(whole - parts) <= 1e-10 * max(1, abs(parts))
        if loss.elementwise:
            _require(equal, "elementwise is True, but two parts do not add up", parts, whole)
            got, where = loss.loss(y[order], raw[order]), {"y_true": y[order], "raw_prediction": raw[order]}
            _compare("the loss of a row must be its own", got, loss.loss(y, raw)[order], 1e-14, **where)
        elif loss.definite:
            _require(not equal, "elementwise is False, but two parts add up", parts, f"not {whole}")


@_check(of_rows=True)
def check_standardized(loss):
    """Constants for residuals of scale 1 need a loss that is r**2 / 2 near 0, or the two shares of a quantile of it."""
    if loss.standardized and loss.definite:  # of a sum, those parts are scaled that are standardized
        r = np.array([-1e-6, 1e-6, -1e-5, 1e-5])
        factor = loss.loss(np.zeros(4), -r) / (r**2 / 2)
        total = factor[:2].sum()  # 1 + 1, or quantile + (1 - quantile)
        ok = np.allclose(factor[:2], factor[2:], rtol=1e-2) and min(abs(total - 2), abs(total - 1)) < 1e-2
        _require(ok, "a standardized loss is this multiple of r**2 / 2 near 0", factor, "1 for each", residual=r)


@_check(of_rows=True)
def check_kinks(loss):
    """The loss is the sum that relu declares, with row_weight and argument, and what kinks says of its rows."""
    for y, raw in _samples(loss):
        expected, kinks = {}, loss.kinks(y) if raw.ndim == 1 else None
        if loss.relu is not None and raw.ndim == 1:  # kinks of a loss of several classes are not those of a margin
            offset, slope = loss.argument(y)
            t = offset + slope * raw
            expected["relu"] = loss.row_weight(y) * sum(np.maximum(0, c * t + o) for c, o in loss.relu)
        if kinks is not None and len(kinks.at):
            ok = (kinks.low <= 0) & (kinks.high >= 0)
            _require(ok, "a kink must bend upwards", kinks.high, ">= 0", low=kinks.low, at=kinks.at)
            expected["kinks"] = kinks.value(raw) + (0 if kinks.rest is None else kinks.rest.loss(y, raw))
        for what, total in expected.items():
            where = {"y_true": y, "raw_prediction": raw}
            _compare(f"loss is the sum of its {what}", loss.loss(y, raw), total, 1e-12, **where)


@_check(of_rows=True)
def check_majorizer(loss):
    """The parabola with the curvature majorizer that touches a smooth loss somewhere lies above it everywhere."""
    for y, raw in _samples(loss) if hasattr(loss, "majorizer") and loss.smooth else ():
        for i in SOME if raw.ndim == 1 else ():
            points = _special_points(loss, y[[i]], raw[[i]])
            t = np.full(len(points), y[i])
            values, slopes, curvature = (f(t, points) for f in (loss.loss, loss.gradient, loss.majorizer))
            parabola, others, losses = _extrapolated(points, values, slopes, curvature)
            ok = ~(parabola + 1e-12 + 1e-10 * (np.abs(parabola) + values[:, None]) < (1 - 1e-10) * losses)
            where = {"y_true": t, "touches_at": points, "curvature": curvature, "raw_prediction": others}
            _require(ok, "the parabola of majorizer must lie above the loss", parabola, losses, **where)


# --------------------------------------------------------------------------------------------------------- values
@_check
def check_extremes(loss):
    """For raw predictions up to +-1e20, 0 and subnormal ones: no NaN, no warning, finite unless it overflows."""
    rows = np.repeat(SOME[::3], len(EXTREMES))
    for y, raw in _samples(loss):
        for dtype in (np.float64, np.float32):
            t, size = _cast(y[rows], dtype), np.tile(EXTREMES, 3).astype(dtype)
            if raw.ndim == 1:
                _stays_a_number(loss, t, size)
            else:
                for direction in (np.ones_like(raw[:1]), *_columns(raw[:1])):
                    _stays_a_number(loss, t, size[:, None] * direction.astype(dtype))
            if loss.response_method == "predict":
                _stays_a_number(loss, _cast(y, dtype), _cast(y, dtype))  # where a residual is exactly 0


def _stays_a_number(loss, y, raw):
    dtype, where = raw.dtype, {"y_true": y, "raw_prediction": raw}
    try:
        found = {what: values for what, values, _ in _arrays(loss, y, raw)}
    except RuntimeWarning as warning:
        if len(raw) > 1:  # which row is it?
            for half in (slice(None, len(raw) // 2), slice(len(raw) // 2, None)):
                _stays_a_number(loss, y[half], raw[half])
        _require([False], f"a loss must not warn in {dtype}", [warning], "no warning", **where)
    for what, values in found.items():
        _require(~np.isnan(values), f"{what} must never be NaN in {dtype}", values, "a number", **where)
    if loss.elementwise and loss.convex:
        # A convex loss lies below its tangent's rise from 0: only where that overflows may the loss be inf.
        with np.errstate(over="ignore"):
            rise = np.abs(found["gradient"].astype(np.float64) * raw).reshape(len(raw), -1).sum(axis=1)
        ok = np.isfinite(found["loss"]) | (rise >= 0.1 * np.finfo(dtype).max)
        _require(ok, f"a loss is finite in {dtype} where it does not overflow", found["loss"], rise, **where)


@_check
def check_nonnegative(loss):
    """A loss is nowhere below 0: bounds of the optimum count on it."""
    for y, raw in _samples(loss):
        value = loss.value_gradient(y, raw, np.ones(N_ROWS))[0]
        _require(value >= 0, "a loss must not be negative", value, ">= 0", rows=N_ROWS)
    for line in _lines(loss) if loss.elementwise else ():
        raw, values, _ = _on_line(loss, line)
        ok = ~(values < -1e-12 * max(1.0, np.nanmedian(values)))
        _require(ok, "a loss must not be negative", values, ">= 0", y_true=line[0], raw_prediction=raw)


@_check(of_rows=True)
def check_right_prediction(loss):
    """A perfect prediction of a number costs nothing if any does; the right class costs no more than a wrong one."""
    if loss.response_method == "predict":
        for y, start, direction in _lines(loss):
            values = _on_line(loss, (y, start, direction))[1]
            got, least, typical = values[:, len(MOVES) // 2], np.nanmin(values, axis=1), np.nanmedian(values, axis=1)
            ok = (start != loss.raw(y.copy())) | (got <= 1e-9 * typical) | (least > 1e-12 * typical)
            what = "a perfect prediction must cost nothing where another does"
            _require(ok, what, got, least, y_true=y, raw_prediction=start)
        return
    for y, raw in _samples(loss):
        t = np.eye(raw.shape[1])[y] if y.ndim < raw.ndim else y
        hard = ((t == 0) | (t == 1)).reshape(N_ROWS, -1).all(axis=1)
        right, wrong = (loss.loss(y[hard], sign * (2 * t[hard] - 1)) for sign in (3, -3))
        _require(right <= wrong, "the right class must cost no more than a wrong one", right, wrong, y_true=y[hard])


@_check
def check_intercept(loss):
    """fit_intercept_only attains the minimum value of the weighted loss of a constant."""
    rng = np.random.default_rng(8)
    for y, raw in _samples(loss):
        for weight in (np.ones(N_ROWS), rng.uniform(0.1, 1.0, N_ROWS), rng.integers(0, 2, N_ROWS) + 1e-3):
            constant = _intercept(loss, y, weight, raw)
            shape, expected = np.shape(constant), raw.shape[1:]
            _require(shape == expected, "fit_intercept_only is () or (K,)", shape, f"the shape {expected}")
            value = partial(_value_of_constant, loss, y, weight, raw)
            got, (best, lowest) = value(constant), _lowest(loss, value, y, raw, constant)
            ok, where = got <= lowest + 1e-8 * max(1.0, lowest), {"constant": constant, "lower_at": best}
            _require(ok, "fit_intercept_only must attain the minimum", got, lowest, **where)
    if loss.elementwise and not loss.multiclass:
        (y, _), weight = _samples(loss)[0], np.ones(N_ROWS)
        got = loss.fit_intercept_only(np.column_stack([y, y[::-1] ** 2]), weight)
        expected = np.array([loss.fit_intercept_only(column, weight) for column in (y, y[::-1] ** 2)])
        ok = np.shape(got) == (2,) and np.allclose(got, expected, rtol=1e-6, atol=1e-6)
        _require(ok, "fit_intercept_only of two columns is that of each", got, expected)


def _value(loss, y, weight, raw):
    return loss.value_gradient(y, raw, weight)[0]


def _value_of_constant(loss, y, weight, like, constant):
    return _value(loss, y, weight, np.zeros_like(like) + constant)


def _intercept(loss, y, weight, raw):
    columns = (raw.shape[1] if raw.ndim == 2 else 1,) if loss.multiclass else ()
    return loss.fit_intercept_only(y, weight, *columns)


def _lowest(loss, value, y, raw, start):
    """The best constant, and its value, that a scan and a descent from its best place find."""
    if raw.ndim == 2:
        scan = np.array([*product((-1.0, -0.5, 0.0, 0.5, 1.0), repeat=raw.shape[1]), start])
        best = scan[np.argmin([value(b) for b in scan])]
        method = "BFGS" if loss.smooth else "Nelder-Mead"
        found = optimize.minimize(value, best, method=method, options={"maxiter": 100})
        return min((best, value(best)), (found.x, found.fun), key=lambda pair: pair[1])
    perfect = _perfect(loss, y, raw) if loss.response_method == "predict" else np.zeros(1)
    inner = np.linspace(perfect.min(), perfect.max(), 200)
    scan = np.unique(np.concatenate([MOVES[::20], start + MOVES[::20], perfect, inner]))
    scan = scan[_within(_range(loss), scan)]
    values = np.array([value(b) for b in scan])
    i = int(np.argmin(values))
    low, high = scan[max(i - 1, 0)], scan[min(i + 1, len(scan) - 1)]
    options = {"xatol": 1e-9 * (high - low)}
    found = optimize.minimize_scalar(value, bounds=(low, high), method="bounded", options=options)
    return min((scan[i], values[i]), (found.x, found.fun), key=lambda pair: pair[1])


@_check
def check_value_gradient(loss):
    """value_gradient is the weighted sum of losses and gradients; of a loss of sets, a value and its derivative."""
    rng = np.random.default_rng(9)
    for y, raw in _samples(loss):
        weight, direction = rng.uniform(0.0, 3.0, N_ROWS), rng.normal(size=raw.shape)
        value, gradient = loss.value_gradient(y, raw, weight)
        _require(isinstance(value, float), "the value must be a float", type(value), float)
        if loss.elementwise:
            _compare("value_gradient against the weighted sum of loss", value, weight @ loss.loss(y, raw), 1e-12)
            expected = (weight if raw.ndim == 1 else weight[:, None]) * loss.gradient(y, raw)
            where = {"y_true": y, "raw_prediction": raw, "weight": weight}
            _compare("value_gradient against weighted gradients", gradient, expected, 1e-12, **where)
        elif loss.smooth:
            slope, error = _difference(partial(_value, loss, y, weight), raw, direction)
            _compare("value_gradient against its differences", (gradient * direction).sum(), slope, 1e-6, error)


# --------------------------------------------------------------------------------------------------------- metric
def _metric_samples(loss):
    """Samples (y_true, raw_prediction, y_pred) of predictions that a response can still tell apart."""
    for y, raw in _samples(loss):
        rows = np.abs(raw).reshape(N_ROWS, -1).max(axis=1) <= 8
        yield y[rows], raw[rows], loss.response(raw[rows])


@_check
def check_weights(loss):
    """In the metric a weight of k is k copies, and neither a factor of all weights nor the order of rows counts."""
    rng = np.random.default_rng(10)
    for y, _, p in _metric_samples(loss):
        weight = rng.integers(0, 4, len(p)).astype(float)
        copies, order = np.repeat(np.arange(len(p)), weight.astype(int)), rng.permutation(len(p))
        expected = loss(y, p, weight)
        _compare("k copies equal a weight of k", loss(y[copies], p[copies]), expected, 1e-11)
        _compare("a factor of all weights changes nothing", loss(y, p, 1e-3 * weight), expected, 1e-11)
        _compare("the order of rows changes nothing", loss(y[order], p[order], weight[order]), expected, 1e-11)


@_check
def check_denominator(loss):
    """What each row counts in the mean is finite, not negative, its own, and what the metric divides by."""
    for y, _, p in _metric_samples(loss):
        counts, weight = loss.denominator(y), np.arange(1.0, len(y) + 1)
        if counts is not None:
            _require(np.shape(counts) == (len(y),), "denominator is (n,)", np.shape(counts), (len(y),))
            _require(np.isfinite(counts) & (counts >= 0), "a row counts 0 or more", counts, ">= 0", y_true=y)
            own = loss.denominator(y[::-1])[::-1]
            _compare("the denominator of a row is its own", own, counts, 0.0, y_true=y)
        if loss.elementwise:
            expected = weight @ loss.per_sample(y, p) / (weight.sum() if counts is None else weight @ counts)
            _compare("the metric against weighted losses over denominators", loss(y, p, weight), expected, 1e-12)


@_check
def check_response(loss):
    """raw inverts response, which lies in the domain of y_pred and costs the same."""
    for y, raw, p in _metric_samples(loss):
        back, domain, where = loss.raw(p), loss.interval_y_pred, {"y_true": y, "raw_prediction": raw}
        shift = (raw - back).mean(axis=1, keepdims=True) if raw.ndim == 2 and loss.shift_invariant else 0.0
        _compare("raw must invert response", back + shift, raw, 1e-9, y_pred=p)
        _require(domain.includes(p), "response must lie in the domain of y_pred", p, domain, **where)
        if loss.elementwise:
            _compare("the metric of a response is the loss", loss.per_sample(y, p), loss.loss(y, raw), 1e-9, **where)


@_check
def check_probability(loss):
    """Probabilities lie in [0, 1], sum to 1 and belong to the loss; a loss of decision values that has some says so."""
    for y, raw in _samples(loss) if loss.probabilistic else ():
        for f in (raw, 1e3 * raw):
            p = loss.probability(f)
            _require((p >= 0) & (p <= 1), "a probability lies in [0, 1]", p, "0 to 1", y_true=y, raw_prediction=f)
            if loss.multiclass and p.ndim == 2:
                _compare("probabilities of a row sum to 1", p.sum(axis=1), np.ones(N_ROWS), 1e-12, raw_prediction=f)
            if loss.response_method == "predict_proba":
                _compare("probability is response", p, loss.response(f), 1e-15, raw_prediction=f)
    if loss.response_method != "decision_function" or not loss.elementwise or loss.n_classes not in (None, 2):
        return
    # f is the best raw prediction for a share p of the second class where p l'(1, f) + (1 - p) l'(0, f) = 0.
    f = np.linspace(-4, 5, 181)
    up, down = (loss.gradient(np.full_like(f, label), f) for label in (1.0, 0.0))
    known = down > up
    p = np.clip(down / np.where(known, down - up, 1), 0, 1)
    inner = known & (p > 0) & (p < 1)
    least = np.diff(p[inner]).min(initial=1.0) if inner.any() else 0.0
    has = bool(loss.convex and loss.smooth and known.all() and least > 1e-12)
    if loss.probabilistic or loss.definite:
        where = {"convex": loss.convex, "smooth": loss.smooth, "least_step_of_probability": least}
        ok = has == bool(loss.probabilistic)
        _require(ok, "probabilistic says whether f tells a probability", loss.probabilistic, has, **where)
    if loss.probabilistic:
        what = "probability is the share of which raw_prediction is the minimiser"
        _compare(what, loss.probability(f), p, 1e-12, raw_prediction=f)


# ------------------------------------------------------------------------------------------------------ estimators
def _problems(loss):
    """Small problems (estimator, X, y, target, loss for its labels) that the linear model has a solver for."""
    rng = np.random.default_rng(11)
    X = rng.uniform(-1, 1, size=(N_ROWS, 2))
    signal, problems = X @ [1.0, -0.5], []
    if loss.response_method == "predict":
        y = _linear_targets(loss, signal, rng)
        problems.append((LossRegressor(loss, alpha=ALPHA), X, y, y, loss))
    else:
        for K in (2, N_CLASSES) if loss.n_classes is None else (loss.n_classes,):
            y = np.argmax(np.outer(signal, np.linspace(-2, 2, K)) + rng.gumbel(size=(N_ROWS, K)), axis=1)
            bound = loss.bind(np.arange(K))
            problems.append((LossClassifier(loss, alpha=ALPHA), X, y, encode_classes(y, K, bound), bound))
    return [problem for problem in problems if _has_solver(*problem[1:])]


def _has_solver(X, y, target, loss):
    """Whether a loss can be fitted; one of several classes whose kinks are not known is a metric only."""
    n_outputs = int(max(y)) + 1 if loss.response_method != "predict" and max(y) > 1 else 1
    try:
        get_solver("auto", LinearObjective(X, target, loss, n_outputs=n_outputs))
    except ValueError:
        return False
    return True


def _linear_targets(loss, signal, rng):
    """Targets around a signal, in the domain of a loss, and away from its lower end where a line has to be."""
    low = max(loss.interval_y_true.low, loss.interval_y_pred.low, 0.0 if loss.positive_only else -np.inf)
    high = loss.interval_y_true.high
    if low == -np.inf:
        return 2 * signal + rng.standard_t(3, N_ROWS)
    if high == np.inf:
        return low + np.exp(0.3 * signal) * rng.gamma(4.0, 0.5, N_ROWS)
    return low + (high - low) * special.expit(signal + rng.normal(size=N_ROWS))


@_check
def check_fit(loss):
    """The linear model converges, silently unless the loss is not convex, to what no small step improves."""
    rng = np.random.default_rng(12)
    for model, X, y, target, bound in _problems(loss):
        if loss.standardized:
            model.set_params(scale=None)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            model.fit(X, y)
        solution, allowed, messages = model.solution_, 0 if loss.convex else 1, [str(w.message) for w in seen]
        where = {"solver": solution.solver, "certificate": solution.certificate}
        ok = len(seen) <= allowed and all(issubclass(w.category, ConvergenceWarning) for w in seen)
        _require(ok, "a fit converges without a warning", messages, f"at most {allowed}", **where)
        _require(solution.converged == (not seen), "a fit warns if its certificate fails", messages, "one", **where)
        if not loss.elementwise:
            continue

        def objective(params, X=X, target=target, bound=bound):
            raw = X @ params[:, :-1].T + params[:, -1]
            rows = bound.loss(target, raw[:, 0] if raw.shape[1] == 1 else raw)
            return bound.mean(target, rows, np.ones(N_ROWS)) + ALPHA / 2 * (params[:, :-1] ** 2).sum()

        found = np.column_stack([np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)])
        value = objective(found)
        _compare("the value of a fit is its objective", solution.value, value, 1e-9, **where)
        for size in (1e-3, 0.1, 1.0) if loss.convex else (1e-3,):
            for _ in range(8):
                moved = found + size * rng.normal(size=found.shape)
                other = objective(moved)
                ok = value <= other + 1e-6 * (1 + value)
                _require(ok, "no step improves a fit", value, f"<= {other}", **where, coefficients=found, better=moved)


@_check
def check_search(loss):
    """A search over alpha, scored by the loss, runs, and what it finds predicts the same after a pickle."""
    for model, X, y, *_ in _problems(loss):
        search = GridSearchCV(model, {"alpha": [1e-2, 1.0]}, scoring=loss_scorer(loss), cv=2, error_score="raise")
        with warnings.catch_warnings():
            if not loss.convex:
                warnings.simplefilter("ignore", ConvergenceWarning)
            search.fit(X, y)
        scores = search.cv_results_["mean_test_score"]
        _require(np.isfinite(scores) & (scores <= 0), "a score is minus the loss", scores, "<= 0")
        got, expected = _through_pickle(search.best_estimator_).predict(X), search.predict(X)
        _require(got == expected, "a model predicts the same after a pickle", got, expected)


CHECKS = (
    check_parameters, check_names, check_domain,
    check_shapes, check_dtypes, check_inputs,
    check_gradient, check_subgradient, check_curvature, check_hessian_product,
    check_convex, check_smooth, check_quadratic, check_elementwise, check_standardized, check_kinks, check_majorizer,
    check_extremes, check_nonnegative, check_right_prediction, check_intercept, check_value_gradient,
    check_weights, check_denominator, check_response, check_probability,
    check_fit, check_search,
)  # fmt: skip
