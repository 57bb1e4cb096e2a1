"""Losses as scorers: in searches, with weights, on labels that folds miss or add, on other people's estimators."""

import pickle

import numpy as np
import pytest
import sklearn
from joblib import Parallel, delayed
from sklearn import metrics
from sklearn.base import clone
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.linear_model import HuberRegressor, LinearRegression, LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    KFold,
    TunedThresholdClassifierCV,
    cross_val_score,
    cross_validate,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from sklloss import LossClassifier, LossRegressor, average_loss, d2_loss_score, get_loss, loss_scorer, loss_scorers
from sklloss._compat import is_scorer, scorer_function, scorer_methods, scorer_options, scorer_sign
from sklloss.losses import AbsoluteError, Brier, Hinge, Huber, LogLoss, Pinball, SquaredError
from sklloss.metrics import d2_loss_scorer

from .common import CLASSIFICATION, REGRESSION, classification_data, regression_data

PROBABILITY = [name for name in CLASSIFICATION if get_loss(name).response_method == "predict_proba"]
DECISION = [name for name in CLASSIFICATION if name not in PROBABILITY]
EPS = np.finfo(float).eps


def response(model, loss, X):
    return getattr(model, get_loss(loss).response_method)(X)


# -------------------------------------------------------------------------------------- other people's estimators
@pytest.mark.parametrize(
    "model",
    [
        HuberRegressor(max_iter=1000),
        RandomForestRegressor(5, random_state=0),
        HistGradientBoostingRegressor(max_iter=5),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.parametrize("name", REGRESSION)
def test_every_regression_loss_scores_every_regressor(name, model):
    X, y = regression_data()
    y = 100 + y  # in the domain of all losses, and so far from 0 that predictions are
    expected = average_loss(y, model.fit(X, y).predict(X), loss=name)
    assert loss_scorer(name)(model, X, y) == -expected < 0
    assert -np.inf < d2_loss_scorer(name)(model, X, y) < 1


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    "model",
    [GaussianNB(), RandomForestClassifier(5, random_state=0), HistGradientBoostingClassifier(max_iter=5)],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.parametrize("name", PROBABILITY)
def test_every_loss_of_probabilities_scores_every_classifier_that_has_some(name, model, n_classes):
    X, y = classification_data(n_classes=n_classes)
    expected = average_loss(y, model.fit(X, y).predict_proba(X), loss=name)
    assert loss_scorer(name)(model, X, y) == pytest.approx(-expected, rel=1e-12)
    assert d2_loss_scorer(name)(model, X, y) < 1


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    "model",
    [SVC(), LinearSVC(), HistGradientBoostingClassifier(max_iter=5), make_pipeline(StandardScaler(), SVC())],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.parametrize("name", DECISION)
def test_every_loss_of_decision_values_scores_every_classifier_that_has_some(name, model, n_classes):
    X, y = classification_data(n_classes=n_classes)
    expected = average_loss(y, model.fit(X, y).decision_function(X), loss=name)
    assert loss_scorer(name)(model, X, y) == -expected < 0
    assert d2_loss_scorer(name)(model, X, y) <= 1


def test_a_classifier_without_the_response_of_a_loss_is_refused_by_scikit_learn():
    X, y = classification_data()
    with pytest.raises(AttributeError, match="LinearSVC has none of the following attributes: predict_proba"):
        loss_scorer("log_loss")(LinearSVC().fit(X, y), X, y)
    with pytest.raises(AttributeError, match=r"RandomForestClassifier has none of .*: decision_function"):
        loss_scorer("hinge")(RandomForestClassifier(2).fit(X, y), X, y)


@pytest.mark.parametrize("name", ["poisson", "gamma", "tweedie"])
def test_a_model_that_predicts_outside_the_domain_is_refused(name):
    X = np.array([[0.0], [1.0], [5.0]])
    model = LinearRegression().fit(X, [1.0, 2.0, 6.0])
    with pytest.raises(ValueError, match=r"y_pred must be in \(0, inf\) for .*; row 1 has -2\.9"):
        loss_scorer(name)(model, X - [[0.0], [5.0], [0.0]], [1.0, 2.0, 6.0])


@pytest.mark.parametrize("wrap", [lambda svc: svc, lambda svc: make_pipeline(StandardScaler(), GridSearchCV(svc, {}))])
def test_decision_values_of_pairs_of_classes_are_refused(wrap):
    X, y = classification_data(n_classes=3)  # three classes have three pairs: the shapes agree
    with pytest.raises(ValueError, match=r"decision_function_shape='ovo' of SVC .* use decision_function_shape='ovr'"):
        loss_scorer("hinge")(wrap(SVC(decision_function_shape="ovo")).fit(X, y), X, y)
    assert loss_scorer("hinge")(OneVsRestClassifier(SVC(decision_function_shape="ovo")).fit(X, y), X, y) < 0
    assert loss_scorer("hinge")(SVC(decision_function_shape="ovo").fit(X, y > 0), X, y > 0) < 0


def test_probabilities_that_are_integers_are_no_labels():
    class Sure(RandomForestClassifier):
        def predict_proba(self, X):
            return np.eye(2, dtype=int)[(X[:, 0] > 0).astype(int)]

    X, y = classification_data()
    wrong = np.mean((X[:, 0] > 0) != y)
    assert loss_scorer("log_loss")(Sure(2).fit(X, y), X, y) == pytest.approx(wrong * np.log(EPS), rel=1e-12)


# -------------------------------------------------------------------------------------------------- missing classes
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", CLASSIFICATION)
def test_rows_of_one_class_are_scored_as_among_the_others(name, n_classes):
    X, y = classification_data(n_classes=n_classes)
    labels = np.array(["a", "b", "c"])[:n_classes]
    model = LossClassifier("log_loss").fit(X, labels[y])
    own = average_loss(labels[y], response(model, name, X), loss=name, aggregate=None)[y == 1].mean()
    assert loss_scorer(name)(model, X[y == 1], labels[y][y == 1]) == pytest.approx(-own, rel=1e-12)
    assert d2_loss_scorer(name)(model, X[y == 1], labels[y][y == 1]) in (0.0, 1.0)


def sorted_by_class():
    """Data of which unshuffled folds miss classes: the last of 5 holds all that there is of class c."""
    X, y = classification_data(n=60, n_classes=3)
    rows = np.concatenate([np.flatnonzero(y == k)[:count] for k, count in enumerate([19, 19, 8])])
    return X[rows], np.array(["a", "b", "c"])[y[rows]]


@pytest.mark.parametrize("name", CLASSIFICATION)
def test_a_search_outlives_folds_that_miss_a_class_in_training_or_in_test(name):
    X, y = sorted_by_class()
    grid = {"alpha": [0.01, 1.0]}
    search = GridSearchCV(LossClassifier(), grid, cv=KFold(5), scoring=loss_scorer(name), error_score="raise")
    with pytest.warns(UserWarning, match=r"not trained on, \['c'\], in 8 of 9 rows"):
        search.fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


# --------------------------------------------------------------------------------------------------- unseen classes
def unseen_data(n_classes):
    """A model that has not seen the label "new one", and rows of which 4 have it."""
    X, y = classification_data(n_classes=n_classes)
    y = np.array(["x", "y", "z"])[:n_classes][y]
    model = LossClassifier("log_loss").fit(X, y)
    y = y.astype(object)
    y[[2, 30, 40, 50]] = "new one"
    return model, X, y


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", PROBABILITY)
def test_an_unseen_class_has_probability_zero(name, n_classes):
    model, X, y = unseen_data(n_classes)
    weight = np.linspace(1, 2, len(y))
    p = np.column_stack([np.zeros(len(y)), model.predict_proba(X)])  # "new one" sorts first
    options = {"loss": name, "labels": ["new one", *model.classes_], "sample_weight": weight}
    for scorer, expected in (
        (loss_scorer(name), -average_loss(y, p, **options)),
        (d2_loss_scorer(name), d2_loss_score(y, p, **options)),
    ):
        with pytest.warns(UserWarning, match="scores these rows at probability 0, clipped.$") as record:
            score = scorer(model, X, y, sample_weight=weight)
        assert score == pytest.approx(expected, rel=1e-9)  # d2: the best constant is found to the optimiser's 1e-10
        assert len(record) == 1
        assert "not trained on, ['new one'], in 4 of 90 rows" in str(record[0].message)


def test_the_log_loss_of_an_unseen_class_is_that_of_the_clipped_probability():
    model, X, y = unseen_data(2)
    new = y == "new one"
    with pytest.warns(UserWarning, match="in 4 of 4 rows"):
        assert loss_scorer("log_loss")(model, X[new], y[new]) == pytest.approx(np.log(EPS), rel=1e-12)
    p = np.column_stack([np.zeros(len(y)), model.predict_proba(X)])
    with pytest.warns(UserWarning, match="in 4 of 90 rows"):
        ours = -loss_scorer("log_loss")(model, X, y)
    assert ours == pytest.approx(metrics.log_loss(y.astype(str), p, labels=["new one", "x", "y"]), rel=1e-12)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", DECISION)
def test_an_unseen_class_counts_as_the_known_one_with_the_largest_loss(name, n_classes):
    model, X, y = unseen_data(n_classes)
    weight, new = np.linspace(1, 2, len(y)), y == "new one"
    f = model.decision_function(X)
    of_each = [
        average_loss(np.where(new, label, y), f, loss=name, labels=model.classes_, aggregate=None)
        for label in model.classes_
    ]
    expected = -np.average(np.max(of_each, axis=0), weights=weight)  # rows of known labels are the same in all
    with pytest.warns(UserWarning, match="in 4 of 90 rows; .* as the known label with the largest loss") as record:
        assert loss_scorer(name)(model, X, y, sample_weight=weight) == pytest.approx(expected, rel=1e-12)
    assert len(record) == 1


def test_rows_that_a_loss_ignores_are_no_unseen_class():
    X, y = classification_data(n_classes=3)
    model = LossClassifier().fit(X, y)
    y[:5] = -1
    loss = LogLoss(ignore_label=-1)
    assert loss_scorer(loss)(model, X, y) == pytest.approx(loss_scorer("log_loss")(model, X[5:], y[5:]), rel=1e-12)


def test_the_metric_itself_refuses_unseen_labels():
    with pytest.raises(ValueError, match=r"not in labels=\[0, 1\]: \[3\].*score the estimator with loss_scorer"):
        average_loss([0, 3], [0.5, 0.5], loss="log_loss", labels=[0, 1])


# -------------------------------------------------------------------------------------------------------- weights
def routed(on):
    return sklearn.config_context(enable_metadata_routing=on)


@pytest.mark.parametrize("routing", [False, True], ids=["no_routing", "routing"])
@pytest.mark.parametrize("name", ["absolute_error", "log_loss", "hinge"])
def test_weights_reach_the_score(name, routing):
    regression = name == "absolute_error"
    X, y = regression_data() if regression else classification_data()
    model = (LossRegressor() if regression else LossClassifier()).fit(X, y)
    weight = np.arange(len(y), dtype=float)
    expected = -average_loss(y, response(model, name, X), loss=name, sample_weight=weight)
    with routed(routing):
        assert loss_scorer(name)(model, X, y, sample_weight=weight) == pytest.approx(expected, rel=1e-14)
        assert loss_scorer(name)(model, X, y) != pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("to_fit", "to_score"), [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize("name", ["huber", "brier", "hinge"])
def test_routing_takes_weights_to_fit_and_to_each_scorer_on_its_own(name, to_fit, to_score):
    regression = name == "huber"
    X, y = regression_data() if regression else classification_data()
    weight = np.geomspace(0.1, 10, len(y))
    expected = []
    for train, test in KFold(3).split(X):
        model = LossRegressor() if regression else LossClassifier()
        model.fit(X[train], y[train], sample_weight=weight[train] if to_fit else None)
        p = response(model, name, X[test])
        value = -average_loss(y[test], p, loss=name, sample_weight=weight[test] if to_score else None)
        other = d2_loss_score(y[test], p, loss=name, sample_weight=None if to_score else weight[test])
        expected.append((value, other))
    values, others = np.transpose(expected)
    with routed(True):
        model = (LossRegressor() if regression else LossClassifier()).set_fit_request(sample_weight=to_fit)
        scorer = loss_scorer(name).set_score_request(sample_weight=to_score)
        other = d2_loss_scorer(name).set_score_request(sample_weight=not to_score)
        options = {"cv": KFold(3), "params": {"sample_weight": weight}}
        alone = cross_val_score(model, X, y, scoring=scorer, **options)
        both = cross_validate(model, X, y, scoring={"loss": scorer, "d2": other}, **options)
        search = GridSearchCV(model, {"alpha": [1e-4]}, scoring=scorer, cv=KFold(3)).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(alone, values, rtol=1e-12)
    np.testing.assert_allclose(both["test_loss"], values, rtol=1e-12)
    np.testing.assert_allclose(both["test_d2"], others, rtol=1e-9)
    assert search.best_score_ == pytest.approx(values.mean(), rel=1e-12)


@pytest.mark.parametrize("several", [False, True], ids=["one", "several"])
@pytest.mark.parametrize(("ours", "theirs"), [("mae", "neg_mean_absolute_error"), ("log_loss", "neg_log_loss")])
def test_weights_without_a_request_are_refused_where_scikit_learn_refuses_them(ours, theirs, several):
    X, y = regression_data() if ours == "mae" else classification_data()
    refused = []
    with routed(True):
        model = (LossRegressor() if ours == "mae" else LossClassifier()).set_fit_request(sample_weight=True)
        for scorer in (loss_scorer(ours), theirs):
            scoring = {"score": scorer} if several else scorer
            try:
                cross_validate(model, X, y, scoring=scoring, params={"sample_weight": np.ones(len(y))})
                refused.append(False)  # scikit-learn 1.6
            except UnsetMetadataPassedError:
                refused.append(True)
    assert refused[0] == refused[1]


@pytest.mark.parametrize("several", [False, True], ids=["one", "several"])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("absolute_error", "neg_mean_absolute_error"), ("log_loss", "neg_log_loss"), ("brier", "neg_brier_score")],
)
def test_searches_without_routing_weight_our_scores_as_they_do_those_of_scikit_learn(ours, theirs, several):
    regression = ours == "absolute_error"
    X, y = regression_data() if regression else classification_data()
    model = LossRegressor() if regression else LossClassifier()
    weight = np.geomspace(0.1, 10, len(y))
    scores = []
    for scorer in (loss_scorer(ours), theirs):
        search = GridSearchCV(
            model, {"alpha": [1e-3, 0.1]}, scoring={"a": scorer, "b": scorer} if several else scorer, refit=False
        ).fit(X, y, sample_weight=weight)
        scores.append(search.cv_results_["mean_test_a" if several else "mean_test_score"])
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-12)


