"""Meta-estimators of scikit-learn around ours: each is checked against a plain fit or a computation by hand."""

import numpy as np
import pytest
import sklearn
from scipy.stats import uniform
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingRegressor, StackingClassifier, VotingClassifier, VotingRegressor
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import RFECV, SelectFromModel
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import permutation_importance
from sklearn.linear_model import Lasso
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklloss import LossClassifier, LossRegressor, average_loss, get_loss, loss_scorer
from sklloss.losses import Huber, Pinball
from sklloss.penalties import ElasticNet

from .common import CLASSIFICATION, REGRESSION, classification_data, regression_data
from .test_invariance import assert_same

MARGIN = [name for name in CLASSIFICATION if not get_loss(name).multiclass]
WHOLE_LINE = [name for name in REGRESSION if get_loss(name).interval_y_true.is_real_line]
MAE = loss_scorer("absolute_error")


def scores_by_hand(model, X, y, splits, loss="absolute_error"):
    """What a search or a cross-validation computes, in the plainest way."""
    scores = []
    for train, test in splits:
        predicted = clone(model).fit(X[train], y[train]).predict(X[test])
        scores.append(-average_loss(y[test], predicted, loss=loss))
    return np.array(scores)


# ------------------------------------------------------------------------------------------------------- searches
GRIDS = [
    ({"loss": ["squared_error", "absolute_error"]}, [LossRegressor(), LossRegressor("absolute_error")]),
    ({"loss": [Huber(1.0), Pinball(0.4)]}, [LossRegressor(Huber(1.0)), LossRegressor(Pinball(0.4))]),
    ({"loss": ["huber"], "loss__delta": [1.0, 2.0]}, [LossRegressor(Huber(1.0)), LossRegressor(Huber(2.0))]),
    ({"loss__delta": [1.0, 2.0], "loss": ["huber"]}, [LossRegressor(Huber(1.0)), LossRegressor(Huber(2.0))]),
    (
        {"penalty": ["elasticnet"], "penalty__l1_ratio": [0.1, 0.9], "alpha": [0.1]},
        [LossRegressor(penalty=ElasticNet(0.1), alpha=0.1), LossRegressor(penalty=ElasticNet(0.9), alpha=0.1)],
    ),
]


@pytest.mark.parametrize(("grid", "models"), GRIDS, ids=[" ".join(grid) for grid, _ in GRIDS])
def test_a_grid_scores_what_plain_fits_score_and_refits_the_best(grid, models):
    X, y = regression_data()
    search = GridSearchCV(LossRegressor(), grid, scoring=MAE, cv=KFold(3)).fit(X, y)
    by_hand = [scores_by_hand(model, X, y, KFold(3).split(X)).mean() for model in models]
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], by_hand, rtol=1e-12)
    best = models[int(np.argmax(by_hand))].fit(X, y)
    np.testing.assert_allclose(search.best_estimator_.coef_, best.coef_, rtol=1e-12)


def test_a_grid_reaches_the_loss_inside_a_pipeline_inside_a_transformed_target():
    X, y = regression_data()
    inner = make_pipeline(StandardScaler(), LossRegressor("huber"))
    search = GridSearchCV(
        TransformedTargetRegressor(inner, transformer=StandardScaler()),
        {"regressor__lossregressor__loss__delta": [1.0, 2.0]},
        scoring=MAE,
    ).fit(X, y)
    for delta, score in zip([1.0, 2.0], search.cv_results_["mean_test_score"], strict=True):
        model = make_pipeline(StandardScaler(), LossRegressor(Huber(delta)))
        alone = TransformedTargetRegressor(model, transformer=StandardScaler())
        assert score == pytest.approx(cross_val_score(alone, X, y, scoring=MAE).mean(), rel=1e-12)


def test_a_random_search_draws_the_parameters_of_loss_and_penalty():
    X, y = regression_data()
    space = {
        "loss": ["huber"],
        "loss__delta": uniform(1, 2),
        "penalty": ["elasticnet"],
        "penalty__l1_ratio": uniform(0, 1),
    }
    search = RandomizedSearchCV(LossRegressor(alpha=0.1), space, n_iter=5, scoring=MAE, random_state=0).fit(X, y)
    for drawn, score in zip(search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True):
        model = LossRegressor(Huber(drawn["loss__delta"]), ElasticNet(drawn["penalty__l1_ratio"]), alpha=0.1)
        assert score == pytest.approx(cross_val_score(model, X, y, scoring=MAE).mean(), rel=1e-12)
    assert len(set(search.cv_results_["mean_test_score"])) == 5


