"""Losses of sequences, whose labels need not be aligned with the frames."""

import numpy as np

from ._base import refuse, valleys
from ._probability import _both, _ProbabilityLoss, _shifted
from ._sets import SetLoss, Sets, best_constant, needs_sample_set

__all__ = ["CTC", "decode", "label_error_rate"]

NEVER = -1e300  # logarithm of the probability of what can't be; differences of two stay finite
WIDTH = 8192  # pairs of states of a batch in one frame: few calls, whose arrays stay in the cache
MEMORY = 2**23  # of them in all frames, of 18 bytes each


class CTC(SetLoss, _ProbabilityLoss):
    """Connectionist temporal classification: the labels of a sequence, whatever their alignment with its frames.

    A row is a frame, a set of rows a sequence, in the order of its rows.  Each frame has a class or the blank; a path
    of classes yields a target if that is left when runs of a class are merged and blanks are removed.  With p the
    probabilities of the classes in the frames::

        loss = -log(sum over the paths that yield the target of prod_t p[t, path_t])

    The target of a sequence is its labels y_true without the blanks, in the order of the rows: in which rows they
    stand does not matter, so there is nothing to align.  A target with S labels, R of them equal to the one before,
    needs S + R frames; with fewer the loss is inf.  Weights must be constant in a sequence, and weigh it in the mean.

    Domain: y_true an index.  Response: predict_proba.  Unit: nats, of the whole sequence.
    Facts: a loss of sets of rows that needs ``sample_set``; smooth, not convex.

    Parameters
    ----------
    blank : label, default=0
        The label that stands for no symbol.
    zero_infinity : bool, default=False
        Give a sequence with too few frames the loss 0 instead of inf.

    References
    ----------
    A. Graves, S. Fernández, F. Gomez, J. Schmidhuber, "Connectionist Temporal Classification", ICML 2006.

    Examples
    --------
    The target is the label 1, of one frame in "a" and of two in "b".  Of 3 classes, all equally likely, one path of 3
    yields it in "a"; in "b" it is 3 of 9: 11, 10 and 01.

    >>> y, raw, weight = np.array([1, 1, 0]), np.zeros((3, 3)), np.ones(3)
    >>> np.exp(-CTC().set_values(y, raw, weight, ["a", "b", "b"])).round(6)
    array([0.333333, 0.333333])
    """

    name = "ctc"
    use = "the labels in their order; an outlier pulls in proportion to its surprise; unit nats"
    needs_sets = True
    _parameter_constraints = {"zero_infinity": ["boolean"]}

    def __init__(self, blank=0, zero_infinity=False):
        self.blank = blank
        self.zero_infinity = zero_infinity

    def bind(self, classes):
        """The loss with the index of the blank among the sorted labels."""
        labels = classes.tolist()
        if self.blank not in labels:
            raise ValueError(f"blank of CTC must be one of the labels {labels}; got blank={self.blank!r}.")
        return CTC(labels.index(self.blank), self.zero_infinity)

    def check_y_true(self, y_true, fit=False):
        if y_true.ndim > 1:
            raise ValueError(f"{self!r} takes a label for each frame, no probabilities; y_true has {y_true.ndim} axes.")
        super().check_y_true(y_true, fit)
        shares = y_true != y_true.astype(int)
        if shares.any():
            refuse(y_true, shares, "y_true", "a label for each frame, no probability,", self)

    def check_sets(self, y_true, sample_set):
        """Raise a ValueError for a sequence with too few frames for its target; return the `Sets`."""
        sets = super().check_sets(y_true, sample_set)
        _, n_frames, _, n_symbols, needed = _targets(y_true, sets, self.blank)
        short = np.flatnonzero(n_frames < needed)
        if len(short) and not self.zero_infinity:
            i = short[0]
            raise ValueError(
                f"The loss of {len(short)} of {len(sets)} sequences is inf, whatever is fitted. The first is sequence "
                f"{sets.name(i)!r} of sample_set: its target of {n_symbols[i]} labels, "
                f"{needed[i] - n_symbols[i]} of them equal to the one before, needs {needed[i]} frames, and it has "
                f"{n_frames[i]}. Leave such sequences out, give them more frames, or let them count nothing by "
                "zero_infinity=True."
            )
        return sets

    def counts(self, weight, sets):
        differs = np.flatnonzero(weight != sets.first(weight)[sets.index])
        if len(differs):
            row = differs[0]
            first = int(np.argmax(sets.index == sets.index[row]))
            raise ValueError(
                f"{self!r} weighs whole sequences, so sample_weight must be constant in each, and class_weight None; "
                f"sequence {sets.name(sets.index[row])!r} has {weight[first]} in row {first} and "
                f"{weight[row]} in row {row}."
            )
        return sets.first(weight)

    def per_set(self, y_true, raw_prediction, weight, sets):
        p, log_p, top = _probabilities(raw_prediction)
        K = p.shape[1]
        if self.blank not in range(K):
            raise ValueError(
                f"blank={self.blank!r} is none of the class indices 0 to {K - 1}; bind(classes) makes it one."
            )
        order, n_frames, symbols, n_symbols, needed = _targets(y_true, sets, self.blank)
        first_frame, first_symbol = np.cumsum(n_frames) - n_frames, np.cumsum(n_symbols) - n_symbols
        counts, feasible = sets.first(weight) > 0, n_frames >= needed
        values = np.where(counts & ~feasible & (not self.zero_infinity), np.inf, 0.0)
        posterior = p.copy()  # where the loss is constant
        for batch in _batches(np.flatnonzero(counts & feasible), n_frames, n_symbols, K):
            rows = _as_columns(order, first_frame[batch], n_frames[batch], -1)
            label = _as_columns(symbols, first_symbol[batch], n_symbols[batch], K)  # class K can't be
            log = np.full((len(rows), K + 1, len(batch)), NEVER)
            log[:, :K] = np.moveaxis(log_p[rows], 1, 2)
            values[batch], found = _align(log, label, n_frames[batch], n_symbols[batch], self.blank)
            posterior[rows[rows >= 0]] = np.moveaxis(found[:, :K], 2, 1)[rows >= 0]
        gradient = p - posterior
        every = np.arange(len(p))
        gradient[every, top] = 0  # there it would cancel; the sum over classes is 0
        gradient[every, top] = -gradient.sum(axis=1)
        return values, gradient if raw_prediction.ndim == 2 else gradient[:, 1]

    def start(self, y_true, weight, *n_outputs, sample_set=None):
        return np.zeros(n_outputs) if n_outputs > (1,) else 0.0

    def fit_intercept_only(self, y_true, weight, n_outputs=1, sample_set=None):
        """Best constant raw prediction: a float for n_outputs = 1 (two classes), else (n_outputs,) with mean 0."""
        sets, K = self.sets(sample_set, len(y_true)), max(2, n_outputs)
        share, weight = self.share(weight, sets), sets.relative(weight)

        def objective(raw):
            each = np.tile(raw, (len(y_true), 1)) if n_outputs > 1 else np.full(len(y_true), raw)
            values, gradient = self.per_set(y_true, each, weight, sets)
            return share @ np.where(np.isfinite(values), values, 0), share[sets.index] @ gradient

        # How many rows are labelled blank says little: from symbols as often as in the targets, and the best of some
        # probabilities of the blank.
        counts = np.bincount(y_true.astype(int), minlength=K) + 1 / K
        counts[self.blank] = 0
        shares = [(1 - b) * counts / counts.sum() + b * np.eye(K)[self.blank] for b in np.linspace(0.02, 0.98, 13)]
        starts = [np.log(share) if n_outputs > 1 else np.log(share[1:] / share[:1]) for share in shares]
        lowest = valleys(np.array([objective(raw)[0] for raw in starts]))  # of few blanks, and of many
        # With that gtol the value is good to 1e-12, and each one is dear.
        best = best_constant(objective, [starts[i] for i in lowest], gtol=1e-6)
        return best - best.mean() if n_outputs > 1 else float(best[0])


