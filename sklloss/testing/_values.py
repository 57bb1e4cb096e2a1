"""Checks of the numbers themselves: at extremes, below 0, at the right prediction, of a constant and in a sum."""

from functools import partial
from itertools import product

import numpy as np
from scipy import optimize

from ..losses._base import _column
from ._machinery import check, compare, require
from ._probes import arrays, difference, has_least_value, intercept, on_line, value, value_gradient
from ._samples import (
    MOVES,
    N_CLASSES,
    N_ROWS,
    N_SETS,
    SOME,
    as_weights,
    cast,
    directions,
    lines,
    perfect,
    raw_interval,
    samples,
    within,
)

__all__ = [  # noqa: RUF022  (in the order in which they run)
    "check_extremes",
    "check_nonnegative",
    "check_right_prediction",
    "check_intercept",
    "check_value_gradient",
]

SIZES = np.concatenate(
    [[0.0, 5e-324, 1e-45, 1e-300, 1e-30, 1.0, 1e20], np.arange(80, 110, 0.5), np.arange(700, 750, 0.1)]
)
EXTREMES = np.concatenate([SIZES, -SIZES])  # subnormal numbers, 1e20, and where exp leaves float32 and float64


@check
def check_extremes(loss):
    """For raw predictions up to +-1e20, 0 and subnormal ones: no NaN, no warning, finite unless it overflows."""
    rows = np.repeat(SOME[::3], len(EXTREMES))
    for y, raw in samples(loss):
        for dtype in (np.float64, np.float32):
            t, size = cast(y[rows], dtype), np.tile(EXTREMES, 3).astype(dtype)
            if raw.ndim == 1:
                _stays_a_number(loss, t, size)
            else:
                for direction in (np.ones_like(raw[:1]), *directions(raw[:1])):
                    _stays_a_number(loss, t, size[:, None] * direction.astype(dtype))
            if loss.response_method == "predict":
                _stays_a_number(loss, cast(y, dtype), cast(y, dtype))  # where a residual is exactly 0