# ------------------------------------------------------------------------------------------------------- searches
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


def test_a_loss_made_a_scorer_by_scikit_learn_takes_routed_weights():
    X, y = regression_data()
    weight, model = np.geomspace(0.1, 10, len(y)), LossRegressor()
    with routed(True):
        model.set_fit_request(sample_weight=False)
        scores = [
            cross_val_score(
                model, X, y, scoring=scorer.set_score_request(sample_weight=True), params={"sample_weight": weight}
            )
            for scorer in (make_scorer(Huber(2.0), greater_is_better=False), loss_scorer("huber", delta=2.0))
        ]
    np.testing.assert_array_equal(*scores)


@pytest.mark.parametrize("first", ["other", "ours"])
def test_a_scorer_of_another_positive_label_does_not_hand_on_its_column(first):
    X, y = classification_data()
    y = np.array(["a", "b"])[y]
    model = LogisticRegression().fit(X, y)
    other = make_scorer(metrics.average_precision_score, pos_label="a", response_method="predict_proba")
    scorers = {"other": other, "ours": loss_scorer("log_loss")}
    together = metrics.check_scoring(model, {key: scorers[key] for key in sorted(scorers, key=lambda k: k != first)})
    assert together(model, X, y) == {key: scorer(model, X, y) for key, scorer in scorers.items()}


