"""Losses as metrics: their averages, and the share of a loss that is explained, D²."""

import numpy as np
import pytest
from sklearn import config_context, metrics
from sklearn.exceptions import UndefinedMetricWarning

from sklloss import LossClassifier, average_loss, d2_loss_score, get_loss
from sklloss.links import SOFTMAX
from sklloss.losses import CTC, PSNR, Dice, Hinge, Huber, Jaccard, LogLoss, Lovasz, Pinball, Tversky, Tweedie
from sklloss.metrics import d2_loss_scorer

from .common import CLASSIFICATION, REGRESSION

rng = np.random.default_rng(0)
Y, P = rng.poisson(2.0, 50).astype(float), rng.uniform(0.5, 4, 50)
WEIGHT = rng.integers(0, 4, 50).astype(float)
SAME = {  # scikit-learn's metric of the same meaning
    "squared_error": metrics.mean_squared_error,
    "absolute_error": metrics.mean_absolute_error,
    "pinball": metrics.mean_pinball_loss,
    "poisson": metrics.mean_poisson_deviance,
}


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("name", SAME)
def test_metrics_equal_those_of_scikit_learn(name, weight):
    expected = SAME[name](Y, P, sample_weight=weight)
    assert average_loss(Y, P, loss=name, sample_weight=weight) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("labels", [[-1, 1], [0, 1], [False, True], ["ham", "spam"]])
def test_classification_losses_take_labels_of_any_kind(labels):
    y = np.array(labels)[rng.integers(0, 2, 40)]
    f, p = rng.normal(size=40), rng.uniform(0.01, 0.99, 40)
    assert average_loss(y, f, loss="hinge") == pytest.approx(metrics.hinge_loss(y, f), rel=1e-13)
    assert average_loss(y, p, loss="log_loss") == pytest.approx(metrics.log_loss(y, p), rel=1e-12)
    both = np.column_stack([1 - p, p])
    assert average_loss(y, both, loss="log_loss") == average_loss(y, p, loss="log_loss")


def test_multiclass_log_loss_equals_that_of_scikit_learn():
    y, p = rng.integers(0, 3, 30), rng.dirichlet(np.ones(3), 30)
    assert average_loss(y, p, loss="log_loss") == pytest.approx(metrics.log_loss(y, p), rel=1e-12)
    assert average_loss(y[:2], p[:2], loss="log_loss", labels=[0, 1, 2]) == pytest.approx(
        metrics.log_loss(y[:2], p[:2], labels=[0, 1, 2]), rel=1e-12
    )


def test_several_outputs_are_averaged():
    y, p = rng.normal(size=(20, 3)), rng.normal(size=(20, 3))
    assert average_loss(y, p, loss="mse") == pytest.approx(metrics.mean_squared_error(y, p), rel=1e-13)
    assert average_loss(y[:, :1], p[:, 0], loss="mse") == pytest.approx(metrics.mean_squared_error(y[:, 0], p[:, 0]))


def test_aggregates():
    y, p = np.zeros(10), np.arange(10.0)
    weight = np.array([1, 1, 1, 1, 1, 1, 1, 1, 1, 11.0])

    def value(how, weight=None):
        return average_loss(y, p, loss="mae", aggregate=how, sample_weight=weight)

    assert value("mean") == 4.5
    assert value("sum") == 45
    assert value("median") == 4.5
    assert value("trimmed") == np.mean(p[:8])
    assert value("mean", weight) == (36 + 99) / 20
    assert value("sum", weight) == 36 + 99
    assert value("median", weight) == 9
    assert value("trimmed", weight) == (36 + 9 * 7) / 16  # 16 of 20 are kept: nine ones and 7 of the 11
    np.testing.assert_array_equal(value(None), p)
    with pytest.raises(ValueError, match="aggregate must be"):
        value("max")


@pytest.mark.parametrize("how", ["mean", "median", "trimmed"])
def test_a_weight_of_k_is_k_copies(how):
    copies = np.repeat(np.arange(50), WEIGHT.astype(int))
    weighted = average_loss(Y, P, loss="mae", sample_weight=WEIGHT, aggregate=how)
    assert weighted == pytest.approx(average_loss(Y[copies], P[copies], loss="mae", aggregate=how), rel=1e-13)


