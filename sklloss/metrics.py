"""Losses as metrics and as scorers."""

from collections import Counter
from typing import Any

import numpy as np
from sklearn.metrics import make_scorer
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_consistent_length

from ._compat import LabelledScorer, check_sample_weight
from .losses._base import encode_classes, get_loss

__all__ = ["average_loss", "loss_scorer", "loss_scorers"]

TRIMMED = 0.2  # part of the total weight, that of the largest losses, which aggregate="trimmed" leaves out


def average_loss(y_true, y_pred, *, loss, sample_weight=None, labels=None, aggregate="mean"):
    """Average of any loss: the metric that belongs to a loss.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets; for a classification loss labels of any kind (-1 / 1, 0 / 1, bool, strings), for a loss of
        probabilities also probabilities or one-hot rows, (n_samples, n_classes).
    y_pred : array-like
        What the loss's ``response_method`` returns: "predict", values of the shape of y_true; "predict_proba",
        (n_samples, n_classes), or (n_samples,) for the second of two classes; "decision_function", the same.  Classes
        of pixels are (n_samples, n_classes, d1, ...) with labels (n_samples, d1, ...), for log_loss.
    loss : str, Loss or callable
        A name of `sklloss.list_losses()`, a loss, or a plain function of ``(y_true, y_pred)`` that returns the loss of
        each sample.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows.
    labels : array-like of shape (n_classes,), default=None
        All labels, sorted, in the order of the columns of y_pred; None for those in y_true.
    aggregate : {"mean", "sum", "median", "trimmed"} or None, default="mean"
        Weighted mean, weighted sum, weighted median; the mean after the largest losses, 20 % of the weight, are left
        out; or None for the loss of each row.  Median and trimmed mean judge a model by its bulk when the targets
        themselves hold outliers.

    Returns
    -------
    float, or ndarray of shape (n_samples,) for ``aggregate=None``
        Lower is better.

    Raises
    ------
    ValueError
        For shapes that do not fit, values outside the domain of the loss, and labels where probabilities or decision
        values belong.

    Examples
    --------
    >>> from sklloss import average_loss
    >>> average_loss([3.0, 1.0], [1.0, 1.0], loss="absolute_error")
    1.0
    >>> average_loss(["no", "yes"], [-2.0, 0.5], loss="hinge")
    0.25
    >>> average_loss([3.0, 1.0], [1.0, 1.0], loss="absolute_error", aggregate=None)
    array([2., 0.])
    """
    loss = get_loss(loss)
    if aggregate not in ("mean", "sum", "median", "trimmed", None):
        raise ValueError(f"aggregate must be 'mean', 'sum', 'median', 'trimmed' or None, got {aggregate!r}.")
    if loss.response_method == "predict":
        y_true, y_pred = _values(y_true, y_pred)
    else:
        loss, y_true, y_pred = _encoded(y_true, y_pred, labels, loss)
    rows = loss.per_sample(y_true, y_pred)
    weight = check_sample_weight(sample_weight, rows)
    if aggregate is None:
        return rows
    if aggregate == "mean":
        return loss.mean(y_true, rows, weight)
    weight, rows = np.repeat(weight, rows[0].size), rows.ravel()  # a pixel has the weight of its row
    if aggregate == "sum":
        return float(weight @ rows)
    order = np.argsort(rows)
    rows, reached = rows[order], np.cumsum(weight[order])
    if aggregate == "median":
        low, high = np.searchsorted(reached, reached[-1] * np.array([0.5 - 1e-12, 0.5 + 1e-12]))
        return float(0.5 * (rows[low] + rows[min(high, len(rows) - 1)]))
    kept = np.diff(np.minimum(reached, (1 - TRIMMED) * reached[-1]), prepend=0.0)
    return float(np.average(rows[kept > 0], weights=kept[kept > 0]))


def _values(y_true, y_pred):
    """Targets and predictions of a regression as float arrays of one shape."""
    y_true, y_pred = (
        check_array(y, ensure_2d=False, dtype=[np.float64, np.float32], input_name=name)
        for y, name in ((y_true, "y_true"), (y_pred, "y_pred"))
    )
    check_consistent_length(y_true, y_pred)
    if y_true.ndim != y_pred.ndim and {y_true.size, y_pred.size} == {len(y_true)}:
        y_true, y_pred = y_true.ravel(), y_pred.ravel()
    return y_true, y_pred


