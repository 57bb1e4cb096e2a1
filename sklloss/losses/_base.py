"""What a loss is: value, gradient and curvature in the raw prediction, and facts that others may rely on.

Shapes, stated once for every method.  ``raw_prediction`` is the output of the linear model: ``(n,)`` for one output
or two classes, ``(n, K)`` for K outputs, K classes or K one-vs-rest columns.  ``y_true`` is ``(n,)`` or ``(n, K)``
numbers for a regression loss; ``(n,)`` numbers in {0, 1} (or probabilities, where the loss says so) for two classes;
``(n,)`` class indices or ``(n, K)`` one-hot rows or probabilities for more.  ``weight`` is ``(n,)``.  ``loss``
returns ``(n,)``, over columns the sum; ``gradient`` and ``hessian`` return the shape of ``raw_prediction``.
"""

import difflib
from typing import Any, ClassVar

import numpy as np
from scipy import optimize
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_consistent_length

from .._compat import called_by_scikit_learn, check_parameters, check_sample_weight
from .._sums import Addend
from ..links import IDENTITY, Domain
from ._kinks import relu_kinks

__all__ = ["Loss", "MarginLoss", "ResidualLoss", "get_loss", "list_losses"]

_REGISTRY: dict[str, type["Loss"]] = {}
_FACTS = ("convex", "smooth", "elementwise", "quadratic", "standardized", "multiclass", "probabilistic")