def test_scorers_pickle_and_clone():
    for scorer in (
        loss_scorer("huber", delta=2.0),
        loss_scorer("hinge"),
        d2_loss_scorer("log_loss"),
        make_scorer(Huber(), greater_is_better=False),
    ):
        regression = "Huber" in repr(scorer)
        X, y = regression_data() if regression else classification_data()
        model = (LossRegressor() if regression else LossClassifier()).fit(X, y)
        for same in (pickle.loads(pickle.dumps(scorer)), clone(scorer, safe=False)):
            assert same(model, X, y) == scorer(model, X, y)
            assert repr(same) == repr(scorer)


def test_a_clone_of_a_scorer_keeps_what_it_asked_for():
    X, y = classification_data()
    with routed(True):
        scorer = clone(loss_scorer("log_loss").set_score_request(sample_weight="mass"), safe=False)
        model = LossClassifier().set_fit_request(sample_weight=False)
        weight = np.geomspace(0.1, 10, len(y))
        scores = cross_val_score(model, X, y, scoring=scorer, params={"mass": weight})
        plain = cross_val_score(model, X, y, scoring=scorer.set_score_request(sample_weight=False))
    assert not np.allclose(scores, plain)


@pytest.mark.parametrize("name", ["huber", "log_loss", "crammer_singer"])
def test_scorers_work_in_other_processes(name):
    regression = name == "huber"
    X, y = regression_data() if regression else classification_data(n_classes=3)
    model = LossRegressor() if regression else LossClassifier()
    scores = [cross_val_score(model, X, y, scoring=loss_scorer(name), n_jobs=n_jobs) for n_jobs in (None, 2)]
    np.testing.assert_allclose(*scores, rtol=1e-12)
    fitted = model.fit(X, y)
    one, other = Parallel(n_jobs=2)(delayed(loss_scorer(name))(fitted, X, y) for _ in range(2))
    assert one == other == loss_scorer(name)(fitted, X, y)


