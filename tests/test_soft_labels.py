"""Targets of a classifier that are probabilities."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score

from sklloss import LossClassifier, average_loss, loss_scorer

from .common import classification_data, does_not_warn

LOSSES = ["log_loss", "poly1", "focal", "brier"]


def soft_data(n=60, n_classes=3, seed=0):
    X, y = classification_data(n=n, n_classes=n_classes, seed=seed)
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.ones(n_classes), size=n)
    return X, 0.5 * shares + 0.5 * np.eye(n_classes)[y]


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", LOSSES)
def test_one_hot_rows_are_labels(name, n_classes):
    X, y = classification_data(n_classes=n_classes)
    hard, soft = (LossClassifier(name).fit(X, target) for target in (y, np.eye(n_classes)[y]))
    # Two fits to rounding of the same objective, which is locally quadratic.
    np.testing.assert_allclose(soft.coef_, hard.coef_, atol=1e-8)
    np.testing.assert_array_equal(soft.classes_, np.arange(n_classes))
    assert soft.score(X, np.eye(n_classes)[y]) == pytest.approx(hard.score(X, y))


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", ["log_loss", "brier"])
def test_a_share_of_a_label_is_a_weight_on_it(name, n_classes):
    """Both losses are linear in the target, up to a constant for brier: a soft row is a weighted row for each class."""
    X, Y = soft_data(n_classes=n_classes)
    soft = LossClassifier(name).fit(X, Y)
    labels, weight = np.tile(np.arange(n_classes), len(X)), Y.ravel()
    hard = LossClassifier(name).fit(np.repeat(X, n_classes, axis=0), labels, sample_weight=weight)
    np.testing.assert_allclose(soft.coef_, hard.coef_, atol=1e-6)
    np.testing.assert_allclose(soft.predict_proba(X), hard.predict_proba(X), atol=1e-7)


@pytest.mark.parametrize("name", LOSSES)
def test_two_columns_are_the_binary_model_of_the_second(name):
    X, Y = soft_data(n_classes=2)
    model = LossClassifier(name).fit(X, Y)
    assert model.coef_.shape == (1, X.shape[1])
    flipped = LossClassifier(name).fit(X, Y[:, ::-1])
    np.testing.assert_allclose(flipped.coef_, -model.coef_, atol=1e-8)


def test_soft_labels_agree_with_weighted_copies_in_scikit_learn():
    X, Y = soft_data(n_classes=3)
    ours = LossClassifier("log_loss", alpha=0.01).fit(X, Y)
    theirs = LogisticRegression(C=1 / (0.01 * len(X)), tol=1e-10, max_iter=10_000)
    theirs.fit(np.repeat(X, 3, axis=0), np.tile(np.arange(3), len(X)), sample_weight=Y.ravel())
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-6)


def test_classes_are_the_columns_of_a_frame_in_their_order():
    X, Y = soft_data()
    names = ["setosa", "virginica", "versicolor"]
    model = LossClassifier().fit(X, pd.DataFrame(Y, columns=names))
    np.testing.assert_array_equal(model.classes_, names)
    assert set(model.predict(X)) <= set(names)
    np.testing.assert_array_equal(model.predict(X), np.array(names)[model.predict_proba(X).argmax(axis=1)])


def test_score_is_the_share_of_the_predicted_class():
    X, Y = soft_data()
    model, weight = LossClassifier().fit(X, Y), np.arange(60.0)
    predicted = model.predict(X)
    assert model.score(X, Y, sample_weight=weight) == pytest.approx(
        np.average([Y[i, k] for i, k in enumerate(predicted)], weights=weight)
    )
    assert model.score(X, Y.argmax(axis=1)) == np.mean(predicted == Y.argmax(axis=1))


def test_class_weight_multiplies_the_shares():
    X, Y = soft_data()
    weight = Y @ [1.0, 5.0, 0.5]
    by_class = LossClassifier(class_weight={0: 1.0, 1: 5.0, 2: 0.5}).fit(X, Y)
    by_row = LossClassifier().fit(X, Y, sample_weight=weight)
    np.testing.assert_allclose(by_class.coef_, by_row.coef_, atol=1e-9)


def test_a_search_fits_and_scores_on_soft_labels():
    X, Y = soft_data(n=90)
    with does_not_warn():
        search = GridSearchCV(LossClassifier(), {"loss": LOSSES}, scoring=loss_scorer("brier"), cv=3).fit(X, Y)
    model = LossClassifier("brier").fit(X[:60], Y[:60])
    assert average_loss(Y[60:], model.predict_proba(X[60:]), loss="brier") > 0
    assert np.all(np.isfinite(search.cv_results_["mean_test_score"]))
    assert np.all(np.isfinite(cross_val_score(LossClassifier(), X, Y)))


def test_a_model_of_named_columns_is_scored_on_labels():
    X, Y = soft_data()
    names = np.array(["setosa", "virginica", "versicolor"])
    model = LossClassifier().fit(X, pd.DataFrame(Y, columns=names))
    index = Y.argmax(axis=1)
    expected = -np.log(model.predict_proba(X)[np.arange(60), index]).mean()
    assert -loss_scorer("log_loss")(model, X, names[index]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda Y: 2 * Y, r"rows must be probabilities.*row 0"),
        (lambda Y: np.column_stack([-Y[:, 0], Y[:, 1], 1 - Y[:, 1] + Y[:, 0]]), r"rows must be probabilities.*row 0"),
        (lambda Y: np.where(Y > 0.5, np.nan, Y), "NaN"),
        (lambda Y: Y[:, 0], r"Unknown label type: continuous.*np.column_stack\(\[1 - y, y\]\)"),
        (lambda Y: np.eye(3)[np.zeros(60, int)], "at least 2 classes with a positive weight"),
        (lambda Y: np.arange(120).reshape(60, 2), "rows must be probabilities"),
    ],
    ids=["not 1", "negative", "NaN", "one column", "one class", "two targets"],
)
def test_other_targets_are_refused_with_what_is_wrong(change, message):
    X, Y = soft_data()
    with pytest.raises(ValueError, match=message):
        LossClassifier().fit(X, change(Y))


@pytest.mark.parametrize("name", ["hinge", "squared_hinge", "crammer_singer", "exponential"])
def test_decision_losses_refuse_soft_labels_and_name_those_that_take_them(name):
    X, Y = soft_data()
    with pytest.raises(ValueError, match="log_loss, poly1, focal and brier"):
        LossClassifier(name).fit(X, Y)


def test_score_refuses_shares_of_other_classes():
    X, Y = soft_data()
    with pytest.raises(ValueError, match="y has 2 columns, but there are 3 classes"):
        LossClassifier().fit(X, Y).score(X, Y[:, :2])