class Loss(Addend):
    """Base class of every loss.

    A subclass with a ``name`` is filed in the registry the moment it is defined.  It writes ``loss`` and
    ``gradient``, and as much more as it can: ``hessian`` or ``hessian_product`` (then it is fitted by Newton's
    method), ``relu`` (then its kinks are solved exactly), and its facts.  For a loss of the residual or of the margin
    start from `ResidualLoss` or `MarginLoss`, where three one-line formulas are all there is to write.

    Attributes
    ----------
    name : str
        Canonical registry name; ``aliases`` are other spellings that `get_loss` understands.
    use : str
        One line: what the loss estimates, what an outlier does to it, its unit.
    link : Link
        ``y_pred = link.inverse(raw_prediction)``.
    interval_y_true, interval_y_pred : Domain
        Where targets and predictions may lie; outside, `average_loss` and ``fit`` raise a ValueError.
    convex, smooth, quadratic : bool
        Convex in ``raw_prediction``; with a continuous gradient; with a constant second derivative.
    elementwise : bool
        The loss of a set of rows is the weighted mean of the rows' losses.
    needs_sets : bool
        A loss of sets of rows that does not take all rows for one set: ``sample_set`` must be given.
    subquadratic : bool
        Of a loss of the residual: rho is a concave function of r**2, as where outliers pull less than in proportion;
        Newton's method may then fall back to reweighted least squares.
    standardized : bool
        The constants are meant for residuals of scale 1; see ``scale`` of `LossRegressor`.
    levels : tuple of float or None
        A loss of several levels, as several quantiles are: a column of the raw prediction for each, one target for all.
    translates : bool
        The same number added to y_true and raw_prediction changes nothing, so a far y may be fitted around its median.
    of_given_rows : bool
        A loss of certain rows, which must all be handed over at once.
    definite : bool
        Whether a fact that is False is known to be false; of a sum or a plain function it may only be unknown.
    multiclass : bool
        Takes ``(n, K)`` raw predictions with class indices; otherwise K classes are K one-vs-rest columns.
    coupled : bool
        The columns of a raw prediction form one problem; otherwise the loss of a row is the sum over its columns.
    n_outputs : int or None
        Of a coupled loss of numbers, how many of them its parameters are for; None for any.
    n_classes : int or None
        The number of classes that its parameters are for; None for any.
    poor_score : bool
        The minimiser may be the model of zeros, which predicts nothing.
    truncated : (Loss, float) or None
        The loss is min(base loss, cap): a loss that is neither convex nor smooth, fitted by convex steps.
    positive_only : bool
        Estimators are given positive targets in scikit-learn's own checks.
    shift_invariant : bool
        Unchanged when the K raw predictions of a row move together (softmax); their sum is then fixed at 0.
    probabilistic : bool
        `probability` turns raw predictions into class probabilities.
    relu : tuple of (slope, offset) pairs, or None
        The kinks as data: the loss is the sum of ``max(0, slope * t + offset)``, t the residual or the margin.
    response_method : str
        What a scorer asks of an estimator.  "predict" marks a regression loss.
    """

    name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    use: ClassVar[str] = ""
    # Annotated Any because a subclass may make a fact a property of its parameters.
    link: Any = IDENTITY
    interval_y_true: Any = Domain()
    interval_y_pred: Any = Domain()
    convex: Any = True
    smooth: Any = True
    elementwise: Any = True
    needs_sets: Any = False
    quadratic: Any = False
    levels: Any = None
    translates: Any = False
    of_given_rows: Any = False
    subquadratic: Any = False
    definite: Any = True
    standardized: Any = False
    multiclass: Any = False
    coupled: Any = property(lambda self: self.multiclass)
    n_outputs: Any = None
    positive_only: Any = False
    n_classes: Any = None
    poor_score: Any = False
    truncated: Any = None
    shift_invariant: Any = False
    probabilistic: Any = False
    relu: Any = None
    response_method: str = "predict"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "name" not in vars(cls):
            return
        for key in (cls.name, *cls.aliases):
            owner = _REGISTRY.get(key)
            if owner is not None and (owner.__module__, owner.__qualname__) != (cls.__module__, cls.__qualname__):
                raise ValueError(
                    f"The loss name {key!r} is taken by {owner.__module__}.{owner.__qualname__}; "
                    f"give {cls.__qualname__} another name."
                )
        for key in (cls.name, *cls.aliases):
            _REGISTRY[key] = cls

    def __getattr__(self, attribute):
        # make_scorer and repr ask a score function for its __name__; a property of that name would break cloudpickle.
        if attribute == "__name__":
            return type(self).__name__
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {attribute!r}")

    @staticmethod
    def _sum_class():
        from ._compose import LossSum

        return LossSum

    @property
    def label(self):
        """What a table or a dict of scorers calls the loss."""
        return getattr(self, "name", type(self).__name__)

    # ---------------------------------------------------------------- mathematics
    def loss(self, y_true, raw_prediction):
        """Loss of each row, (n,)."""
        raise NotImplementedError(f"{type(self).__name__} must define loss(y_true, raw_prediction).")

    def gradient(self, y_true, raw_prediction):
        """Derivative of each row's loss by its raw prediction; at a kink, a subgradient."""
        raise NotImplementedError(f"{type(self).__name__} must define gradient(y_true, raw_prediction).")

    def value_gradient(self, y_true, raw_prediction, weight):
        """Weighted sum of the rows' losses, a float, and its gradient by the raw predictions."""
        gradient = self.gradient(y_true, raw_prediction)
        return float((weight @ self.loss(y_true, raw_prediction)).sum()), _column(weight, gradient) * gradient

    def hessian_product(self, y_true, raw_prediction, weight, direction):
        """Curvature of the weighted sum of losses times a direction, row by row; like raw_prediction."""
        return _column(weight, direction) * self.hessian(y_true, raw_prediction) * direction

    # A loss that is not elementwise may define curvature(y_true, raw_prediction, weight), the Hessian by the raw
    # predictions as (diagonal, U, C): diag(diagonal) + U C U', U (n, r), C (r, r).

    # A loss of coupled columns may define hessian_pairs(y_true, raw_prediction), (n, n_pairs): what hessian_product
    # says of the pairs (k, m), k <= m, of columns, ordered by m, then k.

    # A loss may define majorizer(y_true, raw_prediction), like raw_prediction: the curvature of a parabola that
    # touches the loss at the raw prediction and lies above it; Newton's method falls back to it.

    @property
    def has_curvature(self):
        """Whether the loss defines a second derivative."""
        own = type(self).hessian_product is not Loss.hessian_product
        return own or hasattr(self, "hessian" if self.elementwise else "curvature")

    def of_constant(self, y_true, row, weight):
        """Weighted sum of the losses when each row is predicted to be the same, (n_outputs,), and its gradient."""
        value, gradient = self.value_gradient(y_true, np.broadcast_to(row, y_true.shape), weight)
        return value, gradient.sum(axis=0)

    def fit_intercept_only(self, y_true, weight):
        """Best constant raw prediction: () or (K,).  Start of a fit and null model of every skill score."""
        raise NotImplementedError(f"{type(self).__name__} must define fit_intercept_only(y_true, weight).")

    def bind(self, classes):
        """The loss for these sorted labels: parameters given by label become parameters by index."""
        if self.n_classes not in (None, len(classes)):
            raise ValueError(f"{self!r} is for {self.n_classes} classes; there are {len(classes)}, {classes.tolist()}.")
        return self

    def denominator(self, y_true):
        """What each row counts in the mean, (n,); None for ones."""
        return None

    def kinks(self, y_true):
        """The kinks of each row as data, a `Kinks`; None where there are none, or where they are not known."""
        return None

    def variation(self, y_true, n_outputs):
        """The loss of a row as norms and kinks of several raw predictions, a `Variation`; None where there are none."""
        return None

    def scaled(self, scale):
        """The loss with residuals in units of `scale`, where it is `standardized`; else the loss itself."""
        return self

    def widened(self, factor):
        """The loss with constants for residuals that much larger: a loss that is not convex then has fewer minima."""
        return self

    def per_level(self, y_true):
        """The target of each column of the raw prediction: of a loss of several levels, y_true for each of them."""
        return y_true

    def averaged(self, width):
        """The loss averaged over a window of that width around the raw prediction: smooth, whatever the loss is."""
        from ._derived import Averaged

        return Averaged(self, width)

    def separated(self, y_true):
        """Single-output losses that a coupled loss is the sum of, in other coordinates, a `Separated`; None if none."""
        return None

    def column(self, k):
        """The loss of column k of the raw prediction on its own, where columns do not form one problem."""
        return self

    # --------------------------------------------------------------------- metric
    def response(self, raw_prediction):
        """What a user sees of a raw prediction: values, probabilities or decision values."""
        return self.link.inverse(raw_prediction)

    def raw(self, y_pred):
        """Inverse of `response`."""
        return self.link.link(y_pred)

    def decision(self, raw_prediction):
        """Decision value: its sign, or the largest of K, is the predicted class."""
        return raw_prediction

    def probability(self, raw_prediction):
        """Probability of the positive class, (n,), or of each class, (n, K); only where ``probabilistic``."""
        raise AttributeError(f"{type(self).__name__} has no probability.")

    def check(self):
        """Raise a ValueError that names the first parameter out of its range; return self."""
        check_parameters(self._parameter_constraints, self.get_params(deep=False), type(self).__name__)
        return self

    def check_y_true(self, y_true, fit=False):
        """Raise a ValueError that names value, row and loss for the first target outside the domain.

        With ``fit``, also for targets that are fine in a metric but not in a fit.
        """
        _check_domain(y_true, self.interval_y_true, "y_true", self)

    def per_sample(self, y_true, y_pred):
        """Loss of each row for predictions as a user sees them, (n,); the mean over the outputs of a regression.

        Coupled outputs have no mean: there it is the loss as it is fitted.
        """
        y_true, raw = self.checked(y_true, y_pred)
        rows, averaged = self.loss(y_true, raw), self.response_method == "predict" and not self.coupled
        return rows / y_true.shape[1] if averaged and y_true.ndim == 2 else rows

    def checked(self, y_true, y_pred):
        """Targets and raw predictions of valid targets and predictions; else a ValueError."""
        self.check()
        if len(np.shape(y_pred)) > 0:
            check_consistent_length(y_true, y_pred)
        y_true, y_pred = self.per_level(np.asarray(y_true)), np.asarray(y_pred)
        if self.response_method == "predict" and y_true.shape != y_pred.shape:
            raise ValueError(f"y_true has shape {y_true.shape}, y_pred has shape {y_pred.shape}; they must be equal.")
        self.check_y_true(y_true)
        _check_domain(y_pred, self.interval_y_pred, "y_pred", self)
        return y_true, self.raw(y_pred)

    def of_sets(self, sets):
        """The loss of certain sets of rows; itself where each row has a loss of its own."""
        return self

    def __call__(self, y_true, y_pred, sample_weight=None, sample_set=None):
        """Weighted mean loss, a float: the loss as a metric, on encoded targets; of a loss of sets, the mean over sets.

        For labels of any kind, other aggregates and scorers see `average_loss` and `loss_scorer`.
        """
        if hasattr(y_true, "fit") or hasattr(y_true, "predict"):
            refusal = _NotAScorer(self)
            if called_by_scikit_learn(depth=1):
                return refusal  # an exception raised here would be turned into a score of NaN
            raise TypeError(str(refusal))
        if not self.elementwise:
            y_true, raw = self.checked(y_true, y_pred)
            weight = check_sample_weight(sample_weight, raw)
            together = self.of_sets(self.sets(sample_set, len(raw)))
            return together.value_gradient(y_true, raw, weight / weight.sum())[0]
        rows = self.per_sample(y_true, y_pred)
        return self.mean(np.asarray(y_true), rows, check_sample_weight(sample_weight, rows))

    def mean(self, y_true, rows, weight):
        """Weighted mean of the rows' losses, a float, by the loss's own denominators.

        Rows may have pixels, (n, d1, ...): a pixel has the weight of its row.
        """
        if rows.ndim > 1:
            weight = np.repeat(weight, rows[0].size)
            y_true = y_true.ravel() if y_true.shape == rows.shape else np.moveaxis(y_true, 1, -1).reshape(rows.size, -1)
            rows = rows.ravel()
        denominator = self.denominator(y_true)
        total = float(weight.sum() if denominator is None else weight @ denominator)
        if total == 0:
            raise ValueError(f"{self!r} ignores every row, or gives it weight 0: there is nothing to average.")
        return float(weight @ np.where(weight > 0, rows, 0)) / total  # a row of weight 0 may cost inf


