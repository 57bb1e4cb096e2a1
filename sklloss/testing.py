"""A conformance suite for losses: what a loss says of itself is checked against what it computes.

``check_loss(MyLoss())`` is all there is to write in a test of a loss of one's own.  It draws a fixed sample of targets
and raw predictions of the loss's kind and runs every check; the first that fails raises an AssertionError that names
the property, the input and both numbers.
"""

import pickle
import warnings

import numpy as np
from sklearn.base import clone

from .losses._base import get_loss

__all__ = ["check_loss"]

N_ROWS, N_CLASSES = 60, 3
STEP = 1e-3  # of the fourth-order differences: error about STEP**4 by truncation and 1e-13 by rounding
FAR = (0.0, 1e-300, 1e-30, 1.0, 50.0, 800.0, 1e20)
GRID = np.linspace(-12.0, 12.0, 4801)  # raw predictions along which facts are proved


def check_loss(loss):
    """Check that a loss is what it claims to be.

    Checked are: parameters (stored, cloned, pickled), shapes and dtypes, inputs left untouched, gradient and curvature
    against differences, the facts convex, smooth and quadratic in both directions (a fact that claims too little fails
    as well), ``relu``, weights, extremes up to 1e20, the best constant prediction, and response and probability.

    Parameters
    ----------
    loss : str or Loss

    Raises
    ------
    AssertionError
        With the name of the failing property, the input and the numbers that disagree.

    Examples
    --------
    >>> from sklloss import check_loss
    >>> from sklloss.losses import Huber
    >>> check_loss(Huber(delta=2.0))
    """
    loss = get_loss(loss).check()
    for check in CHECKS:
        for case in _cases(loss):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                check(loss, *case)


# -------------------------------------------------------------------------------------------------------- samples
def _cases(loss):
    """Samples (y_true, raw_prediction) of every form the loss takes."""
    rng = np.random.default_rng(0)
    raw = rng.normal(scale=2.0, size=N_ROWS)
    if loss.response_method == "predict":
        domain = loss.interval_y_true
        y = rng.normal(scale=3.0, size=N_ROWS) if domain.low < 0 else rng.poisson(2.0, N_ROWS).astype(float)
        return [(y[domain.includes(y)], raw[domain.includes(y)])]
    K = loss.n_classes or N_CLASSES
    two = [(rng.integers(0, 2, N_ROWS).astype(float), raw)] if loss.n_classes in (None, 2) else []
    raw_k, y_k = rng.normal(scale=2.0, size=(N_ROWS, K)), rng.integers(0, K, N_ROWS)
    return [*two, (np.eye(K)[y_k], raw_k), *([(y_k, raw_k)] if loss.multiclass else [])]


def _fail(loss, what, **numbers):
    detail = ", ".join(f"{key} = {value}" for key, value in numbers.items())
    raise AssertionError(f"{loss!r}: {what}: {detail}.")


def _compare(loss, what, y, raw, got, expected, tolerance):
    """Fail at the first entry where got and expected differ by more than tolerance * max(1, abs(expected))."""
    wrong = ~(np.abs(got - expected) <= tolerance * np.maximum(1, np.abs(expected)))
    if np.any(wrong):
        i = tuple(np.argwhere(wrong)[0]) if np.ndim(wrong) else ()
        row = i[:1] or (slice(None),)
        pair = {"got": np.asarray(got)[i], "expected": np.asarray(expected)[i]}
        _fail(loss, what, y_true=y[row], raw_prediction=raw[row], **pair)


def _nudge(raw, column, h):
    moved = raw.copy()
    if raw.ndim == 1:
        moved += h
    else:
        moved[:, column] += h
    return moved


def _columns(raw):
    return range(1 if raw.ndim == 1 else raw.shape[1])


def _difference(f, raw, column):
    """Fourth-order central difference of f by one column of the raw predictions."""
    f1, b1, f2, b2 = (f(_nudge(raw, column, k * STEP)) for k in (1, -1, 2, -2))
    return (8 * (f1 - b1) - (f2 - b2)) / (12 * STEP)


def _regular(loss, y, raw, column):
    """Rows whose stencil of differences crosses no kink, of the loss or of its gradient."""

    def slope(k):
        gradient = loss.gradient(y, _nudge(raw, column, k * STEP))
        return gradient if gradient.ndim == 1 else gradient[:, column]

    g = np.array([slope(k) for k in (-2, -1, 0, 1, 2)])
    third = np.abs(np.diff(g, n=2, axis=0)).max(axis=0)
    return third <= 20 * STEP**2 * np.maximum(1, np.abs(g).max(axis=0))


# --------------------------------------------------------------------------------------------------------- checks
def _parameters(loss, y, raw):
    params = loss.get_params(deep=False)
    for key, value in params.items():
        if getattr(loss, key) is not value:
            _fail(loss, "__init__ must store its parameters unchanged", parameter=key)
    copies = {"clone": clone(loss), "pickle": pickle.loads(pickle.dumps(loss))}
    for how, copy in copies.items():
        _compare(loss, f"a {how} computes the same", y, raw, copy.loss(y, raw), loss.loss(y, raw), 0.0)