@pytest.mark.parametrize(
    ("y", "p", "loss", "message"),
    [
        ([0, 1], [0, 1], "log_loss", "y_pred holds labels.*loss_scorer.*response_method='predict_proba'"),
        (["a", "b"], ["a", "b"], "hinge", "y_pred holds labels.*response_method='decision_function'"),
        ([-1, 1], [1, 1], "hinge", "y_pred holds labels"),
        ([True, False], [True, False], "log_loss", "y_pred holds labels"),
        ([0, 1, 2], [0.1, 0.2, 0.3], "log_loss", "labels=estimator.classes_"),
        ([0, 0], [0.1, 0.2], "log_loss", "labels=estimator.classes_"),
        ([0, 1], [[0.1, 0.8], [0.5, 0.5]], "log_loss", "row 0 sums to 0.9"),
        ([0.0, np.nan], [0.1, 0.2], "mse", "NaN"),
        ([0.0, 1.0], [0.1, np.inf], "mse", "infinity"),
        ([0.0, 1.0], [0.1], "mse", "inconsistent numbers of samples"),
        ([0.5, 1.5], [0.1, 0.3], "hinge", "continuous"),
    ],
)
def test_bad_input_is_refused_with_the_remedy(y, p, loss, message):
    with pytest.raises(ValueError, match=message):
        average_loss(y, p, loss=loss)


def test_bad_weights_are_refused():
    with pytest.raises(ValueError, match=r"row 1 has weight -1\.0"):
        average_loss([0.0, 1.0], [0.0, 1.0], loss="mse", sample_weight=[1, -1])
    with pytest.raises(ValueError, match=r"too large to be added up: its largest value is 1e\+308\."):
        average_loss([0.0, 1.0], [0.0, 1.0], loss="mse", sample_weight=[1e308, 1e308])
    with pytest.raises(ValueError, match="at least one non-zero"):
        average_loss([0.0, 1.0], [0.0, 1.0], loss="mse", sample_weight=[0, 0])


def test_labels_may_have_any_order_but_none_twice():
    y, p = rng.integers(0, 3, 30), rng.dirichlet(np.ones(3), 30)
    for name in ("log_loss", "hinge", "crammer_singer"):
        expected = average_loss(y, p, loss=name)
        assert average_loss(y, p[:, [2, 0, 1]], loss=name, labels=[2, 0, 1]) == pytest.approx(expected, rel=1e-14)
    assert average_loss([0, 0, 1], [0.9, 0.9, 0.2], loss="log_loss", labels=[1, 0]) == average_loss(
        [1, 1, 0], [0.9, 0.9, 0.2], loss="log_loss"
    )
    with pytest.raises(ValueError, match=r"labels must be distinct, .*; got \[0, 1, 1\]"):
        average_loss(y, p, loss="log_loss", labels=[0, 1, 1])


def test_integers_that_are_no_labels_are_decision_values():
    assert average_loss([0, 1], [-3, 2], loss="hinge") == 0.0


def test_float32_probabilities_are_clipped_in_their_own_precision():
    y, p = np.array([0, 1]), np.array([1.0, 1.0], dtype=np.float32)
    eps = np.finfo(np.float32).eps
    assert average_loss(y, p, loss=LogLoss()) == pytest.approx(-np.log(eps) / 2, rel=1e-5)
    assert average_loss(y, p.astype(float), loss="log_loss") == pytest.approx(
        -np.log(np.finfo(float).eps) / 2, rel=1e-5
    )


def test_a_hinge_of_several_classes_is_the_sum_over_one_vs_rest_columns():
    y, f = np.array([0, 1, 2]), rng.normal(size=(3, 3))
    expected = sum(Hinge()((y == k).astype(float), f[:, k]) for k in range(3))
    assert average_loss(y, f, loss="hinge") == pytest.approx(expected, rel=1e-14)