class _NotAScorer:
    """What a loss answers to scikit-learn's searches when it stands where a scorer belongs.

    They swallow exceptions, but they unwrap what they are given by ``item()``, and there they do not.
    """

    def __init__(self, loss):
        self.loss = loss

    def __str__(self):
        return f"{self.loss!r} is a loss, not a scorer: use scoring=loss_scorer({self.loss!r})."

    __repr__ = __str__

    def item(self):
        raise TypeError(str(self))


class ResidualLoss(Loss):
    """A loss of the residual ``r = y_true - raw_prediction``.

    Write ``rho(r)``, its derivative ``psi(r)``, and ``psi_prime(r)`` where there is a curvature.  A loss with kinks
    declares ``relu`` instead, and ``rho`` and ``psi`` follow from it.

    Examples
    --------
    >>> class Cubic(ResidualLoss):
    ...     def rho(self, r):
    ...         return np.abs(r) ** 3
    ...     def psi(self, r):
    ...         return 3 * r * np.abs(r)
    ...     def psi_prime(self, r):
    ...         return 6 * np.abs(r)
    >>> Cubic().loss(np.array([3.0, 1.0]), np.array([1.0, 2.0]))
    array([8., 1.])
    >>> from sklloss import LossRegressor
    >>> model = LossRegressor(Cubic()).fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 3.0])
    """

    def rho(self, r):
        """Loss of a residual, elementwise."""
        return sum(np.maximum(0, c * r + o) for c, o in self._kinks())

    def psi(self, r):
        """Derivative of rho; at a kink the middle of the subdifferential."""
        return sum(_relu_slope(c, o, r) for c, o in self._kinks())

    def psi_prime(self, r):
        """Second derivative of rho; 0 for a piecewise linear loss."""
        self._kinks()
        return np.zeros_like(r)

    def _kinks(self):
        if self.relu is None:
            raise NotImplementedError(f"{type(self).__name__} must define rho, psi and psi_prime, or relu.")
        return self.relu

    def target(self, y_true):
        """What raw predictions are compared with: y_true, or a function of it."""
        return y_true

    def row_weight(self, y_true):
        """A factor of the loss that depends on y_true alone, like y_true; 1 by default."""
        return 1

    @property
    def translates(self):
        cls = type(self)
        return cls.target is ResidualLoss.target and cls.row_weight is ResidualLoss.row_weight

    def argument(self, y_true):
        """(offset, slope) of the residual as a function of the raw prediction: offset + slope * raw_prediction."""
        return self.target(y_true), np.full(np.shape(y_true), -1.0)

    kinks = relu_kinks

    def scaled(self, scale):
        from ._derived import Scaled

        return Scaled(self, scale) if self.standardized else self

    def widened(self, factor):
        from ._derived import Scaled

        return Scaled(self, factor)

    # Where rho or psi overflows, as r**2 does in float32 at 1e20, inf is the true value and no reason for a warning.
    def loss(self, y_true, raw_prediction):
        with np.errstate(over="ignore"):
            return _sum_columns(self.row_weight(y_true) * self.rho(self.target(y_true) - raw_prediction))

    def gradient(self, y_true, raw_prediction):
        with np.errstate(over="ignore"):
            return -self.row_weight(y_true) * self.psi(self.target(y_true) - raw_prediction)

    def hessian(self, y_true, raw_prediction):
        with np.errstate(over="ignore"):
            return self.row_weight(y_true) * self.psi_prime(self.target(y_true) - raw_prediction)

    @available_if(lambda self: self.subquadratic)
    def majorizer(self, y_true, raw_prediction):
        """Curvature of the parabola in r, centred at 0, that touches rho at r: psi(r) / r."""
        r = self.target(y_true) - raw_prediction
        tiny = np.abs(r) < np.sqrt(np.finfo(r.dtype).tiny)
        return self.row_weight(y_true) * np.where(tiny, self.psi_prime(r), self.psi(r) / np.where(tiny, 1, r))

    def fit_intercept_only(self, y_true, weight):
        if y_true.ndim == 2:
            return np.array([self.fit_intercept_only(column, weight) for column in y_true.T])
        target = self.target(y_true)
        low, high = float(target.min()), float(target.max())
        if not self.convex:
            return best_of(lambda b: float(weight @ self.loss(y_true, np.full_like(y_true, b))), target)
        return root(lambda b: float(weight @ self.gradient(y_true, np.full_like(y_true, b))), low, high)


