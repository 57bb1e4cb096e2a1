"""Fits, searches and scores of losses of sets of rows."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

from sklloss import LossClassifier, LossRegressor, average_loss, get_loss, loss_scorer, loss_scorers
from sklloss.losses import CTC, PSNR, Dice, Jaccard, LogLoss, Lovasz, SquaredError, Tversky, decode, label_error_rate
from sklloss.losses._base import encode_classes

from .common import CLASSIFICATION, REGRESSION, SETS, data_for, does_not_warn, estimator_for

OVERLAPS = [Dice(), Dice(smoothing=0), Dice(squared=True), Tversky(0.3, 0.7), Jaccard()]
SUMS = [0.5 * LogLoss() + 0.5 * Dice(), LogLoss() + 0.1 * CTC(), SquaredError() + 0.1 * PSNR()]
SMOOTH = [(loss, K) for loss in [*OVERLAPS, CTC(), *SUMS[:2]] for K in (2, 3)] + [(PSNR(), 1), (SUMS[2], 1)]
every_name = pytest.mark.parametrize("name", SETS)


def sets_data(loss, n_classes=2, sizes=(30, 50, 20, 60), seed=0):
    """X, y and the sets of the rows, which are mixed; of a sequence two rows in three are blank."""
    loss, rng = get_loss(loss), np.random.default_rng(seed)
    ids = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    X = rng.normal(size=(len(ids), 3)) + 0.3 * rng.normal(size=(len(sizes), 3))[ids]
    if loss.response_method == "predict":
        return X, X @ [1.0, -0.5, 0.2] + rng.normal(size=len(ids)) * (1 + ids), ids
    y = (X[:, :n_classes] + rng.gumbel(size=(len(ids), n_classes))).argmax(axis=1)
    return X, np.where(rng.uniform(size=len(ids)) < 0.67, 0, y) if loss.needs_sets else y, ids


def sequence_data(n_sequences=30, seed=0):
    """Frames in which one of three features shows a label for a while; the labels stand in the first three rows."""
    rng = np.random.default_rng(seed)
    X, y = [], []
    for labels in rng.integers(0, 3, (n_sequences, 3)):
        shown = 0.3 * rng.normal(size=(12, 3))
        for place, label in enumerate(labels):
            start = 4 * place + rng.integers(0, 2)
            shown[start : start + 2, label] += 3
        X.append(shown)
        y += [*labels, *[-1] * 9]
    return np.concatenate(X), np.array(y), np.repeat(np.arange(n_sequences), 12)


def estimator(loss, **params):
    return (LossRegressor if loss.response_method == "predict" else LossClassifier)(loss, **params)


def objective(loss, X, y, ids, theta, alpha):
    """Value and gradient, as the docstring has it, at coefficients and intercepts (n_outputs, n_features + 1)."""
    raw, weight = X @ theta[:, :-1].T + theta[:, -1], np.full(len(y), 1 / len(y))
    target = y if loss.response_method == "predict" else encode_classes(y, y.max() + 1, loss)
    value, slope = loss.value_gradient(target, raw[:, 0] if len(theta) == 1 else raw, weight, ids)
    slope = slope.reshape(len(y), -1)
    gradient = np.column_stack([slope.T @ X + alpha * theta[:, :-1], slope.sum(axis=0)])
    return value + alpha / 2 * (theta[:, :-1] ** 2).sum(), gradient


def parameters(model):
    return np.column_stack([np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)])


# ------------------------------------------------------------------------------------------------- where a fit ends
@pytest.mark.parametrize("penalty", ["l2", None])
@pytest.mark.parametrize(("loss", "n_classes"), SMOOTH, ids=lambda part: repr(part))
def test_a_fit_ends_where_the_gradient_of_the_objective_is_zero(loss, n_classes, penalty):
    X, y, ids = sets_data(loss, n_classes)
    with does_not_warn():
        model = estimator(loss, penalty=penalty, alpha=1e-3).fit(X, y, sample_set=ids)
    theta, alpha = parameters(model), 1e-3 if penalty else 0.0
    value, gradient = objective(loss, X, y, ids, theta, alpha)
    _, at_zero = objective(loss, X, y, ids, 0 * theta, alpha)
    assert np.abs(gradient).max() <= 1e-5 * np.abs(at_zero).max()  # tol is 1e-6, in units of columns that are near 1
    assert value == pytest.approx(model.solution_.value, rel=1e-9)
    assert "local minimum" in model.solution_.certificate
    assert model.n_sets_ == 4
    assert repr(model.loss_) == repr(loss)


@pytest.mark.parametrize("penalty", ["l2", None])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_no_step_from_a_fit_of_lovasz_is_better(n_classes, penalty):
    X, y, ids = sets_data("lovasz", n_classes)
    with does_not_warn():
        model = LossClassifier("lovasz", penalty=penalty, alpha=1e-3, tol=1e-4).fit(X, y, sample_set=ids)
    theta, alpha, rng = parameters(model), 1e-3 if penalty else 0.0, np.random.default_rng(1)
    value = objective(Lovasz(), X, y, ids, theta, alpha)[0]
    assert value == pytest.approx(model.solution_.value, rel=1e-9)
    for size in (1e-2, 1e-3, 1e-4):
        steps = size * rng.normal(size=(200, *theta.shape))
        others = [objective(Lovasz(), X, y, ids, theta + step, alpha)[0] for step in steps]
        assert value <= min(others) + 1e-4 * size  # tol, the slope being less than 1


@pytest.mark.parametrize("loss", [*OVERLAPS, Lovasz()], ids=repr)
def test_a_loss_is_lower_where_it_is_fitted_than_where_the_log_loss_is(loss):
    X, y, ids = sets_data(loss)
    models = [LossClassifier(each, alpha=1e-4).fit(X, y, sample_set=ids) for each in (loss, "log_loss")]
    ours, theirs = (average_loss(y, model.predict_proba(X), loss=loss, sample_set=ids) for model in models)
    assert ours < 0.99 * theirs


def test_psnr_of_one_set_is_least_squares_and_of_several_is_not():
    X, y, ids = sets_data("psnr")
    single, several, squares = (
        LossRegressor(loss, penalty=None).fit(X, y, sample_set=sets)
        for loss, sets in (("psnr", None), ("psnr", ids), ("squared_error", ids))
    )
    assert_allclose(single.coef_, squares.coef_, rtol=1e-5)  # the gradient is good to tol = 1e-6
    ours, theirs = (average_loss(y, model.predict(X), loss="psnr", sample_set=ids) for model in (several, squares))
    assert ours < theirs - 0.01


def test_ctc_learns_labels_that_are_aligned_with_nothing():
    model = LossClassifier(CTC(-1), alpha=1e-3).fit(*sequence_data()[:2], sample_set=sequence_data()[2])
    X, y, ids = sequence_data(seed=1)
    assert label_error_rate(y, model.predict(X), ids, blank=-1) < 0.05
    assert decode(model.predict(X), ids, blank=-1)[0].tolist() == y[:3].tolist()


@pytest.mark.parametrize("name", ["dice", "lovasz", "ctc", "psnr"])
def test_sparse_single_and_warm_fits_are_those_of_dense_rows(name):
    X, y, ids = sets_data(name)
    model = estimator_for(name, alpha=1e-2, tol=1e-5).fit(X, y, sample_set=ids)
    close = {"rtol": 1e-3, "atol": 1e-4}  # tol bounds the gradient, and the curvature is near alpha
    assert_allclose(clone(model).fit(sparse.csr_matrix(X), y, sample_set=ids).coef_, model.coef_, **close)
    single = clone(model).fit(X.astype(np.float32), y, sample_set=ids)
    assert single.coef_.dtype == np.float32
    assert_allclose(single.coef_, model.coef_, **close)
    again = model.set_params(warm_start=True)
    n_iter, coef = model.n_iter_, model.coef_
    assert_allclose(again.fit(X, y, sample_set=ids).coef_, coef, **close)
    assert again.n_iter_ <= n_iter


# ---------------------------------------------------------------------------------------------------- sets of rows
@every_name
def test_the_sets_may_have_labels_of_any_kind_in_any_order(name):
    X, y, ids = sets_data(name)
    names = np.array(["b", "a", "d", "c"])[ids]
    expected = estimator_for(name, alpha=1e-2, tol=1e-5).fit(X, y, sample_set=ids)
    assert expected.n_sets_ == 4
    for rows in (np.arange(len(y)), np.argsort(ids, kind="stable")):  # those of a sequence stay in their order
        for labels in (-ids, names, names.tolist(), names.astype(object), 0.5 * ids):
            sets = np.asarray(labels)[rows]
            model = clone(expected).fit(X[rows], y[rows], sample_set=sets if rows[1] > 1 else list(sets))
            assert_allclose(model.coef_, expected.coef_, rtol=1e-3, atol=1e-4)  # sums in another order, to tol


@every_name
def test_without_sample_set_all_rows_are_one_set_but_for_ctc(name):
    X, y, ids = sets_data(name)
    if name == "ctc":
        with pytest.raises(
            ValueError, match=r"CTC\(\) needs sample_set, .*groups=ids, sample_set=ids.*lossclassifier__sample_set=ids"
        ):
            LossClassifier("ctc").fit(X, y)
        return
    model = estimator_for(name, alpha=1e-2, tol=1e-5).fit(X, y)
    assert model.n_sets_ == 1
    assert_array_equal(clone(model).fit(X, y, sample_set=0 * ids).coef_, model.coef_)


@every_name
@pytest.mark.parametrize(
    ("sample_set", "message"),
    [
        ([0, 1], r"each of the 160 rows, an array of shape \(160,\); it has shape \(2,\)"),
        (np.zeros((160, 1)), r"it has shape \(160, 1\)"),
        ([*range(159), np.nan], "row 159 has nan"),
        ([*"a" * 159, None], "row 159 has None"),
        (np.array([*"a" * 159, 1.5], dtype=object), "of one kind; got float and str"),
    ],
)
def test_a_sample_set_that_does_not_name_the_set_of_each_row_is_refused(name, sample_set, message):
    X, y, _ = sets_data(name)
    model = estimator_for(name, alpha=1e-2, tol=1e-4)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, sample_set=sample_set)
    assert not hasattr(model, "coef_")


@pytest.mark.parametrize("name", [*REGRESSION, *CLASSIFICATION])
def test_a_loss_of_rows_ignores_sample_set(name):
    X, y = data_for(name)
    model = estimator_for(name, alpha=0.1).fit(X, y)
    assert_array_equal(clone(model).fit(X, y, sample_set=["no", "sets"]).coef_, model.coef_)
    assert not hasattr(model, "n_sets_")
    p = getattr(model, get_loss(name).response_method)(X)
    assert average_loss(y, p, loss=name, sample_set=[0]) == average_loss(y, p, loss=name)


def test_the_number_of_sets_goes_with_the_loss_that_saw_them():
    X, y, ids = sets_data("dice")
    model = LossClassifier("dice").fit(X, y, sample_set=ids)
    assert pickle.loads(pickle.dumps(model)).n_sets_ == 4
    assert not hasattr(model.set_params(loss="log_loss").fit(X, y, sample_set=ids), "n_sets_")


# --------------------------------------------------------------------------------------------- weights and targets
@every_name
def test_rows_and_sets_of_weight_zero_are_left_out(name):
    X, y, ids = sets_data(name)
    weight = np.random.default_rng(2).uniform(0.5, 2, len(y))
    weight[ids == 1] = 0
    if name == "ctc":  # whole sequences
        weight = np.array([1.0, 0.0, 2.0, 0.5])[ids]
    else:
        weight[::5] = 0
    kept, spoilt = weight > 0, np.where(weight[:, None] > 0, X, 1e6)
    model = estimator_for(name, alpha=1e-2, tol=1e-5).fit(spoilt, y, sample_weight=weight, sample_set=ids)
    without = clone(model).fit(X[kept], y[kept], sample_weight=weight[kept], sample_set=ids[kept])
    assert_allclose(model.coef_, without.coef_, rtol=1e-9)
    assert without.n_sets_ == 3


@pytest.mark.parametrize("loss", [Dice(0), Dice(0, squared=True), Jaccard(0), Tversky(0.3, 0.7, 0), PSNR()], ids=repr)
def test_a_weight_of_k_is_k_copies_without_smoothing(loss):
    X, y, ids = sets_data(loss)
    weight = np.random.default_rng(3).integers(1, 4, len(y))
    copies = np.repeat(np.arange(len(y)), weight)
    model = estimator(loss, alpha=1e-2, tol=1e-8).fit(X, y, sample_weight=weight, sample_set=ids)
    repeated = clone(model).fit(X[copies], y[copies], sample_set=ids[copies])
    assert_allclose(repeated.coef_, model.coef_, rtol=1e-5, atol=1e-6)  # two fits of the same objective, to tol


def test_a_weight_of_a_sequence_is_copies_of_it():
    X, y, ids = sets_data("ctc")
    weight = np.array([1, 3, 2, 1])[ids]
    copies = np.concatenate([np.flatnonzero(weight >= k) for k in (1, 2, 3)])
    names = np.concatenate([ids[weight >= k] + 10 * k for k in (1, 2, 3)])
    model = LossClassifier("ctc", alpha=1e-2, tol=1e-8).fit(X, y, sample_weight=weight, sample_set=ids)
    repeated = clone(model).fit(X[copies], y[copies], sample_set=names)
    assert repeated.n_sets_ == 7
    assert_allclose(repeated.coef_, model.coef_, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("weight", "class_weight"), [(np.linspace(1, 2, 160), None), (None, "balanced")], ids=["rows", "classes"]
)
def test_weights_that_vary_in_a_sequence_are_refused(weight, class_weight):
    X, y, ids = sets_data("ctc")
    message = r"sample_weight must be constant in each, and class_weight None; sequence . has .* in row"
    with pytest.raises(ValueError, match=message):
        LossClassifier("ctc", class_weight=class_weight).fit(X, y, sample_weight=weight, sample_set=ids)


def test_class_weights_of_an_overlap_are_weights_of_rows():
    X, y, ids = sets_data("dice")
    model = LossClassifier("dice", alpha=1e-2, class_weight={0: 1, 1: 3}, tol=1e-8).fit(X, y, sample_set=ids)
    rows = LossClassifier("dice", alpha=1e-2, tol=1e-8).fit(X, y, sample_weight=1.0 + 2 * y, sample_set=ids)
    assert_allclose(model.coef_, rows.coef_, rtol=1e-9)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("loss", [*OVERLAPS, Lovasz()], ids=repr)
def test_one_hot_rows_are_labels_and_shares_are_learnt(loss, n_classes):
    X, y, ids = sets_data(loss, n_classes)
    model = LossClassifier(loss, alpha=1e-2, tol=1e-5)
    hard, hot = (clone(model).fit(X, target, sample_set=ids) for target in (y, np.eye(n_classes)[y]))
    assert_allclose(hot.coef_, hard.coef_, rtol=1e-3, atol=1e-4)  # two fits of the same objective, to tol
    shares = 0.7 * np.eye(n_classes)[y] + 0.3 / n_classes
    soft = clone(model).fit(X, shares, sample_set=ids)
    loss_of_hard = average_loss(shares, hard.predict_proba(X), loss=loss, sample_set=ids)
    assert soft.solution_.value < loss_of_hard + 0.01 / 2 * (hard.coef_**2).sum()
    with pytest.raises(ValueError, match="rows must be probabilities, >= 0 with the sum 1"):
        model.fit(X, 1.1 * shares, sample_set=ids)


def test_a_target_between_zero_and_one_is_a_row_of_each_class_in_parts():
    X, y, ids = sets_data("dice")
    share = np.random.default_rng(4).uniform(size=len(y))
    model = LossClassifier(Dice(0), alpha=1e-2, tol=1e-8).fit(X, np.column_stack([1 - share, share]), sample_set=ids)
    split = LossClassifier(Dice(0), alpha=1e-2, tol=1e-8).fit(
        np.vstack([X, X]), np.repeat([1, 0], len(y)), np.hstack([share, 1 - share]), np.hstack([ids, ids])
    )
    assert_allclose(split.coef_, model.coef_, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("blank", "names", "classes"), [(-1, [0, 1, 2], [-1, 0, 1, 2]), ("", ["x", "y", "z"], ["", "x", "y", "z"])], ids=str
)
def test_the_blank_is_a_class_though_no_row_need_have_it(blank, names, classes):
    X, y, ids = sequence_data()
    rows = y >= 0  # three frames with a label each
    loss = CTC(blank, zero_infinity=True)
    model = LossClassifier(loss, alpha=1e-2).fit(X[rows], np.array(names)[y[rows]], sample_set=ids[rows])
    assert model.classes_.tolist() == classes
    assert model.predict_proba(X).shape == (len(y), 4)
    assert model.loss_.blank == blank
    mixed = LossClassifier(LogLoss() + loss, alpha=1e-2).fit(X[rows], np.array(names)[y[rows]], sample_set=ids[rows])
    assert mixed.classes_.tolist() == classes


def test_a_sequence_with_too_few_frames_is_named():
    X, y, ids = sequence_data()
    short = (ids != 3) | (np.arange(len(y)) % 12 < 2)  # two frames are left of sequence 3
    y[ids == 3] = 1
    message = (
        "1 of 30 sequences is inf, .* sequence 3 of sample_set: its target of 2 labels, 1 of them equal to .* has 2"
    )
    with pytest.raises(ValueError, match=message):
        LossClassifier(CTC(-1)).fit(X[short], y[short], sample_set=ids[short])


# ------------------------------------------------------------------------------------------------------------- sums
def test_a_sum_with_a_loss_of_sets_lies_between_its_parts():
    X, y, ids = sets_data("dice")
    loss = 0.5 * LogLoss() + 0.5 * Dice()
    values = []
    for each in ("log_loss", loss, "dice"):
        p = LossClassifier(each, alpha=1e-4).fit(X, y, sample_set=ids).predict_proba(X)
        values.append([average_loss(y, p, loss=part, sample_set=ids) for part in ("log_loss", "dice")])
        assert average_loss(y, p, loss=loss, sample_set=ids) == pytest.approx(np.mean(values[-1]), rel=1e-12)
    log_loss, dice = np.transpose(values)
    assert log_loss[0] < log_loss[1] < log_loss[2]
    assert dice[0] > dice[1] > dice[2]


def test_a_sum_needs_what_one_of_its_parts_needs():
    X, y, ids = sets_data("ctc")
    for loss in (Dice() + CTC(), CTC() + Dice()):
        with pytest.raises(ValueError, match=r"CTC\(\) needs sample_set"):
            LossClassifier(loss).fit(X, y)
        assert LossClassifier(loss, alpha=1e-2).fit(X, y, sample_set=ids).n_sets_ == 4
    y[ids == 2] = 1
    with pytest.raises(ValueError, match="sequence 2 of sample_set"):
        LossClassifier(Dice() + CTC()).fit(X, y, sample_set=ids)


def test_the_weights_of_a_sum_with_a_loss_of_sets_are_searched_over():
    X, y, ids = sets_data("dice")
    grid = {"loss__weights": [[1, 0], [0.5, 0.5], [0, 1]], "loss__dice__smoothing": [0, 1]}
    search = GridSearchCV(
        LossClassifier(LogLoss() + Dice(), alpha=1e-2), grid, scoring=loss_scorers("log_loss", "dice"), refit=False,
        cv=GroupKFold(2), error_score="raise",
    ).fit(X, y, groups=ids, sample_set=ids)  # fmt: skip
    assert search.cv_results_["mean_test_log_loss"].argmax() in (0, 3)
    assert len(set(search.cv_results_["mean_test_dice"].round(9))) == 5  # without Dice its smoothing does nothing


# ------------------------------------------------------------------------------------------------ searches, scorers
def by_hand(X, y, ids, alphas, sets_of_a_fold):
    """Mean over the folds of minus Dice, by alpha."""
    folds = list(GroupKFold(3).split(X, y, ids))
    scores = np.empty((len(alphas), 3))
    for i, alpha in enumerate(alphas):
        for k, (train, test) in enumerate(folds):
            model = LossClassifier("dice", alpha=alpha).fit(X[train], y[train], sample_set=ids[train])
            p = model.predict_proba(X[test])
            scores[i, k] = -average_loss(y[test], p, loss="dice", sample_set=sets_of_a_fold(ids[test]))
    return scores.mean(axis=1)


ALPHAS = [1e-3, 1e-1, 1.0]
WAYS = {"without_routing": lambda ids: None, "with_routing": lambda ids: ids}


@pytest.mark.parametrize("pipeline", [False, True], ids=["alone", "pipeline"])
@pytest.mark.parametrize("way", WAYS)
def test_a_search_over_groups_fits_and_scores_what_a_loop_does(way, pipeline):
    X, y, ids = sets_data("dice", sizes=(30, 50, 20, 60, 10, 40, 15))
    X = StandardScaler().fit_transform(X)
    routing, model, scorer = way == "with_routing", LossClassifier("dice"), loss_scorer("dice")
    with config_context(enable_metadata_routing=routing):
        if routing:
            model.set_fit_request(sample_set=True)
            scorer.set_score_request(sample_set=True)
        prefix = "lossclassifier__" * pipeline
        if pipeline:
            model = make_pipeline(StandardScaler(with_mean=False, with_std=False), model)
        search = GridSearchCV(model, {prefix + "alpha": ALPHAS}, scoring=scorer, cv=GroupKFold(3), error_score="raise")
        search.fit(X, y, groups=ids, **{"sample_set" if routing else prefix + "sample_set": ids})
    expected = by_hand(X, y, ids, ALPHAS, WAYS[way])
    assert_allclose(search.cv_results_["mean_test_score"], expected, rtol=1e-10)
    best = search.best_estimator_[-1] if pipeline else search.best_estimator_
    assert best.n_sets_ == 7
    assert search.best_params_ == {prefix + "alpha": ALPHAS[expected.argmax()]}


def test_the_two_ways_of_a_search_differ():
    X, y, ids = sets_data("dice", sizes=(30, 50, 20, 60, 10, 40, 15))
    without, routed = (by_hand(X, y, ids, ALPHAS, sets) for sets in WAYS.values())
    assert np.abs(without - routed).min() > 1e-3


def test_with_routing_sample_set_is_for_those_who_ask():
    X, y, ids = sets_data("dice")
    with config_context(enable_metadata_routing=True):
        search = GridSearchCV(LossClassifier("dice"), {"alpha": [0.1]}, scoring=loss_scorer("dice"), cv=GroupKFold(2))
        with pytest.raises(UnsetMetadataPassedError, match="sample_set"):
            search.fit(X, y, groups=ids, sample_set=ids)
        plain = GridSearchCV(
            LossClassifier("log_loss"), {"alpha": [0.1]}, scoring=loss_scorer("log_loss"), cv=GroupKFold(2)
        )
        assert np.isfinite(plain.fit(X, y, groups=ids).best_score_)  # groups stay those of the splitter


def test_a_scorer_of_ctc_needs_routing():
    X, y, ids = sequence_data()
    model, scorer = LossClassifier(CTC(-1), alpha=1e-2), loss_scorer(CTC(-1))
    options = {"cv": GroupKFold(3), "error_score": "raise"}
    with pytest.raises(ValueError, match=r"A scorer gets it where metadata routing is enabled, by scorer\.set_score_"):
        cross_val_score(model, X, y, groups=ids, params={"sample_set": ids}, scoring=scorer, **options)
    with config_context(enable_metadata_routing=True):
        model.set_fit_request(sample_set=True)
        scorer.set_score_request(sample_set=True)
        given = {"sample_set": ids, "groups": ids}
        scores = cross_val_score(model, X, y, params=given, scoring=scorer, **options)
    for score, (train, test) in zip(scores, GroupKFold(3).split(X, y, ids), strict=True):
        fold = clone(model).fit(X[train], y[train], sample_set=ids[train])
        p = fold.predict_proba(X[test])
        assert score == pytest.approx(-average_loss(y[test], p, loss=CTC(-1), sample_set=ids[test]), rel=1e-9)


def test_the_label_error_rate_is_a_scorer():
    X, y, ids = sequence_data()
    scorer = make_scorer(label_error_rate, greater_is_better=False, blank=-1)
    model = LossClassifier(CTC(-1)).fit(X, y, sample_set=ids)
    with pytest.raises(ValueError, match="label_error_rate needs sample_set"):
        scorer(model, X, y)
    with config_context(enable_metadata_routing=True):
        scorer.set_score_request(sample_set=True)
        assert scorer(model, X, y, sample_set=ids) == -label_error_rate(y, model.predict(X), ids, blank=-1)
        loss = loss_scorer(CTC(-1)).set_score_request(sample_set=True)
        search = GridSearchCV(
            LossClassifier(CTC(-1)).set_fit_request(sample_set=True), {"alpha": [1e-2, 10.0]},
            scoring={"loss": loss, "errors": scorer}, refit="errors", cv=GroupKFold(2), error_score="raise",
        ).fit(X, y, groups=ids, sample_set=ids)  # fmt: skip
    assert search.best_params_ == {"alpha": 1e-2}
    assert -0.1 < search.best_score_ <= 0
    assert search.cv_results_["mean_test_loss"].argmax() == 0


@every_name
def test_the_metric_is_that_of_the_sets(name):
    X, y, ids = sets_data(name)
    loss = get_loss(name)
    model = estimator_for(name, alpha=1e-2, tol=1e-5).fit(X, y, sample_set=ids)
    p = getattr(model, loss.response_method)(X)
    each = [
        average_loss(y[ids == i], p[ids == i], loss=name, sample_set=ids[ids == i], labels=[0, 1]) for i in range(4)
    ]
    assert_allclose(average_loss(y, p, loss=name, sample_set=ids, aggregate=None), each, rtol=1e-12)
    assert average_loss(y, p, loss=name, sample_set=ids) == pytest.approx(np.mean(each), rel=1e-12)
    assert average_loss(y, p, loss=name, sample_set=ids, aggregate="median") == pytest.approx(
        np.median(each), rel=1e-12
    )
    for wrong, message in (([0, 1], r"it has shape \(2,\)"), (None, r"CTC\(\) needs sample_set")):
        if wrong is not None or name == "ctc":
            with pytest.raises(ValueError, match=message):
                average_loss(y, p, loss=name, sample_set=wrong)


def test_classes_of_pixels_go_in_as_rows():
    p = np.random.default_rng(5).dirichlet(np.ones(2), (3, 4, 5)).transpose(0, 3, 1, 2)
    y = (p[:, 1] > 0.7).astype(int)
    with pytest.raises(ValueError, match=r"y_pred has shape \(3, 2, 4, 5\), but a row of Dice\(\) is a pixel: pass"):
        Dice().checked(y, p)
    flat = y.ravel(), np.moveaxis(p, 1, -1).reshape(-1, 2)
    images = average_loss(*flat, loss="dice", sample_set=np.repeat([0, 1, 2], 20), aggregate=None)
    assert_allclose(images[1], average_loss(y[1].ravel(), p[1, 1].ravel(), loss="dice"), rtol=1e-13)


# ------------------------------------------------------------------------------------------- scikit-learn's checks
WEIGHT_CHECKS = ("check_sample_weight_equivalence_on_dense_data", "check_sample_weight_equivalence_on_sparse_data")
EXACT_CHECKS = ("check_sample_weights_shape", "check_sample_weights_not_overwritten", "check_regressor_multioutput")
SMOOTHED = [estimator_for(name, penalty=penalty) for name in ("dice", "jaccard", "tversky") for penalty in ("l2", None)]
PLAIN = [LossClassifier(loss, alpha=0.1) for loss in (Dice(0), Jaccard(0), Tversky(smoothing=0))]
NUMBERS = [LossRegressor("psnr", penalty=penalty) for penalty in ("l2", None)]
# Gradient sampling takes minutes on their data; and without a penalty classes that are apart have no minimum.
TOO_SLOW = {
    *WEIGHT_CHECKS, "check_estimator_sparse_array", "check_estimator_sparse_matrix", "check_estimator_sparse_tag",
    "check_dtype_object", "check_class_weight_classifiers",
}  # fmt: skip


def expected_failures(estimator):
    failures = {}
    if estimator in SMOOTHED:
        failures = dict.fromkeys(WEIGHT_CHECKS, "smoothing is a number of rows of weight 1")
    if estimator in NUMBERS:
        failures = dict.fromkeys(EXACT_CHECKS + WEIGHT_CHECKS, "an exact fit is possible: there is no minimum")
    return failures


@parametrize_with_checks([*SMOOTHED, *PLAIN, *NUMBERS], expected_failed_checks=expected_failures)
def test_scikit_learn_accepts_smooth_losses_of_sets(estimator, check):
    if check.func.__name__ == "check_class_weight_classifiers" and estimator.penalty is not None:
        pytest.skip("one class has all but 1e-7 of the weight: whether a fit is to tol depends on rounding")
    check(estimator)


@pytest.mark.parametrize(
    ("estimator", "check"),
    [
        pytest.param(estimator, check, id=check.func.__name__)
        for estimator, check in estimator_checks_generator(LossClassifier("lovasz", tol=1e-4))
        if check.func.__name__ not in TOO_SLOW
    ],
)
def test_scikit_learn_accepts_lovasz(estimator, check):
    check(estimator)


def test_the_sum_over_sets_is_the_sum_of_their_losses():
    X, y, ids = sets_data("dice")
    p = LossClassifier("dice").fit(X, y, sample_set=ids).predict_proba(X)
    each = average_loss(y, p, loss="dice", sample_set=ids, aggregate=None)
    assert average_loss(y, p, loss="dice", sample_set=ids, aggregate="sum") == pytest.approx(each.sum())
    assert average_loss(y, p, loss="dice", sample_set=ids) == pytest.approx(each.mean())


def test_a_loss_of_sets_is_no_scorer_and_a_search_says_so():
    X, y, _ = sets_data("dice")
    with pytest.raises(TypeError, match="is a loss, not a scorer"):
        GridSearchCV(LossClassifier("dice"), {"alpha": [0.1]}, scoring=Dice(), cv=2).fit(X, y)


# Where a coefficient stops near 0 the fit may warn that tol is not proved; no step is better all the same.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("penalty", ["l1", "elasticnet"])
def test_lovasz_with_an_l1_penalty_ends_where_no_step_is_better(penalty):
    X, y, ids = sets_data("lovasz")
    model = LossClassifier("lovasz", penalty=penalty, alpha=1e-3, tol=1e-4).fit(X, y, sample_set=ids)

    def value(coef, intercept):
        raw = X @ coef + intercept
        size = np.abs(coef).sum() if penalty == "l1" else 0.5 * np.abs(coef).sum() + 0.25 * coef @ coef
        return Lovasz().value_gradient(y.astype(float), raw, np.ones(len(y)), ids)[0] + 1e-3 * size

    best, rng = value(model.coef_[0], model.intercept_[0]), np.random.default_rng(0)
    for size in (1e-1, 1e-2, 1e-3):
        steps = size * rng.normal(size=(200, X.shape[1] + 1))
        assert best <= min(value(model.coef_[0] + s[:-1], model.intercept_[0] + s[-1]) for s in steps) + 1e-4 * size