# ------------------------------------------------------------------------------------------------------------- D²
SAME_D2 = {  # scikit-learn's score of the same meaning; those that its oldest versions lack are left out there
    "r2": ("squared_error", metrics.r2_score, {}),
    "absolute_error": ("absolute_error", metrics.d2_absolute_error_score, {}),
    **{f"pinball_{q}": (Pinball(q), metrics.d2_pinball_score, {"alpha": q}) for q in (0.1, 0.5, 0.9)},
    **{f"tweedie_{p}": (Tweedie(p), metrics.d2_tweedie_score, {"power": p}) for p in (-1, 0, 1, 1.5, 2, 3)},
}
SAME_D2_OF_CLASSES = {"log_loss": "d2_log_loss_score", "brier": "d2_brier_score"}


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("name", SAME_D2)
def test_d2_equals_that_of_scikit_learn(name, weight):
    loss, theirs, parameters = SAME_D2[name]
    expected = theirs(Y + 0.5, P, sample_weight=weight, **parameters)
    assert d2_loss_score(Y + 0.5, P, loss=loss, sample_weight=weight) == pytest.approx(expected, abs=1e-13)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", SAME_D2_OF_CLASSES)
def test_d2_of_probabilities_equals_that_of_scikit_learn(name, n_classes, weight):
    if not hasattr(metrics, SAME_D2_OF_CLASSES[name]):
        pytest.skip(f"this scikit-learn has no {SAME_D2_OF_CLASSES[name]}")
    y, p = np.array(["a", "b", "c"])[rng.integers(0, n_classes, 50)], rng.dirichlet(np.ones(n_classes), 50)
    expected = getattr(metrics, SAME_D2_OF_CLASSES[name])(y, p, sample_weight=weight)
    # the best constant of brier is found by an optimiser, to a gradient of 1e-10, so that its loss is exact
    assert d2_loss_score(y, p, loss=name, sample_weight=weight) == pytest.approx(expected, abs=1e-13)


@pytest.mark.parametrize(("loss", "theirs"), [("mse", metrics.r2_score), ("mae", metrics.d2_absolute_error_score)])
def test_d2_of_several_outputs_is_their_mean(loss, theirs):
    y, p = rng.normal(size=(20, 3)), rng.normal(size=(20, 3))
    y[:, 1] = 2.0  # a constant output counts 0
    assert d2_loss_score(y, p, loss=loss) == pytest.approx(theirs(y, p), rel=1e-13)
    with pytest.raises(ValueError, match=r"y_true has shape \(20, 3\), y_pred has shape \(20, 2\)"):
        d2_loss_score(y, p[:, :2], loss=loss)


def responses(name, n_classes, n=40):
    """Targets, predictions that know something of them, and constant predictions."""
    rng = np.random.default_rng(7)
    loss = get_loss(name)
    if loss.response_method == "predict":
        y = rng.gamma(2.0, size=n) + 0.5
        return y, y * rng.uniform(0.8, 1.25, n), [np.full(n, c) for c in np.linspace(0.4, 6, 100)]
    y = np.arange(n) * n_classes // (n + 3)  # the last class is rarer
    raw = 1.5 * np.eye(n_classes)[y] - 0.75 + rng.normal(scale=0.1, size=(n, n_classes))
    levels = rng.normal(scale=1.5, size=(100, n_classes))
    if loss.response_method == "predict_proba":
        return y, SOFTMAX.inverse(raw), [np.tile(SOFTMAX.inverse(level), (n, 1)) for level in levels]
    if n_classes == 2:
        return y, raw[:, 1], [np.full(n, level[1]) for level in levels]
    return y, raw, [np.tile(level, (n, 1)) for level in levels]


