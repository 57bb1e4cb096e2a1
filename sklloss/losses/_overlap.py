"""Losses of the overlap between a predicted region and a true one.

The regions of two classes are those of the positive class; of K > 2, each class has its own, one-hot, and the loss of a
set is the mean over classes.  A row whose target is a probability y counts as y rows of the class and 1 - y of another.
"""

from numbers import Real
from typing import Any

import numpy as np

from .._compat import Interval
from ..links import LOGIT, SOFTMAX
from ._base import _FAR, best_of
from ._probability import LogLoss, _both, _others, _ProbabilityLoss, _shifted
from ._sets import SetLoss, Sets, best_constant

__all__ = ["Dice", "Jaccard", "Lovasz", "Tversky"]


class _Overlap(SetLoss, _ProbabilityLoss):
    """A mean over classes of a loss of their targets y and probabilities p.

    Write ``columns(y, p, q, weight, sets)``, for y, p and q = 1 - p of shape (n, C): the loss of each class in each
    set and what it counts, both (n_sets, C), and p times its derivative by p, (n, C).
    """

    def raw(self, y_pred):
        # Not clipped: a probability of 0 is no infinite loss here, and all of a class that is not there if it is not 0.
        y_pred = np.asarray(y_pred, dtype=np.result_type(y_pred, np.float32))
        return (LOGIT if y_pred.ndim == 1 else SOFTMAX).link(y_pred)

    def per_set(self, y_true, raw_prediction, weight, sets):
        y, p, q = _columns(y_true, raw_prediction)
        values, part, b = self.columns(y, p, q, weight, sets)
        b = part[sets.index] * b
        # b - p sum(b) by softmax, with b - p b = q b for the class itself
        gradient = q * b - p * _others(b) if raw_prediction.ndim == 2 else (q * b)[:, 0]
        return (part * values).sum(axis=1), gradient

    def start(self, y_true, weight, *n_outputs, sample_set=None):
        return LogLoss().fit_intercept_only(y_true, weight, *n_outputs)

    def fit_intercept_only(self, y_true, weight, n_outputs=1, sample_set=None):
        """Best constant raw prediction: a float for n_outputs = 1 (two classes), else (n_outputs,) with mean 0.

        It may be certain of a class: as a constant, the region that is everything overlaps better than any other.
        """
        sets, K = self.sets(sample_set, len(y_true)), max(2, n_outputs)
        share, mass, y = self.share(weight, sets), sets.relative(weight), np.asarray(y_true)
        if y.ndim == 1 and np.all(y == y.astype(int)):  # one row for each class in each set, weighted by its mass
            code = sets.index * K + y.astype(int)
            mass = np.bincount(code, mass, len(sets) * K)
            seen = np.flatnonzero(mass)
            sets, y, mass = Sets(sets.labels, seen // K), (seen % K).astype(y.dtype), mass[seen]

        def objective(raw):
            each = np.tile(raw, (len(y), 1)) if n_outputs > 1 else np.full(len(y), raw)
            values, gradient = self.per_set(y, each, mass, sets)
            return share @ values, share[sets.index] @ gradient

        if n_outputs == 1:
            return best_of(lambda raw: float(objective(raw)[0]), np.linspace(-_FAR, _FAR, 257))
        of_class = mass @ y if y.ndim == 2 else np.bincount(y, mass, K)
        start = np.log(np.maximum(of_class / of_class.sum(), np.finfo(float).eps))
        found = best_constant(objective, [start, np.zeros(K)])
        return found - found.mean()


class _Ratio(_Overlap):
    """One minus gain / (gain + miss), both sums over the rows of a set.

    Write ``terms(y, p, q)``: gain and miss of each row, both >= 0, and their derivatives by p.  Gain is linear in p,
    and the second derivative of miss is the number ``bend``.
    """

    bend: Any = 0.0
    has_curvature = False  # in general: ``curvature`` is that of two classes

    _parameter_constraints = {"smoothing": [Interval(Real, 0, None, closed="left")]}

    def columns(self, y, p, q, weight, sets):
        kept, lost, whole, up, change = self._ratio(y, p, q, weight, sets)
        # The derivative by p, where each product has the sign that its row ought to have: nothing cancels.
        b = (kept[sets.index] * change - lost[sets.index] * up) * (weight[:, None] * p) / whole[sets.index]
        return lost, np.full(lost.shape, 1 / lost.shape[1]), b

    def _ratio(self, y, p, q, weight, sets):
        """The shares of gain and of miss in their sum, and that sum, (n_sets, C); the derivatives of the terms."""
        gain, miss, up, change = self.terms(y, p, q)
        gain = sets.sum(weight[:, None] * gain) + self.smoothing
        miss = sets.sum(weight[:, None] * miss)
        whole = np.where(gain + miss > 0, gain + miss, 1)  # else nothing is there, neither predicted nor true
        return gain / whole, miss / whole, whole, up, change

    def curvature(self, y_true, raw_prediction, weight, sample_set=None):
        """Second derivative of the mean over sets for two classes, of rank two for each set beside its diagonal.

        Returns
        -------
        diagonal : ndarray of shape (n,)
        U : ndarray of shape (n, 2 * n_sets)
        C : ndarray of shape (2 * n_sets, 2 * n_sets)
            The matrix is ``diag(diagonal) + U @ C @ U.T``.
        """
        sets = self.sets(sample_set, len(raw_prediction))
        share, weight = self.share(weight, sets), sets.relative(weight)
        y, p, q = _columns(y_true, np.asarray(raw_prediction, dtype=np.float64))
        kept, lost, whole, up, change = self._ratio(y, p, q, weight, sets)
        spread = weight[:, None] * p * q
        first = (kept[sets.index] * change - lost[sets.index] * up) * spread * (q - p)
        second = kept[sets.index] * self.bend * spread * p * q
        diagonal = share[sets.index] * ((first + second) / whole[sets.index])[:, 0]
        U = np.zeros((len(p), len(sets), 2))
        U[np.arange(len(p)), sets.index] = np.hstack([up, change]) * spread
        C = np.zeros((len(sets), 2, len(sets), 2))
        each = np.array([[2 * lost, lost - kept], [lost - kept, -2 * kept]])[..., 0]
        C[np.arange(len(sets)), :, np.arange(len(sets))] = np.moveaxis(each * share / whole[:, 0] ** 2, -1, 0)
        return diagonal, U.reshape(len(p), -1), C.reshape(2 * len(sets), -1)


class Dice(_Ratio):
    """Dice loss: one minus the F1 score of the probabilities.

    With p the probability of the positive class, and weighted sums over the rows of a set::

        loss = 1 - (2 * sum(y_true * p) + smoothing) / (sum(y_true) + sum(p) + smoothing)

    ``squared`` (V-Net) has sum(y_true**2) + sum(p**2) below.  Of K > 2 classes, the mean of the losses of the classes,
    a class that is not in the set included.  Empty against empty, 0 / 0 without smoothing, is 0.

    Domain: y_true in [0, 1], an index, or rows that sum to 1.  Response: predict_proba.  Unit: none.
    Facts: a loss of sets of rows, smooth, not convex, at most 1.  Without ``squared`` it is not least at p = y_true
    where y_true is neither 0 nor 1.

    Parameters
    ----------
    smoothing : float >= 0, default=1e-5
        What a set with nothing in it counts; 0 gives the textbook formula.
    squared : bool, default=False

    References
    ----------
    F. Milletari, N. Navab, S.-A. Ahmadi, "V-Net", 3DV 2016, arXiv:1606.04797.

    Examples
    --------
    >>> y, p, weight = np.array([1.0, 1.0, 0.0, 0.0]), np.array([0.75, 0.5, 0.25, 0.25]), np.ones(4)
    >>> loss = Dice(smoothing=0)
    >>> loss.set_values(y, loss.raw(p), weight).round(6)
    array([0.333333])
    """

    name = "dice"
    use = "the region as a whole, however small; an outlier has a bounded pull; no unit"
    _parameter_constraints = {**_Ratio._parameter_constraints, "squared": ["boolean"]}

    def __init__(self, smoothing=1e-5, squared=False):
        self.smoothing = smoothing
        self.squared = squared

    bend = property(lambda self: 2.0 if self.squared else 0.0)

    def terms(self, y, p, q):
        if not self.squared:
            return 2 * y * p, y * q + (1 - y) * p, 2 * y, 1 - 2 * y
        error = np.where(y == 1, q, y - p)  # without loss of digits where y is 1
        return 2 * y * p, error * error, 2 * y, -2 * error


class Tversky(_Ratio):
    """Tversky loss: a Dice loss with prices for false positives and false negatives.

    With p the probability of the positive class, and weighted sums over the rows of a set, TP = sum(y_true * p),
    FP = sum((1 - y_true) * p) and FN = sum(y_true * (1 - p))::

        loss = 1 - (TP + smoothing) / (TP + alpha * FP + beta * FN + smoothing)

    ``Tversky(0.5, 0.5, s)`` is ``Dice(2 * s)``, ``Tversky(1, 1, s)`` is ``Jaccard(s)``.  Of K > 2 classes, the mean of
    the losses of the classes, a class that is not in the set included.  0 / 0 is 0.

    Domain: y_true in [0, 1], an index, or rows that sum to 1.  Response: predict_proba.  Unit: none.
    Facts: a loss of sets of rows, smooth, not convex, at most 1.

    Parameters
    ----------
    alpha, beta : float >= 0, default=0.5
        Prices of a false positive and of a false negative; some authors have them the other way round.
    smoothing : float >= 0, default=1e-5
        What a set with nothing in it counts; 0 gives the textbook formula.

    References
    ----------
    S. S. M. Salehi, D. Erdogmus, A. Gholipour, "Tversky loss function for image segmentation using 3D fully
    convolutional deep networks", MLMI 2017, arXiv:1706.05721.

    Examples
    --------
    >>> y, p, weight = np.array([1.0, 1.0, 0.0, 0.0]), np.array([0.75, 0.5, 0.25, 0.25]), np.ones(4)
    >>> loss = Tversky(0.3, 0.7, smoothing=0)
    >>> loss.set_values(y, loss.raw(p), weight).round(6)
    array([0.350649])
    """

    name = "tversky"
    use = "the region, with a price for each kind of error; an outlier has a bounded pull; no unit"
    _parameter_constraints = {
        **_Ratio._parameter_constraints,
        "alpha": [Interval(Real, 0, None, closed="left")],
        "beta": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, alpha=0.5, beta=0.5, smoothing=1e-5):
        self.alpha = alpha
        self.beta = beta
        self.smoothing = smoothing

    def terms(self, y, p, q):
        alpha, beta = self.alpha, self.beta
        return y * p, beta * y * q + alpha * (1 - y) * p, y, alpha * (1 - y) - beta * y


class Jaccard(_Ratio):
    """Jaccard loss: one minus the intersection over the union.

    With p the probability of the positive class, and weighted sums over the rows of a set, I = sum(y_true * p) and
    U = sum(y_true) + sum(p) - I::

        loss = 1 - (I + smoothing) / (U + smoothing)

    Of K > 2 classes, the mean of the losses of the classes, a class that is not in the set included.  0 / 0 is 0.

    Domain: y_true in [0, 1], an index, or rows that sum to 1.  Response: predict_proba.  Unit: none.
    Facts: a loss of sets of rows, smooth, not convex, at most 1.

    Parameters
    ----------
    smoothing : float >= 0, default=1e-5
        What a set with nothing in it counts; 0 gives the textbook formula.

    References
    ----------
    M. A. Rahman, Y. Wang, "Optimizing Intersection-Over-Union in Deep Neural Networks for Image Segmentation",
    ISVC 2016.

    Examples
    --------
    >>> y, p, weight = np.array([1.0, 1.0, 0.0, 0.0]), np.array([0.75, 0.5, 0.25, 0.25]), np.ones(4)
    >>> loss = Jaccard(smoothing=0)
    >>> loss.set_values(y, loss.raw(p), weight).round(6)
    array([0.5])
    """

    name = "jaccard"
    aliases = ("iou",)
    use = "the region as a whole, however small; an outlier has a bounded pull; no unit"

    def __init__(self, smoothing=1e-5):
        self.smoothing = smoothing

    def terms(self, y, p, q):
        return y * p, y * q + (1 - y) * p, y, 1 - 2 * y


class Lovasz(_Overlap):
    """Lovász-softmax loss: the Jaccard loss, carried on from certain predictions to the probabilities between.

    Let e = 1 - p in the rows of the class and e = p in the others, e_1 >= e_2 >= ..., and J_i the weighted Jaccard
    loss of getting just the first i rows wrong::

        loss = sum_i e_i * (J_i - J_{i-1})

    the Lovász extension of the Jaccard loss.  Of two classes it is that of the positive one; of K > 2, the mean over
    those that the set has.  With p = 1/2 in all rows of two classes it is 1/2: where no region has a Jaccard loss below
    that, a fit may end there, as one of `Jaccard` does not.

    Domain: y_true in [0, 1], an index, or rows that sum to 1.  Response: predict_proba.  Unit: none.
    Facts: a loss of sets of rows; convex in the errors e, not in raw_prediction; a kink where two errors are equal, at
    which the gradient is the middle of those for either order.

    References
    ----------
    M. Berman, A. R. Triki, M. B. Blaschko, "The Lovász-Softmax loss", CVPR 2018, arXiv:1705.08790.

    Examples
    --------
    >>> y, p, weight = np.array([1.0, 1.0, 0.0, 0.0]), np.array([0.75, 0.5, 0.25, 0.25]), np.ones(4)
    >>> loss = Lovasz()
    >>> loss.set_values(y, loss.raw(p), weight).round(6)
    array([0.375])
    """

    name = "lovasz"
    use = "the region as a whole, however small; an outlier has a bounded pull; no unit"
    smooth = False

    def columns(self, y, p, q, weight, sets):
        each = [_lovasz(*column, weight, sets) for column in zip(y.T, p.T, q.T, strict=True)]
        values, slopes = (np.column_stack(found) for found in zip(*each, strict=True))
        there = sets.sum(weight[:, None] * y) > 0 if y.shape[1] > 1 else np.ones(values.shape)
        return values, there / np.maximum(there.sum(axis=1, keepdims=True), 1), p * slopes


def _lovasz(y, p, q, weight, sets):
    """The Lovász extension of the Jaccard loss of one class, (n_sets,), and its derivative by p, (n,)."""
    n = len(y)
    # First the rows as members of the class, then as rows of another: a target between 0 and 1 is both, in parts.
    mass, error, of_class = np.hstack([weight * y, weight * (1 - y)]), np.hstack([q, p]), np.arange(2 * n) < n
    index = np.hstack([sets.index, sets.index])
    order = np.flatnonzero(mass > 0)
    order = order[np.lexsort((-error[order], index[order]))]
    mass, error, of_class, index = mass[order], error[order], of_class[order], index[order]
    # Rows of a set with equal errors enter together.
    starts = np.flatnonzero(np.diff(index, prepend=-1) | (np.diff(error, prepend=-1.0) != 0))
    group = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(order)))
    right, wrong = (np.add.reduceat(np.where(kind, mass, 0), starts) for kind in (of_class, ~of_class))
    owner, error = index[starts], error[starts]
    whole = sets.sum(weight * y)[owner]
    found = np.maximum(whole - _before(right, owner), 0)  # of the class, with the rows before them wrong
    union = whole + _before(wrong, owner)
    # The step of 1 - found / union, if first the rows of the class get wrong and then the others, or the other way
    # round, is the same; what a row has in it is the middle of the two.  Without a class the first step is 0 to 1.
    safe = np.where(union > 0, union, 1)
    up = (1 / safe + 1 / (safe + wrong)) / 2
    down = np.where(union > 0, (found - right / 2) / safe, 1) / (union + wrong)
    values = np.bincount(owner, error * (right * up + wrong * down), len(sets))
    slope = np.zeros(2 * n)
    slope[order] = mass * np.where(of_class, -up[group], down[group])
    return values, slope[:n] + slope[n:]


def _before(values, owner):
    """Sum of the values before each in the same set; owner is sorted."""
    total = np.concatenate([[0.0], np.cumsum(values)[:-1]])
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    return total - np.repeat(total[first], np.diff(first, append=len(owner)))


def _columns(y_true, raw_prediction):
    """Targets, probabilities p, and q = 1 - p to full precision, (n, C)."""
    if raw_prediction.ndim == 1:
        p, q = _both(raw_prediction)
        return np.asarray(y_true, dtype=np.float64)[:, None], p[:, None], q[:, None]
    y = np.eye(raw_prediction.shape[1])[y_true] if y_true.ndim == 1 else y_true
    z, top, rest = _shifted(raw_prediction)
    p = np.exp(z) / (1 + rest)[:, None]
    q = 1 - p
    q[np.arange(len(z)), top] = rest / (1 + rest)  # there 1 - p would cancel
    return y, p, q
