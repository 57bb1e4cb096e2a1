"""Weighted sums, as losses and penalties have them: how they are written, and their parts as parameters."""

import itertools
import re
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator

__all__ = ["Addend", "WeightedSum", "distinct"]


def distinct(labels):
    """Labels of which the second of a name is called name_2, and so on; a label that is taken is passed over."""
    found: list[str] = []
    for label in labels:
        names = itertools.chain([label], (f"{label}_{k}" for k in itertools.count(2)))
        found.append(next(name for name in names if name not in found))
    return found


class Addend(BaseEstimator):
    """What may be added up, and multiplied by numbers: ``0.7 * a + 0.3 * b``."""

    __array_ufunc__ = None  # a NumPy number times an addend is an addend, not an array of them

    @staticmethod
    def _sum_class() -> Any:
        """The class of sums of its kind."""
        raise NotImplementedError

    def __mul__(self, weight):
        return self._total((weight, self)) if isinstance(weight, Real) else NotImplemented

    __rmul__ = __mul__

    def __add__(self, other):
        if isinstance(other, Real) and other == 0:
            return self  # sum([...]) starts at 0
        if not isinstance(other, Addend) or other._sum_class() is not self._sum_class():
            return NotImplemented
        return self._total((1.0, self), (1.0, other))

    __radd__ = __add__

    def _total(self, *terms):
        """The sum of (weight, addend) pairs, in which sums are taken apart."""
        flat = [(float(w * v), part) for w, addend in terms for v, part in addend.summands]
        return self._sum_class()([part for _, part in flat], [w for w, _ in flat])

    @property
    def summands(self):
        """(weight, addend) pairs of which it is the sum."""
        return [(1.0, self)]


class WeightedSum:
    """Before an `Addend` among the bases: a sum of a list of them, with weights, under the name `_terms`.

    ``get_params`` knows each part by its registry name, else by the name of its class, in small letters with
    underscores; a second part of a name as ``name_2``.
    """

    _terms: ClassVar[str]  # the parameter that holds the list
    _kind: ClassVar[str]  # what it is a list of
    weights: Any
    _sum_class: Any

    @property
    def summands(self):
        terms = getattr(self, self._terms)
        weights = [1.0] * len(terms) if self.weights is None else self.weights
        return [(w * v, part) for w, term in zip(weights, terms, strict=True) for v, part in term.summands]

    @property
    def parts(self):
        """What is added up, sums in the sum taken apart."""
        return [part for term in getattr(self, self._terms) for _, part in term.summands]

    def _named_parts(self):
        snake = (re.sub("(?<=[a-z])(?=[A-Z])", "_", type(part).__name__).lower() for part in self.parts)
        names = [getattr(part, "name", name) for part, name in zip(self.parts, snake, strict=True)]
        _, _, *names = distinct([self._terms, "weights", *names])  # no part hides a parameter
        return dict(zip(names, self.parts, strict=True))

    def get_params(self, deep=True):
        params = {self._terms: getattr(self, self._terms), "weights": self.weights}
        if deep and self._adds_up():
            for name, part in self._named_parts().items():
                params[name] = part
                params |= {f"{name}__{key}": value for key, value in part.get_params().items()}
        return params

    def set_params(self, **params):
        named = self._named_parts() if self._adds_up() else {}
        if named.keys() & params:
            weights = [weight for weight, _ in self.summands]
            setattr(self, self._terms, [params.pop(name, part) for name, part in named.items()])
            self.weights = params.pop("weights", weights)
        return super().set_params(**params)  # type: ignore[misc]

    def _adds_up(self):
        """Whether the list holds nothing that can't be added up."""
        terms, sum_class = getattr(self, self._terms), self._sum_class()
        listed = isinstance(terms, list | tuple)
        return listed and all(isinstance(term, Addend) and term._sum_class() is sum_class for term in terms)

    def check(self):
        """Raise a ValueError that names the first parameter out of its range; return self."""
        terms = getattr(self, self._terms)
        what = f"{self._terms}={terms!r}, weights={self.weights!r}"
        if not self._adds_up() or not terms:
            raise ValueError(f"{self._terms} must be a list of {self._kind} instances, at least one; got {what}.")
        weights = np.ones(len(terms)) if self.weights is None else np.asarray(self.weights, dtype=float)
        if weights.shape != (len(terms),) or not np.all(np.isfinite(weights) & (weights >= 0)):
            one = self._kind.rpartition(".")[2].lower()
            raise ValueError(f"weights must be {len(terms)} finite numbers >= 0, one for each {one}; got {what}.")
        for part in self.parts:
            part.check()
        return self
