"""Losses as metrics and as scorers."""

import warnings

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import make_scorer
from sklearn.pipeline import Pipeline
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_consistent_length

from ._compat import ESTIMATOR_CLASSES, LabelledScorer, check_sample_weight, users_level
from ._sums import distinct
from .losses._base import encode_classes, get_loss

__all__ = ["average_loss", "d2_loss_score", "d2_loss_scorer", "loss_scorer", "loss_scorers"]

TRIMMED = 0.2  # part of the total weight, that of the largest losses, which aggregate="trimmed" leaves out


def average_loss(y_true, y_pred, *, loss, sample_weight=None, labels=None, sample_set=None, aggregate="mean"):
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
        All labels, in the order of the columns of y_pred; None for those in y_true, sorted.
    sample_set : array-like of shape (n_samples,), default=None
        For losses of sets of rows (dice, ctc): which rows make one set; None for all of them.  Others ignore it.
    aggregate : {"mean", "sum", "median", "trimmed"} or None, default="mean"
        Weighted mean, weighted sum, weighted median; the mean after the largest losses, 20 % of the weight, are left
        out; or None for the loss of each row.  Median and trimmed mean judge a model by its bulk when the targets
        themselves hold outliers.

    Returns
    -------
    float, or ndarray of shape (n_samples,) for ``aggregate=None``
        Lower is better.  Of a loss of sets, (n_sets,) in the order of the sorted labels of the sets.

    Raises
    ------
    ValueError
        For shapes that do not fit, values outside the domain of the loss, labels where probabilities or decision
        values belong, and a y_true that is not among ``labels``.

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
    loss, y_true, y_pred = _checked(y_true, y_pred, labels, loss)
    if loss.elementwise:
        rows = loss.per_sample(y_true, y_pred)
        weight = check_sample_weight(sample_weight, rows)
        if aggregate == "mean":
            return loss.mean(y_true, rows, weight)
        weight = np.repeat(weight, rows[0].size)  # a pixel has the weight of its row
    else:
        weight = check_sample_weight(sample_weight, y_pred)
        if aggregate == "mean":
            return _mean_over_sets(loss, y_true, y_pred, weight, sample_set)
        rows, weight = _sets(loss, y_true, y_pred, weight, sample_set)
    return rows if aggregate is None else _aggregated(rows.ravel(), weight, aggregate)


def d2_loss_score(y_true, y_pred, *, loss, sample_weight=None, labels=None, sample_set=None):
    """D² of any loss: the share of it that a prediction explains beyond the best constant.

    ::

        D² = 1 - average_loss(y_true, y_pred) / min over constants c of average_loss(y_true, c)

    1 is a loss of 0, 0 is as good as the best constant, less is worse.  The best constant is that of y_true itself: the
    mean for squared_error (D² is R²), the median for absolute_error, a quantile for pinball, the mean for the
    deviances, the shares of the classes for log_loss and brier.  These are scikit-learn's ``r2_score``,
    ``d2_absolute_error_score``, ``d2_pinball_score``, ``d2_tweedie_score``, ``d2_log_loss_score`` and
    ``d2_brier_score``.  Of several outputs it is the mean of their D².  Of a loss of sets of rows (dice) the constant
    is one for all sets, such as the region that is everything.  The loss is taken as it is passed: a Huber loss with
    its delta in the unit of y.

    Where y_true is constant, or the best constant has a loss of 0, it is 1.0 for a prediction that is as good, else
    0.0.

    Parameters
    ----------
    y_true, y_pred, loss, sample_weight, labels, sample_set
        As in `average_loss`.

    Returns
    -------
    float
        Higher is better; NaN, with an UndefinedMetricWarning, for fewer than two samples.

    Raises
    ------
    ValueError
        As `average_loss`; also for a loss without a least value, as psnr, of which there are no shares.

    References
    ----------
    T. Hastie, R. Tibshirani, M. Wainwright, "Statistical Learning with Sparsity", 2015, eq. 3.11.
    R. Koenker, J. A. F. Machado, "Goodness of Fit and Related Inference Processes for Quantile Regression", Journal of
    the American Statistical Association 94(448), 1999.

    Examples
    --------
    >>> from sklloss import d2_loss_score
    >>> d2_loss_score([1.0, 2.0, 6.0], [1.0, 2.0, 5.0], loss="absolute_error")
    0.8
    >>> round(d2_loss_score(["no", "no", "yes"], [-2.0, 0.5, 3.0], loss="hinge"), 6)
    0.25
    """
    loss = get_loss(loss)
    check_consistent_length(y_true, y_pred, sample_weight)
    if len(y_pred) < 2:
        message = "D^2 score is not well-defined with less than two samples."
        warnings.warn(message, UndefinedMetricWarning, stacklevel=users_level())
        return float("nan")
    loss, y_true, y_pred = _checked(y_true, y_pred, labels, loss)
    weight = check_sample_weight(sample_weight, y_pred)
    if not loss.elementwise:
        return _explained(loss, y_true, y_pred, weight, sample_set)
    if loss.response_method == "predict" and y_true.ndim == 2 and y_true.shape == y_pred.shape and not loss.coupled:
        outputs = range(y_true.shape[1])
        return float(np.mean([_explained(loss.column(k), y_true[:, k], y_pred[:, k], weight) for k in outputs]))
    if y_pred.ndim > 2:  # a pixel is a row, with the weight of its row
        weight = np.repeat(weight, y_pred[0, 0].size)
        y_true = y_true.ravel() if y_true.ndim < y_pred.ndim else _pixel_rows(y_true)
        y_pred = _pixel_rows(y_pred)
    return _explained(loss, y_true, y_pred, weight)


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
        what the loss takes, and for a classification loss hands over the estimator's ``classes_``, so that a test set
        may lack some of them.  Labels that the estimator was not trained on are scored with a warning: by a loss of
        probabilities at probability 0, in a column of its own; by a loss of decision values as the label of
        ``classes_`` with the largest loss of the row.

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
    return _scorer(average_loss, -1, get_loss(loss, **params).check())


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
    labels = distinct(get_loss(loss).label for loss in losses)
    return dict(zip(labels, map(loss_scorer, losses), strict=True))


