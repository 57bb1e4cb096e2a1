"""Losses of sets of rows: an image, a sequence, a whole sample.

``sample_set`` of shape (n,) labels the rows; those of one label are one set, in the order of the rows, and None makes
all rows one set.  The loss of a data set is the plain mean over its sets.  ``weight`` of shape (n,) enters the sums
inside a set, where a row counts weight / (mean of the positive weights of its set): unit weights give the textbook
value, a common factor changes nothing, and a set costs the same wherever it stands.  A row of weight 0 does not count,
nor does a set of such rows.
"""

from dataclasses import dataclass
from operator import attrgetter

import numpy as np
from scipy import optimize
from sklearn.utils.metaestimators import available_if

from ._base import Loss, _column

__all__ = ["OfSets", "SetLoss", "Sets", "best_constant", "needs_sample_set"]

FEW = 16  # sets, each of which is two columns as long as X in a curvature: more cost more memory than X

# Ends the docstring of every loss of sets.
USE = """
    Notes
    -----
    ``sample_set`` of shape (n_samples,) says which rows make one set; it is not ``groups``, which tells a splitter
    what to keep together::

        LossClassifier(loss).fit(X, y, sample_set=ids)            # LossRegressor likewise
        average_loss(y, y_pred, loss=loss, sample_set=ids)
        search.fit(X, y, groups=ids, sample_set=ids)              # in a Pipeline lossclassifier__sample_set=ids

    A search hands it to fit, but to a scorer only where metadata routing is enabled and both ask for it::

        estimator.set_fit_request(sample_set=True).set_score_request(sample_set=True)
        scorer.set_score_request(sample_set=True)

    Without it a scorer takes the rows of a fold for one set; for `CTC`, which needs it, it raises.
    """


@dataclass(frozen=True, eq=False)
class Sets:
    """Which rows make one set: the labels of the sets, sorted, and for each row the index of its set."""

    labels: np.ndarray
    index: np.ndarray

    @classmethod
    def of(cls, sample_set, n_rows):
        """The sets of these labels, one set for None; `Sets` are passed through."""
        if isinstance(sample_set, cls):
            return sample_set
        if sample_set is None:
            return cls(np.zeros(1, dtype=int), np.zeros(n_rows, dtype=int))
        sample_set = np.asarray(sample_set)
        if sample_set.shape != (n_rows,):
            raise ValueError(
                f"sample_set must hold a label for each of the {n_rows} rows, an array of shape ({n_rows},); it has "
                f"shape {sample_set.shape}."
            )
        missing = (sample_set != sample_set) | (sample_set == None)  # noqa: E711  (of each row)
        if np.any(missing):
            row = int(np.argmax(missing))
            raise ValueError(f"sample_set must name the set of each row; row {row} has {sample_set.tolist()[row]!r}.")
        try:
            return cls(*np.unique(sample_set, return_inverse=True))
        except TypeError as error:  # there is no order among them
            kinds = sorted({type(label).__name__ for label in sample_set.tolist()})
            raise ValueError(f"The labels in sample_set must be of one kind; got {' and '.join(kinds)}.") from error

    def __len__(self):
        return len(self.labels)

    def name(self, i):
        """Label of set i, for a message."""
        return self.labels.tolist()[i]

    def sum(self, values):
        """Sum over the rows of each set: (n,) → (n_sets,), (n, K) → (n_sets, K)."""
        if len(self) == 1:
            return values.sum(axis=0, keepdims=True)
        if values.ndim == 1:
            return np.bincount(self.index, values, len(self))
        return np.column_stack([self.sum(column) for column in values.T])

    def only(self, kept):
        """The same sets of some of the rows."""
        return Sets(self.labels, self.index[kept])

    def first(self, values):
        """Value in the first row of each set, (n_sets, ...)."""
        found = np.zeros((len(self), *values.shape[1:]), dtype=values.dtype)
        found[self.index[::-1]] = values[::-1]  # of several assignments the last one stays
        return found

    def relative(self, weight):
        """Weight of each row over the mean of the positive weights of its set, (n,)."""
        weight = np.asarray(weight, dtype=np.float64) / np.max(weight)
        total, count = self.sum(weight), self.sum((weight > 0).astype(float))
        return weight * (count / np.where(total > 0, total, 1))[self.index]