class MarginLoss(Loss):
    """A loss of the margin ``m = (2 * y_true - 1) * raw_prediction``, y_true in {0, 1}.

    Write ``phi(m)``, its derivative ``phi_prime(m)``, and ``phi_second(m)`` where there is a curvature.  A loss with
    kinks declares ``relu`` instead, and ``phi`` and ``phi_prime`` follow from it.

    Examples
    --------
    >>> class WideHinge(MarginLoss):
    ...     smooth = False
    ...     relu = ((-1.0, 2.0),)  # max(0, 2 - m)
    >>> WideHinge().loss(np.array([1.0, 0.0]), np.array([0.5, 0.5]))
    array([1.5, 2.5])
    >>> from sklloss import LossClassifier
    >>> model = LossClassifier(WideHinge()).fit([[0.0], [1.0], [2.0]], ["no", "yes", "yes"])
    """

    response_method = "decision_function"
    interval_y_true = Domain(0.0, 1.0, True, True)

    def phi(self, m):
        """Loss of a margin, elementwise."""
        return sum(np.maximum(0, c * m + o) for c, o in self._kinks())

    def phi_prime(self, m):
        """Derivative of phi; at a kink the middle of the subdifferential."""
        return sum(_relu_slope(c, o, m) for c, o in self._kinks())

    def phi_second(self, m):
        """Second derivative of phi; 0 for a piecewise linear loss."""
        self._kinks()
        return np.zeros_like(m)

    def _kinks(self):
        if self.relu is None:
            raise NotImplementedError(f"{type(self).__name__} must define phi, phi_prime and phi_second, or relu.")
        return self.relu

    def row_weight(self, y_true):
        """A factor of the loss that depends on y_true alone, like y_true; 1 by default."""
        return 1

    def argument(self, y_true):
        """(offset, slope) of the margin as a function of the raw prediction: offset + slope * raw_prediction."""
        return np.zeros(np.shape(y_true)), 2.0 * y_true - 1.0

    kinks = relu_kinks

    def loss(self, y_true, raw_prediction):
        with np.errstate(over="ignore"):
            return _sum_columns(self.phi((2 * y_true - 1) * raw_prediction))

    def gradient(self, y_true, raw_prediction):
        sign = 2 * y_true - 1
        with np.errstate(over="ignore"):
            return sign * self.phi_prime(sign * raw_prediction)

    def hessian(self, y_true, raw_prediction):
        with np.errstate(over="ignore"):
            return self.phi_second((2 * y_true - 1) * raw_prediction)

    def check_y_true(self, y_true, fit=False):
        outside = ~np.isin(y_true, (0, 1))
        if outside.any():
            where = "in {0, 1}, as average_loss and LossClassifier make it of labels of any kind"
            refuse(y_true, outside, "y_true", where, self)

    def fit_intercept_only(self, y_true, weight):
        if y_true.ndim == 2:
            return np.array([self.fit_intercept_only(column, weight) for column in y_true.T])
        # Only two margins occur, b and -b, so the problem has two rows.
        positive = float(weight @ y_true)
        mass = np.array([positive, float(weight.sum()) - positive])
        two = np.array([1.0, 0.0])
        return root(lambda b: float(mass @ self.gradient(two, np.array([b, b]))), -_FAR, _FAR)


