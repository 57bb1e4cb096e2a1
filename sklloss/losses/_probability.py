"""Losses of class probabilities, on the logit or softmax link."""

from numbers import Real

import numpy as np
from scipy import optimize

from .._compat import Interval
from ..links import LOGIT, SOFTMAX, Domain
from ._base import Loss
from ._stable import SERIES_0

__all__ = ["Brier", "Focal", "LogLoss", "Poly1"]


class _ProbabilityLoss(Loss):
    """A loss of probabilities: two classes by the logistic function, K by softmax; y_true indices or probabilities."""

    link = LOGIT
    interval_y_true = Domain(0.0, 1.0, True, True)
    interval_y_pred = Domain(0.0, 1.0, True, True)
    multiclass = True
    shift_invariant = True  # of K > 2 raw predictions
    probabilistic = True
    response_method = "predict_proba"

    def response(self, raw_prediction):
        return (LOGIT if raw_prediction.ndim == 1 else SOFTMAX).inverse(raw_prediction)

    def raw(self, y_pred):
        y_pred = np.asarray(y_pred, dtype=np.result_type(y_pred, np.float32))
        tiny = np.finfo(y_pred.dtype).eps
        return (LOGIT if y_pred.ndim == 1 else SOFTMAX).link(np.clip(y_pred, tiny, 1 - tiny))

    def probability(self, raw_prediction):
        return self.response(raw_prediction)

    def check_y_true(self, y_true, fit=False):
        if y_true.dtype.kind in "iu":
            return  # indices are the estimator's or average_loss's own work
        super().check_y_true(y_true)
        off = np.abs(y_true.sum(axis=1) - 1) if y_true.ndim > 1 else np.zeros(1)
        if off.max() > 1e-6:
            row = np.unravel_index(int(off.argmax()), off.shape)[0]
            raise ValueError(f"Rows of probabilities must sum to 1; row {row} of y_true is off by {off.max():.3g}.")