def test_a_halving_search_ends_with_the_loss_that_outliers_do_not_move():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(240, 3))
    y = X @ [1.0, 2.0, 3.0] + 0.1 * rng.normal(size=240)
    y[::10] += 100
    grid = {"loss": ["squared_error", "absolute_error", Pinball(0.9)]}
    search = HalvingGridSearchCV(LossRegressor(), grid, scoring=MAE, cv=KFold(4), random_state=0).fit(X, y)
    assert search.best_params_ == {"loss": "absolute_error"}
    np.testing.assert_allclose(search.best_estimator_.coef_, [1, 2, 3], atol=0.1)
    assert search.n_resources_ == [80, 240]
    last = search.cv_results_["mean_test_score"][-1]  # on all rows, in another order
    alone = cross_val_score(LossRegressor("absolute_error"), X, y, scoring=MAE, cv=KFold(4))
    assert last == pytest.approx(alone.mean(), rel=1e-9)


@pytest.mark.parametrize("cv", [KFold(4), TimeSeriesSplit(4), GroupKFold(4)], ids=repr)
def test_cross_validation_scores_each_split_as_by_hand(cv):
    X, y = regression_data()
    groups = np.arange(len(y)) // 5 % 7 if isinstance(cv, GroupKFold) else None
    scores = cross_val_score(LossRegressor("pinball"), X, y, cv=cv, groups=groups, scoring=MAE)
    by_hand = scores_by_hand(LossRegressor("pinball"), X, y, cv.split(X, y, groups))
    np.testing.assert_allclose(scores, by_hand, rtol=1e-12)


def test_a_learning_curve_is_the_score_of_fits_on_the_first_rows():
    X, y = regression_data()
    sizes, train, test = learning_curve(
        LossRegressor("huber"), X, y, cv=KFold(2), train_sizes=[10, 40], scoring=MAE, shuffle=False
    )
    assert sizes.tolist() == [10, 40]
    for row, size in enumerate(sizes):
        splits = [(rows[:size], held) for rows, held in KFold(2).split(X)]
        np.testing.assert_allclose(test[row], scores_by_hand(LossRegressor("huber"), X, y, splits), rtol=1e-12)
        seen = [(rows, rows) for rows, _ in splits]
        np.testing.assert_allclose(train[row], scores_by_hand(LossRegressor("huber"), X, y, seen), rtol=1e-12)


# ------------------------------------------------------------------------------------------------------ ensembles
def test_a_vote_is_the_mean_of_the_plain_fits():
    X, y = regression_data()
    models = [("a", LossRegressor("huber")), ("b", LossRegressor("mae")), ("c", LossRegressor(Pinball(0.9)))]
    expected = np.average([model.fit(X, y).predict(X) for _, model in models], axis=0, weights=[1, 2, 3])
    np.testing.assert_allclose(VotingRegressor(models, weights=[1, 2, 3]).fit(X, y).predict(X), expected, rtol=1e-12)
    X, y = classification_data(n_classes=3)
    models = [("a", LossClassifier()), ("b", LossClassifier("modified_huber"))]
    expected = np.mean([model.fit(X, y).predict_proba(X) for _, model in models], axis=0)
    vote = VotingClassifier(models, voting="soft").fit(X, y)
    np.testing.assert_allclose(vote.predict_proba(X), expected, rtol=1e-12)


def test_a_bag_is_the_mean_of_fits_on_its_samples():
    X, y = regression_data()
    bag = BaggingRegressor(LossRegressor("mae"), n_estimators=4, max_features=3, random_state=0).fit(X, y)
    fits = []
    for rows, columns in zip(bag.estimators_samples_, bag.estimators_features_, strict=True):
        copies = np.bincount(rows, minlength=len(y)).astype(float)
        fits.append(LossRegressor("mae").fit(X[:, columns], y, sample_weight=copies).predict(X[:, columns]))
    np.testing.assert_allclose(bag.predict(X), np.mean(fits, axis=0), rtol=1e-9)


def test_a_stack_learns_from_decision_values_of_rows_that_were_held_out():
    X, y = classification_data(n_classes=3)
    first = [("hinge", LossClassifier("hinge")), ("log", LossClassifier("log_loss"))]
    stack = StackingClassifier(first, final_estimator=LossClassifier(alpha=0.01), cv=StratifiedKFold(3)).fit(X, y)
    held_out, seen = [], []
    for (_, model), method in zip(first, ("decision_function", "predict_proba"), strict=True):
        held_out.append(cross_val_predict(model, X, y, cv=StratifiedKFold(3), method=method))
        seen.append(getattr(model.fit(X, y), method)(X))
    final = LossClassifier(alpha=0.01).fit(np.hstack(held_out), y)
    np.testing.assert_allclose(stack.predict_proba(X), final.predict_proba(np.hstack(seen)), rtol=1e-8)