def _names(loss, y, raw):
    if "name" not in vars(type(loss)):
        return  # a subclass of a named loss is not filed under its name
    for key in (loss.name, *loss.aliases):
        if type(get_loss(key)) is not type(loss):
            _fail(loss, "each name and alias must lead to its class", name=key, found=get_loss(key))


def _shapes_and_dtypes(loss, y, raw):
    for dtype in (np.float64, np.float32):
        f = raw.astype(dtype)
        t = y.copy() if y.dtype.kind == "i" else y.astype(dtype)
        t.flags.writeable = f.flags.writeable = False
        try:
            results = {"loss": (loss.loss(t, f), (len(f),)), "gradient": (loss.gradient(t, f), f.shape)}
        except ValueError as error:
            if "read-only" not in str(error):
                raise
            _fail(loss, "inputs must be left untouched", error=error)
        if hasattr(loss, "hessian") and f.ndim == 1:
            results["hessian"] = loss.hessian(t, f), f.shape
        for what, (value, shape) in results.items():
            if np.shape(value) != shape:
                _fail(loss, f"{what} must have the shape {shape}", got=np.shape(value))
            if value.dtype != dtype:
                _fail(loss, f"{what} must keep the dtype {np.dtype(dtype)}", got=value.dtype)


def _gradient(loss, y, raw):
    for k in _columns(raw):
        rows = _regular(loss, y, raw, k)
        if rows.mean() < 0.5:
            _fail(loss, "the gradient must be regular for most rows", regular=rows.mean())
        expected = _difference(lambda f: loss.loss(y, f), raw, k)[rows]
        gradient = loss.gradient(y, raw)
        got = (gradient if gradient.ndim == 1 else gradient[:, k])[rows]
        _compare(loss, "gradient against differences of loss", y[rows], raw[rows], got, expected, 1e-7)


def _curvature(loss, y, raw):
    if not loss.has_curvature:
        return
    ones = np.ones(len(raw))
    for k in _columns(raw):
        rows = _regular(loss, y, raw, k)
        direction = _nudge(np.zeros_like(raw), k, 1.0)
        got = loss.hessian_product(y, raw, ones, direction)[rows]
        expected = _difference(lambda f: loss.gradient(y, f), raw, k)[rows]
        _compare(loss, "hessian_product against differences of gradient", y[rows], raw[rows], got, expected, 1e-7)
        if raw.ndim == 1:
            got = loss.hessian(y, raw)[rows]
            _compare(loss, "hessian against differences of gradient", y[rows], raw[rows], got, expected, 1e-7)


def _along_lines(loss, y, raw):
    """Loss and gradient of each row along GRID, moving one raw prediction: (grid, n), twice."""
    steps = GRID[:, None]
    if raw.ndim == 1:
        lines = np.broadcast_to(steps, (len(GRID), len(raw)))
        shaped = [(y, line) for line in lines]
    else:
        shaped = [(y, _nudge(raw, 0, g) - _nudge(np.zeros_like(raw), 0, 1.0) * raw[:, :1]) for g in GRID]
    values = np.array([loss.loss(*pair) for pair in shaped])
    slopes = np.array([loss.gradient(*pair) for pair in shaped])
    return values, slopes if slopes.ndim == 2 else slopes[:, :, 0]


def _convex(loss, y, raw):
    values, slopes = _along_lines(loss, y, raw)
    bend = np.diff(slopes, axis=0)
    rounding = 1e-10 * np.maximum(1, np.abs(slopes).max(axis=0))
    chord = values[:-2] + values[2:] - 2 * values[1:-1]
    below = (chord < -1e-9 * np.maximum(1, np.abs(values[1:-1]))).any() or (bend < -rounding).any()
    if bool(loss.convex) == below:
        _fail(loss, "convex must tell whether slopes never fall", convex=loss.convex, least_bend=bend.min())


def _smooth(loss, y, raw):
    _, slopes = _along_lines(loss, y, raw)
    jump = np.abs(np.diff(slopes, axis=0))
    row = int(np.argmax(jump.max(axis=0)))
    at = int(np.argmax(jump[:, row]))
    low, high = GRID[at], GRID[at + 1]

    def slope(t):
        moved = raw[[row]].copy()
        moved[(0,) if raw.ndim == 1 else (0, 0)] = t
        return loss.gradient(y[[row]], moved).ravel()[0]

    for _ in range(40):  # halve the interval around the steepest change: a jump stays, a steep slope goes
        middle = (low + high) / 2
        left, right = abs(slope(middle) - slope(low)), abs(slope(high) - slope(middle))
        low, high = (low, middle) if left >= right else (middle, high)
    left_over = abs(slope(high) - slope(low))
    if bool(loss.smooth) == (left_over > 1e-4 * max(1, abs(slope(low)))):
        _fail(loss, "smooth must tell whether the gradient is continuous", smooth=loss.smooth, near=low, jump=left_over)