class LogLoss(_ProbabilityLoss):
    """Log loss (cross-entropy): its minimiser is the conditional probability of each class.

    With p = 1 / (1 + exp(-raw_prediction)) for two classes, softmax(raw_prediction) for more::

        loss = -y_true * log(p) - (1 - y_true) * log(1 - p)      two classes
               -log(p[y_true])                                   K classes, y_true an index
               -sum_k y_true[k] * log(p[k])                      K classes, y_true probabilities

    With ``label_smoothing`` each target, one-hot or probabilities, becomes (1 - label_smoothing) * y +
    label_smoothing / K; with ``class_weight`` the term of class k is multiplied by its weight; a row whose label is
    ``ignore_label`` has loss 0.  The mean over rows divides by the weights of the labels, 0 for an ignored row; for
    targets that are probabilities, by the number of rows.  This is PyTorch's ``CrossEntropyLoss`` to the letter:
    ``loss`` is its reduction "none", `average_loss` its "mean".

    Domain: y_true in [0, 1], an index, or rows that sum to 1.  Response: predict_proba.  Unit: nats.
    Facts: convex, smooth; without weights slope at most 1, curvature at most 1/4 (two classes) and 1/2.

    Parameters
    ----------
    label_smoothing : float in [0, 1], default=0.0
    class_weight : dict of label to float, array-like of shape (n_classes,) in the order of the labels, or None
        Weights of the classes; a label that is missing has weight 1.
    ignore_label : label, default=None
        The label of rows to leave out.

    References
    ----------
    D. R. Cox, "The regression analysis of binary sequences", Journal of the Royal Statistical Society B 20(2), 1958.
    C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016, for the smoothing.

    Examples
    --------
    >>> LogLoss().loss(np.array([1.0, 0.0]), np.array([0.0, 2.0])).round(6)
    array([0.693147, 2.126928])
    >>> LogLoss().loss(np.array([2, 0]), np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0]])).round(6)
    array([1.098612, 0.239545])
    """

    name = "log_loss"
    aliases = ("cross_entropy", "binary_cross_entropy", "categorical_cross_entropy", "bce", "cce", "softmax")
    use = "the probability; an outlier pulls in proportion to its surprise; unit nats"
    _parameter_constraints = {
        "label_smoothing": [Interval(Real, 0, 1, closed="both")],
        "class_weight": [dict, "array-like", None],
    }

    def __init__(self, label_smoothing=0.0, class_weight=None, ignore_label=None):
        self.label_smoothing = label_smoothing
        self.class_weight = class_weight
        self.ignore_label = ignore_label

    @property
    def n_classes(self):
        return None if self.class_weight is None or isinstance(self.class_weight, dict) else len(self.class_weight)

    @property
    def _plain(self):
        return self.label_smoothing == 0 and self.class_weight is None and self.ignore_label is None

    def bind(self, classes):
        """The loss with its class weights in the order of the sorted labels, and rows to ignore marked by -1."""
        super().bind(classes)
        if self.class_weight is None and self.ignore_label is None:
            return self
        weight = self.class_weight
        if isinstance(weight, dict):
            unknown = [label for label in weight if label not in classes.tolist() and label != self.ignore_label]
            # As in scikit-learn, a label more than there are does no harm: a fold may lack a class.
            if unknown and not set(classes.tolist()) <= set(weight):
                raise ValueError(f"class_weight of LogLoss names labels {unknown} that are not in {classes.tolist()}.")
            weight = [weight.get(label, 1.0) for label in classes.tolist()]
        return LogLoss(self.label_smoothing, weight, None if self.ignore_label is None else -1)

    def _weights(self, n_classes):
        if self.class_weight is None:
            return np.ones(n_classes)
        if isinstance(self.class_weight, dict):  # by index
            return np.array([self.class_weight.get(k, 1.0) for k in range(n_classes)], dtype=float)
        return np.asarray(self.class_weight, dtype=float)

    def _mass(self, y_true, n_classes, dtype):
        """What multiplies -log p of each class, (n, K)."""
        if y_true.ndim == 2:
            share, seen = y_true, None
        elif y_true.dtype.kind in "iu" or n_classes > 2:
            seen = np.ones(len(y_true), bool) if self.ignore_label is None else y_true != self.ignore_label
            share = np.eye(n_classes)[np.where(seen, y_true, 0).astype(int)]
        else:  # probabilities of the second class; a row to ignore is marked by a label outside [0, 1]
            seen = None if self.ignore_label is None else y_true != self.ignore_label
            second = y_true if seen is None else np.where(seen, y_true, 0)
            share = np.column_stack([1 - second, second])
        share = (1 - self.label_smoothing) * share + self.label_smoothing / n_classes
        mass = share * self._weights(n_classes)
        return (mass if seen is None else mass * seen[:, None]).astype(dtype)

    def denominator(self, y_true):
        """Weight of each row in the mean, (n,); None for ones: always for targets that are probabilities."""
        if y_true.ndim == 2 or (self.class_weight is None and self.ignore_label is None):
            return None
        labels = np.asarray(y_true)
        seen = np.ones(labels.shape, bool) if self.ignore_label is None else labels != self.ignore_label
        if labels.dtype.kind not in "iu" and not np.isin(labels[seen], (0, 1)).all():
            return None
        index = np.where(seen, labels, 0).astype(int)
        weights = self._weights(max(2, int(index.max(initial=0)) + 1))
        return np.where(seen, weights[index], 0.0)

    def loss(self, y_true, raw_prediction):
        if raw_prediction.ndim == 1:
            down, up = (1 - y_true, y_true) if self._plain else self._mass(y_true, 2, raw_prediction.dtype).T
            # Two terms of one sign each: nothing cancels where the prediction is sure and right.
            tail = (up + down) * np.log1p(np.exp(-np.abs(raw_prediction)))
            return tail + up * np.maximum(-raw_prediction, 0) + down * np.maximum(raw_prediction, 0)
        if raw_prediction.ndim > 2:
            return self._spread(self.loss, y_true, raw_prediction)
        self._check_shapes(y_true, raw_prediction)
        return self._softmax_loss(y_true, *_exponentials(raw_prediction))

    def gradient(self, y_true, raw_prediction):
        if raw_prediction.ndim == 1 and self._plain:
            return _difference(y_true, raw_prediction, np.exp(-np.abs(raw_prediction)))[1]
        if raw_prediction.ndim == 1:
            down, up = self._mass(y_true, 2, raw_prediction.dtype).T
            p, q = _both(raw_prediction)
            return down * p - up * q
        if raw_prediction.ndim > 2:
            return self._spread(self.gradient, y_true, raw_prediction)
        self._check_shapes(y_true, raw_prediction)
        return self._softmax_gradient(y_true, *_exponentials(raw_prediction))

    def _softmax_gradient(self, y_true, z, top, rest, e):
        """The gradient from the parts of the raw prediction."""
        p, rows = e / (1 + rest)[:, None], np.arange(len(z))
        if y_true.ndim == 2 or not self._plain:
            mass = self._mass(y_true, z.shape[1], z.dtype)
            q = 1 - p
            q[rows, top] = rest / (1 + rest)  # there 1 - p would cancel
            # p sum(mass) - mass, with mass - p mass = q mass for the class itself
            return p * (mass.sum(axis=1, keepdims=True) - mass) - q * mass
        p[rows, y_true] -= 1
        right = top == y_true  # there p - 1 would cancel; it is minus the sum of the other probabilities
        p[rows[right], y_true[right]] = -rest[right] / (1 + rest[right])
        return p

    def _softmax_loss(self, y_true, z, top, rest, e):
        """The loss of each row from the parts of the raw prediction."""
        log_total = np.log1p(rest)
        if y_true.ndim == 1 and self._plain:
            return log_total - z[np.arange(len(z)), y_true]
        mass = self._mass(y_true, z.shape[1], z.dtype)
        return log_total * mass.sum(axis=1) - (mass * z).sum(axis=1)

    def value_gradient(self, y_true, raw_prediction, weight):
        # One exponential for value and gradient together: on narrow data the loss, not X, is what takes the time.
        if raw_prediction.ndim == 2:
            self._check_shapes(y_true, raw_prediction)
            parts = _exponentials(raw_prediction)
            gradient = self._softmax_gradient(y_true, *parts)
            return float(weight @ self._softmax_loss(y_true, *parts)), weight[:, None] * gradient
        if raw_prediction.ndim != 1 or not self._plain:
            return super().value_gradient(y_true, raw_prediction, weight)
        e = np.exp(-np.abs(raw_prediction))
        value = np.log1p(e)
        rest, gradient = _difference(y_true, raw_prediction, e)
        value += rest * raw_prediction
        return float(weight @ value), weight * gradient

    def hessian(self, y_true, raw_prediction):
        """Curvature for two classes, (n,): p * (1 - p)."""
        e = np.exp(-np.abs(raw_prediction))
        bend = e / np.square(1 + e)
        return bend if self._plain else self._mass(y_true, 2, raw_prediction.dtype).sum(axis=1) * bend

    def hessian_product(self, y_true, raw_prediction, weight, direction):
        if raw_prediction.ndim == 1:
            return super().hessian_product(y_true, raw_prediction, weight, direction)
        p = SOFTMAX.inverse(raw_prediction)
        if y_true.ndim == 2 or not self._plain:
            weight = weight * self._mass(y_true, raw_prediction.shape[1], raw_prediction.dtype).sum(axis=1)
        return weight[:, None] * p * _centred(p, direction)

    def hessian_pairs(self, y_true, raw_prediction):
        """Second derivatives by the pairs (0, 0), (0, 1), (1, 1), (0, 2), ... of K classes, (n, n_pairs)."""
        _, top, rest, e = _exponentials(raw_prediction)
        p, rows = e / (1 + rest)[:, None], np.arange(len(e))
        q = 1 - p
        q[rows, top] = rest / (1 + rest)  # there 1 - p would cancel
        m, k = np.tril_indices(p.shape[1])
        pairs = p[:, k] * np.where(k == m, q[:, k], -p[:, m])
        if y_true.ndim == 2 or not self._plain:
            pairs *= self._mass(y_true, p.shape[1], p.dtype).sum(axis=1, keepdims=True)
        return pairs

    def fit_intercept_only(self, y_true, weight, n_outputs=1):
        """Best constant raw prediction: a float for n_outputs = 1 (two classes), else (n_outputs,) with mean 0."""
        tiny = np.finfo(float).eps
        if n_outputs == 1 and self._plain:
            mass = np.array([weight @ (1 - y_true), weight @ y_true])
        else:
            mass = weight @ self._mass(y_true, max(2, n_outputs), np.float64)
        share = np.clip(mass / mass.sum(), tiny, 1 - tiny)
        raw = np.log(share)
        return float(LOGIT.link(share[1])) if n_outputs == 1 else raw - raw.mean()

    def check_y_true(self, y_true, fit=False):
        if self.ignore_label is not None:
            y_true = y_true[y_true != self.ignore_label]
        super().check_y_true(y_true)

    @staticmethod
    def _check_shapes(y_true, raw_prediction):
        """Raise where the shapes are neither those of indices nor those of probabilities: which, and what to do."""
        given, wanted = y_true.shape, raw_prediction.shape
        n, K, *pixels = wanted
        if K == 1:
            raise ValueError(f"raw_prediction has shape {wanted}; for two classes squeeze axis 1.")
        indices = (n, *pixels)
        if given == wanted or (given == indices and y_true.dtype.kind in "iu"):
            return
        if given == indices:
            remedy = "class indices must be integers"
        elif given == (n, 1, *pixels):
            remedy = "squeeze axis 1 of y_true to make it class indices"
        elif given == (n, *pixels, K):
            remedy = "one-hot targets need the classes in axis 1, or y_true.argmax(axis=-1) for class indices"
        else:
            remedy = f"y_true needs the shape {indices} for class indices, that of raw_prediction for probabilities"
        raise ValueError(f"y_true has shape {given}, raw_prediction {wanted}: {remedy}.")

    def _spread(self, method, y_true, raw_prediction):
        """A method on (n, K, d1, ...) predictions and (n, d1, ...) indices or (n, K, d1, ...) probabilities."""
        self._check_shapes(y_true, raw_prediction)
        K, rest = raw_prediction.shape[1], np.moveaxis(raw_prediction, 1, -1).shape[:-1]
        flat = np.moveaxis(raw_prediction, 1, -1).reshape(-1, K)
        soft = y_true.ndim == raw_prediction.ndim
        found = method(np.moveaxis(y_true, 1, -1).reshape(-1, K) if soft else y_true.ravel(), flat)
        return found.reshape(rest) if found.ndim == 1 else np.moveaxis(found.reshape(*rest, K), -1, 1)


