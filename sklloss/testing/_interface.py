"""Checks of what others rely on before any mathematics.

Parameters, names and domain; shapes and dtypes of the arrays that methods return, and those that they are given.
"""

from functools import partial

import numpy as np
from sklearn.base import clone

from ..losses._base import get_loss
from ._machinery import check, compare, label, require
from ._probes import arrays, intercept, losses, metric, through_pickle, value, value_gradient
from ._samples import N_ROWS, cast, class_counts, n_outputs, samples, takes, targets

__all__ = [  # noqa: RUF022  (in the order in which they run)
    "check_parameters",
    "check_names",
    "check_domain",
    "check_shapes",
    "check_dtypes",
    "check_inputs",
]


# -------------------------------------------------------------------------------------------- parameters and domain
@check
def check_parameters(loss):
    """Parameters are stored unchanged, and survive clone, set_params, pickle and repr."""
    params = {key: _unique(given) for key, given in loss.get_params(deep=False).items()}
    stored = type(loss)(**params).get_params(deep=False)
    for key, given in params.items():
        require(stored[key] is given, f"__init__ must store {key} as it is", stored[key], given)
    params = loss.get_params(deep=False)
    copies = {"clone": clone(loss), "set_params": clone(loss).set_params(**params), "pickle": through_pickle(loss)}
    for how, copy in copies.items():
        require(label(copy) == label(loss), f"{how} must keep the parameters", copy, loss)
        for y, raw in samples(loss):
            got, expected = (value(each, y, np.ones(N_ROWS), raw) for each in (copy, loss))
            require(got == expected, f"{how} must keep the values", got, expected)


def _unique(given):
    """A number or string that is like no other: even one that is converted to its own type is another object."""
    kind = type(given)
    return type(kind.__name__, (kind,), {})(given) if kind in (int, float, str) else given


@check
def check_names(loss):
    """The name and each alias lead to the class, and ``use`` is one line."""
    if "name" in vars(type(loss)):  # a subclass of a named loss is not filed under its name
        for key in (loss.name, *loss.aliases):
            found = type(get_loss(key))
            require(found is type(loss), "each name must lead to its class", found, type(loss), name=key)
    require(len(loss.use.splitlines()) <= 1, "use must be one line", repr(loss.use), "no line break")


@check
def check_domain(loss):
    """What lies in the domains, and ends that belong to them, is accepted; just outside, value and row are named."""
    if loss.response_method != "predict" and 2 not in class_counts(loss):
        return
    values, outside = {}, []
    for what, domain in (("y_true", loss.interval_y_true), ("y_pred", loss.interval_y_pred)):
        numbers = loss.response_method == "predict"
        values[what] = targets(domain, 4, np.random.default_rng(4)) if numbers else np.array([0.0, 1.0, 1.0, 0.0])
        if numbers and loss.coupled:
            values[what] = np.repeat(values[what][:, None], n_outputs(loss), axis=1)
        ends = (domain.low, domain.low_inclusive, -np.inf), (domain.high, domain.high_inclusive, np.inf)
        for k, (end, belongs, away) in enumerate(ends):
            if belongs:
                values[what][k] = end
            if np.isfinite(end):
                outside.append((what, np.nextafter(end, away) if belongs else end))
    cost = loss.per_sample if loss.elementwise else partial(metric, loss)
    loss.check_y_true(values["y_true"])
    rows = cost(*values.values())
    require(~np.isnan(rows), "what is in the domain must have a loss", rows, "a number", **values)
    for what, wrong in outside:
        given = values | {what: np.array([values[what][0], wrong, *values[what][2:]])}
        calls = [partial(cost, *given.values())]
        if what == "y_true":
            calls.append(partial(loss.check_y_true, given[what]))
        for message in map(_refusal, calls):
            ok = repr(float(wrong)) in message and "row 1" in message
            require(ok, f"{what} outside its domain must be refused", message, f"row 1 has {wrong}")


def _refusal(call):
    """The message of the ValueError that a call raises."""
    try:
        call()
    except ValueError as error:
        return str(error)
    return "no error"


# ----------------------------------------------------------------------------------------------------------- arrays
@check
def check_shapes(loss):
    """loss is (n,), the sum over columns; gradient and curvature are like raw_prediction; one-hot equals indices."""
    cases, rng = samples(loss), np.random.default_rng(5)
    if loss.elementwise and not loss.coupled:
        y, raw = cases[0]
        orders = [np.array([rng.permutation(N_ROWS) for _ in range(width)]).T for width in (1, 3)]
        cases += [(y[order], raw[order]) for order in orders]
    for y, raw in cases:
        for what, values, like in arrays(loss, y, raw):
            got, expected = np.shape(values), like.shape
            require(got == expected, f"the shape of {what}", got, expected, raw_prediction=raw.shape)
        if raw.ndim == 1:
            continue
        rows, where = losses(loss, y, raw), {"y_true": y, "raw_prediction": raw}
        if not loss.coupled:
            columns = list(zip(y.T, raw.T, strict=True))
            compare("loss is the sum over columns", rows, sum(loss.loss(*c) for c in columns), 1e-14, **where)
            expected = np.column_stack([loss.gradient(*c) for c in columns])
            compare("gradient is that of each column", loss.gradient(y, raw), expected, 1e-14, **where)
        elif y.ndim == 1 and takes(loss, np.eye(raw.shape[1])[y]):
            compare("one-hot equals indices", losses(loss, np.eye(raw.shape[1])[y], raw), rows, 1e-13, **where)


@check
def check_dtypes(loss):
    """float64 and float32 are kept, and float32 gives the values of float64."""
    for y, raw in samples(loss):
        for dtype in map(np.dtype, (np.float64, np.float32)):
            t, f = cast(y, dtype), raw.astype(dtype)
            for what, values, _ in arrays(loss, t, f):
                require(values.dtype == dtype, f"{what} must keep the dtype", values.dtype, dtype)
            wide = losses(loss, cast(t, np.float64), f.astype(np.float64))
            compare("float32 against float64", losses(loss, t, f), wide, 1e-4, y_true=t, raw_prediction=f)


@check
def check_inputs(loss):
    """Inputs are left untouched: no method writes to an array it is given."""
    for y, raw in samples(loss):
        given = y.copy(), raw.copy(), np.ones(N_ROWS), loss.response(raw).copy()
        for array in given:
            array.flags.writeable = False
        y, raw, weight, y_pred = given
        try:
            list(arrays(loss, y, raw))
            value_gradient(loss, y, raw, weight)
            intercept(loss, y, weight, raw)
            loss.denominator(y)
            loss.raw(y_pred)
        except ValueError as error:
            require("read-only" not in str(error), "inputs must be left untouched", error, "no write")
            raise