_FAR = 40.0  # a decision value of certainty: 1 - expit(40) is below the resolution of float64


# ------------------------------------------------------------------------------------------------------- registry
def get_loss(loss, **params):
    """Return the loss of that name, or the loss itself.

    Parameters
    ----------
    loss : str, Loss or callable
        A canonical name or an alias; a loss, which is returned as it is; or a plain function of
        ``(y_true, raw_prediction)``, which becomes a `FunctionLoss`.
    **params : dict
        Parameters of the loss; not with a loss that has them already.

    Returns
    -------
    Loss

    Raises
    ------
    ValueError
        For an unknown name, with near misses.
    TypeError
        For anything else, a class among it.

    Examples
    --------
    >>> from sklloss import get_loss
    >>> get_loss("huber", delta=2.0)
    Huber(delta=2.0)
    >>> get_loss("mae")
    AbsoluteError()
    """
    if isinstance(loss, Loss):
        if params:
            raise TypeError(f"Parameters {sorted(params)} go with a name; here use {loss!r}.set_params(...).")
        return loss
    if isinstance(loss, str):
        if loss not in _REGISTRY:
            near = difflib.get_close_matches(loss, _REGISTRY, n=3)
            hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else f"Known: {', '.join(list_losses())}."
            raise ValueError(
                f"Unknown loss {loss!r}. {hint} A loss of your own is known by name where its class has been "
                "imported; elsewhere, as in a search with n_jobs, pass an instance."
            )
        return _REGISTRY[loss](**params)
    if isinstance(loss, type) and issubclass(loss, Loss):
        raise TypeError(f"loss={loss.__name__} is a class; pass an instance, loss={loss.__name__}(...).")
    if callable(loss):
        from ._function import FunctionLoss

        return FunctionLoss(loss, **params)
    raise TypeError(f"loss must be a name, a sklloss.losses.Loss or a function, got {loss!r}; see list_losses().")