@pytest.mark.parametrize(
    ("name", "n_classes"), [*((n, 0) for n in REGRESSION), *((n, k) for n in CLASSIFICATION for k in (2, 3))]
)
def test_d2_is_the_share_explained_beyond_the_best_constant(name, n_classes):
    y, good, constants = responses(name, n_classes)
    weight = np.linspace(1, 2, len(y))
    scores = [d2_loss_score(y, c, loss=name, sample_weight=weight) for c in constants]
    assert max(scores) <= 1e-9  # none is better than the best, but for the tolerance with which that is found
    assert 0 < d2_loss_score(y, good, loss=name, sample_weight=weight) <= 1
    if name == "perceptron":  # the constant 0 has no loss
        return
    # 1 - D² and the loss are proportional
    losses = np.array([average_loss(y, c, loss=name, sample_weight=weight) for c in [good, *constants]])
    missing = 1 - np.array([d2_loss_score(y, good, loss=name, sample_weight=weight), *scores])
    np.testing.assert_allclose(missing * losses[1], losses * missing[1], rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", REGRESSION)
def test_d2_of_a_constant_target_is_one_if_perfect_else_zero(name, dtype):
    y = np.full(30, 0.1, dtype)  # its mean is not exactly 0.1
    assert d2_loss_score(y, y, loss=name) == 1.0
    assert d2_loss_score(y, y + dtype(1), loss=name) == 0.0


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", CLASSIFICATION)
def test_d2_of_a_single_class_is_one_if_perfect_else_zero(name, n_classes, dtype):
    rows = np.eye(n_classes, dtype=dtype)[np.ones(30, int)]
    if get_loss(name).response_method == "predict_proba":
        perfect, wrong = rows, np.full_like(rows, 1 / n_classes)
    else:
        size = 0.5 if name == "lsgan" else 100  # what lsgan wants of a decision value
        perfect, wrong = size * (2 * rows - 1), -rows
        if n_classes == 2:
            perfect, wrong = perfect[:, 1], wrong[:, 1]
    y, labels = np.ones(30, int), np.arange(n_classes)
    assert d2_loss_score(y, perfect, loss=name, labels=labels) == 1.0
    assert d2_loss_score(y, wrong, loss=name, labels=labels) == 0.0


@pytest.mark.parametrize(("y", "p", "loss"), [([1.0], [2.0], "mse"), (["a"], [[0.5, 0.5]], "log_loss")])
def test_d2_of_fewer_than_two_samples_is_nan_with_scikit_learns_warning(y, p, loss):
    with pytest.warns(UndefinedMetricWarning, match="less than two samples"):
        assert np.isnan(d2_loss_score(y, p, loss=loss))


@pytest.mark.parametrize("loss", ["mse", "pinball", "huber", "poisson"])
def test_in_d2_a_weight_of_k_is_k_copies(loss):
    copies = np.repeat(np.arange(50), WEIGHT.astype(int))
    expected = d2_loss_score(Y[copies], P[copies], loss=loss)
    assert d2_loss_score(Y, P, loss=loss, sample_weight=WEIGHT) == pytest.approx(expected, rel=1e-12)
    spoilt = np.where(WEIGHT > 0, P, 1e200)  # a row of weight 0 does not count, whatever it is
    assert d2_loss_score(Y, spoilt, loss=loss, sample_weight=WEIGHT) == pytest.approx(expected, rel=1e-12)


def test_d2_takes_the_loss_as_it_is():
    assert d2_loss_score(Y, P, loss=Huber(1e6)) == pytest.approx(metrics.r2_score(Y, P), rel=1e-12)
    assert d2_loss_score(1e3 * Y, 1e3 * P, loss=Huber(1e3)) == pytest.approx(d2_loss_score(Y, P, loss=Huber(1.0)))


def test_rows_that_a_loss_ignores_do_not_count_in_d2():
    y, p = np.array([0, 1, 2, 1, 0, 1]), rng.dirichlet(np.ones(2), 6)
    seen = y != 2
    expected = d2_loss_score(y[seen], p[seen], loss="log_loss")
    assert d2_loss_score(y, p, loss=LogLoss(ignore_label=2)) == pytest.approx(expected, rel=1e-13)


def test_d2_of_pixels_and_soft_targets_is_that_of_rows():
    y, _, p = pixels()
    flat = np.moveaxis(p, 1, -1).reshape(-1, 3)
    weight = np.arange(1.0, 7)
    expected = d2_loss_score(y.ravel(), flat, loss="log_loss", sample_weight=np.repeat(weight, 4))
    assert d2_loss_score(y, p, loss="log_loss", sample_weight=weight) == pytest.approx(expected, rel=1e-13)
    soft = np.moveaxis(np.eye(3)[y], -1, 1)
    assert d2_loss_score(soft, p, loss="log_loss", sample_weight=weight) == pytest.approx(expected, rel=1e-13)
    assert d2_loss_score(np.eye(3)[y.ravel()], flat, loss="brier") == pytest.approx(
        d2_loss_score(y.ravel(), flat, loss="brier"), rel=1e-9
    )


def test_d2_of_dice_is_that_of_the_f1_score_beyond_everything():
    y, p = np.random.default_rng(1).integers(0, 2, (2, 50))  # as a constant, the region that is everything is the best
    f1, everything = metrics.f1_score(y, p), metrics.f1_score(y, np.ones(50))
    got = d2_loss_score(y, p.astype(float), loss=Dice(smoothing=0))
    assert got == pytest.approx((f1 - everything) / (1 - everything), rel=1e-9)


OF_SETS = [Dice(), Jaccard(0), Tversky(0.3, 0.7), Lovasz(), CTC(), 0.5 * LogLoss() + 0.5 * Dice()]


@pytest.mark.parametrize("seed", range(3))  # 2: two valleys of ctc
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("loss", OF_SETS, ids=repr)
def test_d2_of_sets_is_the_share_explained_beyond_the_best_constant(loss, n_classes, seed):
    n, of_sequences, rng = 60, loss.needs_sets, np.random.default_rng(seed)
    y = rng.integers(0, n_classes, n) * (np.arange(n) % 3 == 0 if of_sequences else 1)
    given = {"sample_set": np.repeat(["c", "a", "b"], 20)[rng.permutation(n)], "labels": np.arange(n_classes)}
    weight = (given["sample_set"] == "a") + 1.0 if of_sequences else np.arange(n) % 4
    share = np.bincount(y, minlength=n_classes) / n
    good = 0.3 * share + 0.7 * np.eye(n_classes)[y]
    constants = [share, *np.eye(n_classes), *(0.5 * share + 0.5 * np.eye(n_classes))]
    tried = [good, *(np.tile(constant, (n, 1)) for constant in constants)]
    values = np.array([average_loss(y, p, loss=loss, sample_weight=weight, **given) for p in tried])
    scores = [d2_loss_score(y, p, loss=loss, sample_weight=weight, **given) for p in tried]
    assert max(scores[1:]) <= 1e-9 < scores[0] < 1
    missing = 1 - np.array(scores)
    np.testing.assert_allclose(missing * values[1], values * missing[1], rtol=1e-12)  # proportional to the loss
    names = {**given, "sample_set": np.unique(given["sample_set"], return_inverse=True)[1]}
    assert d2_loss_score(y, good, loss=loss, sample_weight=weight, **names) == pytest.approx(scores[0], rel=1e-12)


def test_d2_of_sets_says_where_there_are_no_shares():
    y, sets = np.arange(6) % 2, np.repeat([0, 1], 3)
    with pytest.raises(ValueError, match=r"PSNR\(\) has no least value, and so there are no shares of it"):
        d2_loss_score(y, y + 2.0, loss=PSNR(), sample_set=sets)
    with pytest.raises(ValueError, match="needs sample_set"):
        d2_loss_score(y, y + 0.0, loss=CTC())
    with pytest.raises(ValueError, match="The best constant has the loss inf by CTC"):
        d2_loss_score(np.array([1, 1, 1, 1, 0, 0]), y + 0.0, loss=CTC(), sample_set=np.arange(6) > 1)
    with pytest.raises(ValueError, match="a label for each of the 6 rows"):
        d2_loss_score(y, y + 0.0, loss=Dice(), sample_set=[0, 1])


def test_searches_by_d2_of_sets_route_them():
    X, y = np.random.default_rng(1).normal(size=(60, 2)), np.arange(60) % 2
    sets = np.repeat(np.arange(6), 10)
    with config_context(enable_metadata_routing=True):
        scorer = d2_loss_scorer("dice").set_score_request(sample_set=True)
        model = LossClassifier().fit(X, y)
        got = scorer(model, X, y, sample_set=sets)
    expected = d2_loss_score(y, model.predict_proba(X), loss="dice", sample_set=sets)
    assert got == pytest.approx(expected, rel=1e-12)
    assert got != d2_loss_score(y, model.predict_proba(X), loss="dice")


# --------------------------------------------------------------------------------------- pixels and soft targets
def pixels():
    rng = np.random.default_rng(5)
    raw = rng.normal(size=(6, 3, 4))
    y = rng.integers(0, 3, (6, 4))
    return y, raw, SOFTMAX.inverse(np.moveaxis(raw, 1, -1)).transpose(0, 2, 1)


def test_classes_of_pixels_are_averaged_over_all_pixels():
    y, raw, p = pixels()
    flat_y, flat_p = y.ravel(), np.moveaxis(p, 1, -1).reshape(-1, 3)
    for loss in (LogLoss(), LogLoss(0.1, [1, 2, 3]), LogLoss(ignore_label=1)):
        flat = average_loss(flat_y, flat_p, loss=loss, labels=[0, 1, 2])
        assert average_loss(y, p, loss=loss, labels=[0, 1, 2]) == pytest.approx(flat, rel=1e-12)
    rows = average_loss(y, p, loss="log_loss", aggregate=None)
    np.testing.assert_allclose(rows, LogLoss().loss(y, raw), rtol=1e-12)
    assert rows.shape == y.shape
    weight = np.array([0, 1, 2, 3, 0, 1])
    weighted = average_loss(y, p, loss="log_loss", sample_weight=weight)
    assert weighted == pytest.approx(np.average(rows.mean(axis=1), weights=weight), rel=1e-12)
    assert average_loss(y, p, loss="log_loss", aggregate="median") == pytest.approx(np.median(rows), rel=1e-12)
    assert average_loss(np.array(["a", "b", "c"])[y], p, loss="log_loss") == pytest.approx(rows.mean(), rel=1e-12)


def test_the_gradient_of_pixels_is_that_of_rows():
    y, raw, _ = pixels()
    flat = LogLoss().gradient(y.ravel(), np.moveaxis(raw, 1, -1).reshape(-1, 3))
    np.testing.assert_array_equal(np.moveaxis(LogLoss().gradient(y, raw), 1, -1).reshape(-1, 3), flat)
    value, gradient = LogLoss().value_gradient(y, raw, np.ones(6))
    assert value == pytest.approx(LogLoss().loss(y, raw).sum(), rel=1e-14)
    assert gradient.shape == raw.shape


@pytest.mark.parametrize("name", ["log_loss", "brier", "poly1", "focal"])
def test_probabilities_and_one_hot_rows_are_targets_of_losses_of_probabilities(name):
    y, _, p = pixels()
    y, p = y[:, 0], p[:, :, 0]
    assert average_loss(np.eye(3)[y], p, loss=name) == pytest.approx(average_loss(y, p, loss=name), rel=1e-14)
    soft = np.array([[0.2, 0.3, 0.5]] * 6)
    mixed = sum(share * average_loss(np.full(6, k), p, loss=name, labels=[0, 1, 2]) for k, share in enumerate(soft[0]))
    if name != "brier":  # the Brier score is quadratic in the target
        assert average_loss(soft, p, loss=name) == pytest.approx(mixed, rel=1e-12)
    two = np.column_stack([p[:, 0], 1 - p[:, 0]])
    hard = (y > 0).astype(int)
    assert average_loss(np.eye(2)[hard], two, loss=name) == pytest.approx(average_loss(hard, two, loss=name), rel=1e-14)


@pytest.mark.parametrize(
    ("reshape", "message"),
    [
        (lambda y: y[:, None], r"\(6, 1, 4\), .*\(6, 3, 4\): squeeze axis 1"),
        (lambda y: np.eye(3)[y], r"\(6, 4, 3\), .*\(6, 3, 4\)"),
        (lambda y: y[:, :2], r"\(6, 2\), .*\(6, 3, 4\): y_true needs the shape \(6, 4\) for class indices"),
    ],
)
def test_targets_of_pixels_of_the_wrong_shape_name_both_shapes_and_what_to_do(reshape, message):
    y, raw, p = pixels()
    for call in (lambda: LogLoss().loss(reshape(y), raw), lambda: average_loss(reshape(y), p, loss="log_loss")):
        with pytest.raises(ValueError, match=message):
            call()


def test_one_hot_rows_where_labels_are_meant_say_what_to_do():
    y, raw, _ = pixels()
    with pytest.raises(ValueError, match=r"\(6, 3\), y_pred \(6, 3\): .* takes labels of shape \(6,\); .*argmax"):
        average_loss(np.eye(3)[y[:, 0]], raw[:, :, 0], loss="hinge")
    with pytest.raises(ValueError, match=r"shape \(6, 1\), raw_prediction \(6, 3\): squeeze axis 1"):
        LogLoss().loss(y[:, :1], raw[:, :, 0])