def test_calibrated_probabilities_of_a_hinge_are_a_logistic_curve_of_its_decision_values():
    X, y = classification_data()
    hinge = LossClassifier("hinge", alpha=0.01).fit(X, y)
    f = hinge.decision_function(X)[:, None]
    calibrated = CalibratedClassifierCV(FrozenEstimator(hinge), method="sigmoid").fit(X, y)
    assert calibrated.calibrated_classifiers_[0].estimator.estimator is hinge
    # Platt's targets, (n1 + 1) / (n1 + 2) and 1 / (n0 + 2), are labels with weights.
    n0, n1 = np.bincount(y)
    target = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    by_hand = LossClassifier(penalty=None).fit(
        np.vstack([f, f]), np.repeat([1, 0], len(y)), sample_weight=np.concatenate([target, 1 - target])
    )
    np.testing.assert_allclose(calibrated.predict_proba(X), by_hand.predict_proba(f), atol=1e-5)  # their solver's tol


def test_calibration_by_folds_keeps_the_order_of_decision_values():
    X, y = classification_data()
    together = CalibratedClassifierCV(LossClassifier("hinge"), ensemble=False).fit(X, y)
    p, f = together.predict_proba(X)[:, 1], LossClassifier("hinge").fit(X, y).decision_function(X)
    assert np.all(np.diff(p[np.argsort(f)]) >= 0)
    assert abs(p.mean() - y.mean()) < 0.02
    assert average_loss(y, p, loss="log_loss") < average_loss(y, np.full(len(y), y.mean()), loss="log_loss")


# ------------------------------------------------------------------------------------------- several classes, targets
@pytest.mark.parametrize("penalty", ["l2", "l1"])
@pytest.mark.parametrize("name", MARGIN)
def test_one_vs_rest_of_every_margin_loss_is_scikit_learns(name, penalty):
    X, y = classification_data(n_classes=3)
    model = LossClassifier(name, penalty, alpha=0.02)
    theirs = OneVsRestClassifier(model).fit(X, y)
    ours = model.fit(X, y)
    for part in ("coef_", "intercept_"):
        columns = np.concatenate([getattr(each, part) for each in theirs.estimators_])
        assert_same(getattr(ours, part), columns, ours)


@pytest.mark.parametrize("name", WHOLE_LINE)
def test_several_outputs_of_every_loss_are_scikit_learns(name):
    X, y = regression_data()
    Y, weight = np.column_stack([y, 3 - y, y**2]), np.arange(len(y)) % 3
    model = LossRegressor(name, "elasticnet", alpha=0.01, bounds=(-2, 0.5))
    theirs = MultiOutputRegressor(model).fit(X, Y, sample_weight=weight)
    ours = model.fit(X, Y, sample_weight=weight)
    assert_same(ours.predict(X), theirs.predict(X), ours)
    assert ours.solution_.value == pytest.approx(sum(each.solution_.value for each in theirs.estimators_), rel=1e-9)


def test_a_transformed_target_is_fitted_in_its_own_space():
    X, y = regression_data()
    y = np.exp(y / 3)
    model = TransformedTargetRegressor(LossRegressor(Pinball(0.8), None), func=np.log, inverse_func=np.exp).fit(X, y)
    by_hand = np.exp(LossRegressor(Pinball(0.8), None).fit(X, np.log(y)).predict(X))
    np.testing.assert_allclose(model.predict(X), by_hand, rtol=1e-12)
    # The logarithm of a quantile is the quantile of the logarithm, so 4 of 5 rows stay below in both.
    assert np.mean(y < model.predict(X) * (1 - 1e-9)) <= 0.8 <= np.mean(y <= model.predict(X) * (1 + 1e-9))


# --------------------------------------------------------------------------------------------- selection of features
def sparse_signal():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(150, 8))
    return X, 3 * X[:, 1] - 2 * X[:, 4] + 0.5 * rng.standard_t(2, 150)


@pytest.mark.parametrize("loss", ["absolute_error", "huber"])
def test_recursive_elimination_finds_the_features_that_carry_signal(loss):
    X, y = sparse_signal()
    search = RFECV(LossRegressor(loss), scoring=MAE, cv=KFold(5), min_features_to_select=1).fit(X, y)
    assert search.support_[[1, 4]].all()
    assert search.ranking_[[1, 4]].tolist() == [1, 1]
    plain = LossRegressor(loss).fit(X[:, search.support_], y)
    np.testing.assert_allclose(search.estimator_.coef_, plain.coef_, rtol=1e-12)
    two = search.cv_results_["mean_test_score"][1]
    splits = KFold(5).split(X)
    assert two == pytest.approx(scores_by_hand(LossRegressor(loss), X[:, [1, 4]], y, splits).mean(), rel=1e-9)


