"""Losses of sets of rows: arithmetic of fifty digits, and what is special in each of them.

What they have in common, `check_loss` checks; published values are in test_golden.py, fits in test_set_fits.py.
Tolerances, where no other reason stands beside them: 1e-12 relative for sums of up to a hundred rounded terms, far
below any mistake in a formula.
"""

import copy
import itertools
import math
import pickle

import numpy as np
import pytest
from mpmath import mp, mpf
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special
from sklearn.base import clone
from sklearn.metrics import f1_score, mean_squared_error

from sklloss.losses import CTC, PSNR, Dice, Jaccard, LogLoss, Lovasz, SetLoss, Tversky, _sequence
from sklloss.losses._image import psnr
from sklloss.losses._sequence import decode, label_error_rate

RATIOS = [
    Dice(),
    Dice(smoothing=0),
    Dice(squared=True),
    Dice(smoothing=0, squared=True),
    Tversky(0.3, 0.7),
    Tversky(0.2, 1.5, smoothing=0),
    Tversky(1.0, 0.0, smoothing=0.5),
    Jaccard(),
]
OVERLAPS = [*RATIOS, Lovasz()]
KINDS = [(loss, K) for loss in [*OVERLAPS, CTC()] for K in (2, 4)] + [(PSNR(2.0), 1), (PSNR(), 3)]
every_kind = pytest.mark.parametrize(("loss", "K"), KINDS, ids=lambda x: repr(x))
every_overlap = pytest.mark.parametrize("loss", OVERLAPS, ids=repr)


def sample(loss, K, seed=0, sizes=(9, 7, 12), soft=False):
    """y, raw_prediction, weight and sample_set of sets of these sizes, their rows mixed."""
    rng = np.random.default_rng(seed)
    ids = rng.permutation(np.repeat(np.arange(len(sizes)) * 5 - 3, sizes))
    n = len(ids)
    weight = rng.uniform(0.5, 2, n)
    if isinstance(loss, PSNR):
        shape = (n,) if K == 1 else (n, K)
        return rng.normal(size=shape), rng.normal(size=shape), weight, ids
    raw = rng.normal(size=n if K == 2 else (n, K))
    if isinstance(loss, CTC):
        y = rng.integers(0, K, n) * (rng.uniform(size=n) < 0.35)  # blank = 0, and room for repeats
        return (y.astype(float) if K == 2 else y), raw, np.unique(ids, return_inverse=True)[1] + 1.0, ids
    if soft:
        y = rng.uniform(size=n) if K == 2 else rng.dirichlet(np.ones(K), n)
    else:
        y = rng.integers(0, K, n) * (1.0 if K == 2 else 1)
    return y, raw, weight, ids


def hot(y, K):
    return np.eye(K)[y.astype(int)] if y.ndim == 1 else y


# ------------------------------------------------------------------------------------------- definitions, fifty digits
def exact_probabilities(raw):
    """(n, C): of the positive class, or of each of K."""
    if raw.ndim == 1:
        return np.array([[1 / (1 + mp.exp(-f))] for f in raw])
    e = np.array([[mp.exp(f) for f in row] for row in raw])
    return e / e.sum(axis=1, keepdims=True)


def exact_ratio(loss, y, p, w):
    s = mpf(loss.smoothing)
    if isinstance(loss, Dice):
        below = (w * (y * y + p * p)).sum() if loss.squared else (w * (y + p)).sum()
        return 1 - (2 * (w * y * p).sum() + s) / (below + s)
    hit, false, missed = (w * y * p).sum(), (w * (1 - y) * p).sum(), (w * y * (1 - p)).sum()
    if isinstance(loss, Jaccard):
        return 1 - (hit + s) / ((w * y).sum() + (w * p).sum() - hit + s)
    return 1 - (hit + s) / (hit + mpf(loss.alpha) * false + mpf(loss.beta) * missed + s)


def exact_lovasz(y, p, w):
    """Of hard labels."""
    errors = np.array([1 - b if a else b for a, b in zip(y, p, strict=True)])
    value, before = mpf(0), mpf(0)
    order = sorted(range(len(y)), key=lambda i: -errors[i])
    for i in range(len(y)):
        wrong = order[: i + 1]
        found = (w * y).sum() - (w * y)[wrong].sum()
        jaccard = 1 - found / ((w * y).sum() + (w * (1 - y))[wrong].sum())
        value, before = value + errors[order[i]] * (jaccard - before), jaccard
    return value


