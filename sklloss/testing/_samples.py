"""What losses are tried on: targets and raw predictions of a loss's kind, the same in every run.

`samples` are rows as data has them; `lines` and `special_points` lead through the raw predictions at which a loss may
do something unusual, at every scale.  For a loss of sets of rows row i of a sample is in set ``SAMPLE_SET[i]``.
"""

from itertools import product

import numpy as np

N_ROWS, N_CLASSES, N_SETS = 60, 3, 5
SAMPLE_SET = np.minimum(np.arange(N_ROWS) % 7, N_SETS - 1)  # one is larger than the others
SIZE = 5  # of a set for what is tried at many raw predictions
SOME = np.linspace(0, N_ROWS - 1, 8).astype(int)  # rows for what is tried at many raw predictions
STEP = 1e-3  # of the differences in the raw prediction, for which samples leave room
MOVES = np.unique([0.0, *np.logspace(-3, 4, 701), *-np.logspace(-3, 4, 701)])  # from what is special, at every scale
NEAR = np.unique([-1.0, 0.0, 1.0, *MOVES[np.abs(MOVES) <= 100][::8]])


def samples(loss):
    """Samples (y_true, raw_prediction): one-dimensional, and for losses that know several classes (n, K) as well.

    Those of coupled outputs are (n, M), of as many outputs as the loss is for, or as there are classes.
    Otherwise a loss of several columns is the sum over columns, as `check_shapes` proves, so that one is enough.
    """
    rng = np.random.default_rng(0)
    raw = rng.normal(scale=2.0, size=N_ROWS) * np.where(np.arange(N_ROWS) % 10 == 9, 10.0, 1.0)
    if loss.response_method == "predict" and loss.coupled:
        shape = N_ROWS, n_outputs(loss)
        return [(rng.normal(scale=3.0, size=shape), rng.normal(scale=2.0, size=shape))]
    if loss.response_method == "predict":
        return [(targets(loss.interval_y_true, N_ROWS, rng), _reflected(raw, raw_interval(loss)))]
    y, soft = rng.integers(0, 2, N_ROWS).astype(float), takes(loss, np.array([0.5]))
    if soft:
        y[::3] = rng.uniform(size=len(y[::3]))
    found, K = [(with_blanks(loss, y), raw)] if 2 in class_counts(loss) else [], max(class_counts(loss))
    if loss.multiclass and K > 2:
        index, raw = rng.integers(0, K, N_ROWS), rng.normal(scale=2.0, size=(N_ROWS, K))
        rows = np.eye(K)[index]
        if soft:
            rows[::3] = rng.dirichlet(np.ones(K), len(rows[::3]))
        found += [(with_blanks(loss, index), raw)] + [(rows, raw)] * takes(loss, rows)
    return found


def n_outputs(loss):
    """The number of outputs on which a loss of coupled outputs is tried: its own, else the least that it takes."""
    if loss.n_outputs is not None:
        return loss.n_outputs
    return next((M for M in range(N_CLASSES, N_ROWS) if takes(loss, np.zeros((1, M)))), N_CLASSES)


def class_counts(loss):
    """The numbers of classes on which a classification loss is tried."""
    found = [K for K in ((2, N_CLASSES) if loss.n_classes is None else (loss.n_classes,)) if _binds(loss, K)]
    if not found:
        raise ValueError(f"{loss!r} is for other labels than those of the samples, 0 to {N_CLASSES - 1}.")
    return found


def _binds(loss, n_classes):
    try:
        loss.bind(np.arange(n_classes))
    except ValueError:
        return False
    return True