def d2_loss_scorer(loss, **params):
    """Make a scorer of `d2_loss_score`, the share of a loss explained beyond the best constant.

    Parameters
    ----------
    loss : str, Loss or callable
        As in `loss_scorer`.
    **params : dict
        Parameters of the loss; only with a name or a function.

    Returns
    -------
    scorer
        A scikit-learn scorer that returns D², of all kinds of estimators that `loss_scorer` takes.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.model_selection import cross_val_score
    >>> from sklloss.metrics import d2_loss_scorer
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = RandomForestClassifier(random_state=0)
    >>> cross_val_score(forest, X, y, scoring=d2_loss_scorer("brier")).mean().round(1)
    np.float64(0.9)
    """
    return _scorer(d2_loss_score, 1, get_loss(loss, **params).check())


def _mean_over_sets(loss, y_true, y_pred, weight, sample_set):
    """Mean of a loss that is not elementwise, a float."""
    y_true, raw = loss.checked(y_true, y_pred)
    denominator = loss.denominator(y_true)
    weight = weight / (weight.sum() if denominator is None else weight @ denominator)
    return loss.of_sets(loss.sets(sample_set, len(raw))).value_gradient(y_true, raw, weight)[0]


def _sets(loss, y_true, y_pred, weight, sample_set):
    """Loss of each set of rows, and what it counts, (n_sets,) each."""
    if not hasattr(loss, "set_values"):
        raise ValueError(f"{loss!r} is a sum, of which no set has a loss of its own, so aggregate must be 'mean'.")
    y_true, raw = loss.checked(y_true, y_pred)
    sets = loss.sets(sample_set, len(raw))
    return loss.set_values(y_true, raw, weight, sets), loss.counts(weight, sets)


def _aggregated(values, weight, aggregate):
    """Sum, median or trimmed mean of weighted values, a float."""
    if aggregate == "sum":
        return float(weight @ values)
    order = np.argsort(values)
    values, reached = values[order], np.cumsum(weight[order])
    if aggregate == "median":
        low, high = np.searchsorted(reached, reached[-1] * np.array([0.5 - 1e-12, 0.5 + 1e-12]))
        return float(0.5 * (values[low] + values[min(high, len(values) - 1)]))
    kept = np.diff(np.minimum(reached, (1 - TRIMMED) * reached[-1]), prepend=0.0)
    return float(np.average(values[kept > 0], weights=kept[kept > 0]))


def _checked(y_true, y_pred, labels, loss):
    """The loss for these labels, and targets and predictions in the form it takes."""
    if loss.response_method == "predict":
        y_true, y_pred = _values(y_true, y_pred)
        return loss, loss.per_level(y_true), y_pred
    return _encoded(y_true, y_pred, labels, loss)


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
    if isinstance(labels, str) and labels == ESTIMATOR_CLASSES:
        raise _holds_labels(loss)  # a LabelledScorer taken apart, of which only the score function is called
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
    seen = _not_ignored(y_true, loss)
    classes = np.unique(y_true[seen]) if labels is None else column_or_1d(labels)
    if len(np.unique(classes)) < len(classes):
        raise ValueError(f"labels must be distinct, one for each column of y_pred; got {classes.tolist()}.")
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
        raise ValueError(
            f"y_true holds labels that are not in labels={classes.tolist()}: {unseen}. There is no column for them in "
            "y_pred; leave these rows out, or score the estimator with loss_scorer, which says how it counts them."
        )
    order = np.argsort(classes)
    place = np.searchsorted(classes, np.where(seen, y_true, classes[0]), sorter=order)
    index = np.where(seen, order[place], -1)
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
            raise _holds_labels(loss)


def _holds_labels(loss):
    return ValueError(
        f"y_pred holds labels, but {loss!r} is a loss of what {loss.response_method} returns: use "
        f"loss_scorer({loss!r}), or make_scorer(..., response_method={loss.response_method!r}). Where a threshold is "
        "tuned, as by TunedThresholdClassifierCV, labels are all there is to score: use scoring='balanced_accuracy', "
        "say."
    )