def _stays_a_number(loss, y, raw):
    dtype, where = raw.dtype, {"y_true": y, "raw_prediction": raw}
    alone = np.arange(len(raw))
    try:
        found = {what: values for what, values, _ in arrays(loss, y, raw, alone % N_SETS)}
        if not loss.elementwise:
            found["value_gradient of single rows"] = value_gradient(loss, y, raw, np.ones(len(raw)), alone)[1]
    except RuntimeWarning as warning:
        if len(raw) > 1:  # which row is it?
            for half in (slice(None, len(raw) // 2), slice(len(raw) // 2, None)):
                _stays_a_number(loss, y[half], raw[half])
        require([False], f"a loss must not warn in {dtype}", [warning], "no warning", **where)
    for what, values in found.items():
        require(~np.isnan(values), f"{what} must never be NaN in {dtype}", values, "a number", **where)
    if loss.elementwise and loss.convex:
        # A convex loss lies below its tangent's rise from 0: only where that overflows may the loss be inf.
        with np.errstate(over="ignore"):
            rise = np.abs(found["gradient"].astype(np.float64) * raw).reshape(len(raw), -1).sum(axis=1)
        ok = np.isfinite(found["loss"]) | (rise >= 0.1 * np.finfo(dtype).max)
        require(ok, f"a loss is finite in {dtype} where it does not overflow", found["loss"], rise, **where)


@check
def check_nonnegative(loss):
    """A loss is nowhere below 0, as bounds of the optimum count on; a loss of sets may have no bound (psnr)."""
    if not has_least_value(loss):
        return
    for y, raw in samples(loss):
        total = value(loss, y, np.ones(N_ROWS), raw)
        require(total >= 0, "a loss must not be negative", total, ">= 0", rows=N_ROWS)
    for line in lines(loss):
        raw, values, _ = on_line(loss, line)
        ok = ~(values < -1e-12 * max(1.0, np.nanmedian(values)))
        require(ok, "a loss must not be negative", values, ">= 0", y_true=line[0], raw_prediction=raw)


@check
def check_right_prediction(loss):
    """A perfect prediction of a number costs nothing if any does; the right class costs no more than a wrong one."""
    if not loss.elementwise:
        _right_sets(loss)
    elif loss.response_method == "predict" and loss.coupled:
        for y, raw in samples(loss):
            right, other = loss.loss(y, y.copy()), loss.loss(y, raw)
            # a loss without regard to y, as of a critic, has no right prediction
            ok = (right <= other).all() or np.array_equal(loss.loss(y[::-1], raw), other)
            require(ok, "a perfect prediction must cost no more than another", right, other, y_true=y)
    elif loss.response_method == "predict":
        for line in lines(loss):
            y, start, _ = line
            values = on_line(loss, line)[1]
            got, least, typical = values[:, len(MOVES) // 2], np.nanmin(values, axis=1), np.nanmedian(values, axis=1)
            ok = (start != loss.raw(y.copy())) | (got <= 1e-9 * typical) | (least > 1e-12 * typical)
            what = "a perfect prediction must cost nothing where another does"
            require(ok, what, got, least, y_true=y, raw_prediction=start)
    else:
        for y, raw in samples(loss):
            t = np.eye(raw.shape[1])[y] if y.ndim < raw.ndim else y
            hard = ((t == 0) | (t == 1)).reshape(N_ROWS, -1).all(axis=1)
            right, wrong = (loss.loss(y[hard], sign * (2 * t[hard] - 1)) for sign in (3, -3))
            what = "the right class must cost no more than a wrong one"
            require(right <= wrong, what, right, wrong, y_true=y[hard])


def _right_sets(loss):
    """The same of sets, but for those in which rows have an order: there a label need not stand in its row."""
    for y, raw in samples(loss) if not loss.needs_sets else ():
        right = y
        if loss.response_method != "predict":
            y = np.round(y).astype(int) if raw.ndim == 1 else y.argmax(axis=1) if y.ndim == 2 else y
            right = 6.0 * (y if raw.ndim == 1 else np.eye(raw.shape[1])[y]) - 3
        got, other = (value(loss, y, np.ones(N_ROWS), f) for f in (right, raw))
        require(got <= other, "the right prediction must cost no more than another", got, other, rows=N_ROWS)


# ------------------------------------------------------------------------------------------- sums over many rows
@check
def check_intercept(loss):
    """fit_intercept_only attains the minimum value of the weighted loss of a constant; of a map, it beats the mean."""
    rng = np.random.default_rng(8)
    for y, raw in samples(loss):
        for values in (np.ones(N_ROWS), rng.uniform(0.1, 1.0, N_ROWS), rng.integers(0, 2, N_ROWS) + 1e-3):
            weight = as_weights(loss, values)
            constant = intercept(loss, y, weight, raw)
            shape, expected = np.shape(constant), raw.shape[1:]
            require(shape == expected, "fit_intercept_only is () or (K,)", shape, f"the shape {expected}")
            cost = partial(_cost_of_constant, loss, y, weight, raw)
            got = cost(constant)
            if loss.coupled and not (loss.convex or loss.definite):  # through a map, any of many minima will do
                mean = values @ y / values.sum() if y.ndim == 2 else np.zeros(raw.shape[1:])
                best, lowest = mean, cost(mean)
            else:
                best, lowest = _lowest(loss, cost, y, raw, constant)
            ok, where = got <= lowest + 1e-8 * max(1.0, lowest), {"constant": constant, "lower_at": best}
            require(ok, "fit_intercept_only must attain the minimum", got, lowest, **where)
    if loss.elementwise and not loss.coupled:
        (y, _), weight = samples(loss)[0], np.ones(N_ROWS)
        got = loss.fit_intercept_only(np.column_stack([y, y[::-1] ** 2]), weight)
        expected = np.array([loss.fit_intercept_only(column, weight) for column in (y, y[::-1] ** 2)])
        ok = np.shape(got) == (2,) and np.allclose(got, expected, rtol=1e-6, atol=1e-6)
        require(ok, "fit_intercept_only of two columns is that of each", got, expected)


def _cost_of_constant(loss, y, weight, like, constant):
    return value(loss, y, weight, np.zeros_like(like) + constant)


def _lowest(loss, cost, y, raw, start):
    """The best constant, and its cost, that a scan and a descent from its best place find."""
    if raw.ndim == 2:
        moves = np.array(list(product((-1.0, -0.5, 0.0, 0.5, 1.0), repeat=min(raw.shape[1], N_CLASSES))))
        around = start if loss.response_method == "predict" else np.zeros(raw.shape[1])
        scan = np.vstack([around + np.pad(moves, ((0, 0), (0, raw.shape[1] - moves.shape[1]))), start])
    else:
        special = perfect(loss, y, raw) if loss.response_method == "predict" else np.zeros(1)
        inner = np.linspace(special.min(), special.max(), 200)
        scan = np.unique(np.concatenate([MOVES[::20], start + MOVES[::20], special, inner]))
        scan = scan[within(scan, raw_interval(loss))]
    costs = np.array([cost(b) for b in scan])
    i = int(np.argmin(costs))
    if raw.ndim == 2:
        method = "BFGS" if loss.smooth else "Nelder-Mead"
        found = optimize.minimize(cost, scan[i], method=method, options={"maxiter": 100})
    else:
        low, high = scan[max(i - 1, 0)], scan[min(i + 1, len(scan) - 1)]
        options = {"xatol": 1e-9 * (high - low)}
        found = optimize.minimize_scalar(cost, bounds=(low, high), method="bounded", options=options)
    return min((scan[i], costs[i]), (found.x, found.fun), key=lambda pair: pair[1])


@check
def check_value_gradient(loss):
    """value_gradient is the weighted sum of losses and gradients; of a loss of sets, a value and its derivative."""
    rng = np.random.default_rng(9)
    for y, raw in samples(loss):
        weight = as_weights(loss, rng.uniform(0.0, 3.0, N_ROWS))
        total, gradient = value_gradient(loss, y, raw, weight)
        require(isinstance(total, float), "the value must be a float", type(total), float)
        where = {"y_true": y, "raw_prediction": raw, "weight": weight}
        if loss.elementwise:
            compare("value_gradient against the weighted sum of loss", total, weight @ loss.loss(y, raw), 1e-12)
            expected = (weight if raw.ndim == 1 else weight[:, None]) * loss.gradient(y, raw)
            compare("value_gradient against weighted gradients", gradient, expected, 1e-12, **where)
        else:
            _derivative_of_sets(loss, y, raw, weight, gradient)


def _derivative_of_sets(loss, y, raw, weight, gradient):
    """Require that the gradient is that of the value, by every column of a few rows at a time."""
    cost, firsts = partial(value, loss, y, weight), np.arange(12)
    for unit in directions(raw):
        moves = [unit * _column(np.arange(N_ROWS) % len(firsts) == first, raw) for first in firsts]
        expected, error = np.transpose([difference(cost, raw, move) for move in moves])
        got, where = np.array([(gradient * move).sum() for move in moves]), {"first_row": firsts}
        compare("value_gradient against its differences", got, expected, 1e-7, error, **where)
        known = np.mean(error <= 1e-5 * np.abs(expected).max())
        require(known >= 0.5, "most rows must have a derivative", known, ">= 0.5 of the rows")