def with_blanks(loss, y):
    """Targets of which two in three are the blank, where there is one: a sequence is longer than its symbols."""
    blank = getattr(loss, "blank", None)
    return y if blank is None else np.where(np.arange(N_ROWS) // N_SETS % 3 == 1, y, blank).astype(y.dtype)


def as_weights(loss, values, sample_set=SAMPLE_SET):
    """Weights of rows, (n,): a loss that needs sets, as one of sequences does, weighs each of them as a whole."""
    return values[sample_set] if loss.needs_sets else values


def shuffled(loss, rng, sample_set=SAMPLE_SET):
    """Indices of the rows in another order; of a loss that needs sets, where rows have an order, that of the sets."""
    if loss.needs_sets:
        return np.argsort(rng.permutation(N_SETS)[sample_set], kind="stable")
    return rng.permutation(len(sample_set))


def targets(domain, n, rng):
    """Targets that fill a domain: whole numbers and others, and its ends where they belong to it."""
    if domain.is_real_line:
        return rng.normal(scale=3.0, size=n)
    low, high = domain.low, domain.high
    if np.isfinite(low) and np.isfinite(high):
        y, middle = low + (high - low) * np.clip(rng.uniform(-0.1, 1.1, n), 0, 1), (low + high) / 2
    else:
        size = np.where(np.arange(n) % 2, rng.gamma(1.5, 2.0, n), rng.poisson(2.0, n))
        y, middle = (low + size, low + 1) if np.isfinite(low) else (high - size, high - 1)
    return np.where(domain.includes(y), y, middle)


def takes(loss, y):
    """Whether a loss takes these targets."""
    try:
        loss.check_y_true(y)
    except ValueError:
        return False
    return True


def cast(y, dtype):
    """Targets of a dtype; class indices stay what they are."""
    return y if y.dtype.kind == "i" else y.astype(dtype)


# ------------------------------------------------------------------------------------------ where a loss is defined
def raw_interval(loss):
    """The open interval of raw predictions: all numbers, but for an identity link with a bounded prediction."""
    if loss.response_method != "predict":
        return -np.inf, np.inf
    return tuple(loss.raw(np.array([loss.interval_y_pred.low, loss.interval_y_pred.high], dtype=float)))


def within(raw, interval):
    """Boolean array: which raw predictions lie inside."""
    return (raw > interval[0]) & (raw < interval[1])


def _reflected(raw, interval):
    """Raw predictions reflected at the ends of an interval, into it."""
    low, high = interval
    raw = low + np.abs(raw - low) + 10 * STEP if np.isfinite(low) else raw
    return high - np.abs(high - raw) - 10 * STEP if np.isfinite(high) else raw


# ------------------------------------------------------------------------------------------------- what is special
def perfect(loss, y, otherwise):
    """The raw prediction of a perfect prediction of a number, where there is one; else `otherwise`."""
    raw = loss.raw(y.copy()) if loss.response_method == "predict" else np.inf
    return np.where(within(raw, raw_interval(loss)), raw, otherwise)


def special_points(loss, y, raw):
    """Raw predictions for one row, with what may be a kink: a perfect prediction, the margins -1, 0 and 1, ties."""
    if raw.ndim == 2:
        corners = np.array(list(product((-1.0, 0.0, 1.0), repeat=min(raw.shape[1], 3))))
        corners = np.pad(corners, ((0, 0), (0, raw.shape[1] - corners.shape[1])))
        return np.concatenate([corners, raw + corners])
    kinks = []
    if loss.relu is not None:
        offset, slope = loss.argument(y)
        kinks = [float((-o / c - offset[0]) / slope[0]) for c, o in loss.relu if c]
    points = np.unique([*(perfect(loss, y, 0.0) + NEAR), *raw, *kinks])
    return points[within(points, raw_interval(loss))]


def directions(raw):
    """Each direction in which one column of the raw predictions moves."""
    units = [1.0] if raw.ndim == 1 else np.eye(raw.shape[1])
    return [np.broadcast_to(unit, raw.shape) for unit in units]


def lines(loss):
    """Lines (y_true, start, direction), one for each of some rows of each sample.

    In one column they run through what is special, a perfect prediction or 0; in several along the first column, and
    along a direction that mixes all.  Of a loss of sets there is one for each set of some rows, (n_sets, size, ...),
    along a direction that mixes them; of a sum of losses of rows and of sets there is none.
    """
    mixed = np.random.default_rng(3).normal
    for y, raw in samples(loss):
        if not loss.elementwise:
            if hasattr(loss, "set_values"):
                y, raw = (np.stack([rows[np.equal(SAMPLE_SET, i)][:SIZE] for i in range(N_SETS)]) for rows in (y, raw))
                yield y, raw, mixed(size=raw.shape)
            continue
        y, raw = y[SOME], raw[SOME]
        if loss.response_method == "predict" and loss.coupled:  # which need not see each output
            yield y, raw, mixed(size=raw.shape)
        elif raw.ndim == 1:
            yield y, perfect(loss, y, raw if loss.response_method == "predict" else 0 * raw), np.ones_like(raw)
        else:
            yield y, raw, directions(raw)[0]
            yield y, raw, mixed(size=raw.shape)