def _not_ignored(y_true, loss):
    """Boolean array: which labels are not the `ignore_label` of the loss."""
    ignored = getattr(loss, "ignore_label", None)
    return np.ones(y_true.shape, bool) if ignored is None else y_true != ignored


def _pixel_rows(values):
    """(n, K, d1, ...) → (n * d1 * ..., K)."""
    return np.moveaxis(values, 1, -1).reshape(-1, values.shape[1])


def _explained(loss, y_true, y_pred, weight, sample_set=None):
    """1 - loss / loss of the best constant, for one output or for all columns of a classification."""
    loss.checked(y_true, y_pred)  # rows of weight 0 as well
    counts = loss.denominator(y_true)
    kept = (weight if counts is None else weight * counts) > 0
    sets = {} if loss.elementwise else {"sample_set": loss.sets(sample_set, len(kept)).only(kept)}
    y_true, y_pred, weight = y_true[kept], y_pred[kept], weight[kept]

    def average(y_pred):
        if sets:
            return _mean_over_sets(loss, y_true, y_pred, weight, **sets)
        return loss.mean(y_true, loss.per_sample(y_true, y_pred), weight)

    value = average(y_pred)
    if sets and loss.response_method == "predict" and average(y_true) < 0:
        raise ValueError(f"{loss!r} has no least value, and so there are no shares of it; use average_loss.")
    n_outputs = [y_pred.shape[1]] if loss.multiclass and y_pred.ndim == 2 else []
    # Of a sum with losses of sets the weights are those of a mean: a factor moves losses of rows alone.
    mass = weight.sum() if counts is None else weight @ counts[kept]
    best = loss.fit_intercept_only(y_true, weight / mass, *n_outputs, **sets)
    # As a prediction, so that it is clipped as y_pred is: the two then tie where both are sure.
    constant = loss.response(np.broadcast_to(best, y_pred.shape).astype(np.float64)).astype(y_pred.dtype)
    least = average(constant)
    if not np.isfinite(least):
        raise ValueError(f"The best constant has the loss {least} by {loss!r}, and so there are no shares of it.")
    if least == 0 or (y_true == y_true[:1]).all():
        return float(value <= least)
    return 1 - value / least


def _scorer(metric, sign, loss):
    if loss.response_method == "predict":
        return make_scorer(metric, greater_is_better=sign > 0, loss=loss)
    return LabelledScorer(metric, sign, {"loss": loss}, loss.response_method, _aligned)


def _aligned(estimator, y_true, y_pred, loss):
    """y_true, y_pred and labels of an estimator, in which labels that it was not trained on have a place."""
    labels, y_true = getattr(estimator, "classes_", None), np.asarray(y_true)
    y_pred = np.asarray(y_pred, dtype=np.result_type(y_pred, np.float32))  # integers would be taken for labels
    if labels is None or (y_true.ndim > 1 and y_true.shape[1] > 1):
        return y_true, y_pred, labels
    labels, y_true = np.asarray(labels), column_or_1d(y_true)
    probabilities = loss.response_method == "predict_proba"
    if not probabilities and len(labels) > 2:
        _refuse_one_vs_one(estimator, loss)
    check_classification_targets(y_true)
    unseen = ~np.isin(y_true, labels) & _not_ignored(y_true, loss)
    if not unseen.any():
        return y_true, y_pred, labels
    added = np.unique(y_true[unseen])
    warnings.warn(
        f"y_true holds labels that the estimator was not trained on, {added.tolist()}, in {unseen.sum()} of "
        f"{len(y_true)} rows; {loss!r} scores these rows "
        + ("at probability 0, clipped." if probabilities else "as the known label with the largest loss."),
        UserWarning,
        stacklevel=users_level(),
    )
    if probabilities:
        known = np.column_stack([1 - y_pred, y_pred]) if y_pred.ndim == 1 else y_pred
        nothing = np.zeros((len(known), len(added)), known.dtype)
        return y_true, np.column_stack([known, nothing]), np.concatenate([labels, added])
    count = int(unseen.sum())
    rows = [
        average_loss(np.repeat(label, count), y_pred[unseen], loss=loss, labels=labels, aggregate=None)
        for label in labels
    ]
    y_true = y_true.astype(np.result_type(y_true, labels))  # a copy, with room for longer strings
    y_true[unseen] = labels[np.argmax(rows, axis=0)]
    return y_true, y_pred, labels


def _refuse_one_vs_one(estimator, loss):
    """Raise for decision values of pairs of classes: of three classes they have the shape of one column for each."""
    while isinstance(estimator, Pipeline) or hasattr(estimator, "best_estimator_"):
        estimator = estimator[-1] if isinstance(estimator, Pipeline) else estimator.best_estimator_
    if getattr(estimator, "decision_function_shape", None) == "ovo":
        raise ValueError(
            f"{loss!r} takes a decision value for each class, but decision_function_shape='ovo' of "
            f"{type(estimator).__name__} gives one for each pair of classes; use decision_function_shape='ovr'."
        )