class _ByClass(_ProbabilityLoss):
    """A sum over classes of a function of its target y and its probability p.

    Write ``terms(y, p, q, log_p)``, q = 1 - p to full precision, which returns the value, b = p * d value / d p, and
    p * d b / d p; all are finite where p vanishes, and gradient and curvature follow by the chain rule.
    """

    def _parts(self, y_true, raw_prediction):
        """Targets, p, q = 1 - p and log p of all classes, (n, K)."""
        if raw_prediction.ndim == 1:
            y = np.column_stack([1 - y_true, y_true]).astype(raw_prediction.dtype)
            up, down = _both(raw_prediction)
            p, q = np.column_stack([down, up]), np.column_stack([up, down])
            tail = np.log1p(np.exp(-np.abs(raw_prediction)))
            log_p = -np.column_stack([np.maximum(raw_prediction, 0) + tail, np.maximum(-raw_prediction, 0) + tail])
            return y, p, q, log_p
        y = np.eye(raw_prediction.shape[1], dtype=raw_prediction.dtype)[y_true] if y_true.ndim == 1 else y_true
        z, top, rest = _shifted(raw_prediction)
        log_p = z - np.log1p(rest)[:, None]
        p = np.exp(log_p)
        q = 1 - p
        q[np.arange(len(z)), top] = rest / (1 + rest)  # there 1 - p would cancel
        return y, p, q, log_p

    def loss(self, y_true, raw_prediction):
        return self.terms(*self._parts(y_true, raw_prediction))[0].sum(axis=1)

    def gradient(self, y_true, raw_prediction):
        y, p, q, log_p = self._parts(y_true, raw_prediction)
        b = self.terms(y, p, q, log_p)[1]
        if raw_prediction.ndim == 1:
            return b[:, 1] * p[:, 0] - b[:, 0] * p[:, 1]
        # b - p sum(b), with b - p b = q b for the class itself
        return q * b - p * _others(b)

    def hessian(self, y_true, raw_prediction):
        """Curvature for two classes, (n,)."""
        y, p, q, log_p = self._parts(y_true, raw_prediction)
        _, b, e = self.terms(y, p, q, log_p)
        mixed = p[:, 0] * p[:, 1]
        return e[:, 1] * p[:, 0] ** 2 + e[:, 0] * p[:, 1] ** 2 - mixed * (b[:, 0] + b[:, 1])

    def hessian_product(self, y_true, raw_prediction, weight, direction):
        if raw_prediction.ndim == 1:
            return super().hessian_product(y_true, raw_prediction, weight, direction)
        y, p, q, log_p = self._parts(y_true, raw_prediction)
        _, b, e = self.terms(y, p, q, log_p)
        relative = _centred(p, direction)  # d log p
        db = e * relative
        # db - p sum(db) - p relative sum(b), with db - p db = q db for the class itself
        return weight[:, None] * (q * db - p * _others(db) - p * relative * b.sum(axis=1, keepdims=True))

    def fit_intercept_only(self, y_true, weight, n_outputs=1):
        """Best constant raw prediction: a float for n_outputs = 1 (two classes), else (n_outputs,) with mean 0."""
        K = max(2, n_outputs)
        if y_true.ndim == 1:  # one row for each class, weighted by its mass
            second = weight @ y_true if n_outputs == 1 else 0.0
            mass = np.bincount(y_true, weight, K) if n_outputs > 1 else np.array([weight.sum() - second, second])
            rows, counts = (np.arange(K) if n_outputs > 1 else np.array([0.0, 1.0])), mass
        else:
            rows, counts = y_true, weight
            mass = weight @ y_true
        start = np.log(np.maximum(mass / mass.sum(), np.finfo(float).eps))
        shape = (len(counts), n_outputs) if n_outputs > 1 else (len(counts),)

        def objective(raw):
            value, gradient = self.value_gradient(rows, np.broadcast_to(raw, shape).copy(), counts / counts.sum())
            return value, gradient.sum(axis=0)

        start = start - start.mean() if n_outputs > 1 else np.array([start[1] - start[0]])
        found = optimize.minimize(objective, start, jac=True, options={"gtol": 1e-10}).x
        return found - found.mean() if n_outputs > 1 else float(found[0])