def test_a_scorer_tells_what_it_is():
    assert repr(loss_scorer("huber", delta=2.0)) == (
        "make_scorer(average_loss, greater_is_better=False, response_method='predict', loss=Huber(delta=2.0))"
    )
    assert repr(loss_scorer("log_loss")) == (
        "make_scorer(average_loss, greater_is_better=False, response_method='predict_proba', loss=LogLoss(), "
        "labels=estimator.classes_)"
    )
    assert repr(d2_loss_scorer("hinge")) == (
        "make_scorer(d2_loss_score, response_method='decision_function', loss=Hinge(), labels=estimator.classes_)"
    )


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


def test_what_a_scorer_is_made_of_can_be_asked():
    scorers = [loss_scorer("mae"), loss_scorer("hinge"), metrics.get_scorer("roc_auc"), metrics.get_scorer("r2")]
    assert all(map(is_scorer, scorers))
    assert not any(map(is_scorer, [LinearRegression(), LinearRegression, metrics.r2_score, "r2", Hinge()]))
    assert [scorer_function(scorer) for scorer in scorers[1:]] == [
        average_loss,
        metrics.roc_auc_score,
        metrics.r2_score,
    ]
    assert [scorer_sign(scorer) for scorer in scorers] == [-1, -1, 1, 1]
    losses = [scorer_options(scorer).get("loss") for scorer in scorers]
    assert [type(loss) for loss in losses] == [AbsoluteError, Hinge, type(None), type(None)]
    assert [scorer_methods(scorer) for scorer in scorers] == [
        ("predict",), ("decision_function",), ("decision_function", "predict_proba"), ("predict",),
    ]  # fmt: skip