def list_losses(kind=None, **facts):
    """Return the canonical names of the registered losses, sorted.

    Parameters
    ----------
    kind : {"regression", "classification"}, default=None
        Keep only the losses of that kind.
    **facts : bool
        Keep only the losses, with default parameters, whose facts are these: ``convex``, ``smooth``, ``elementwise``,
        ``quadratic``, ``standardized``, ``multiclass``, ``probabilistic``.

    Returns
    -------
    list of str

    Examples
    --------
    >>> from sklloss import list_losses
    >>> list_losses("classification", smooth=False, convex=True)
    ['crammer_singer', 'hinge', 'perceptron']
    """
    if kind not in (None, "regression", "classification"):
        raise ValueError(f"kind must be 'regression', 'classification' or None, got {kind!r}.")
    unknown = sorted(set(facts) - set(_FACTS))
    if unknown:
        raise ValueError(f"Unknown facts {unknown}; the facts of a loss are {', '.join(_FACTS)}.")
    names = []
    for name, cls in _REGISTRY.items():
        if name != cls.name:
            continue
        loss = cls()
        is_kind = kind is None or (loss.response_method == "predict") == (kind == "regression")
        if is_kind and all(bool(getattr(loss, fact)) == value for fact, value in facts.items()):
            names.append(name)
    return sorted(names)