def exact_ctc(y, raw, blank=0):
    """By all paths."""
    p = exact_probabilities(raw)
    p = np.column_stack([1 - p, p]) if p.shape[1] == 1 else p
    target, total = [k for k in y if k != blank], mpf(0)
    for path in itertools.product(range(p.shape[1]), repeat=len(y)):
        if [k for k, _ in itertools.groupby(path) if k != blank] == target:
            total += mp.fprod(p[t, k] for t, k in enumerate(path))
    return -mp.log(total)


def exact(loss, y, raw, weight):
    """The loss of one set by the formula of its docstring."""
    if isinstance(loss, CTC):
        return exact_ctc(y, raw)
    if isinstance(loss, PSNR):
        w = weight if raw.ndim == 1 else weight[:, None] * np.ones(raw.shape)
        return -10 * mp.log10(mpf(loss.data_range) ** 2 / ((w * (y - raw) ** 2).sum() / w.sum()))
    p, w = exact_probabilities(raw), weight * len(weight) / weight.sum()
    y = y[:, None] if raw.ndim == 1 else hot(y, raw.shape[1])
    if isinstance(loss, Lovasz):
        present = [k for k in range(p.shape[1]) if p.shape[1] == 1 or y[:, k].any()]
        return sum(exact_lovasz(y[:, k], p[:, k], w) for k in present) / len(present)
    return sum(exact_ratio(loss, y[:, k], p[:, k], w) for k in range(p.shape[1])) / p.shape[1]


def exact_gradient(loss, y, raw, weight):
    """By central differences of step 1e-25, good to fifty digits."""
    step, found = mpf(10) ** -25, np.zeros(raw.shape, dtype=object)
    for i in np.ndindex(raw.shape):
        up, down = raw.copy(), raw.copy()
        up[i], down[i] = up[i] + step, down[i] - step
        found[i] = (exact(loss, y, up, weight) - exact(loss, y, down, weight)) / (2 * step)
    return found


SOFT = [(loss, K, True) for loss, K in KINDS if loss in RATIOS]  # what Lovasz makes of them, another test says


@pytest.mark.parametrize("spread", [1.0, 12.0])
@pytest.mark.parametrize(("loss", "K", "soft"), [(loss, K, False) for loss, K in KINDS] + SOFT, ids=lambda x: repr(x))
def test_value_and_gradient_equal_the_definition_in_fifty_digits(loss, K, soft, spread):
    y, raw, weight, _ = sample(loss, K, seed=K, sizes=(6,), soft=soft)
    raw = spread * raw
    with mp.workdps(100):
        multiprecision = np.vectorize(mpf, otypes=[object])
        target = y if y.dtype.kind == "i" or isinstance(loss, CTC) else multiprecision(y)
        arguments = target, multiprecision(raw), multiprecision(weight)
        value, slope = float(exact(loss, *arguments)), exact_gradient(loss, *arguments).astype(float)
    found, gradient = loss.value_gradient(y, raw, weight, np.zeros(6))
    assert_allclose(found, value, rtol=1e-13)
    # A derivative by one of K raw predictions is a difference of two sums; that by the one of two classes is not, nor
    # is there a difference in any sum if labels are hard: then each entry has all its digits.
    by_entry = raw.ndim == 1 and not soft and not isinstance(loss, CTC)
    assert_allclose(gradient, slope, rtol=1e-12, atol=0 if by_entry else 1e-14 * np.abs(slope).max())


# ------------------------------------------------------------------------------------------------------------- sets
@every_kind
def test_float32_gives_the_value_of_float64_and_a_gradient_of_its_own_kind(loss, K):
    y, raw, weight, ids = sample(loss, K)
    raw = raw.astype(np.float32)
    single, double = (loss.value_gradient(y, f, weight, ids) for f in (raw, raw.astype(np.float64)))
    assert single[0] == double[0]
    assert single[1].dtype == np.float32
    assert_allclose(single[1], double[1], rtol=1e-7)