def test_loss_scorers_names_each_loss_once():
    assert list(loss_scorers("mae", Huber(1.0), Huber(20.0), "hinge")) == [
        "absolute_error",
        "huber",
        "huber_2",
        "hinge",
    ]


def test_a_scorer_of_a_bad_loss_is_refused_when_it_is_made():
    for make in (loss_scorer, d2_loss_scorer):
        with pytest.raises(ValueError, match="'delta' parameter of Huber"):
            make("huber", delta=-1)
        with pytest.raises(ValueError, match="Did you mean 'hinge'"):
            make("hinges")


def test_metrics_of_losses_and_scores_agree_for_a_fitted_model():
    X, y = regression_data()
    model = HuberRegressor().fit(X, y)
    for loss in (SquaredError(), Pinball(0.9), Huber(3.0)):
        assert (
            -loss_scorer(loss)(model, X, y) == loss(y, model.predict(X)) == average_loss(y, model.predict(X), loss=loss)
        )


# ----------------------------------------------------------------------------------------------------- thresholds
@pytest.mark.parametrize(
    "scoring", ["accuracy", "balanced_accuracy", make_scorer(metrics.f1_score)], ids=["accuracy", "balanced", "f1"]
)
@pytest.mark.parametrize("loss", ["log_loss", "hinge"])
def test_a_threshold_is_tuned_by_scores_of_labels(loss, scoring):
    X, y = classification_data(n=120)
    rare = (y == 1) & (X[:, 0] < 0.5)
    tuned = TunedThresholdClassifierCV(LossClassifier(loss), scoring=scoring, store_cv_results=True).fit(X, rare)
    assert tuned.best_score_ == tuned.cv_results_["scores"].max()
    at = np.flatnonzero(tuned.cv_results_["thresholds"] == tuned.best_threshold_)
    assert tuned.cv_results_["scores"][at].max() == tuned.best_score_