def _encoded(y_true, y_pred, labels, loss):
    """The loss for these labels, targets in the form it takes, and predictions, (n,) for two classes."""
    y_true = np.asarray(y_true)
    dimensions = np.ndim(y_pred)
    if dimensions > 1 and y_true.ndim == dimensions and y_true.shape[1] > 1 and loss.response_method == "predict_proba":
        return _soft(y_true, y_pred, loss)
    if dimensions < 3:
        if y_true.ndim == 2 and y_true.shape[1] > 1:
            raise ValueError(
                f"y_true has shape {y_true.shape}, y_pred {np.shape(y_pred)}: {loss!r} takes labels of shape "
                f"({len(y_true)},); of one-hot rows they are y_true.argmax(axis=1)."
            )
        y_true = column_or_1d(y_true)
    check_classification_targets(y_true.ravel())
    ignored = getattr(loss, "ignore_label", None)
    seen = np.ones(y_true.shape, bool) if ignored is None else y_true != ignored
    classes = np.unique(y_true[seen] if labels is None else column_or_1d(labels))
    _refuse_labels(y_pred, classes, loss)
    y_pred = _predictions(y_pred, loss)
    check_consistent_length(y_true, y_pred)
    n_columns = 2 if y_pred.ndim == 1 else y_pred.shape[1]
    if len(classes) != n_columns:
        raise ValueError(
            f"y_pred has {n_columns} classes (shape {y_pred.shape}), but there are {len(classes)} labels, "
            f"{classes.tolist()}; pass labels=estimator.classes_, or score with loss_scorer, which does."
        )
    if not np.isin(y_true[seen], classes).all():
        unseen = sorted(set(np.unique(y_true[seen]).tolist()) - set(classes.tolist()))
        raise ValueError(f"y_true holds labels that are not in labels={classes.tolist()}: {unseen}.")
    index = np.where(seen, np.searchsorted(classes, np.where(seen, y_true, classes[0])), -1)
    loss = loss.bind(classes)
    if y_pred.ndim > 2:
        return loss, index, y_pred
    return loss, encode_classes(index, n_columns, loss), y_pred[:, 1] if n_columns == 2 == y_pred.ndim else y_pred


def _soft(y_true, y_pred, loss):
    """The same for targets that are probabilities, by the columns of y_pred."""
    y_true = check_array(y_true, allow_nd=True, dtype=[np.float64, np.float32], input_name="y_true")
    y_pred = _predictions(y_pred, loss)
    if y_true.shape != y_pred.shape:
        raise ValueError(
            f"y_true has shape {y_true.shape}, y_pred {y_pred.shape}: probabilities need the shape of y_pred, labels "
            "that shape without axis 1; an axis of length 1 must be squeezed."
        )
    loss.check_y_true(y_true)
    loss = loss.bind(np.arange(y_pred.shape[1]))
    return (loss, y_true[:, 1], y_pred[:, 1]) if y_pred.shape[1:] == (2,) else (loss, y_true, y_pred)


def _predictions(y_pred, loss):
    """Predictions as floats; a ValueError unless probabilities sum to 1."""
    y_pred = check_array(y_pred, ensure_2d=False, allow_nd=True, dtype=[np.float64, np.float32], input_name="y_pred")
    if loss.response_method == "predict_proba" and y_pred.ndim > 1:
        total = y_pred.sum(axis=1)
        off = np.abs(total - 1) > np.sqrt(np.finfo(y_pred.dtype).eps)
        if off.any():
            row = tuple(int(i) for i in np.argwhere(off)[0])
            raise ValueError(f"The probabilities in a row of y_pred must sum to 1; row {row[0]} sums to {total[row]}.")
    return y_pred


def _refuse_labels(y_pred, classes, loss):
    """Raise where y_pred holds labels; floats in {0, 1} may be probabilities and pass."""
    values = np.asarray(y_pred)
    hard = values.dtype.kind in "OUSb" or (values.ndim == 1 and values.dtype.kind in "iu")
    if hard and (values.dtype.kind != "O" or not all(isinstance(v, float) for v in values.ravel())):
        whole = values.dtype.kind in "iu" and not np.isin(values, classes).all()
        if not whole:
            raise ValueError(
                f"y_pred holds labels, but {loss!r} is a loss of what {loss.response_method} returns: "
                f"use loss_scorer({loss!r}), or make_scorer(..., response_method={loss.response_method!r})."
            )


def loss_scorer(loss, **params):
    """Make a scorer for searches and cross-validation: ``scoring=loss_scorer("huber", delta=2.0)``.

    Parameters
    ----------
    loss : str, Loss or callable
        A name of `sklloss.list_losses()`, a loss, or a plain function of ``(y_true, raw_prediction)``.
    **params : dict
        Parameters of the loss; only with a name or a function.

    Returns
    -------
    scorer
        A scikit-learn scorer: greater is better, so it returns minus the average loss.  It asks the estimator for
        what the loss takes, and for a classification loss hands over the estimator's ``classes_``.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.model_selection import cross_val_score
    >>> from sklloss import loss_scorer
    >>> X, y = load_diabetes(return_X_y=True)
    >>> -cross_val_score(Ridge(), X, y, scoring=loss_scorer("pinball", quantile=0.9)).mean().round(3)
    np.float64(24.591)
    """
    loss = get_loss(loss, **params).check()
    scorer = make_scorer(average_loss, greater_is_better=False, response_method=loss.response_method, loss=loss)
    if loss.response_method == "predict":
        return scorer
    return LabelledScorer(scorer._score_func, scorer._sign, scorer._kwargs, scorer._response_method)


def loss_scorers(*losses):
    """Scorers for several losses at once, by name, for multimetric searches.

    Parameters
    ----------
    *losses : str, Loss or callable

    Returns
    -------
    dict of str to scorer
        By canonical name, or that of the function; a second loss of a name gets ``_2``, and so on.

    Examples
    --------
    >>> from sklloss import loss_scorers
    >>> from sklloss.losses import Huber
    >>> list(loss_scorers("mae", Huber(1.35), Huber(20.0)))
    ['absolute_error', 'huber', 'huber_2']
    """
    scorers: dict[str, Any] = {}
    seen: Counter[str] = Counter()
    for loss in losses:
        scorer = loss_scorer(loss)
        base = get_loss(loss).label
        seen[base] += 1
        scorers[base if seen[base] == 1 else f"{base}_{seen[base]}"] = scorer
    return scorers
