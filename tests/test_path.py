"""Paths are the fits of their alphas, and what cross-validation chooses along them is what a grid search chooses."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, RepeatedKFold, ShuffleSplit, StratifiedKFold

from sklloss import (
    LossClassifier,
    LossClassifierCV,
    LossRegressor,
    LossRegressorCV,
    loss_path,
    loss_scorer,
    penalties,
)
from sklloss._factor import Factors
from sklloss.losses import Expectile, Huber, Pinball, SquaredError
from sklloss.model_selection import one_standard_error
from sklloss.path import _follow

from .common import classification_data, data_for, regression_data

ALPHAS = np.geomspace(1.0, 1e-3, 7)
MODELS = {
    "least squares": LossRegressor(),
    "lasso": LossRegressor(penalty="l1"),
    "elastic net": LossRegressor(penalty="elasticnet"),
    "half an expectile": LossRegressor(Expectile(0.5)),
    "squared log": LossRegressor("squared_log_error"),
    "huber": LossRegressor("huber"),
    "huber with a given scale": LossRegressor(Huber(1.0), scale=2.0),
    "huber with l1": LossRegressor("huber", "l1"),
    "poisson": LossRegressor("poisson"),
    "pinball": LossRegressor(Pinball(0.8)),
    "pinball with l1": LossRegressor(Pinball(0.8), "l1"),
    "tukey": LossRegressor("tukey"),
    "log loss": LossClassifier(),
    "softmax": LossClassifier(),
    "one against the rest": LossClassifier("squared_hinge"),
    "hinge": LossClassifier("hinge"),
    "crammer_singer": LossClassifier("crammer_singer"),
    "log loss with l1": LossClassifier(penalty="l1"),
    "softmax with l1": LossClassifier(penalty="l1"),
    "log loss with differences": LossClassifier(penalty=penalties.TotalVariation()),
    "huber with groups": LossRegressor("huber", penalties.GroupLasso([0, 0, 1, 1])),
    "brier": LossClassifier("brier"),
}


def searching(model, **params):
    """The estimator that searches, with the parameters of a model."""
    kept = {name: value for name, value in model.get_params(deep=False).items() if name not in ("alpha", "warm_start")}
    return (LossRegressorCV if isinstance(model, LossRegressor) else LossClassifierCV)(**kept, **params)


def data_of(name, n=90):
    if name in ("softmax", "softmax with l1", "one against the rest", "crammer_singer"):
        return classification_data(n=n, n_classes=3)
    return data_for(MODELS[name].loss if isinstance(MODELS[name].loss, str) else "huber", n=n)


@pytest.mark.parametrize("penalty", ["l2", "l1"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_hessian_guides_other_rows_in_their_own_coordinates(n_classes, penalty):
    X, y = classification_data(n=200, n_classes=n_classes)
    X = X * [1e-2, 1.0, 1e3, 1.0] + [5.0, 0.0, 1.0, -2.0]
    model = LossClassifier(penalty=penalty)
    problem, part = (model._prepare(X[rows], y[rows], None, None) for rows in (slice(None), slice(0, 150)))
    whole = _follow(model, problem, model._valid_penalty(), [0.1, 0.01], "")
    objective, other = (model._objective(each, model._valid_penalty(), 1.0) for each in (problem, part))
    rng = np.random.default_rng(0)
    coef, intercept = rng.normal(size=(objective.n_outputs, 4)), rng.normal(size=objective.n_outputs)
    here, there = objective.pack(coef, intercept), other.pack(coef, intercept)
    for fit, hessian, (params, guiding) in zip(whole.fits, whole.hessians[0], whole.guide(other, 0.0, 0), strict=True):
        assert there @ guiding @ there == pytest.approx(here @ hessian @ here, rel=1e-12)
        np.testing.assert_allclose(other.unpack(params)[0], np.atleast_2d(fit["coef_"]), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_a_search_along_the_path_chooses_what_a_grid_search_chooses(name):
    X, y = data_of(name)
    grid = GridSearchCV(clone(MODELS[name]), {"alpha": ALPHAS}).fit(X, y)
    model = searching(MODELS[name], alphas=ALPHAS).fit(X, y)
    scores = np.array([grid.cv_results_[f"split{i}_test_score"] for i in range(5)]).T
    # Kinked fits are good to tol, where the minimum may be flat.  Of others slopes are within tol = 1e-6, and scores
    # depend on the fit smoothly: R² of poisson, that of exp(raw prediction), the most, by up to 10 times as much.
    atol = 1e-3 if "pinball" in name else 1e-5
    np.testing.assert_allclose(model.scores_, scores, rtol=0, atol=atol)
    assert model.alpha_ == grid.best_params_["alpha"]
    assert model.best_score_ == pytest.approx(grid.best_score_, abs=atol)
    np.testing.assert_allclose(model.coef_, grid.best_estimator_.coef_, rtol=1e-12)
    np.testing.assert_allclose(model.intercept_, grid.best_estimator_.intercept_, rtol=1e-12)
    assert model.score(X, y) == pytest.approx(grid.score(X, y))
    assert getattr(model, "scale_", None) == getattr(grid.best_estimator_, "scale_", None)
    assert model.solution_.value == pytest.approx(grid.best_estimator_.solution_.value, rel=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_each_point_of_a_path_is_certified_and_as_good_as_its_own_fit(name):
    X, y = data_of(name)
    given = MODELS[name]
    path = loss_path(X, y, given.loss, given.penalty, ALPHAS, **({"scale": 2.0} if "given" in name else {}))
    assert len(path.solutions) == len(path.coef) == len(path.intercept) == len(ALPHAS)
    for alpha, coef, intercept, solution in zip(path.alphas, path.coef, path.intercept, path.solutions, strict=True):
        own = clone(given).set_params(alpha=alpha).fit(X, y)
        assert solution.converged
        assert coef.shape == own.coef_.shape
        assert np.shape(intercept) == np.shape(own.intercept_)
        assert solution.value == pytest.approx(own.solution_.value, rel=1e-6)


def test_the_path_of_least_squares_is_ridge_regression():
    X, y = regression_data()
    path = loss_path(X, y, alphas=ALPHAS)
    for alpha, coef, intercept in zip(ALPHAS, path.coef, path.intercept, strict=True):
        ridge = Ridge(alpha * len(y) / 2).fit(X, y)
        np.testing.assert_allclose(coef, ridge.coef_, rtol=1e-10)
        assert intercept == pytest.approx(ridge.intercept_, rel=1e-9)


def test_the_path_of_an_elastic_net_is_that_of_scikit_learn():
    X, y = regression_data()
    path = loss_path(X, y, penalty=penalties.ElasticNet(0.7), alphas=ALPHAS)
    for alpha, coef in zip(ALPHAS, path.coef, strict=True):
        net = ElasticNet(alpha / 2, l1_ratio=0.7, tol=1e-14, max_iter=100_000).fit(X, y)
        np.testing.assert_allclose(coef, net.coef_, rtol=0, atol=1e-8)


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "log_loss"])
def test_the_automatic_alphas_of_l1_begin_where_the_first_feature_enters(loss):
    X, y = data_for(loss)
    path = loss_path(X, y, loss, "l1", 5)
    assert not path.coef[0].any()
    assert path.coef[1:].any(axis=tuple(range(1, path.coef.ndim))).all()
    assert path.alphas[-1] == pytest.approx(1e-3 * path.alphas[0])
    slightly_less = loss_path(X, y, loss, "l1", [0.999 * path.alphas[0]])
    assert slightly_less.coef.any()


def test_the_automatic_alphas_of_l2_begin_where_next_to_nothing_is_gained():
    X, y = regression_data()
    path = loss_path(X, y)
    null = np.mean((y - y.mean()) ** 2)
    assert 0.98 * null < path.solutions[0].value < null
    assert len(path.alphas) == 30


def test_units_of_the_target_do_not_change_the_path():
    X, y = regression_data()
    path, times = loss_path(X, y, alphas=5), loss_path(X, 1000 * y, alphas=5)
    np.testing.assert_allclose(times.alphas, path.alphas)
    np.testing.assert_allclose(times.coef, 1000 * path.coef)


@pytest.mark.parametrize(
    "cv",
    [KFold(3), RepeatedKFold(n_splits=3, n_repeats=2, random_state=0), ShuffleSplit(3, random_state=0)],
    ids=["folds", "repeated", "shuffled"],
)
def test_splits_of_any_kind_are_those_of_a_grid_search(cv):
    X, y = regression_data(n=200)
    grid = GridSearchCV(LossRegressor(), {"alpha": ALPHAS}, cv=cv).fit(X, y)
    model = LossRegressorCV(alphas=ALPHAS, cv=cv).fit(X, y)
    np.testing.assert_allclose(model.scores_.mean(axis=1), grid.cv_results_["mean_test_score"], rtol=1e-10)


def test_groups_and_scorers_go_in():
    X, y = classification_data()
    groups = np.arange(len(y)) % 6
    scorer = loss_scorer("log_loss")
    grid = GridSearchCV(LossClassifier(), {"alpha": ALPHAS}, cv=GroupKFold(3), scoring=scorer).fit(X, y, groups=groups)
    model = LossClassifierCV(alphas=ALPHAS, cv=GroupKFold(3), scoring=scorer).fit(X, y, groups=groups)
    np.testing.assert_allclose(model.scores_.mean(axis=1), grid.cv_results_["mean_test_score"], rtol=1e-6)
    auc = LossClassifierCV(alphas=ALPHAS, scoring="roc_auc").fit(X, y)
    assert auc.scores_.max() <= 1


def test_mixtures_are_chosen_as_by_a_grid_search():
    X, y = regression_data(d=8)
    ratios = [0.1, 0.5, 0.9]
    grid = GridSearchCV(LossRegressor(penalty=penalties.ElasticNet()), {"alpha": ALPHAS, "penalty__l1_ratio": ratios})
    grid.fit(X, y)
    model = LossRegressorCV(penalty="elasticnet", alphas=ALPHAS, l1_ratio=ratios).fit(X, y)
    assert (model.alpha_, model.l1_ratio_) == (grid.best_params_["alpha"], grid.best_params_["penalty__l1_ratio"])
    assert model.scores_.shape == (3, len(ALPHAS), 5)
    assert model.alphas_.shape == (3, len(ALPHAS))
    np.testing.assert_array_equal(model.coef_, grid.best_estimator_.coef_)


def test_one_standard_error_is_that_of_a_search():
    X, y = regression_data(n=60, d=8)
    grid = GridSearchCV(LossRegressor(), {"alpha": ALPHAS}, refit=one_standard_error).fit(X, y)
    model = LossRegressorCV(alphas=ALPHAS, choice="one_standard_error").fit(X, y)
    assert model.alpha_ == grid.best_params_["alpha"]
    assert model.alpha_ > LossRegressorCV(alphas=ALPHAS).fit(X, y).alpha_


@pytest.mark.parametrize("name", ["least squares", "pinball", "log loss"])
def test_weights_count_as_copies_in_fits_and_scores(name):
    X, y = data_of(name, n=60)
    times = np.arange(len(y)) % 3
    fold = np.arange(len(y)) % 4
    row = np.repeat(np.arange(len(y)), times)
    splits = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(4)]
    copies = [(np.flatnonzero(fold[row] != k), np.flatnonzero(fold[row] == k)) for k in range(4)]
    weighted = searching(MODELS[name], alphas=ALPHAS, cv=splits).fit(X, y, sample_weight=times)
    copied = searching(MODELS[name], alphas=ALPHAS, cv=copies).fit(X[row], y[row])
    np.testing.assert_allclose(weighted.scores_, copied.scores_, rtol=0, atol=1e-3 if name == "pinball" else 1e-7)
    assert weighted.alpha_ == copied.alpha_


def test_sparse_single_precision_and_several_targets_follow_the_same_path():
    X, y = regression_data(n=200)
    reference = LossRegressorCV(alphas=ALPHAS).fit(X, y)
    np.testing.assert_allclose(LossRegressorCV(alphas=ALPHAS).fit(sparse.csr_matrix(X), y).scores_, reference.scores_)
    single = LossRegressorCV(alphas=ALPHAS).fit(X.astype(np.float32), y)
    assert single.coef_.dtype == single.path_.coef.dtype == np.float32
    np.testing.assert_allclose(single.scores_, reference.scores_, atol=1e-5)
    both = LossRegressorCV(alphas=ALPHAS).fit(X, np.column_stack([y, -2 * y]))
    assert both.path_.coef.shape == (len(ALPHAS), 2, X.shape[1])
    np.testing.assert_allclose(both.path_.coef[:, 1], -2 * reference.path_.coef)
    np.testing.assert_allclose(both.scores_, reference.scores_)


def test_the_factor_of_the_rows_says_all_of_least_squares():
    rng = np.random.default_rng(0)
    X, y, weight = 1e6 + rng.normal(size=(300, 3)), rng.normal(size=(300, 1)), rng.integers(0, 3, 300).astype(float)
    X[:150, 2] = 1e6  # constant in the first part
    parts = [np.arange(150), np.arange(100, 300), np.repeat(np.arange(50, 250), 2)]
    factors = Factors(X, y, weight, parts, fit_intercept=True)
    for k, part in enumerate(parts):
        reduced = factors.part(k)
        assert len(reduced.X) <= 5
        w, rows, target = weight[part] / weight[part].sum(), X[part], y[part]
        mean = w @ rows
        centred, apart = rows - mean, target - w @ target
        np.testing.assert_allclose(reduced.mean, mean, rtol=1e-14)
        gram = reduced.X.T @ reduced.X / len(reduced.X)
        np.testing.assert_allclose(gram, (centred.T * w) @ centred, rtol=1e-7, atol=1e-9)
        moment = reduced.X.T @ reduced.target / len(reduced.X)
        np.testing.assert_allclose(moment, (centred.T * w) @ apart, rtol=1e-6, atol=1e-9)
    assert not factors.part(0).X[:, 2].any()


def test_n_jobs_changes_nothing():
    X, y = classification_data()
    one, two = (LossClassifierCV(alphas=ALPHAS, n_jobs=n_jobs).fit(X, y) for n_jobs in (None, 2))
    np.testing.assert_array_equal(one.scores_, two.scores_)


def test_a_class_that_a_fold_lacks_is_no_obstacle():
    X, y = classification_data(n_classes=3)
    order = np.argsort(y == 2, kind="stable")
    X, y = X[order], y[order]
    model = LossClassifierCV(alphas=ALPHAS, cv=KFold(3)).fit(X, y)
    grid = GridSearchCV(LossClassifier(), {"alpha": ALPHAS}, cv=KFold(3)).fit(X, y)
    np.testing.assert_allclose(model.scores_.mean(axis=1), grid.cv_results_["mean_test_score"], atol=1e-12)


def test_balanced_classes_are_balanced_in_each_fold():
    X, y = classification_data(n=80)
    y = (y & (np.arange(80) % 3 == 0)).astype(int)
    cv = StratifiedKFold(3)
    grid = GridSearchCV(LossClassifier(class_weight="balanced"), {"alpha": ALPHAS}, cv=cv, scoring="roc_auc").fit(X, y)
    model = LossClassifierCV(class_weight="balanced", alphas=ALPHAS, cv=cv, scoring="roc_auc").fit(X, y)
    np.testing.assert_allclose(model.scores_.mean(axis=1), grid.cv_results_["mean_test_score"], atol=1e-12)


def test_a_path_keeps_the_names_of_features():
    pandas = pytest.importorskip("pandas")
    X, y = regression_data()
    path = loss_path(pandas.DataFrame(X, columns=list("abcd")), y)
    assert path.feature_names.tolist() == list("abcd")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"alphas": 0}, "'alphas' parameter of LossRegressorCV"),
        ({"alphas": [1.0, -1.0]}, r"alphas must be .* got \[1.0, -1.0\]"),
        ({"alphas": []}, "alphas must be"),
        ({"penalty": None}, "penalty=None has none; use 'l2' or 'l1'"),
        ({"l1_ratio": [0.5]}, "penalty='l2' has no l1_ratio"),
        ({"penalty": "elasticnet", "l1_ratio": [2.0]}, "'l1_ratio' parameter of ElasticNet"),
        ({"choice": "worst"}, "'choice' parameter of LossRegressorCV"),
        ({"loss": "hinge"}, "use LossClassifier"),
    ],
)
def test_bad_parameters_of_a_search_are_named(params, message):
    X, y = regression_data()
    with pytest.raises(ValueError, match=message):
        LossRegressorCV(**params).fit(X, y)


def test_one_warning_says_how_many_fits_of_a_path_failed():
    X, y = regression_data(positive=True)
    with pytest.warns(ConvergenceWarning, match="loss_path: 2 of 2 fits did not converge") as caught:
        loss_path(X, y, "poisson", alphas=[1e-3, 1e-4], max_iter=1, solver="lbfgs")
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_a_quadratic_loss_of_any_curvature_is_least_squares():
    X, y = regression_data(n=200)
    path = loss_path(X, y, Expectile(0.5), alphas=ALPHAS)
    twice = loss_path(X, y, SquaredError(), alphas=2 * ALPHAS)
    np.testing.assert_allclose(path.coef, twice.coef, rtol=1e-12)
    np.testing.assert_allclose([s.value for s in path.solutions], [s.value / 2 for s in twice.solutions])