def decode(y_pred, sample_set, blank=0):
    """Best path of each sequence: the label of each frame, runs merged, blanks removed.

    Parameters
    ----------
    y_pred : array-like of shape (n_samples,) or (n_samples, n_classes)
        Labels of the frames, as ``predict`` returns them; or raw predictions or probabilities, whose largest one makes
        the label, a class index.
    sample_set : array-like of shape (n_samples,)
        To which sequence a frame belongs; frames are in the order of the rows.
    blank : label, default=0

    Returns
    -------
    list of ndarray
        Labels of each sequence, in the order of the sorted labels in sample_set.

    Examples
    --------
    >>> decode(np.array([1, 1, 0, 1, 2, 2, 0]), ["a", "a", "a", "a", "b", "b", "b"])
    [array([1, 1]), array([2])]
    """
    y_pred = np.asarray(y_pred)
    y_pred = y_pred.argmax(axis=1) if y_pred.ndim == 2 else y_pred
    sets = Sets.of(sample_set, len(y_pred))
    order = np.argsort(sets.index, kind="stable")
    starts = np.append(True, (y_pred[order][1:] != y_pred[order][:-1]) | (np.diff(sets.index[order]) > 0))
    return _split(y_pred, order[starts], sets, blank)


def label_error_rate(y_true, y_pred, sample_set=None, blank=0):
    """Labels to insert, delete or replace to make the decoded sequences the true ones, per true label.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        Labels of the rows, of which those that are not blank are the target, in the order of the rows.
    y_pred, sample_set, blank
        As in `decode`; if y_pred has a column for each class, y_true holds class indices.

    Returns
    -------
    float
        Lower is better, 0 is perfect; it may be more than 1.

    Notes
    -----
    It is a metric of what ``predict`` returns.  A scorer of it gets sample_set where metadata routing is enabled::

        make_scorer(label_error_rate, greater_is_better=False, blank=blank).set_score_request(sample_set=True)

    Examples
    --------
    >>> label_error_rate(np.array([1, 2, 0, 0]), np.array([1, 1, 0, 1]), ["a", "a", "a", "a"])
    0.5
    """
    if sample_set is None:
        raise needs_sample_set("label_error_rate")
    y_true = np.asarray(y_true)
    sets = Sets.of(sample_set, len(y_true))
    true = _split(y_true, np.argsort(sets.index, kind="stable"), sets, blank)
    n_labels = sum(map(len, true))
    if not n_labels:
        raise ValueError(f"y_true holds nothing but blank={blank!r}: there is no label to be wrong.")
    return sum(map(_edit_distance, true, decode(y_pred, sets, blank))) / n_labels


