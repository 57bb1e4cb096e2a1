"""Losses of class probabilities, on the logit or softmax link."""

import numpy as np

from ..links import LOGIT, SOFTMAX, Domain
from ._base import Loss, _column

__all__ = ["LogLoss"]


class LogLoss(Loss):
    """Log loss (cross-entropy): its minimiser is the conditional probability of each class.

    With p = 1 / (1 + exp(-raw_prediction)) for two classes, softmax(raw_prediction) for more::

        loss = -y_true * log(p) - (1 - y_true) * log(1 - p)      two classes
               -log(p[y_true])                                   K classes, y_true an index
               -sum_k y_true[k] * log(p[k])                      K classes, y_true probabilities

    Domain: y_true in [0, 1], an index, or rows that sum to 1.  Response: predict_proba.  Unit: nats.
    Facts: convex, smooth; slope at most 1, curvature at most 1/4 (two classes) and 1/2.

    References
    ----------
    D. R. Cox, "The regression analysis of binary sequences", Journal of the Royal Statistical Society B 20(2), 1958.

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
    link = LOGIT
    interval_y_true = Domain(0.0, 1.0, True, True)
    interval_y_pred = Domain(0.0, 1.0, True, True)
    multiclass = True
    shift_invariant = True  # of K > 2 raw predictions
    probabilistic = True
    response_method = "predict_proba"

    def loss(self, y_true, raw_prediction):
        if raw_prediction.ndim == 1:
            # Two terms of one sign each: nothing cancels where the prediction is sure and right.
            tail = np.log1p(np.exp(-np.abs(raw_prediction)))
            return tail + y_true * np.maximum(-raw_prediction, 0) + (1 - y_true) * np.maximum(raw_prediction, 0)
        z, _, rest = _shifted(raw_prediction)
        log_total = np.log1p(rest)
        if y_true.ndim == 1:
            return log_total - z[np.arange(len(z)), y_true]
        return log_total * y_true.sum(axis=1) - (y_true * z).sum(axis=1)

    def gradient(self, y_true, raw_prediction):
        if raw_prediction.ndim == 1:
            p, q = _both(raw_prediction)
            return (1 - y_true) * p - y_true * q
        z, top, rest = _shifted(raw_prediction)
        gradient = np.exp(z) / (1 + rest)[:, None]
        if y_true.ndim == 2:
            return gradient * y_true.sum(axis=1, keepdims=True) - y_true
        rows = np.arange(len(z))
        gradient[rows, y_true] -= 1
        right = top == y_true  # there p - 1 would cancel; it is minus the sum of the other probabilities
        gradient[rows[right], y_true[right]] = -rest[right] / (1 + rest[right])
        return gradient

    def value_gradient(self, y_true, raw_prediction, weight):
        if raw_prediction.ndim == 2:
            return super().value_gradient(y_true, raw_prediction, weight)
        # One exponential for value and gradient together: on narrow data the loss, not X, is what takes the time.
        e = np.exp(-np.abs(raw_prediction))
        up = raw_prediction >= 0
        value = np.log1p(e) + np.where(up, 1 - y_true, -y_true) * raw_prediction
        gradient = (np.where(up, 1, e) * (1 - y_true) - np.where(up, e, 1) * y_true) / (1 + e)
        return float(weight @ value), weight * gradient

    def hessian(self, y_true, raw_prediction):
        """Curvature for two classes, (n,)."""
        p, q = _both(raw_prediction)
        return p * q

    def hessian_product(self, y_true, raw_prediction, weight, direction):
        if raw_prediction.ndim == 1:
            return super().hessian_product(y_true, raw_prediction, weight, direction)
        p = SOFTMAX.inverse(raw_prediction)
        if y_true.ndim == 2:
            weight = weight * y_true.sum(axis=1)
        return _column(weight, p) * p * (direction - (p * direction).sum(axis=1, keepdims=True))

    def fit_intercept_only(self, y_true, weight, n_outputs=1):
        """Best constant raw prediction: a float for n_outputs = 1 (two classes), else (n_outputs,) with mean 0."""
        tiny = np.finfo(float).eps
        if n_outputs == 1:
            return float(LOGIT.link(np.clip(weight @ y_true / weight.sum(), tiny, 1 - tiny)))
        mass = np.bincount(y_true, weight, n_outputs) if y_true.ndim == 1 else weight @ y_true
        raw = np.log(np.maximum(mass / mass.sum(), tiny))
        return raw - raw.mean()

    def response(self, raw_prediction):
        return (LOGIT if raw_prediction.ndim == 1 else SOFTMAX).inverse(raw_prediction)

    def raw(self, y_pred):
        y_pred = np.asarray(y_pred, dtype=np.result_type(y_pred, np.float32))
        tiny = np.finfo(y_pred.dtype).eps
        return (LOGIT if y_pred.ndim == 1 else SOFTMAX).link(np.clip(y_pred, tiny, 1 - tiny))

    def probability(self, raw_prediction):
        return self.response(raw_prediction)

    def check_y_true(self, y_true):
        if y_true.dtype.kind != "i":  # indices are the estimator's or average_loss's own work
            super().check_y_true(y_true)


def _both(raw):
    """Probabilities of class 1 and of class 0, each to full relative precision."""
    e = np.exp(-np.abs(raw))
    small, large = e / (1 + e), 1 / (1 + e)
    up = raw >= 0
    return np.where(up, large, small), np.where(up, small, large)


def _shifted(raw):
    """raw minus its row maximum, where that is, and the sum of the other exponentials: total = 1 + rest."""
    top = raw.argmax(axis=1)
    rows = np.arange(len(raw))
    z = raw - raw[rows, top][:, None]
    e = np.exp(z)
    e[rows, top] = 0
    return z, top, e.sum(axis=1)