@every_kind
def test_raw_predictions_of_any_size_give_finite_values_and_gradients(loss, K):
    y, raw, weight, ids = sample(loss, K)
    rng = np.random.default_rng(3)
    for dtype in (np.float64, np.float32):
        extremes = np.array([-1e20, -800.0, -90.0, -1.0, 0.0, 30.0, 700.0, 1e20], dtype=dtype)
        for f in [rng.choice(extremes, raw.shape) for _ in range(20)] + [np.full(raw.shape, x) for x in extremes]:
            value, gradient = loss.value_gradient(y, f, weight, ids)
            assert np.isfinite(value)
            assert np.isfinite(gradient).all()


@every_kind
def test_of_sets_is_the_loss_of_those_sets(loss, K):
    y, raw, weight, ids = sample(loss, K)
    bound = loss.of_sets(loss.check_sets(y, ids))
    value, gradient = loss.value_gradient(y, raw, weight, ids)
    for same in (bound, clone(bound), pickle.loads(pickle.dumps(bound)), copy.deepcopy(bound)):
        found, slope = same.value_gradient(y, raw, weight)
        assert found == value
        assert_array_equal(slope, gradient)
    assert_array_equal(bound.set_values(y, raw, weight), loss.set_values(y, raw, weight, ids))
    facts = ("convex", "smooth", "elementwise", "of_given_rows", "multiclass", "shift_invariant", "probabilistic")
    for fact in (*facts, "translates", "link", "response_method", "interval_y_true", "n_classes", "quadratic", "use"):
        assert getattr(bound, fact) == getattr(loss, fact)
    for method in ("response", "decision", "probability" if loss.probabilistic else "raw"):
        assert_array_equal(getattr(bound, method)(raw), getattr(loss, method)(raw))
    n_outputs = [K if K > 2 else 1] if loss.multiclass else []
    start = loss.start(y, weight, *n_outputs, sample_set=ids)
    assert_array_equal(bound.fit_intercept_only(y, weight, *n_outputs), start)


@every_kind
def test_a_fit_starts_where_the_loss_is_not_flat(loss, K):
    y, raw, weight, ids = sample(loss, K)
    start = loss.start(y, weight, *([K if K > 2 else 1] if loss.multiclass else []), sample_set=ids)
    if isinstance(loss, CTC):
        assert_array_equal(start, 0)
    elif isinstance(loss, PSNR):
        assert_array_equal(start, loss.fit_intercept_only(y, weight, sample_set=ids))
        return
    else:  # the best constant of two classes may be certain of one: there is no slope
        assert_array_equal(start, LogLoss().fit_intercept_only(y, weight, K if K > 2 else 1))
    assert np.abs(loss.value_gradient(y, raw * 0 + start, weight, ids)[1]).max() > 1e-4


def test_of_sets_binds_labels():
    bound = CTC(blank="-").of_sets([0, 0]).bind(np.array(["-", "a"]))
    assert bound.base.blank == 0
    assert bound.value_gradient(np.array([1.0, 0.0]), np.zeros(2), np.ones(2))[0] == pytest.approx(np.log(4 / 3))


@every_kind
def test_a_set_loss_has_no_loss_of_a_row(loss, K):
    y, raw, _, _ = sample(loss, K)
    for method in (loss.loss, loss.gradient):
        with pytest.raises(NotImplementedError, match="value_gradient"):
            method(y, raw)
    assert not loss.elementwise
    assert loss.of_given_rows
    assert not loss.has_curvature


@every_kind
def test_there_must_be_a_set_that_counts(loss, K):
    y, raw, weight, ids = sample(loss, K)
    with pytest.raises(ValueError, match=r"All weights are 0: there is no set for .* to average over"):
        loss.value_gradient(y, raw, 0 * weight, ids)


def test_all_rows_are_one_set_without_sample_set():
    y, raw, weight, _ = sample(Dice(), 2)
    assert Dice().value_gradient(y, raw, weight)[0] == Dice().value_gradient(y, raw, weight, np.zeros(len(y)))[0]


@pytest.mark.parametrize(
    ("sample_set", "message"),
    [
        ([1, 2], r"each of the 3 rows.*\(2,\)"),
        ([[1], [2], [3]], r"shape \(3, 1\)"),
        ([1.0, np.nan, 2.0], "row 1 has nan"),
        (["a", "b", None], "row 2 has None"),
        (np.array(["a", 1, 2], dtype=object), "of one kind; got int and str"),
    ],
)
def test_a_sample_set_that_does_not_name_the_set_of_each_row_raises(sample_set, message):
    with pytest.raises(ValueError, match=message):
        Dice().value_gradient(np.ones(3), np.zeros(3), np.ones(3), sample_set)