class Focal(_ByClass):
    """Focal loss: log loss that turns down the rows that are already right.

    With p_t the probability of the true class::

        loss = -alpha_t * (1 - p_t)**gamma * log(p_t)

    with alpha_t = alpha for the second of two classes, 1 - alpha for the first, 1 where alpha is None.  For targets
    that are probabilities, the sum over classes of y[k] times the term of class k.

    Domain: y_true in [0, 1], an index, or rows that sum to 1.  Response: predict_proba.  Unit: nats.
    Facts: smooth, convex for gamma = 0 (the log loss).  Its minimiser is not the probability but a monotone function.

    Parameters
    ----------
    gamma : float >= 0, default=2.0
        How much the rows that are right are turned down.
    alpha : float in [0, 1] or None, default=None
        Weight of the second of two classes.

    References
    ----------
    T.-Y. Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, arXiv:1708.02002.

    Examples
    --------
    >>> Focal(gamma=2.0).loss(np.array([1.0, 0.0]), np.array([0.0, 2.0])).round(6)
    array([0.173287, 1.650078])
    """

    name = "focal"
    use = "the hard rows; an outlier pulls in proportion to its surprise; unit nats"
    _parameter_constraints = {
        "gamma": [Interval(Real, 0, None, closed="left")],
        "alpha": [Interval(Real, 0, 1, closed="both"), None],
    }

    def __init__(self, gamma=2.0, alpha=None):
        self.gamma = gamma
        self.alpha = alpha

    @property
    def convex(self):
        return self.gamma == 0

    @property
    def n_classes(self):
        return None if self.alpha is None else 2

    def terms(self, y, p, q, log_p):
        gamma = self.gamma
        if self.alpha is not None:
            y = y * np.array([1 - self.alpha, self.alpha], dtype=y.dtype)
        safe = np.where(q > 0, q, 1)
        power = np.where(q > 0, safe**gamma, 0.0 if gamma else 1.0).astype(p.dtype)  # q**gamma
        ratio = np.where(q > 0, -log_p / safe, 1)  # -log(p) / q, which tends to 1
        value = -power * log_p
        b = -power * (gamma * p * ratio + 1)
        if gamma == 0:
            return y * value, y * b, np.zeros_like(p)
        # power / q stays finite in the product with q that follows; at q = 0 all terms vanish for gamma > 0
        inner = np.where(q > 0, power / safe * (2 - q * ratio + (gamma - 1) * p * ratio), 0)
        return y * value, y * b, y * (gamma * p * inner)


