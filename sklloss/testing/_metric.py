"""Checks of the loss as a metric, and of what a user sees of a raw prediction: weights, denominators, responses."""

import numpy as np
from sklearn.base import clone

from ._machinery import check, compare, require
from ._probes import metric
from ._samples import N_ROWS, N_SETS, SAMPLE_SET, as_weights, samples, shuffled

__all__ = [  # noqa: RUF022  (in the order in which they run)
    "check_weights",
    "check_denominator",
    "check_response",
    "check_probability",
]


def _predictions(loss):
    """Samples (y_true, raw_prediction, y_pred, sample_set) of predictions that a response can still tell apart."""
    for y, raw in samples(loss):
        rows = np.abs(raw).reshape(N_ROWS, -1).max(axis=1) <= 8
        yield y[rows], raw[rows], loss.response(raw[rows]), SAMPLE_SET[rows]


@check
def check_weights(loss):
    """In the metric a weight of k is k copies, and neither a factor of all weights nor the order of rows counts.

    Copies are compared without the ``smoothing`` of a loss of sets, which is a number of rows of weight 1.  A loss that
    needs sets has a weight for each of them, and copies of whole sets; their rows stay in order.
    """
    smoothing = {key: 0 for key in loss.get_params() if key.split("__")[-1] == "smoothing"}
    loss, rng = clone(loss).set_params(**smoothing), np.random.default_rng(10)
    for y, _, p, sample_set in _predictions(loss):
        weight = as_weights(loss, rng.integers(0, 4, len(p)), sample_set)
        copies, order = np.repeat(np.arange(len(p)), weight), shuffled(loss, rng, sample_set)
        number = np.concatenate([np.arange(k) for k in weight])
        of_copies = sample_set[copies] + N_SETS * number * loss.needs_sets
        expected = metric(loss, y, p, weight, sample_set)
        got = metric(loss, y[copies], p[copies], None, of_copies)
        compare("k copies equal a weight of k", got, expected, 1e-11)
        got = metric(loss, y, p, 1e-3 * weight, sample_set)
        compare("a factor of all weights changes nothing", got, expected, 1e-11)
        got = metric(loss, y[order], p[order], weight[order], sample_set[order])
        compare("the order of rows changes nothing", got, expected, 1e-11)


@check
def check_denominator(loss):
    """What each row counts in the mean is finite, not negative, its own, and what the metric divides by."""
    for y, _, p, _ in _predictions(loss):
        counts, weight = loss.denominator(y), np.arange(1.0, len(y) + 1)
        if counts is not None:
            require(np.shape(counts) == (len(y),), "denominator is (n,)", np.shape(counts), (len(y),))
            require(np.isfinite(counts) & (counts >= 0), "a row counts 0 or more", counts, ">= 0", y_true=y)
            own = loss.denominator(y[::-1])[::-1]
            compare("the denominator of a row is its own", own, counts, 0.0, y_true=y)
        if loss.elementwise:
            expected = weight @ loss.per_sample(y, p) / (weight.sum() if counts is None else weight @ counts)
            compare("the metric against weighted losses over denominators", loss(y, p, weight), expected, 1e-12)


@check
def check_response(loss):
    """raw inverts response, which lies in the domain of y_pred and costs the same."""
    for y, raw, p, sample_set in _predictions(loss):
        back, domain, where = loss.raw(p), loss.interval_y_pred, {"y_true": y, "raw_prediction": raw}
        shift = (raw - back).mean(axis=1, keepdims=True) if raw.ndim == 2 and loss.shift_invariant else 0.0
        compare("raw must invert response", back + shift, raw, 1e-9, y_pred=p)
        require(domain.includes(p), "response must lie in the domain of y_pred", p, domain, **where)
        if loss.elementwise:
            got, expected = loss.per_sample(y, p), loss.loss(y, raw)
        else:
            got, weight = metric(loss, y, p, None, sample_set), np.full(len(y), 1 / len(y))
            expected, where = loss.value_gradient(y, raw, weight, sample_set)[0], {}
        compare("the metric of a response is the loss", got, expected, 1e-9, **where)


@check
def check_probability(loss):
    """Probabilities lie in [0, 1], sum to 1 and belong to the loss; a loss of decision values that has some says so."""
    for y, raw in samples(loss) if loss.probabilistic else ():
        for f in (raw, 1e3 * raw):
            p = loss.probability(f)
            require((p >= 0) & (p <= 1), "a probability lies in [0, 1]", p, "0 to 1", y_true=y, raw_prediction=f)
            if loss.multiclass and p.ndim == 2:
                compare("probabilities of a row sum to 1", p.sum(axis=1), np.ones(N_ROWS), 1e-12, raw_prediction=f)
            if loss.response_method == "predict_proba":
                compare("probability is response", p, loss.response(f), 1e-15, raw_prediction=f)
    if loss.response_method != "decision_function" or not loss.elementwise or loss.n_classes not in (None, 2):
        return
    f = np.linspace(-4, 5, 181)
    p = _share(loss, f)
    inner = p[(p > 0) & (p < 1)]
    least = np.diff(inner).min(initial=1.0) if len(inner) else 0.0
    has = bool(loss.convex and loss.smooth and not np.isnan(p).any() and least > 1e-12)
    if loss.probabilistic or loss.definite:
        where = {"convex": loss.convex, "smooth": loss.smooth, "least_step_of_probability": least}
        ok = has == bool(loss.probabilistic)
        require(ok, "probabilistic says whether f tells a probability", loss.probabilistic, has, **where)
    if loss.probabilistic:
        what = "probability is the share of which raw_prediction is the minimiser"
        compare(what, loss.probability(f), p, 1e-12, raw_prediction=f)


def _share(loss, f):
    """The share p of the second class for which f is the best raw prediction, p l'(1, f) + (1 - p) l'(0, f) = 0.

    NaN where f is the best for none: where the loss of the second class does not fall faster than that of the first.
    """
    up, down = (loss.gradient(np.full_like(f, label), f) for label in (1.0, 0.0))
    known = down > up
    return np.where(known, np.clip(down / np.where(known, down - up, 1), 0, 1), np.nan)