@pytest.mark.parametrize("cls", [CTC, Dice, Jaccard, Lovasz, PSNR, Tversky])
def test_the_docstring_says_how_to_pass_the_sets(cls):
    assert cls.__doc__.count("search.fit(X, y, groups=ids, sample_set=ids)") == 1
    assert cls.__doc__.count("set_score_request(sample_set=True)") == 2
    assert issubclass(cls, SetLoss)


@pytest.mark.parametrize(
    ("loss", "name"),
    [
        (Dice(smoothing=-1), "smoothing"),
        (Dice(squared=1.0), "squared"),
        (Tversky(alpha=-0.1), "alpha"),
        (Tversky(beta=-0.1), "beta"),
        (Jaccard(smoothing=np.nan), "smoothing"),
        (PSNR(data_range=0), "data_range"),
        (CTC(zero_infinity="yes"), "zero_infinity"),
    ],
)
def test_a_parameter_out_of_its_range_is_named(loss, name):
    with pytest.raises(ValueError, match=f"'{name}' parameter of {type(loss).__name__}"):
        loss.check()


# ------------------------------------------------------------------------------------------------------------ overlap
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("K", [2, 3])
def test_dice_and_jaccard_are_members_of_the_tversky_family(K, soft):
    arguments = sample(Dice(), K, soft=soft)
    for loss, member in [(Dice(0.4), Tversky(0.5, 0.5, 0.2)), (Jaccard(0.3), Tversky(1, 1, 0.3))]:
        (value, gradient), (same, slope) = loss.value_gradient(*arguments), member.value_gradient(*arguments)
        assert value == pytest.approx(same, rel=1e-15)
        assert_allclose(gradient, slope, rtol=1e-13, atol=1e-17)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("K", [2, 3])
def test_lovasz_is_jaccard_where_predictions_are_certain(K, soft):
    y, raw, weight, ids = sample(Lovasz(), K, soft=soft)
    certain = 1e3 * (np.sign(raw) if K == 2 else hot(raw.argmax(axis=1), K))
    assert_allclose(
        Lovasz().set_values(y, certain, weight, ids), Jaccard(0).set_values(y, certain, weight, ids), rtol=1e-13
    )


