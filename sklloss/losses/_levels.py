"""Losses of a level, as a quantile is, or of several levels at once: a column of the raw prediction for each."""

from numbers import Real
from typing import Any, ClassVar

import numpy as np

from .._compat import Interval
from ._base import ResidualLoss

__all__ = ["LEVELS", "LevelLoss"]

LEVELS: list[Any] = [Interval(Real, 0, 1, closed="neither"), "array-like"]  # what the parameter may be


class LevelLoss(ResidualLoss):
    """A loss of the residual with a parameter that is a level in (0, 1), or several that increase.

    With several levels the columns of the raw prediction are those of the levels, and so is `column`.
    """

    level_parameter: ClassVar[str]

    @property
    def levels(self):
        level = getattr(self, self.level_parameter)
        return None if np.ndim(level) == 0 else tuple(float(value) for value in level)

    @property
    def _level(self):
        """The level, or the levels of the columns as an array."""
        level = getattr(self, self.level_parameter)
        return level if np.ndim(level) == 0 else np.asarray(level, dtype=float)

    def column(self, k):
        return self if self.levels is None else type(self)(self.levels[k])

    def per_level(self, y_true):
        if self.levels is None or np.ndim(y_true) != 1:
            return y_true
        return np.broadcast_to(y_true[:, None], (len(y_true), len(self.levels)))

    def check(self):
        super().check()
        level = getattr(self, self.level_parameter)
        if np.ndim(level) == 0:
            return self
        try:
            values = np.asarray(level, dtype=float)
        except (TypeError, ValueError):
            values = np.zeros(0)
        valid = values.ndim == 1 and len(values) > 1 and values.min() > 0 and values.max() < 1
        if not valid or np.any(np.diff(values) <= 0):
            raise ValueError(
                f"The {self.level_parameter!r} parameter of {type(self).__name__} must be a float in (0, 1), or two or "
                f"more of them that increase; got {level!r}."
            )
        return self

    def fit_intercept_only(self, y_true, weight):
        if self.levels is None:
            return super().fit_intercept_only(y_true, weight)
        y_true = self.per_level(y_true)
        return np.array([self.column(k).fit_intercept_only(y, weight) for k, y in enumerate(y_true.T)])