def _quadratic(loss, y, raw):
    if not hasattr(loss, "hessian") or raw.ndim == 2:
        return
    seen = np.array([loss.hessian(y, np.full_like(raw, g)) for g in GRID[::50]])
    constant = bool(np.ptp(seen) == 0) and bool(seen.flat[0] > 0)
    if bool(loss.quadratic) != constant:
        spread = np.ptp(seen)
        _fail(loss, "quadratic must tell whether the curvature is constant", quadratic=loss.quadratic, spread=spread)


def _relu(loss, y, raw):
    if loss.relu is None or (raw.ndim == 2 and loss.multiclass):
        return  # kinks of a multiclass loss are not those of a margin
    offset, slope = loss.argument(y)
    t = offset + slope * raw
    expected = loss.row_weight(y) * sum(np.maximum(0, c * t + o) for c, o in loss.relu)
    expected = expected if raw.ndim == 1 else expected.sum(axis=1)
    _compare(loss, "loss against the sum of relu", y, raw, loss.loss(y, raw), expected, 1e-14)


def _weights(loss, y, raw):
    weight = np.random.default_rng(1).integers(0, 4, len(raw)).astype(float)
    value, gradient = loss.value_gradient(y, raw, weight)
    rows = loss.loss(y, raw)
    _compare(loss, "value_gradient against the weighted sum of loss", y, raw, np.array(value), weight @ rows, 1e-12)
    weighted = (weight if raw.ndim == 1 else weight[:, None]) * loss.gradient(y, raw)
    _compare(loss, "value_gradient against weighted gradients", y, raw, gradient, weighted, 1e-12)
    copies = np.repeat(np.arange(len(raw)), weight.astype(int))
    repeated = loss.value_gradient(y[copies], raw[copies], np.ones(len(copies)))[0]
    _compare(loss, "a weight of k against k copies", y, raw, np.array(value), repeated, 1e-12)


def _extremes(loss, y, raw):
    for dtype in (np.float64, np.float32):
        t = y if y.dtype.kind == "i" else y.astype(dtype)
        far = [np.full_like(raw, sign * size, dtype=dtype) for size in FAR for sign in (-1, 1)]
        if raw.ndim == 2:
            far = [f * np.eye(raw.shape[1], dtype=dtype)[0] for f in far]
        if t.shape == raw.shape:
            far.append(t.copy())  # a perfect prediction, where a residual is exactly 0
        for f in far:
            value, gradient = loss.loss(t, f), loss.gradient(t, f)
            found = {"loss": value, "gradient": gradient}
            if loss.has_curvature:
                found["hessian_product"] = loss.hessian_product(t, f, np.ones(len(f), dtype), np.ones_like(f))
            for what, values in found.items():
                if np.isnan(values).any():
                    _fail(loss, f"{what} must never be NaN", raw_prediction=f[0], dtype=np.dtype(dtype))
            # A convex loss lies below its tangent's rise from 0: only where that overflows may the loss be inf.
            size = np.abs(gradient.astype(np.float64) * f).reshape(len(f), -1).sum(axis=1)
            if loss.convex and np.any(np.isinf(value) & (size < 0.1 * np.finfo(dtype).max)):
                _fail(loss, "loss must be finite where it does not overflow", raw_prediction=f[0], got=np.inf)


def _best_constant(loss, y, raw):
    weight = np.random.default_rng(2).uniform(0.1, 1.0, len(y))
    if loss.multiclass:
        constant = loss.fit_intercept_only(y, weight, raw.shape[1] if raw.ndim == 2 else 1)
    else:
        constant = loss.fit_intercept_only(y, weight)
    if np.shape(constant) != raw.shape[1:]:
        _fail(loss, f"fit_intercept_only must have the shape {raw.shape[1:]}", got=np.shape(constant))

    def value(moved):
        return float(weight @ loss.loss(y, np.zeros_like(raw) + moved))

    best = value(constant)
    for h in (1e-6, 1e-3, 0.1, 1.0):
        for k in _columns(raw):
            for sign in (-1, 1):
                moved = np.array(constant, dtype=float)
                moved[(k,) if raw.ndim == 2 else ()] += sign * h
                lower = value(moved)
                if lower < best - 1e-9 * max(1.0, abs(best)):
                    _fail(loss, "fit_intercept_only must attain the minimum", at=constant, value=best, lower=lower)


def _response(loss, y, raw):
    response = loss.response(raw)
    if loss.response_method != "predict" and raw.ndim == 2 and not loss.multiclass:
        return
    back = loss.raw(response)
    shift = (raw - back).mean(axis=1, keepdims=True) if raw.ndim == 2 else 0.0
    _compare(loss, "raw must invert response", y, raw, back + shift, raw, 1e-9)
    if loss.probabilistic:
        p = loss.probability(raw)
        if p.min() < 0 or p.max() > 1 or (p.ndim == 2 and np.abs(p.sum(axis=1) - 1).max() > 1e-12):
            _fail(loss, "probabilities must lie in [0, 1] and sum to 1", least=p.min(), largest=p.max())


CHECKS = (
    _shapes_and_dtypes,
    _parameters,
    _names,
    _gradient,
    _curvature,
    _convex,
    _smooth,
    _quadratic,
    _relu,
    _weights,
    _extremes,
    _best_constant,
    _response,
)