class Poly1(_ByClass):
    """Poly-1 loss: log loss plus epsilon times the probability of error.

    With p_t the probability of the true class::

        loss = -log(p_t) + epsilon * (1 - p_t)

    For targets that are probabilities, the sum over classes of y[k] times the term of class k.

    Domain: y_true in [0, 1], an index, or rows that sum to 1.  Response: predict_proba.  Unit: nats.
    Facts: smooth, convex for epsilon <= 1.

    Parameters
    ----------
    epsilon : float >= -1, default=1.0
        Coefficient of the first term of the expansion of the log loss around p_t = 1.

    References
    ----------
    Z. Leng et al., "PolyLoss: A Polynomial Expansion Perspective of Classification Loss Functions", ICLR 2022,
    arXiv:2204.12511.

    Examples
    --------
    >>> Poly1().loss(np.array([1.0, 0.0]), np.array([0.0, 2.0])).round(6)
    array([1.193147, 3.007725])
    """

    name = "poly1"
    use = "the class more than the probability; an outlier pulls in proportion to its surprise; unit nats"
    _parameter_constraints = {"epsilon": [Interval(Real, -1, None, closed="left")]}  # below -1 it is negative

    def __init__(self, epsilon=1.0):
        self.epsilon = epsilon

    @property
    def convex(self):
        return self.epsilon <= 1

    def terms(self, y, p, q, log_p):
        epsilon = self.epsilon
        if epsilon >= 0:
            return y * (epsilon * q - log_p), -y * (1 + epsilon * p), -y * (epsilon * p)
        # -log(p) = q + rest: what is left of it by epsilon * q, without a difference
        near = np.minimum(q, 0.1)
        rest = np.where(q < 0.1, SERIES_0(-near), -log_p - q)
        remaining = 1 + epsilon
        return y * (remaining * -log_p - epsilon * rest), -y * (remaining - epsilon * q), -y * (epsilon * p)