@pytest.mark.parametrize("labels", [[0, 1], [0.0, 1.0], [False, True], ["no", "yes"]], ids=str)
@pytest.mark.parametrize("scorer", [loss_scorer("log_loss"), loss_scorer("hinge"), d2_loss_scorer("brier")], ids=repr)
def test_a_threshold_cannot_be_tuned_by_a_loss_of_probabilities_or_decision_values(scorer, labels):
    X, y = classification_data()
    with pytest.raises(ValueError, match=r"y_pred holds labels, but .* TunedThresholdClassifierCV.*balanced_accuracy"):
        TunedThresholdClassifierCV(LossClassifier(), scoring=scorer).fit(X, np.array(labels)[y])


def test_a_classifier_with_a_fixed_threshold_is_scored():
    X, y = classification_data()
    y = np.array(["no", "yes"])[y]
    for loss, threshold, method in (("log_loss", 0.3, "predict_proba"), ("hinge", -0.5, "decision_function")):
        inner = LossClassifier(loss).fit(X, y)
        model = FixedThresholdClassifier(inner, threshold=threshold, response_method=method).fit(X, y)
        chosen = response(inner, loss, X)
        chosen = (chosen if chosen.ndim == 1 else chosen[:, 1]) >= threshold
        np.testing.assert_array_equal(model.predict(X) == "yes", chosen)
        assert loss_scorer(loss)(model, X, y) == loss_scorer(loss)(inner, X, y)


# ------------------------------------------------------------------------------------------------------------- D²
@pytest.mark.parametrize(
    ("loss", "theirs"),
    [
        (SquaredError(), "r2"),
        ("mae", "d2_absolute_error_score"),
        ("log_loss", make_scorer(metrics.d2_log_loss_score, response_method="predict_proba")),
    ],
    ids=str,
)
def test_a_scorer_of_d2_equals_that_of_scikit_learn(loss, theirs):
    classification = loss == "log_loss"
    X, y = classification_data(n_classes=3) if classification else regression_data()
    model = LossClassifier() if classification else LossRegressor()
    ours = cross_val_score(model, X, y, scoring=d2_loss_scorer(loss))
    np.testing.assert_allclose(ours, cross_val_score(model, X, y, scoring=theirs), rtol=1e-10)


def test_searches_by_d2_of_a_classifier_outlive_folds_that_miss_a_class():
    X, y = sorted_by_class()
    scorers = {"brier": d2_loss_scorer(Brier()), "hinge": d2_loss_scorer(Hinge())}
    with pytest.warns(UserWarning, match="not trained on"):
        scores = cross_validate(LossClassifier(), X, y, cv=KFold(5), error_score="raise", scoring=scorers)
    assert np.isfinite(scores["test_brier"]).all()
    assert np.isfinite(scores["test_hinge"]).all()