def _split(labels, rows, sets, blank):
    """The labels of some rows, given by sequence, without blanks; a list of arrays."""
    rows = rows[labels[rows] != blank]
    counts = np.bincount(sets.index[rows], minlength=len(sets))
    return np.split(labels[rows], np.cumsum(counts)[:-1])


def _edit_distance(a, b):
    steps = np.arange(len(b) + 1)
    row = steps
    for label in a:
        row = np.append(row[0] + 1, np.minimum(row[1:] + 1, row[:-1] + (b != label)))
        row = np.minimum.accumulate(row - steps) + steps  # insertions
    return int(row[-1])


def _probabilities(raw_prediction):
    """Probabilities and their logarithms, (n, K), and the likeliest class of each row."""
    if raw_prediction.ndim == 1:
        p = np.column_stack(_both(raw_prediction)[::-1])
        log_p = -np.logaddexp(0, np.column_stack([raw_prediction, -raw_prediction]))
        return p, log_p, (raw_prediction > 0).astype(int)
    z, top, rest = _shifted(raw_prediction)
    log_p = z - np.log1p(rest)[:, None]
    return np.exp(log_p), log_p, top


def _targets(y_true, sets, blank):
    """Rows by sequence, frames of each, symbols of all targets, how many each has, and the frames that it needs."""
    order = np.argsort(sets.index, kind="stable")
    owner, y = sets.index[order], np.asarray(y_true)[order].astype(int)
    owner, symbols = owner[y != blank], y[y != blank]
    again = (np.diff(symbols, prepend=-1) == 0) & (np.diff(owner, prepend=-1) == 0)
    n_symbols = np.bincount(owner, minlength=len(sets))
    needed = n_symbols + np.bincount(owner[again], minlength=len(sets))
    return order, np.bincount(sets.index, minlength=len(sets)), symbols, n_symbols, needed


