"""A plain function as a loss: its derivative by differences, its kinks read off its values.

A function of ``(y_true, raw_prediction)`` says nothing of itself.  Its gradient is a central difference of fourth
order; what makes it fast and exact to fit, its kinks, is found by `read_kinks` row by row, from values alone, and
checked against values at other points.
"""

import pickle
import sys
from functools import partial
from inspect import signature
from typing import Any

import numpy as np

from .._compat import StrOptions
from ._base import Loss, best_of, root
from ._margin import MarginLoss
from ._reading import difference, quiet, read_kinks

__all__ = ["FunctionLoss"]

CLOSE = 1e-5  # the residual counts as at least this part of the prediction: below, rounding is larger


class FunctionLoss(Loss):
    """A plain function as a loss.

    ::

        loss = function(y_true, raw_prediction)

    Wherever a loss is taken, a function may stand: ``LossRegressor(function)``, ``loss_scorer(function)``.  It gets
    two float arrays of shape (n,) and returns the loss of each sample, (n,); several outputs, or one-vs-rest columns,
    are handed over one by one and added up.  In `LossClassifier` it gets y in {0, 1} and the decision value.

    The derivative is taken by central differences of fourth order, 8 evaluations, and is good to 1e-7 where there is
    one.  For a fit the function is read off along each row: where it is convex and piecewise linear its kinks are
    found and the fit is exact; a kink in a curved function is split off; without a kink it is fitted as a smooth
    loss.  A function that is none of these is fitted by a path of smoother and smoother averages, without a gap.

    Domain: y_true real, {0, 1} for decision_function.  Link: identity.  Unit: that of what the function returns.
    Facts: those that are given; None is unknown and counts as False.

    Parameters
    ----------
    function : callable
        From a module or a class, not a lambda, where the loss is pickled.
    gradient : callable, default=None
        The derivative of function by raw_prediction, of the same signature; checked against differences in a fit.
    convex, smooth : bool or None, default=None
    response_method : {"predict", "decision_function"}, default="predict"
        A loss of values or of decision values.

    Examples
    --------
    >>> def over_forecast_costs_three(y_true, raw_prediction):
    ...     r = y_true - raw_prediction
    ...     return np.where(r < 0, -3 * r, r)
    >>> loss = FunctionLoss(over_forecast_costs_three)
    >>> loss.loss(np.array([3.0, 1.0]), np.array([1.0, 2.0]))
    array([2., 3.])
    >>> loss.gradient(np.array([3.0, 1.0]), np.array([1.0, 2.0])).round(9)
    array([-1.,  3.])
    """

    use = "whatever its author had in mind"
    definite = False
    _parameter_constraints = {
        "function": [callable],
        "gradient": [callable, None],
        "convex": ["boolean", None],
        "smooth": ["boolean", None],
        "response_method": [StrOptions({"predict", "decision_function"})],
    }

    def __init__(self, function, *, gradient=None, convex=None, smooth=None, response_method="predict"):
        self.function = function
        self.gradient = gradient
        self.convex = convex
        self.smooth = smooth
        self.response_method = response_method

    # ``gradient`` is a parameter by its name here and a method by its name everywhere: what is set is the user's
    # function, what is read is the derivative, and get_params gives back what was set.
    @property
    def gradient(self):
        return self._slope

    @gradient.setter
    def gradient(self, function):
        self._gradient = function

    def get_params(self, deep=True):
        return super().get_params(deep) | {"gradient": self._gradient}

    def __getstate__(self):
        # pickle takes a function by its name; cloudpickle, by which parallel searches work, takes any.
        for function in (self.function, self._gradient):
            if function is not None and not _importable(function) and not _copied_by({"cloudpickle", "copy", "dill"}):
                raise pickle.PicklingError(
                    f"{function!r} can't be pickled, as it can't be imported by its name: define it with def at the "
                    "top level of a module (and import it from there) instead of a lambda or a function in a function."
                )
        return super().__getstate__()

    def check(self):
        super().check()
        for function in (self.function, self._gradient):
            if function is not None and not _takes_two(function):
                raise ValueError(
                    f"{function!r} must take two arguments, (y_true, raw_prediction), and return the loss of each "
                    f"sample; it takes {signature(function)}."
                )
        return self

    @property
    def label(self):
        return getattr(self.function, "__name__", type(self).__name__)

    @property
    def interval_y_true(self):
        return Loss.interval_y_true if self.response_method == "predict" else MarginLoss.interval_y_true

    # ---------------------------------------------------------------- mathematics
    def _values(self, y_true, raw_prediction, function=None):
        """The function of 1-d arrays, checked; float64."""
        function = self.function if function is None else function
        y_true, raw_prediction = _read_only(y_true), _read_only(raw_prediction)
        with np.errstate(all="ignore"):  # what overflows in a function of the user's is inf, and NaN is refused below
            values = function(y_true, raw_prediction)
        name, shape = getattr(function, "__name__", function), raw_prediction.shape
        expected = f"{name} must return the loss of each sample, an array of shape {shape}"
        if np.ndim(values) == 0:
            raise ValueError(
                f"{expected}; it returned one number, {values!r}. A metric that averages over samples can't be fitted: "
                "write the function without the mean, or use the loss of its name in sklloss.list_losses()."
            )
        values = np.asarray(values)
        if values.shape != raw_prediction.shape or values.dtype.kind not in "fiub":
            raise ValueError(f"{expected}; it returned shape {values.shape} and dtype {values.dtype}.")
        values = values.astype(np.float64, copy=False)
        if np.isnan(values).any():
            rows = np.flatnonzero(np.isnan(values))
            row = rows[0]
            raise ValueError(
                f"{expected} that holds no NaN; it is NaN for {len(rows)} of {len(values)} samples, the first with "
                f"y_true = {y_true[row]}, raw_prediction = {raw_prediction[row]} (row {row}). Where it is not defined "
                "it must be inf."
            )
        return values

    def _columns(self, method, y_true, raw_prediction):
        """A method of 1-d float64 arrays, for each column; like raw_prediction."""
        y, f = np.asarray(y_true, dtype=np.float64), np.asarray(raw_prediction, dtype=np.float64)
        if f.ndim == 1:
            values = method(y, f)
        else:
            columns = zip(y.T, f.T, strict=True)
            values = np.column_stack([method(np.ascontiguousarray(t), np.ascontiguousarray(g)) for t, g in columns])
        with np.errstate(over="ignore"):  # beyond float32, inf is the true value
            return values.astype(raw_prediction.dtype)

    def loss(self, y_true, raw_prediction):
        values = self._columns(self._values, y_true, raw_prediction)
        return values if values.ndim == 1 else values.sum(axis=1)

    def _slope(self, y_true, raw_prediction):
        """The gradient: as given, or by differences."""
        method = self._differences if self._gradient is None else partial(self._values, function=self._gradient)
        return self._columns(method, y_true, raw_prediction)

    def _differences(self, y_true, raw_prediction):
        return difference(partial(self._values, y_true), raw_prediction, self._unit(y_true, raw_prediction))

    def _unit(self, y_true, raw_prediction):
        """The length on which the function changes, (n,)."""
        size = np.maximum(np.abs(y_true), np.abs(raw_prediction))
        if self.response_method != "predict":
            return np.maximum(1.0, size)
        unit = np.maximum(np.abs(y_true - raw_prediction), CLOSE * size)
        return np.where(unit > 1e-290, unit, 1.0)

    def fit_intercept_only(self, y_true, weight):
        if y_true.ndim == 2:
            return np.array([self.fit_intercept_only(column, weight) for column in y_true.T])
        low, high = self._range(y_true)
        if self.convex:
            return root(lambda b: float(weight @ self.gradient(y_true, np.full_like(y_true, b))), low, high)
        grid = np.concatenate([y_true, np.linspace(low, high, 65)])
        return best_of(lambda b: float(weight @ self.loss(y_true, np.full_like(y_true, b))), grid)

    def _range(self, y_true, width=0.0):
        """Where raw predictions are to be expected, and `width` times its length on either side."""
        low, high = (float(y_true.min()), float(y_true.max())) if self.response_method == "predict" else (-8.0, 8.0)
        length = (high - low) or abs(low) or 1.0
        return low - width * length, high + width * length

    # ---------------------------------------------------------------------- facts
    def kinks(self, y_true):
        """The kinks as read off the function; J = 0 where it is smooth, None where it is not of a kind that is known.

        Shapes (J, n), of 1-d y_true or of the ravelled outputs.
        """
        if self.smooth:
            return None
        y = np.asarray(y_true, dtype=np.float64).ravel()
        low, high = self._range(y, 1.0)
        return read_kinks(partial(quiet, self.function), y, low, high, margin=self.response_method != "predict")

    def check_y_true(self, y_true, fit=False):
        self.check()
        if self.response_method != "predict":
            MarginLoss.check_y_true(self, y_true)
        if fit and y_true.ndim == 1:
            self._check_rows(np.asarray(y_true, dtype=np.float64))

    def _check_rows(self, y_true):
        """Raise where the loss of a row depends on others, and where a given gradient is not the derivative."""
        rows = np.linspace(0, len(y_true) - 1, min(len(y_true), 100)).astype(int)
        low, high = self._range(y_true)
        raw = low + (high - low) * np.modf(np.arange(1, len(rows) + 1) * 0.6180339887498949)[0]
        y = y_true[rows]
        together = self._values(y, raw)
        half = slice(0, (len(rows) + 1) // 2)
        alone = self._values(y[half], raw[half])
        differs = ~np.isclose(alone, together[half], rtol=1e-9, atol=0, equal_nan=True)
        if differs.any():
            i = int(np.argmax(differs))
            raise ValueError(
                f"{self.label} must return the loss of each sample by itself; with y_true = {y[i]}, raw_prediction = "
                f"{raw[i]} it returns {together[i]} among {len(rows)} samples, {alone[i]} among {len(alone)}."
            )
        if self._gradient is None:
            return
        given, found = self._values(y, raw, self._gradient), self._differences(y, raw)
        differs = ~(np.abs(given - found) <= 1e-5 * np.maximum(np.abs(found), np.abs(given).max() * 1e-3))
        if differs.any():
            i = int(np.argmax(differs))
            raise ValueError(
                f"The gradient given with {self.label} is not its derivative by raw_prediction: for y_true = {y[i]}, "
                f"raw_prediction = {raw[i]} it is {given[i]}, differences of {self.label} give {found[i]} (it differs "
                f"for {int(differs.sum())} of {len(rows)} samples). Mend it, or leave it out."
            )


def _read_only(array):
    view = array.view()
    view.flags.writeable = False
    return view


def _takes_two(function):
    """Whether a function can be called with two arguments; one that does not say so is tried."""
    try:
        signature(function).bind(None, None)
    except TypeError:
        return False
    except ValueError:  # it has no signature, as some that are not written in Python
        return True
    return True


def _importable(function):
    """Whether a function is found by its module and its qualified name."""
    if not hasattr(function, "__qualname__") or getattr(function, "__self__", None) is not None:
        return True  # an object, or a method of one, pickles by what it holds
    found: Any = sys.modules.get(function.__module__)
    for name in function.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is function


def _copied_by(modules):
    """Whether a function of these top-level modules, or of their vendored copies, is on the call stack."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        if modules & set(frame.f_globals.get("__name__", "").split(".")):
            return True
        frame = frame.f_back
    return False
