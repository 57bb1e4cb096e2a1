"""Losses as metrics and scorers, on our estimators and on others."""

import pickle

import numpy as np
import pytest
from sklearn import metrics
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import HuberRegressor, LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score, cross_validate
from sklearn.svm import SVC

from sklloss import LossClassifier, LossRegressor, average_loss, loss_scorer, loss_scorers
from sklloss.links import SOFTMAX
from sklloss.losses import Hinge, Huber, LogLoss, Pinball, SquaredError

from .common import CLASSIFICATION, REGRESSION, classification_data, data_for, regression_data

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
    with pytest.raises(ValueError, match="at least one non-zero"):
        average_loss([0.0, 1.0], [0.0, 1.0], loss="mse", sample_weight=[0, 0])
    with pytest.raises(ValueError, match="labels that are not in"):
        average_loss([0, 3], [0.5, 0.5], loss="log_loss", labels=[0, 1])


def test_integers_that_are_no_labels_are_decision_values():
    assert average_loss([0, 1], [-3, 2], loss="hinge") == 0.0


# --------------------------------------------------------------------------------------------------- scorers
@pytest.mark.parametrize("name", REGRESSION)
def test_every_regression_loss_scores_other_peoples_estimators(name):
    X, y = data_for(name)
    score = loss_scorer(name)(RandomForestRegressor(5, random_state=0).fit(X, y + 0.1), X, y)
    assert np.isfinite(score)
    assert score < 0


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", CLASSIFICATION)
def test_every_classification_loss_scores_other_peoples_estimators(name, n_classes):
    X, y = classification_data(n_classes=n_classes)
    able = (
        SVC()
        if loss_scorer(name)._response_method == "decision_function"
        else RandomForestClassifier(5, random_state=0)
    )
    assert loss_scorer(name)(able.fit(X, y), X, y) < 0


def test_scorers_of_all_kinds_agree_in_every_search():
    X, y = regression_data()
    scorers = {
        "short": loss_scorer("huber", delta=2.0),
        "function": make_scorer(average_loss, greater_is_better=False, loss=Huber(delta=2.0)),
        "loss": make_scorer(Huber(2.0), greater_is_better=False),
    }
    weight = np.linspace(1, 2, len(y))
    together = cross_validate(LossRegressor(), X, y, scoring=scorers, params={"sample_weight": weight})
    alone = {key: cross_val_score(LossRegressor(), X, y, scoring=scorer) for key, scorer in scorers.items()}
    for key in scorers:
        np.testing.assert_array_equal(together[f"test_{key}"], together["test_short"])
        np.testing.assert_array_equal(alone[key], alone["short"])
        search = GridSearchCV(LossRegressor(), {"alpha": [0.1, 1.0]}, scoring=scorers[key]).fit(
            X, y, sample_weight=weight
        )
        assert search.best_score_ < 0
    search = GridSearchCV(LossRegressor(), {"alpha": [0.1, 1.0]}, scoring=scorers, refit="loss")
    assert search.fit(X, y, sample_weight=weight).best_params_["alpha"] in (0.1, 1.0)


def test_weights_reach_the_score():
    X, y = regression_data()
    model = LossRegressor().fit(X, y)
    weight = np.arange(len(y), dtype=float)
    expected = -average_loss(y, model.predict(X), loss="mae", sample_weight=weight)
    assert loss_scorer("mae")(model, X, y, sample_weight=weight) == expected
    assert expected != loss_scorer("mae")(model, X, y)


def test_scorers_pickle_and_tell_what_they_are():
    scorer = loss_scorer("huber", delta=2.0)
    assert "Huber(delta=2.0)" in repr(scorer)
    assert "greater_is_better=False" in repr(scorer)
    for each in (scorer, loss_scorer("hinge"), make_scorer(Huber(), greater_is_better=False)):
        X, y = classification_data() if "Hinge" in repr(each) else regression_data()
        model = (LossClassifier("hinge") if "Hinge" in repr(each) else LossRegressor()).fit(X, y)
        assert pickle.loads(pickle.dumps(each))(model, X, y) == each(model, X, y)
        assert clone(each, safe=False)(model, X, y) == each(model, X, y)


def test_a_fold_that_misses_a_class_does_not_kill_the_search():
    X, y = classification_data(n=60, n_classes=3)
    order = np.argsort(y, kind="stable")  # unshuffled folds: the last one holds class 2 alone
    for name in ("log_loss", "hinge"):
        scores = cross_val_score(LossClassifier(name), X[order], y[order], cv=KFold(2), scoring="accuracy")
        assert np.isfinite(scores).all()
        model = LossClassifier(name).fit(X, y)
        assert np.isfinite(loss_scorer(name)(model, X[y == 2], y[y == 2]))


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_loss_where_a_scorer_belongs_is_refused_and_not_scored_nan(n_jobs):
    X, y = regression_data()
    with pytest.raises(TypeError, match=r"use scoring=loss_scorer\(Huber\(\)\)"):
        GridSearchCV(LossRegressor(), {"alpha": [1.0]}, scoring=Huber(), n_jobs=n_jobs).fit(X, y)
    with pytest.raises(TypeError, match=r"use scoring=loss_scorer\(Huber\(\)\)"):
        cross_val_score(LossRegressor(), X, y, scoring=Huber(), n_jobs=n_jobs)
    with pytest.raises(TypeError, match=r"use scoring=loss_scorer\(Huber\(\)\)"):
        cross_validate(LossRegressor(), X, y, scoring={"a": "r2", "b": Huber()}, n_jobs=n_jobs)
    with pytest.raises(TypeError, match=r"use scoring=loss_scorer\(Huber\(\)\)"):
        Huber()(LossRegressor().fit(X, y), X, y)


def test_a_probability_loss_on_predict_is_refused_in_a_search():
    X, y = classification_data()
    scorer = make_scorer(average_loss, greater_is_better=False, loss="log_loss")
    with pytest.raises(ValueError, match="response_method='predict_proba'"):
        cross_val_score(LogisticRegression(), X, y, scoring=scorer, error_score="raise")


def test_loss_scorers_names_each_loss_once():
    assert list(loss_scorers("mae", Huber(1.0), Huber(20.0), "hinge")) == [
        "absolute_error",
        "huber",
        "huber_2",
        "hinge",
    ]


def test_a_scorer_of_a_bad_loss_is_refused_when_it_is_made():
    with pytest.raises(ValueError, match="'delta' parameter of Huber"):
        loss_scorer("huber", delta=-1)
    with pytest.raises(ValueError, match="Did you mean 'hinge'"):
        loss_scorer("hinges")


def test_metrics_of_losses_and_scores_agree_for_a_fitted_model():
    X, y = regression_data()
    model = HuberRegressor().fit(X, y)
    for loss in (SquaredError(), Pinball(0.9), Huber(3.0)):
        assert (
            -loss_scorer(loss)(model, X, y) == loss(y, model.predict(X)) == average_loss(y, model.predict(X), loss=loss)
        )


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