@pytest.mark.parametrize("loss", [Dice(0), Tversky(0.3, 0.7, 0), Jaccard(0), Lovasz()], ids=repr)
def test_a_target_between_zero_and_one_is_a_row_of_each_class_in_parts(loss):
    y, raw, weight, ids = sample(loss, 2, soft=True)
    value, gradient = loss.value_gradient(y, raw, weight, ids)
    split, slope = loss.value_gradient(
        np.repeat([1.0, 0.0], len(y)), np.tile(raw, 2), np.hstack([weight * y, weight * (1 - y)]), np.tile(ids, 2)
    )
    assert value == pytest.approx(split, rel=1e-14)
    assert_allclose(gradient, slope[: len(y)] + slope[len(y) :], rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("K", [2, 3])
def test_predictions_of_zero_and_one_are_taken_as_they_are(K):
    y, raw, weight, ids = sample(Dice(), K)
    labels = (raw > 0) * 1.0 if K == 2 else raw.argmax(axis=1)
    y[ids == ids[0]], labels[ids == ids[0]] = 0, 0
    for loss in OVERLAPS:
        certain = loss.raw(labels if K == 2 else hot(labels, K))
        values, gradient = loss.set_values(y, certain, weight, ids), loss.value_gradient(y, certain, weight, ids)[1]
        assert values[np.unique(ids) == ids[0]] == 0
        assert np.isfinite(values).all()
        assert not gradient.any()
        assert_array_equal(loss.response(certain), labels if K == 2 else hot(labels, K))
    for i in np.unique(ids)[np.unique(ids) != ids[0]]:
        rows = ids == i
        average = {"average": "macro", "labels": [0, 1, 2]} if K == 3 else {}
        score = f1_score(y[rows], labels[rows], sample_weight=weight[rows], zero_division=1.0, **average)
        certain = Dice(0).raw(labels[rows] if K == 2 else hot(labels[rows], K))
        assert Dice(0).value_gradient(y[rows], certain, weight[rows])[0] == pytest.approx(1 - score, rel=1e-13)


@every_overlap
def test_nothing_there_and_nothing_predicted_costs_nothing(loss):
    for raw in (-1e20, -800.0):
        value, gradient = loss.value_gradient(np.zeros(4), np.full(4, raw), np.ones(4))
        assert value == pytest.approx(0, abs=1e-300)
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("loss", [Dice(0), Dice(0, squared=True), Tversky(0.3, 0.7, 0), Jaccard(0)], ids=repr)
def test_nothing_there_and_something_predicted_costs_one_without_smoothing(loss):
    # All of it is false, however little it is: 0 / 0 is a limit only of the smoothed formula.
    value, gradient = loss.value_gradient(np.zeros(4), np.full(4, -30.0), np.ones(4))
    assert value == 1
    assert not gradient.any()


def test_lovasz_of_nothing_there_is_the_largest_probability():
    raw = np.array([-1.0, 0.5, -3.0])
    value, gradient = Lovasz().value_gradient(np.zeros(3), raw, np.array([1.0, 2.0, 3.0]))
    p = special.expit(0.5)
    assert value == pytest.approx(p, rel=1e-15)
    assert_allclose(gradient, [0, p * (1 - p), 0], rtol=1e-14)


@pytest.mark.parametrize("K", [2, 3])
def test_lovasz_is_convex_in_the_probabilities(K):
    rng = np.random.default_rng(4)
    y, _, weight, ids = sample(Lovasz(), K)
    for _ in range(50):
        p, q = (rng.uniform(size=len(y)) if K == 2 else rng.dirichlet(np.ones(K), len(y)) for _ in range(2))
        left, right, middle = (
            Lovasz().value_gradient(y, Lovasz().raw(each), weight, ids)[0] for each in (p, q, (p + q) / 2)
        )
        assert middle <= (left + right) / 2 + 1e-14


def test_the_gradient_of_lovasz_at_a_tie_does_not_depend_on_the_order_of_rows_and_is_a_subgradient():
    y, weight = np.array([1.0, 0.0, 0.0, 1.0, 0.0, 1.0]), np.array([1.0, 2.0, 1.0, 3.0, 1.0, 1.0])
    raw = np.array([0.0, 0.0, 0.0, 0.0, 2.0, -2.0])
    value, gradient = Lovasz().value_gradient(y, raw, weight)
    for order in itertools.permutations(range(6)):
        order = list(order)
        assert_allclose(Lovasz().value_gradient(y[order], raw[order], weight[order])[1], gradient[order], rtol=1e-13)
    # p is locally a straight line of raw but for terms of second order, and the loss convex in p
    rng = np.random.default_rng(5)
    for _ in range(200):
        step = 1e-4 * rng.normal(size=6)
        assert Lovasz().value_gradient(y, raw + step, weight)[0] >= value + gradient @ step - 1e-7


def test_the_best_constants_that_have_a_formula():
    y, weight = np.array([1.0, 0.0, 0.0, 0.0, 1.0]), np.array([1.0, 2.0, 1.0, 1.0, 3.0])
    share = weight @ y / weight.sum()
    # Moebius functions of p are monotone: all or nothing.
    assert Dice().fit_intercept_only(y, weight) > 30
    assert Dice().fit_intercept_only(0 * y, weight) < -30
    squared = Dice(0, squared=True).fit_intercept_only(y, weight)  # of 2 p share / (share + p**2) the largest
    assert special.expit(squared) == pytest.approx(share**0.5, rel=1e-6)
    # Of K classes the sum of 2 p[k] share[k] / (p[k] + share[k]) is largest at p = share.
    labels = np.array([0, 1, 2, 1, 0])
    shares = np.bincount(labels, weight) / weight.sum()
    assert_allclose(special.softmax(Dice(0).fit_intercept_only(labels, weight, 3)), shares, rtol=1e-5)


# ---------------------------------------------------------------------------------------------------------------- ctc
def ctc_of(target, raw, blank=0, **params):
    """The loss of one sequence whose target stands in its first rows."""
    y = np.full(len(raw), blank)
    y[: len(target)] = target
    return CTC(blank, **params).value_gradient(y if raw.ndim > 1 else y * 1.0, raw, np.ones(len(raw)), 0 * y)


@pytest.mark.parametrize("blank", [0, 1, 2])
@pytest.mark.parametrize("T", [1, 2, 5])
def test_ctc_sums_all_paths_whatever_the_target(T, blank):
    raw = 2 * np.random.default_rng(T).normal(size=(T, 3))
    p = special.softmax(raw, axis=1)
    total = 0.0
    for S in range(T + 1):
        for target in itertools.product([k for k in range(3) if k != blank], repeat=S):
            value, gradient = ctc_of(target, raw, blank)
            paths = [
                path
                for path in itertools.product(range(3), repeat=T)
                if [k for k, _ in itertools.groupby(path) if k != blank] == list(target)
            ]
            each = np.array([np.prod(p[np.arange(T), path]) for path in paths])
            if not paths:
                assert value == np.inf
                assert not gradient.any()
                continue
            assert np.exp(-value) == pytest.approx(each.sum(), rel=1e-13)
            posterior = sum(w * np.eye(3)[list(path)] for w, path in zip(each, paths, strict=True)) / each.sum()
            assert_allclose(gradient, p - posterior, rtol=0, atol=1e-14)
            total += np.exp(-value)
    assert total == pytest.approx(1, rel=1e-13)


@pytest.mark.parametrize(("T", "target"), [(40, [1, 2, 3]), (3000, [1, 2, 1, 3] * 100), (500, [2, 2, 1, 1, 1])])
def test_ctc_of_equally_likely_classes_counts_paths(T, target):
    S, repeats = len(target), sum(a == b for a, b in itertools.pairwise(target))
    paths = math.comb(T + S - repeats, 2 * S)  # where the runs of the S labels and of the blanks between them begin
    value = ctc_of(target, np.zeros((T, 4)))[0]
    assert value == pytest.approx(float(T * mp.log(4) - mp.log(paths)), rel=1e-13)


def test_ctc_keeps_its_digits_where_the_target_is_almost_certain():
    raw = np.full((6, 3), -40.0)
    raw[np.arange(6), [0, 1, 1, 0, 2, 2]] = 0
    value, gradient = ctc_of([1, 2], raw)
    with mp.workdps(60):
        precise = np.vectorize(mpf, otypes=[object])(raw)
        expected = float(exact_ctc([1, 2, 0, 0, 0, 0], precise))
        slope = np.array([
            (exact_ctc([1, 2, 0, 0, 0, 0], precise + h) - exact_ctc([1, 2, 0, 0, 0, 0], precise - h)) / (2 * h.max())
            for h in [mpf(10) ** -25 * np.eye(18)[i].reshape(6, 3).astype(int) for i in range(18)]
        ])  # fmt: skip
    assert 0 < expected < 1e-15
    assert value == pytest.approx(expected, rel=1e-12)
    assert_allclose(gradient.ravel(), slope.astype(float), rtol=1e-9, atol=1e-12 * expected)


def test_ctc_of_two_classes_is_that_of_two_columns():
    y, raw, weight, ids = sample(CTC(), 2)
    value, gradient = CTC().value_gradient(y, raw, weight, ids)
    both, slope = CTC().value_gradient(y.astype(int), np.column_stack([0 * raw, raw]), weight, ids)
    assert value == pytest.approx(both, rel=1e-14)
    assert_allclose(slope, np.column_stack([-gradient, gradient]), rtol=1e-12, atol=1e-16)


def test_ctc_does_not_see_a_common_shift_of_a_frame_or_in_which_rows_the_labels_stand():
    y, raw, weight, ids = sample(CTC(), 4)
    value, gradient = CTC().value_gradient(y, raw, weight, ids)
    shifted, slope = CTC().value_gradient(y, raw + np.random.default_rng(7).normal(size=(len(y), 1)), weight, ids)
    assert shifted == pytest.approx(value, rel=1e-13)
    assert_allclose(slope, gradient, rtol=1e-11, atol=1e-15)
    assert_allclose(gradient.sum(axis=1), 0, atol=1e-16)
    for label in np.unique(ids):
        rows = np.flatnonzero(ids == label)
        symbols = y[rows][y[rows] != 0]
        y[rows] = np.append(np.zeros(len(rows) - len(symbols), dtype=int), symbols)
    assert CTC().value_gradient(y, raw, weight, ids)[0] == value


def test_ctc_gives_the_same_one_sequence_at_a_time_and_many(monkeypatch):
    loss = CTC(zero_infinity=True)
    arguments = sample(loss, 4, sizes=(1, 30, 2, 17, 17, 5, 60, 3))
    together, slope = loss.set_values(*arguments), loss.value_gradient(*arguments)[1]
    monkeypatch.setattr(_sequence, "WIDTH", 1)
    assert_allclose(loss.set_values(*arguments), together, rtol=1e-14)
    assert_allclose(loss.value_gradient(*arguments)[1], slope, rtol=1e-12, atol=1e-16)


def test_ctc_weighs_sequences():
    y, raw, weight, ids = sample(CTC(), 4)
    value, gradient = CTC().value_gradient(y, raw, weight, ids)
    copies = np.concatenate([np.flatnonzero(weight >= k) for k in (1, 2, 3)])
    labels = np.concatenate([ids[weight >= k] * 10 + k for k in (1, 2, 3)])
    repeated, slope = CTC().value_gradient(y[copies], raw[copies], np.ones(len(copies)), labels)
    assert repeated == pytest.approx(value, rel=1e-14)
    assert_allclose(slope[: len(y)] * weight[:, None], gradient, rtol=1e-12, atol=1e-16)
    weight[np.flatnonzero(ids == 2)[3]] = 7.5
    first, row = np.flatnonzero(ids == 2)[[0, 3]]
    with pytest.raises(
        ValueError, match=rf"constant in each, .*; sequence 2 has 2.0 in row {first} and 7.5 in row {row}"
    ):
        CTC().value_gradient(y, raw, weight, ids)


def test_ctc_needs_sample_set():
    y, raw, weight, _ = sample(CTC(), 4)
    calls = [
        lambda: CTC().value_gradient(y, raw, weight),
        lambda: CTC().set_values(y, raw, weight),
        lambda: CTC().check_sets(y, None),
        lambda: CTC().fit_intercept_only(y, weight, 4),
    ]
    for call in calls:
        with pytest.raises(
            ValueError, match=r"needs sample_set(?s:.*)groups=ids, sample_set=ids(?s:.*)set_score_request"
        ):
            call()


def test_ctc_names_the_sequence_that_has_too_few_frames():
    y, ids = np.array([1, 1, 0, 1, 2, 2, 1]), np.array(["good"] * 3 + ["bad"] * 4)
    message = "1 of 2 sequences.*sequence 'bad'.*4 labels, 1 of them equal to the one before, needs 5 frames.*has 4"
    with pytest.raises(ValueError, match=message):
        CTC().check_sets(y, ids)
    assert len(CTC(zero_infinity=True).check_sets(y, ids)) == 2
    raw = np.random.default_rng(8).normal(size=(7, 3))
    assert_array_equal(np.isinf(CTC().set_values(y, raw, np.ones(7), ids)), [True, False])  # bad < good
    value, gradient = CTC(zero_infinity=True).value_gradient(y, raw, np.ones(7), ids)
    alone, slope = CTC().value_gradient(y[:3], raw[:3], np.ones(3), ids[:3])
    assert value == pytest.approx(alone / 2, rel=1e-15)
    assert_allclose(gradient, np.vstack([slope / 2, np.zeros((4, 3))]), rtol=1e-14)


def test_the_blank_is_a_label_of_the_users():
    classes = np.array(["", "a", "b"])
    assert CTC("a", zero_infinity=True).bind(classes).get_params() == {"blank": 1, "zero_infinity": True}
    assert CTC(-1).bind(np.array([-1, 5])).blank == 0
    with pytest.raises(ValueError, match=r"one of the labels \['', 'a', 'b'\]; got blank='c'"):
        CTC("c").bind(classes)
    with pytest.raises(ValueError, match="blank='c' is none of the class indices 0 to 2"):
        CTC("c").set_values(np.array([0, 1]), np.zeros((2, 3)), np.ones(2), [0, 0])


def test_ctc_refuses_probabilities_as_targets():
    for y in (np.array([0.5, 0.5]), np.eye(2)):
        with pytest.raises(ValueError, match="a label for each frame"):
            CTC().check_y_true(y)
    CTC().check_y_true(np.array([0.0, 1.0]))


def test_decode_merges_runs_and_removes_blanks():
    ids = ["b", "a", "b", "a", "b", "b", "a", "b", "c"]
    labels = np.array(["x", "y", "x", "-", "-", "x", "y", "z", "-"])
    decoded = decode(labels, ids, blank="-")
    assert [list(each) for each in decoded] == [["y", "y"], ["x", "x", "z"], []]
    raw = np.eye(4)[np.searchsorted(["-", "x", "y", "z"], labels)]
    assert [each.tolist() for each in decode(raw, ids)] == [[2, 2], [1, 1, 3], []]


def edit_distance(a, b):
    if not len(a) or not len(b):
        return len(a) + len(b)
    if a[-1] == b[-1]:
        return edit_distance(a[:-1], b[:-1])
    return 1 + min(edit_distance(a[:-1], b), edit_distance(a, b[:-1]), edit_distance(a[:-1], b[:-1]))


def test_label_error_rate_counts_edits_per_true_label():
    rng = np.random.default_rng(10)
    ids = rng.permutation(np.repeat(np.arange(12), 8))
    y, frames = rng.integers(0, 3, len(ids)), rng.integers(0, 3, len(ids))
    true = [[k for k in y[ids == i] if k] for i in range(12)]
    found = [[k for k, _ in itertools.groupby(frames[ids == i]) if k] for i in range(12)]
    edits = sum(edit_distance(a, b) for a, b in zip(true, found, strict=True))
    assert label_error_rate(y, frames, ids) == edits / sum(map(len, true))
    assert label_error_rate(y, np.eye(3)[frames], ids) == edits / sum(map(len, true))
    assert label_error_rate(y.astype(str), frames.astype(str), ids, blank="0") == edits / sum(map(len, true))
    spread = np.array([1, 0, 1, 2, 0])
    assert label_error_rate(spread, spread, np.zeros(5)) == 0
    with pytest.raises(ValueError, match="nothing but blank"):
        label_error_rate(0 * y, frames, ids)


# --------------------------------------------------------------------------------------------------------------- psnr
def test_psnr_is_a_function_of_the_mean_squared_error():
    rng = np.random.default_rng(11)
    y, f, weight = rng.normal(size=(20, 3)), rng.normal(size=(20, 3)), rng.uniform(size=20)
    error = mean_squared_error(y, f, sample_weight=weight)
    assert PSNR(5.0).value_gradient(y, f, weight)[0] == pytest.approx(10 * np.log10(error / 25), rel=1e-13)
    assert psnr(y, f, 5.0) == pytest.approx(10 * np.log10(25 / mean_squared_error(y, f)), rel=1e-13)


def test_psnr_of_equal_arrays_is_infinite():
    y = np.array([0.5, 0.25])
    assert psnr(y, y, 1.0) == np.inf
    value, gradient = PSNR().value_gradient(y, y, np.ones(2))
    assert value == -np.inf
    assert not gradient.any()


@pytest.mark.parametrize("size", [1e-320, 1e-200, 1e200, 1e300])
def test_psnr_of_errors_whose_squares_are_out_of_range(size):
    y, f = np.array([size, -size]), np.zeros(2)
    value, gradient = PSNR().value_gradient(y, f, np.ones(2))
    assert value == pytest.approx(20 * np.log10(size), rel=1e-13)
    slope = 10 / np.log(10) / size if size > 1e-300 else np.inf  # beyond the largest number
    assert_allclose(gradient, [-slope, slope], rtol=1e-13)


def test_psnr_refuses_what_is_not_a_pair_of_images():
    with pytest.raises(ValueError, match=r"y_true has shape \(2,\), y_pred has shape \(3,\)"):
        psnr([1, 2], [1, 2, 3], 1.0)
    with pytest.raises(ValueError, match="data_range"):
        psnr([1], [2], 0)


@pytest.mark.parametrize("K", [1, 3])
def test_no_constant_is_better_than_the_best_constant_of_psnr(K):
    y, _, weight, ids = sample(PSNR(), K)
    y += ids.reshape(-1, *[1] * (y.ndim - 1))  # sets far apart: several minima

    def value(constant):
        return PSNR().value_gradient(y, np.broadcast_to(constant, y.shape), weight, ids)[0]

    best = PSNR().fit_intercept_only(y, weight, sample_set=ids)
    others = [y[i] for i in range(len(y))] + [
        best + 0.01 * np.random.default_rng(i).normal(size=np.shape(best)) for i in range(50)
    ]
    assert value(best) <= min(map(value, others)) + 1e-10
    assert_allclose(PSNR().fit_intercept_only(y, weight), np.average(y, axis=0, weights=weight), rtol=1e-13)
    y[ids == ids[0]] = 0.1
    assert_array_equal(PSNR().fit_intercept_only(y, weight, sample_set=ids), np.full(np.shape(best), 0.1))
