"""Link functions: how a raw prediction, the output of the linear model, becomes what a user sees.

``raw_prediction = link.link(y_pred)`` and ``y_pred = link.inverse(raw_prediction)``.  No function here raises a
NumPy warning: where the true value overflows, the result is inf.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

__all__ = ["IDENTITY", "LOG", "LOG1P", "LOGIT", "SOFTMAX", "Domain", "Link"]


@dataclass(frozen=True)
class Domain:
    """An interval of real numbers, as data: where a target or a prediction may lie."""

    low: float = -np.inf
    high: float = np.inf
    low_inclusive: bool = False
    high_inclusive: bool = False

    def includes(self, values):
        """Boolean array: which values lie inside."""
        above = np.greater_equal(values, self.low) if self.low_inclusive else np.greater(values, self.low)
        below = np.less_equal(values, self.high) if self.high_inclusive else np.less(values, self.high)
        return above & below

    @property
    def is_real_line(self):
        return self.low == -np.inf and self.high == np.inf

    def __str__(self):
        left, right = "[" if self.low_inclusive else "(", "]" if self.high_inclusive else ")"
        return f"{left}{self.low:g}, {self.high:g}{right}"


class Link:
    """The identity; the base of the other links."""

    name = "identity"

    def link(self, y_pred):
        """Raw prediction of a y_pred, same shape."""
        return y_pred

    def inverse(self, raw_prediction):
        """y_pred of a raw prediction, same shape."""
        return raw_prediction

    def __repr__(self):
        return self.name


class _Log(Link):
    name = "log"

    def link(self, y_pred):
        with np.errstate(divide="ignore"):  # log 0 = -inf is the true value
            return np.log(y_pred)

    def inverse(self, raw_prediction):
        with np.errstate(over="ignore"):  # exp(1e20) = inf is the true value
            return np.exp(raw_prediction)


class _Log1p(Link):
    name = "log1p"

    def link(self, y_pred):
        with np.errstate(divide="ignore"):  # log 0 = -inf is the true value
            return np.log1p(y_pred)

    def inverse(self, raw_prediction):
        with np.errstate(over="ignore"):  # expm1(1e20) = inf is the true value
            return np.expm1(raw_prediction)


class _Logit(Link):
    name = "logit"

    def link(self, y_pred):
        return special.logit(y_pred)

    def inverse(self, raw_prediction):
        return special.expit(raw_prediction)


class _Softmax(Link):
    """Multinomial logit over the last axis; the inverse is unique up to a common shift of the raw predictions."""

    name = "softmax"

    def link(self, y_pred):
        return LOG.link(y_pred)

    def inverse(self, raw_prediction):
        e = np.exp(raw_prediction - raw_prediction.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)


IDENTITY, LOG, LOG1P, LOGIT, SOFTMAX = Link(), _Log(), _Log1p(), _Logit(), _Softmax()
