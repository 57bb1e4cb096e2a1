"""Checks of losses of sets of rows: what a set costs, and what a weight does in it.

A loss that needs sets (``needs_sets``: ctc) is taken for one of sequences: the order of the rows in a set counts, and
weights are constant in it.  `check_weights` says that a weight of k is k copies.
"""

import numpy as np

from ._machinery import check, compare, require
from ._samples import N_ROWS, N_SETS, SAMPLE_SET, as_weights, samples, shuffled

__all__ = [  # noqa: RUF022  (in the order in which they run)
    "check_sets",
    "check_order_of_rows",
    "check_weights_of_sets",
]

NAMES = np.array([f"set {i}" for i in (3, 0, 4, 1, 2)])  # in another order than the sets


def _samples(loss):
    """Samples (y_true, raw_prediction, weight) of a loss of sets; none of a loss of rows."""
    rng = np.random.default_rng(14)
    for y, raw in samples(loss) if not loss.elementwise else ():
        yield y, raw, as_weights(loss, rng.uniform(0.5, 2.0, N_ROWS))


@check
def check_sets(loss):
    """The loss is the plain mean of what its sets cost alone, whatever their names; `of_sets` is that of given sets."""
    for y, raw, weight in _samples(loss):
        total, gradient = loss.value_gradient(y, raw, weight, SAMPLE_SET)
        for what, got in {
            "names of the sets change nothing": loss.value_gradient(y, raw, weight, NAMES[SAMPLE_SET]),
            "of_sets is the loss": loss.of_sets(loss.sets(SAMPLE_SET, N_ROWS)).value_gradient(y, raw, weight),
        }.items():
            compare(what, got[0], total, 1e-12)
            compare(what, got[1], gradient, 1e-12, y_true=y, raw_prediction=raw, weight=weight)
        if not hasattr(loss, "set_values"):  # a sum with losses of rows, which are averaged over all rows
            continue
        values = loss.set_values(y, raw, weight, SAMPLE_SET)
        require(np.shape(values) == (N_SETS,), "set_values is (n_sets,)", np.shape(values), (N_SETS,))
        share = weight[:N_SETS] / weight[:N_SETS].sum() if loss.needs_sets else np.full(N_SETS, 1 / N_SETS)
        compare("the loss is the mean of its sets", total, share @ values, 1e-12)
        for i in range(N_SETS):
            rows = np.equal(SAMPLE_SET, i)
            alone, slope = loss.value_gradient(y[rows], raw[rows], weight[rows], SAMPLE_SET[rows])
            where = {"y_true": y[rows], "raw_prediction": raw[rows], "weight": weight[rows]}
            compare("a set costs what it costs alone", values[i], alone, 1e-12)
            compare("its gradient is that of the set alone", gradient[rows], share[i] * slope, 1e-10, **where)


@check
def check_order_of_rows(loss):
    """The order of the rows does not count; of a loss that needs sets, the order of the sets."""
    rng = np.random.default_rng(15)
    for y, raw, weight in _samples(loss):
        order = shuffled(loss, rng)
        total, gradient = loss.value_gradient(y, raw, weight, SAMPLE_SET)
        got, slope = loss.value_gradient(y[order], raw[order], weight[order], SAMPLE_SET[order])
        compare("the order of rows changes no value", got, total, 1e-12)
        where = {"y_true": y[order], "raw_prediction": raw[order], "row": order}
        compare("the order of rows changes no gradient", slope, gradient[order], 1e-10, **where)


@check
def check_weights_of_sets(loss):
    """A row of weight 0 and a set of them do not count; nor, but for a sum with losses of rows, does a factor."""
    for y, raw, weight in _samples(loss):
        first, fourth = np.equal(SAMPLE_SET, 0), np.arange(N_ROWS) % 4 == 0
        zero = first if loss.needs_sets else first | fourth
        weight, kept = np.where(zero, 0, weight), ~zero
        spoilt = raw.copy()
        spoilt[zero] = 1e20
        alone, slope = loss.value_gradient(y[kept], raw[kept], weight[kept], SAMPLE_SET[kept])
        total, gradient = loss.value_gradient(y, spoilt, weight, SAMPLE_SET)
        where = {"y_true": y[kept], "raw_prediction": raw[kept], "weight": weight[kept]}
        compare("a row of weight 0 is left out", total, alone, 1e-12)
        compare("a row of weight 0 changes no gradient", gradient[kept], slope, 1e-10, **where)
        require(gradient[zero] == 0, "a row of weight 0 has no slope", gradient[zero], 0.0)
        for factor in (1e-200, 1e200) if hasattr(loss, "set_values") else ():
            got, slope = loss.value_gradient(y, spoilt, factor * weight, SAMPLE_SET)
            compare("a factor of all weights changes no value", got, total, 1e-12)
            compare("a factor of all weights changes no gradient", slope[kept], gradient[kept], 1e-10, **where)