class SetLoss(Loss):
    """A loss of sets of rows, of which no row has a loss of its own.

    A subclass writes `per_set`.  Value and gradient of the mean over sets follow, and `of_sets`, the loss of certain
    sets, which takes no ``sample_set``.

    Examples
    --------
    >>> class SquaredErrorOfTotals(SetLoss):
    ...     def per_set(self, y_true, raw_prediction, weight, sets):
    ...         over = sets.sum(weight * (raw_prediction - y_true))
    ...         return over**2, 2 * weight * over[sets.index]
    >>> y, raw, weight = np.array([1.0, 2.0, 3.0]), np.array([2.0, 1.0, 1.0]), np.ones(3)
    >>> SquaredErrorOfTotals().set_values(y, raw, weight, ["north", "north", "south"])
    array([0., 4.])
    """

    elementwise = False
    of_given_rows = True
    convex = False

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if cls.__doc__ and not cls.__name__.startswith("_"):
            cls.__doc__ += USE

    def per_set(self, y_true, raw_prediction, weight, sets):
        """Loss of each set, (n_sets,), and its derivative, like raw_prediction.

        The raw predictions are float64, the weights those that stand in the sums.  A set of weight 0 costs 0.
        """
        raise NotImplementedError(f"{type(self).__name__} must define per_set(y_true, raw_prediction, weight, sets).")

    def counts(self, weight, sets):
        """What each set counts, (n_sets,): 1, but 0 for a set of weight 0."""
        return np.where(sets.sum(weight) > 0, 1.0, 0.0)

    def share(self, weight, sets):
        """What each set counts in the mean, (n_sets,), of sum 1."""
        counts = self.counts(weight, sets)
        if not counts.any():
            raise ValueError(f"All weights are 0: there is no set for {self!r} to average over.")
        return counts / counts.sum()

    def sets(self, sample_set, n_rows):
        """The `Sets` of these labels."""
        if sample_set is None and self.needs_sets:
            raise needs_sample_set(self)
        return Sets.of(sample_set, n_rows)

    def check_sets(self, y_true, sample_set):
        """Raise a ValueError for sets of rows that can't be fitted to these targets; return the `Sets`."""
        return self.sets(sample_set, len(y_true))

    def of_sets(self, sets):
        """The loss of exactly these `Sets` of rows, which is then asked without ``sample_set``."""
        return OfSets(self, sets)

    def start(self, y_true, weight, *n_outputs, sample_set=None):
        """Where a fit starts, and what its tolerance is relative to; `fit_intercept_only`, unless it is flat there."""
        return self.fit_intercept_only(y_true, weight, *n_outputs, sample_set=sample_set)  # type: ignore[call-arg]

    def set_values(self, y_true, raw_prediction, weight, sample_set=None):
        """Loss of each set, (n_sets,), in the order of the sorted labels; 0 for a set of weight 0."""
        return self._per_set(y_true, raw_prediction, weight, sample_set)[0]

    def value_gradient(self, y_true, raw_prediction, weight, sample_set=None):
        """Mean of the loss over sets, a float, and its gradient, like raw_prediction."""
        values, gradient, share, sets = self._per_set(y_true, raw_prediction, weight, sample_set)
        # A set that doesn't count costs 0, so there is no 0 * inf.
        value = float((share * values).sum())
        with np.errstate(over="ignore"):  # beyond float32, inf is the true value
            gradient = (_column(share[sets.index], gradient) * gradient).astype(raw_prediction.dtype, copy=False)
        return value, gradient

    def _per_set(self, y_true, raw_prediction, weight, sample_set):
        sets = self.sets(sample_set, len(raw_prediction))
        share = self.share(weight, sets)
        raw_prediction = np.asarray(raw_prediction, dtype=np.float64)
        return *self.per_set(y_true, raw_prediction, sets.relative(weight), sets), share, sets

    def checked(self, y_true, y_pred):
        if np.ndim(y_pred) > 2:
            raise ValueError(
                f"y_pred has shape {np.shape(y_pred)}, but a row of {self!r} is a pixel: pass y_true.ravel(), "
                "np.moveaxis(y_pred, 1, -1).reshape(-1, n_classes), and as sample_set the image of each pixel."
            )
        return super().checked(y_true, y_pred)

    def loss(self, y_true, raw_prediction):
        raise NotImplementedError(
            f"{self!r} is a loss of sets of rows; a row has none of its own. Use average_loss or loss_scorer; of raw "
            "predictions, value_gradient or set_values."
        )

    gradient = loss


class OfSets(Loss):
    """A loss of sets of certain rows, which are always handed over together: what an objective sees.

    Parameters
    ----------
    base : SetLoss
    sets : Sets or array-like of shape (n,)
    """

    elementwise = False
    of_given_rows = True

    def __init__(self, base, sets):
        self.base = base
        self.sets = sets

    def __repr__(self):
        return repr(self.base)

    def value_gradient(self, y_true, raw_prediction, weight):
        return self.base.value_gradient(y_true, raw_prediction, weight, self.sets)

    def set_values(self, y_true, raw_prediction, weight):
        """Loss of each set, (n_sets,), in the order of the sorted labels; 0 for a set of weight 0."""
        return self.base.set_values(y_true, raw_prediction, weight, self.sets)

    @available_if(lambda self: hasattr(self.base, "curvature") and len(self.sets) <= FEW)
    def curvature(self, y_true, raw_prediction, weight):
        return self.base.curvature(y_true, raw_prediction, weight, self.sets)

    def fit_intercept_only(self, y_true, weight, *n_outputs):
        return self.base.start(y_true, weight, *n_outputs, sample_set=self.sets)

    def bind(self, classes):
        return OfSets(self.base.bind(classes), self.sets)


# Everything else is the base's.
for _name in (
    *("use", "link", "interval_y_true", "interval_y_pred", "convex", "smooth", "translates", "multiclass", "n_classes"),
    *("coupled", "n_outputs", "shift_invariant", "probabilistic", "response_method", "has_curvature"),
    *("loss", "gradient", "response", "raw", "decision", "probability", "check_y_true"),
):
    setattr(OfSets, _name, property(attrgetter(f"base.{_name}")))


def needs_sample_set(what):
    """The error of what does not take all rows for one set."""
    return ValueError(
        f"{what} needs sample_set, a label for each row that says to which sequence it belongs: pass sample_set=ids "
        "to fit or a metric, and search.fit(X, y, groups=ids, sample_set=ids) to a search (in a Pipeline "
        "lossclassifier__sample_set=ids). A scorer gets it where metadata routing is enabled, by "
        "scorer.set_score_request(sample_set=True) and estimator.set_fit_request(sample_set=True)."
    )


def best_constant(objective, starts, gtol=1e-10):
    """The best point that BFGS finds from some starts, for a function that returns its value and gradient."""
    found = [optimize.minimize(objective, start, jac=True, options={"gtol": gtol}).x for start in starts]
    return min([*starts, *found], key=lambda raw: objective(raw)[0])