def _batches(sequences, n_frames, n_symbols, n_classes):
    """The sequences by length, as many at a time as are quick to align together."""
    if len(sequences) == 0:
        return
    width, length = n_symbols[sequences].max() + 1, n_frames[sequences].max()
    size = max(1, min(WIDTH // width, MEMORY // (length * max(width, n_classes))))
    sequences = sequences[np.lexsort((n_symbols[sequences], n_frames[sequences]))]
    for k in range(0, len(sequences), size):
        yield sequences[k : k + size]


def _as_columns(values, start, count, fill):
    """Runs of values as columns of an array, the shorter ones filled up."""
    place = np.arange(count.max())[:, None]
    inside = place < count
    return np.where(inside, values[np.where(inside, start + place, 0)], fill)


def _align(log_p, label, n_frames, n_symbols, blank):
    """Minus the log probability of each target, (B,), and the posterior of the classes in the frames, like log_p.

    log_p is (T, K, B), label (S, B).  In each frame a path is in one of 2 S + 1 states: blank s, after s symbols, or
    symbol s.  With the frame before written as b and f, and u = b + f shifted by one::

        blank[s] = p[blank] * u[s],           u[s] = b[s] + f[s - 1]
        symbol[s] = p[label[s]] * (f[s] + (u[s] or, if the label repeats, b[s]))

    so there are two sums for each symbol, taken of logarithms.  The way back needs none: what a state passes on to
    each of the two terms of its sum is known, and so the posterior keeps its digits, however small a probability is.
    """
    (T, K, B), S = log_p.shape, len(label)
    fresh = np.ones((S, B), dtype=bool)
    fresh[1:] = label[1:] != label[:-1]
    cell = label * B + np.arange(B)
    at_end = [np.flatnonzero(n_frames == t) for t in range(T + 1)]
    # Symbols are shifted by one row, row 0 being none, so that row s of b and of f make u[s].
    b, f = np.full((S + 1, B), NEVER), np.full((S + 1, B), NEVER)
    b[0] = 0
    value, offset = np.empty(B), np.zeros(B)
    terms_of_u, terms_of_v = [], []
    for t in range(T + 1):
        u, *terms = _join(b, f)
        terms_of_u.append(terms)
        value[at_end[t]] = -(u[n_symbols[at_end[t]], at_end[t]] + offset[at_end[t]])
        if t == T:
            break
        v, *terms = _join(f[1:], np.where(fresh, u[:-1], b[:-1]))
        terms_of_v.append(terms)
        b = u + log_p[t, blank]
        f[1:] = v + log_p[t].reshape(-1).take(cell)
        top = np.maximum(b.max(axis=0), f.max(axis=0))  # numbers near 0 keep the most digits
        b -= top
        f -= top
        offset += top
    posterior = np.empty_like(log_p)
    to_u, stays, straight = np.zeros((S + 1, B)), np.zeros((S, B)), np.zeros((S, B))
    for t in range(T, 0, -1):
        to_u[n_symbols[at_end[t]], at_end[t]] = 1
        to_u, to_f = _divide(to_u, *terms_of_u[t])
        to_u[:-1] += straight
        to_f[1:] += stays
        posterior[t - 1] = np.bincount(cell.ravel(), to_f[1:].ravel(), K * B).reshape(K, B)
        posterior[t - 1, blank] += to_u.sum(axis=0)
        stays, comes = _divide(to_f[1:], *terms_of_v[t - 1])
        straight = np.where(fresh, 0, comes)
        to_u[:-1] += comes - straight
    return np.maximum(value, 0), posterior


def _join(a, b):
    """log(exp(a) + exp(b)), the share of the lesser of the two, and where that is b's."""
    d = a - b
    e = np.exp(-np.abs(d))
    return np.maximum(a, b) + np.log1p(e), e / (1 + e), d >= 0


def _divide(mass, lesser, is_b):
    """What the two terms of a sum get of a mass, given the share of the lesser."""
    little = mass * lesser
    rest = mass - little
    return np.where(is_b, rest, little), np.where(is_b, little, rest)