def test_features_with_a_coefficient_of_zero_are_not_selected():
    X, y = sparse_signal()
    selector = SelectFromModel(LossRegressor(penalty="l1", alpha=0.4)).fit(X, y)
    np.testing.assert_array_equal(selector.get_support(), selector.estimator_.coef_ != 0)
    np.testing.assert_array_equal(selector.get_support(), Lasso(0.2, tol=1e-10).fit(X, y).coef_ != 0)
    assert 2 <= selector.get_support().sum() < 8
    np.testing.assert_array_equal(selector.transform(X), X[:, selector.estimator_.coef_ != 0])
    X, y = classification_data(n_classes=3)
    selector = SelectFromModel(LossClassifier("hinge", penalty="l1", alpha=0.1)).fit(X, y)
    np.testing.assert_array_equal(selector.get_support(), np.any(selector.estimator_.coef_ != 0, axis=0))


def test_permutations_of_a_feature_without_coefficient_cost_nothing():
    X, y = sparse_signal()
    model = LossRegressor("absolute_error", penalty="l1", alpha=0.3).fit(X, y)
    importance = permutation_importance(model, X, y, scoring=MAE, n_repeats=3, random_state=0)
    assert np.all(importance.importances[model.coef_ == 0] == 0)
    assert importance.importances_mean.argmax() == 1
    assert importance.importances_mean[4] > 0.5
    assert (model.coef_ == 0).sum() >= 4


# ------------------------------------------------------------------------------------------------- metadata routing
def test_weights_go_through_pipelines_and_searches_without_routing():
    X, y = regression_data()
    weight = np.arange(len(y)) % 4
    plain = make_pipeline(StandardScaler(), LossRegressor("mae"))
    plain.fit(X, y, lossregressor__sample_weight=weight)
    scaled = StandardScaler().fit_transform(X)
    expected = LossRegressor("mae").fit(scaled, y, sample_weight=weight)
    np.testing.assert_allclose(plain[-1].coef_, expected.coef_, rtol=1e-12)
    search = GridSearchCV(plain, {"lossregressor__loss": ["mae", "huber"]}, scoring=MAE)
    search.fit(X, y, lossregressor__sample_weight=weight)
    best = LossRegressor(search.best_params_["lossregressor__loss"]).fit(scaled, y, sample_weight=weight)
    np.testing.assert_allclose(search.best_estimator_[-1].coef_, best.coef_, rtol=1e-12)


def test_weights_are_routed_to_fit_and_score_where_they_are_asked_for():
    X, y = regression_data()
    weight = (np.arange(len(y)) % 4).astype(float)
    with sklearn.config_context(enable_metadata_routing=True):
        model = LossRegressor("mae").set_fit_request(sample_weight=True)
        scorer = loss_scorer("huber").set_score_request(sample_weight=True)
        steps = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), model)
        search = GridSearchCV(steps, {"lossregressor__alpha": [0.0, 0.1]}, scoring=scorer, cv=KFold(3))
        search.fit(X, y, sample_weight=weight)
        several = cross_validate(steps, X, y, scoring={"huber": scorer}, cv=KFold(3), params={"sample_weight": weight})[
            "test_huber"
        ]
    by_hand = []
    for train, test in KFold(3).split(X):
        scaler = StandardScaler().fit(X[train])
        fitted = LossRegressor("mae", alpha=0.1).fit(scaler.transform(X[train]), y[train], sample_weight=weight[train])
        predicted = fitted.predict(scaler.transform(X[test]))
        by_hand.append(-average_loss(y[test], predicted, loss="huber", sample_weight=weight[test]))
    assert search.cv_results_["mean_test_score"][1] == pytest.approx(np.mean(by_hand), rel=1e-12)
    default = cross_val_score(steps, X, y, scoring=scorer, cv=KFold(3))
    assert not np.allclose(several, default)


def test_weights_that_nobody_asked_for_are_refused_by_routing():
    X, y = regression_data()
    weight = np.ones(len(y))
    with sklearn.config_context(enable_metadata_routing=True):
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            make_pipeline(StandardScaler(), LossRegressor()).fit(X, y, sample_weight=weight)
        ignored = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), LossRegressor("mae"))
        ignored[-1].set_fit_request(sample_weight=False)
        with pytest.raises(TypeError, match="sample_weight"):
            ignored.fit(X, y, sample_weight=weight)