# -------------------------------------------------------------------------------------------------------- helpers
def encode_classes(index, n_classes, loss):
    """Class indices (n,) in the form a loss takes: 0.0 / 1.0 for two classes, else indices or one-hot rows."""
    if n_classes == 2:
        return index.astype(np.float64)
    return index if loss.multiclass else np.eye(n_classes)[index]


def _column(weight, like):
    """Weights (n,) in a shape that multiplies the rows of `like`."""
    return weight if like.ndim == 1 else weight.reshape(-1, *[1] * (like.ndim - 1))


def _sum_columns(values):
    """(n, K) → (n,), the sum over columns; (n,) as it is."""
    return values if values.ndim == 1 else values.sum(axis=1)


def _relu_slope(c, o, t):
    """Derivative of max(0, c*t + o), half its slope at the kink."""
    return c * np.heaviside(c * t + o, 0.5)


def root(slope, low, high):
    """Where a non-decreasing function of one variable changes sign in [low, high]; an end where it does not."""
    if slope(low) >= 0:
        return low
    if slope(high) <= 0:
        return high
    return optimize.brentq(slope, low, high, xtol=4 * np.finfo(float).eps * max(abs(low), abs(high)), rtol=1e-15)


def best_of(value, candidates):
    """A minimiser of a function of one variable with several minima: the best of a grid, its valleys refined."""
    grid = np.unique(np.quantile(candidates, np.linspace(0, 1, 257)))
    values = np.array([value(b) for b in grid])
    best = float(grid[values.argmin()])
    for i in valleys(values)[:8]:
        low, high = grid[max(i - 1, 0)], grid[min(i + 1, len(grid) - 1)]
        options = {"xatol": 1e-10 * (high - low)}
        found = optimize.minimize_scalar(value, bounds=(low, high), method="bounded", options=options)
        best = min(best, float(found.x), key=value)
    return best


def valleys(values):
    """Indices of the values along a grid that are no larger than their neighbours, the smallest value first."""
    walls = np.concatenate([[np.inf], values, [np.inf]])
    found = np.flatnonzero((values <= walls[:-2]) & (values <= walls[2:]))
    return found[np.argsort(values[found])]


def best_row(loss, y_true, weight, starts):
    """The best constant row that L-BFGS-B finds from the best of some starts, (n_outputs,).

    Of a loss that is not convex it is a yardstick, for which a local minimum is as good as another.
    """
    max_iter, share = 500 if loss.convex else 50, weight / weight.sum()

    def objective(row):
        return loss.of_constant(y_true, row, share)

    start = min(starts, key=lambda point: objective(point)[0])
    options = {"maxiter": max_iter, "maxfun": 2 * max_iter, "ftol": 0.0, "gtol": 1e-9}
    found = optimize.minimize(objective, start, jac=True, method="L-BFGS-B", options=options).x
    return min((start, found), key=lambda point: objective(point)[0])


def _check_domain(values, domain, what, loss):
    if domain.is_real_line:
        return
    outside = ~domain.includes(values)
    if outside.any():
        refuse(values, outside, what, f"in {domain}", loss)


def refuse(values, outside, what, where, loss):
    """Raise a ValueError that names the first value outside, its row and the loss."""
    index = tuple(int(i) for i in np.argwhere(outside)[0])
    raise ValueError(f"{what} must be {where} for {loss!r}; row {index[0]} has {np.asarray(values)[index].item()!r}.")