class Brier(_ByClass):
    """Brier score: squared error of the probabilities.

    With p the probabilities of the classes::

        loss = (y_true - p)**2                  two classes, p that of the second
               sum_k (y_true[k] - p[k])**2      K classes, y_true one-hot or probabilities

    Domain: y_true in [0, 1], an index, or rows that sum to 1.  Response: predict_proba.  Unit: none.
    Facts: smooth, not convex in raw_prediction, at most 1 for two classes and 2 for more.

    References
    ----------
    G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78(1), 1950;
    halved for two classes, as in scikit-learn.

    Examples
    --------
    >>> Brier().loss(np.array([1.0, 0.0]), np.array([0.0, 0.0]))
    array([0.25, 0.25])
    """

    name = "brier"
    use = "the probability; an outlier has a bounded pull; no unit"
    convex = False

    def _halved(self, y):
        return 0.5 if y.shape[1] == 2 else 1.0

    def terms(self, y, p, q, log_p):
        half = self._halved(y)
        # y - p without loss of digits where y is 1
        error = np.where(y == 1, q, y - p)
        return half * error * error, -2 * half * p * error, 2 * half * p * (p - error)


def _difference(y, raw, e):
    """p - y, p the probability of class 1, as the second of two; the first is what it tends to for large predictions.

    That is 0 on the side of the label, where nothing cancels; e is exp(-abs(raw)), and is overwritten.
    """
    rest = (1 - y) - np.signbit(raw)
    e /= 1 + e
    return rest, rest - np.copysign(e, raw)


def _both(raw):
    """Probabilities of class 1 and of class 0, each to full relative precision."""
    e = np.exp(-np.abs(raw))
    small, large = e / (1 + e), 1 / (1 + e)
    up = raw >= 0
    return np.where(up, large, small), np.where(up, small, large)


def _shifted(raw):
    """raw minus its row maximum, where that is, and the sum of the other exponentials: total = 1 + rest."""
    return _exponentials(raw)[:3]


def _exponentials(raw):
    """What `_shifted` returns, and exp(raw minus its row maximum)."""
    rows, top = np.arange(len(raw)), raw.argmax(axis=1)
    z = raw - raw[rows, top][:, None]
    e = np.exp(z)
    e[rows, top] = 0
    rest = e @ np.ones(e.shape[1], e.dtype)  # faster than a sum over short rows
    e[rows, top] = 1
    return z, top, rest, e


def _centred(p, direction):
    """direction minus its mean under p, (n, K), by differences from the likeliest class: near p = 1 nothing cancels."""
    relative = direction - np.take_along_axis(direction, p.argmax(axis=1)[:, None], axis=1)
    return relative - (p * relative).sum(axis=1, keepdims=True)


def _others(values):
    """Sum of each row over all other columns, (n, K), without a difference."""
    left, right = np.zeros_like(values), np.zeros_like(values)
    np.cumsum(values[:, :-1], axis=1, out=left[:, 1:])
    np.cumsum(values[:, :0:-1], axis=1, out=right[:, -2::-1])
    return left + right
