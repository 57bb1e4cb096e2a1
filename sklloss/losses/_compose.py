"""Weighted sums of losses."""

import numpy as np
from scipy import optimize
from sklearn.utils.metaestimators import available_if

from .._norms import stacked
from .._sums import WeightedSum
from ._base import Loss, best_of, best_row, root
from ._derived import SmoothedKinks, has_soft_kinks
from ._kinks import Kinks
from ._variation import Variation

__all__ = ["LossSum"]

WIDTHS = 0.1 ** np.arange(1, 7)  # of the smooth losses that stand for a sum with kinks, in units of y


class LossSum(WeightedSum, Loss):
    """A weighted sum of losses, as written by ``0.7 * LogLoss() + 0.3 * Brier()``.

    With l_k the losses::

        loss = sum_k weights[k] * l_k

    Sums in the sum are taken apart.  ``get_params`` knows each part by its registry name, a second part of a name as
    ``name_2``: in a search, ``loss__log_loss__label_smoothing`` and ``loss__weights``.

    Domain: where all parts are defined.  Link and response: those of the parts, which must agree.  Unit: theirs, times
    that of the weights.
    Facts: convex, smooth, quadratic where all parts are; what is False here may still be true of the sum.

    Parameters
    ----------
    losses : list of Loss
    weights : list of float >= 0, default=None
        None is 1 for each.

    Examples
    --------
    >>> from sklloss.losses import AbsoluteError, SquaredError
    >>> loss = 0.5 * SquaredError() + 2 * AbsoluteError()
    >>> loss.loss(np.array([3.0, 1.0]), np.array([1.0, 1.0]))
    array([6., 0.])
    >>> sorted(loss.get_params())
    ['absolute_error', 'losses', 'squared_error', 'weights']
    """

    use = "a compromise between its parts"
    definite = False
    _terms, _kind = "losses", "sklloss.losses.Loss"

    def __init__(self, losses, weights=None):
        self.losses = losses
        self.weights = weights

    def _like(self, parts):
        """The sum with other parts, of the same weights."""
        return LossSum(list(parts), [weight for weight, _ in self.summands])

    def check(self):
        super().check()
        if not any(weight for weight, _ in self.summands):
            raise ValueError(f"The weights of a sum must not all be 0; got {self!r}.")
        if len({(part.response_method, part.link, type(part).decision) for part in self.parts}) > 1:
            said = ", ".join(f"{part!r} ({part.response_method}, {part.link} link)" for part in self.parts)
            raise ValueError(f"The losses of a sum must take the same kind of prediction; got {said}.")
        return self

    @property
    def _that_shape(self):
        """The parts that decide on the shape of y: of outputs, not one of weight 0."""
        return [part for weight, part in self.summands if weight or part.response_method != "predict"]

    def _all(self, fact):
        return all(getattr(part, fact) for weight, part in self.summands if weight)

    def _all_have(self, method):
        return all(hasattr(part, method) for weight, part in self.summands if weight)

    # ---------------------------------------------------------------------- facts
    convex = property(lambda self: self._all("convex"))
    smooth = property(lambda self: self._all("smooth"))
    elementwise = property(lambda self: self._all("elementwise"))
    quadratic = property(lambda self: self._all("quadratic"))
    translates = property(lambda self: self._all("translates"))
    of_given_rows = property(lambda self: any(part.of_given_rows for part in self.parts))
    needs_sets = property(lambda self: any(part.needs_sets for part in self.parts))
    shift_invariant = property(lambda self: self._all("shift_invariant"))
    poor_score = property(lambda self: self._all("poor_score"))
    standardized = property(lambda self: any(part.standardized for part in self.parts))
    multiclass = property(lambda self: any(part.multiclass for part in self._that_shape))
    coupled = property(lambda self: any(part.coupled for part in self._that_shape))
    positive_only = property(lambda self: any(part.positive_only for part in self.parts))
    has_curvature = property(lambda self: self._all("has_curvature"))
    response_method = property(lambda self: self.parts[0].response_method)  # type: ignore[assignment]
    link = property(lambda self: self.parts[0].link)

    @property
    def probabilistic(self):
        # All parts must mean the same probability; phi'(-f) / (phi'(-f) + phi'(f)) of a sum is none of theirs.
        return self._all("probabilistic") and len({type(part).probability for part in self.parts}) == 1

    @property
    def n_classes(self):
        return next((part.n_classes for part in self.parts if part.n_classes is not None), None)

    @property
    def n_outputs(self):
        return next((part.n_outputs for part in self.parts if part.n_outputs is not None), None)

    @property
    def blank(self):
        return next((part.blank for part in self.parts if getattr(part, "blank", None) is not None), None)

    @property
    def interval_y_true(self):
        return _intersection([part.interval_y_true for part in self.parts])

    @property
    def interval_y_pred(self):
        return _intersection([part.interval_y_pred for part in self.parts])

    # ---------------------------------------------------------------- mathematics
    def _each(self, y_true, raw_prediction):
        """(weight, part, y_true in the form the part takes)."""
        rows = None
        for weight, part in self.summands:
            if weight == 0:
                continue
            if raw_prediction.ndim == 2 and y_true.ndim == 1 and not part.multiclass:
                rows = np.eye(raw_prediction.shape[1], dtype=raw_prediction.dtype)[y_true] if rows is None else rows
                yield weight, part, rows
            else:
                yield weight, part, y_true

    def loss(self, y_true, raw_prediction):
        return sum(w * part.loss(y, raw_prediction) for w, part, y in self._each(y_true, raw_prediction))

    def gradient(self, y_true, raw_prediction):
        return sum(w * part.gradient(y, raw_prediction) for w, part, y in self._each(y_true, raw_prediction))

    def value_gradient(self, y_true, raw_prediction, weight, sample_set=None):
        value, gradient = 0.0, 0.0
        for w, part, y in self._each(y_true, raw_prediction):
            v, g = part.value_gradient(y, raw_prediction, weight, **_for(part, sample_set))
            value, gradient = value + w * v, gradient + w * g
        return value, gradient

    def of_constant(self, y_true, row, weight):
        found = [(w, part.of_constant(y_true, row, weight)) for w, part in self.summands if w]
        return sum(w * value for w, (value, _) in found), sum(w * gradient for w, (_, gradient) in found)

    @available_if(lambda self: self._all_have("hessian"))
    def hessian(self, y_true, raw_prediction):
        return sum(w * part.hessian(y, raw_prediction) for w, part, y in self._each(y_true, raw_prediction))

    def hessian_product(self, y_true, raw_prediction, weight, direction):
        each = self._each(y_true, raw_prediction)
        return sum(w * part.hessian_product(y, raw_prediction, weight, direction) for w, part, y in each)

    @available_if(lambda self: self._all_have("majorizer"))
    def majorizer(self, y_true, raw_prediction):
        return sum(w * part.majorizer(y, raw_prediction) for w, part, y in self._each(y_true, raw_prediction))

    def kinks(self, y_true):
        rest, found = [], []
        for weight, part in self.summands:
            if weight == 0:
                continue
            kinks = part.kinks(y_true)
            if kinks is not None:
                found.append((weight, kinks))
            elif not part.smooth:
                return None
            if kinks is None or kinks.rest is not None:
                rest.append((weight, part if kinks is None else kinks.rest))
        if not found:
            return None
        return Kinks(
            at=np.concatenate([kinks.at for _, kinks in found]),
            low=np.concatenate([weight * kinks.low for weight, kinks in found]),
            high=np.concatenate([weight * kinks.high for weight, kinks in found]),
            constant=sum(weight * kinks.constant for weight, kinks in found),
            rest=LossSum([part for _, part in rest], [weight for weight, _ in rest]) if rest else None,
            origin=next((kinks.origin for _, kinks in found if kinks.origin), ""),
        )

    def variation(self, y_true, n_outputs):
        found = [(w, part.variation(y_true, n_outputs), part) for w, part in self.summands if w]
        if not any(variation for _, variation, _ in found):
            return None
        others = [(w, part) for w, variation, part in found if variation is None]
        rest = LossSum([part for _, part in others], [w for w, _ in others]) if others else None
        kinks = None if rest is None else rest.kinks(y_true)
        if kinks is not None:
            rest = kinks.rest
        if rest is not None and not rest.smooth:
            return None
        return Variation(stacked((w, variation.norms) for w, variation, _ in found if variation), kinks, rest)

    @available_if(lambda self: all(hasattr(part, "smoothed") or self._softens(part) for part in self.parts))
    def smoothed(self, width):
        """A smooth loss above this one, by at most ``width * excess(K)``; of K classes or outputs."""
        return self._like(
            part if part.smooth else part.smoothed(width) if hasattr(part, "smoothed") else SmoothedKinks(part, width)
            for part in self.parts
        )

    def excess(self, n_columns):
        return sum(
            weight * (part.excess(n_columns) if hasattr(part, "excess") else n_columns * len(part.relu) / 8)
            for weight, part in self.summands
            if not part.smooth
        )

    def _softens(self, part):
        """Whether a part is smooth, or its kinks are rounded off here; those of single columns are solved exactly."""
        return part.smooth or (self.coupled and has_soft_kinks(part))

    def sets(self, sample_set, n_rows):
        """The `Sets` of these labels."""
        *_, sets = (part.sets(sample_set, n_rows) for part in self.parts if not part.elementwise)
        return sets

    def check_sets(self, y_true, sample_set):
        """Raise a ValueError for sets of rows that can't be fitted to these targets; return the `Sets`."""
        *_, sets = (part.check_sets(y_true, sample_set) for part in self.parts if not part.elementwise)
        return sets

    def of_sets(self, sets):
        return self._like(part.of_sets(sets) for part in self.parts)

    def fit_intercept_only(self, y_true, weight, n_outputs=1, sample_set=None):
        if n_outputs > 1:
            return self._best_shift(y_true, weight, n_outputs, sample_set)
        if y_true.ndim == 2 and self.coupled:
            starts = [part.fit_intercept_only(y_true, weight) for w, part in self.summands if w]
            return best_row(self, y_true, weight, starts)
        if y_true.ndim == 2:
            return np.array([self.column(k).fit_intercept_only(y_true[:, k], weight) for k in range(y_true.shape[1])])
        best = [
            float(part.fit_intercept_only(y_true, weight, **_for(part, sample_set))) for w, part in self.summands if w
        ]
        low, high = min(best), max(best)  # of a convex sum, the minimum lies between those of its parts
        like = np.empty(len(y_true))
        if self.convex:
            return root(lambda b: float(weight @ self.gradient(y_true, np.full_like(like, b))), low, high)
        grid = np.linspace(low, high, 65)
        return best_of(lambda b: self.value_gradient(y_true, np.full_like(like, b), weight, sample_set)[0], grid)

    def _best_shift(self, y_true, weight, n_outputs, sample_set):
        """Best constant raw prediction of several classes, with mean 0."""
        shape, mass = (len(y_true), n_outputs), weight.sum()

        def objective(raw, loss=self):
            value, gradient = loss.value_gradient(y_true, np.broadcast_to(raw, shape).copy(), weight, sample_set)
            return value / mass, gradient.sum(axis=0) / mass

        starts = [
            part.fit_intercept_only(y, weight, *[n_outputs] * part.multiclass, **_for(part, sample_set))
            for _, part, y in self._each(y_true, np.empty(shape))
        ]
        found = min(starts, key=lambda raw: objective(raw)[0])
        if self.smooth or not hasattr(self, "smoothed"):
            found = optimize.minimize(objective, found, jac=True, options={"gtol": 1e-10}).x
        else:  # kinks would stop it; smooth losses that close in on them do not
            unit = (float(np.abs(y_true).mean()) or 1.0) if y_true.dtype.kind == "f" else 1.0
            options = {"maxiter": 200, "maxcor": 30, "ftol": 1e-14, "gtol": 1e-9 * unit}
            for width in unit * WIDTHS:
                given = {"args": (self.smoothed(width),), "method": "L-BFGS-B", "options": options}
                found = optimize.minimize(objective, found, jac=True, **given).x
        return found - found.mean() if self.shift_invariant else found

    def bind(self, classes):
        return self._like(part.bind(classes) for part in self.parts)

    def scaled(self, scale):
        return self._like(part.scaled(scale) for part in self.parts)

    def widened(self, factor):
        return self._like(part.widened(factor) for part in self.parts)

    def column(self, k):
        return self._like(part.column(k) for part in self.parts)

    def denominator(self, y_true):
        found = [part.denominator(y_true) for part in self.parts]
        first = found[0]
        for other in found[1:]:
            same = first is other if first is None or other is None else np.array_equal(first, other)
            if not same:
                raise ValueError(
                    f"The losses of {self!r} count rows differently in a mean: give all of them the same class_weight "
                    "and ignore_label, or give class_weight to the estimator and leave rows out before."
                )
        return first

    # --------------------------------------------------------------------- metric
    def response(self, raw_prediction):
        return self.parts[0].response(raw_prediction)

    def raw(self, y_pred):
        # That of rows clips what has a logarithm; overlaps of sets would do without.
        return next((part for part in self.parts if part.elementwise), self.parts[0]).raw(y_pred)

    def decision(self, raw_prediction):
        return self.parts[0].decision(raw_prediction)

    def probability(self, raw_prediction):
        return self.parts[0].probability(raw_prediction)

    def check_y_true(self, y_true, fit=False):
        for part in self.parts:
            if part.multiclass or y_true.dtype.kind not in "iu" or not self.multiclass:  # else it gets one-hot rows
                part.check_y_true(y_true, fit)


def _for(part, sample_set):
    """The argument sample_set for a part of a sum: what is bound to its sets, or knows none, takes none."""
    return {} if part.elementwise or sample_set is None else {"sample_set": sample_set}


def _intersection(domains):
    """The values that all domains include."""
    low = max(domains, key=lambda d: (d.low, not d.low_inclusive))
    high = min(domains, key=lambda d: (d.high, d.high_inclusive))
    return type(low)(low.low, high.high, low.low_inclusive, high.high_inclusive)
