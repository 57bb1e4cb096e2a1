"""Data as it comes: frames and their names, dtypes, layouts, sparse forms, memory maps, text, categories, labels."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from joblib import parallel_config
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.exceptions import DataConversionWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.fixes import parse_version

from sklloss import LossClassifier, LossRegressor, average_loss, get_loss

from .common import CLASSIFICATION, REGRESSION, classification_data, data_for, regression_data
from .test_invariance import assert_same
from .test_penalties import estimator_for

# scikit-learn before 1.9 reads the names of polars frames in a way that polars 1.40 gives up.
pytestmark = pytest.mark.filterwarnings("ignore:Support for the dataframe interchange protocol:DeprecationWarning")

NAMES = ["age", "bmi", "dose", "weight"]
CONVEX = [name for name in REGRESSION if get_loss(name).convex]


@pytest.fixture(params=["pandas", "polars"])
def frame(request):
    """A maker of data frames, from a dict."""
    library = pytest.importorskip(request.param)
    tells_names = request.param == "pandas" or hasattr(library.DataFrame, "__dataframe__")
    if not tells_names and parse_version(sklearn.__version__) < parse_version("1.9"):
        pytest.skip("scikit-learn reads the names of a polars 2 frame from 1.9 on")
    return library.DataFrame


def named(frame, X):
    return frame(dict(zip(NAMES, X.T, strict=True)))


# ----------------------------------------------------------------------------------------------------- data frames
@pytest.mark.parametrize("model", [LossRegressor("huber"), LossRegressor("mae"), LossClassifier("hinge")], ids=repr)
def test_a_frame_keeps_its_names_and_they_are_checked_when_it_predicts(model, frame):
    X, y = (classification_data if isinstance(model, LossClassifier) else regression_data)()
    of_array, by_name = model.fit(X, y).predict(X), model.fit(named(frame, X), y)
    assert by_name.feature_names_in_.tolist() == NAMES
    np.testing.assert_allclose(by_name.predict(named(frame, X)), of_array, rtol=1e-12)
    with pytest.raises(ValueError, match=r"names should match (.|\n)*unseen at fit time:\n- height"):
        model.predict(frame(dict(zip([*NAMES[:3], "height"], X.T, strict=True))))
    with pytest.raises(ValueError, match="must be in the same order"):
        model.predict(frame(dict(zip(NAMES[::-1], X.T, strict=True))))
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(X)


def test_coefficients_are_read_by_name(frame):
    X, _ = regression_data()
    truth = {"age": 1.0, "bmi": 0.0, "dose": -2.0, "weight": 0.5}
    model = LossRegressor("mae", penalty=None).fit(named(frame, X), X @ list(truth.values()) + 3)
    assert dict(zip(model.feature_names_in_, model.coef_, strict=True)) == pytest.approx(truth, abs=1e-12)


def test_names_pass_through_a_scaler_that_returns_frames(frame):
    X, y = regression_data()
    how = frame.__module__.partition(".")[0]
    model = make_pipeline(StandardScaler().set_output(transform=how), LossRegressor(bounds=({"bmi": 0.5}, {"age": 0})))
    model.fit(named(frame, X), y)
    assert model[-1].feature_names_in_.tolist() == NAMES
    assert model[-1].coef_[0] == pytest.approx(0, abs=1e-7)  # the bound by name reached its column
    plain = make_pipeline(StandardScaler(), LossRegressor(bounds=([None, 0.5, None, None], [0, None, None, None])))
    np.testing.assert_allclose(model.predict(named(frame, X)), plain.fit(X, y).predict(X), rtol=1e-12)


def test_targets_and_weights_come_as_columns_of_frames(frame):
    X, y = regression_data()
    weight = np.arange(len(y)) % 3
    table = frame(dict(zip([*NAMES, "y", "minus_y", "w"], [*X.T, y, -y, weight], strict=True)))
    expected = LossRegressor("huber").fit(X, y, sample_weight=weight)
    model = LossRegressor("huber").fit(table[NAMES], table["y"], sample_weight=table["w"])
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-12)
    with pytest.warns(DataConversionWarning, match="column-vector y"):
        column = LossRegressor("huber").fit(table[NAMES], table[["y"]], sample_weight=table["w"])
    np.testing.assert_allclose(column.coef_, expected.coef_, rtol=1e-12)
    both = LossRegressor("huber").fit(table[NAMES], table[["y", "minus_y"]], sample_weight=table["w"])
    np.testing.assert_allclose(both.coef_, [expected.coef_, -expected.coef_], rtol=1e-9)


def test_an_index_in_another_order_has_no_meaning():
    X, y = regression_data()
    weight = np.arange(len(y)) % 3
    backwards = np.arange(len(y))[::-1]
    model = LossRegressor("mae").fit(
        pd.DataFrame(X), pd.Series(y, index=backwards), sample_weight=pd.Series(weight, index=backwards + 7)
    )
    np.testing.assert_allclose(model.coef_, LossRegressor("mae").fit(X, y, sample_weight=weight).coef_, rtol=1e-12)


def test_nullable_columns_are_numbers_and_a_missing_value_is_refused():
    X, y = regression_data()
    table = pd.DataFrame(
        {
            "a": pd.array(X[:, 0], dtype="Float64"),
            "b": pd.array(np.arange(len(y)), dtype="Int64"),
            "c": pd.array(X[:, 2] > 0, dtype="boolean"),
        }
    )
    plain = np.column_stack([X[:, 0], np.arange(len(y)), X[:, 2] > 0])
    model = LossRegressor("huber").fit(table, pd.Series(y, dtype="Float64"))
    np.testing.assert_allclose(model.coef_, LossRegressor("huber").fit(plain, y).coef_, rtol=1e-12)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        LossRegressor("huber").fit(table.mask(table["b"] == 5), y)
    with pytest.raises(ValueError, match="Input y contains NaN"):
        LossRegressor("huber").fit(table, pd.Series(y, dtype="Float64").mask(table["b"] == 5))


# ----------------------------------------------------------------------------------------------- layouts and dtypes
def read_only(values):
    values = values.copy()
    values.flags.writeable = False
    return values


def read_only_buffers(matrix):
    for part in (matrix.data, matrix.indices, matrix.indptr):
        part.flags.writeable = False
    return matrix


def with_long_indices(X):
    matrix = sparse.csr_array(X)
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int64), matrix.indptr.astype(np.int64)
    assert matrix.indices.dtype == np.int64
    return matrix


def with_duplicates_out_of_order(X):
    """Every entry twice, at half its value, columns from last to first, and zeros that are stored."""
    n, d = X.shape
    columns = np.tile(np.repeat(np.arange(d)[::-1], 2), n)
    return sparse.csr_array((np.repeat(X[:, ::-1], 2) / 2, columns, 2 * d * np.arange(n + 1)), shape=X.shape)


LAYOUTS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "backwards in memory": lambda X: X[::-1, ::-1].copy()[::-1, ::-1],
    "every second column": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "read-only": read_only,
    "big-endian": lambda X: X.astype(">f8"),
    "objects": lambda X: X.astype(object),
    "nested lists": lambda X: X.tolist(),
    "csr_array": sparse.csr_array,
    "csr_matrix": sparse.csr_matrix,
    "csc_array": sparse.csc_array,
    "csc_matrix": sparse.csc_matrix,
    "coo_array": sparse.coo_array,
    "coo_matrix": sparse.coo_matrix,
    "64-bit indices": with_long_indices,
    "duplicates out of order": with_duplicates_out_of_order,
    "read-only csr": lambda X: read_only_buffers(sparse.csr_array(X)),
    "read-only csc": lambda X: read_only_buffers(sparse.csc_array(X)),
    "sparse frame": lambda X: pd.DataFrame.sparse.from_spmatrix(sparse.csr_matrix(X)),
}
SOLVED_BY = [("mse", "l2"), ("huber", "l2"), ("mae", "l2"), ("huber", "l1"), ("mae", "l1"), ("log_cosh", "elasticnet")]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("loss", "penalty"), SOLVED_BY)
def test_the_layout_in_memory_changes_nothing(loss, penalty, layout):
    X, y = regression_data()
    X[np.abs(X) < 0.5] = 0
    model = LossRegressor(loss, penalty, alpha=0.01)
    expected = model.fit(X, y).predict(X)
    given = LAYOUTS[layout](X)
    assert_same(model.fit(given, y).predict(given), expected, model)


def test_sparse_data_are_left_as_they_were():
    X, y = regression_data()
    given = with_duplicates_out_of_order(X)
    parts = given.data.copy(), given.indices.copy(), given.indptr.copy()
    LossRegressor("huber", alpha=0.01).fit(given, y).predict(given)
    for before, after in zip(parts, (given.data, given.indices, given.indptr), strict=True):
        np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize("name", REGRESSION + CLASSIFICATION)
def test_read_only_integer_and_boolean_data_are_fitted_as_their_copies(name):
    X, y = data_for(name)
    weight = np.arange(len(y)) % 3
    expected = estimator_for(name).fit(X, y, sample_weight=weight).coef_
    fixed = estimator_for(name).fit(read_only(X), read_only(y), sample_weight=read_only(weight))
    np.testing.assert_array_equal(fixed.coef_, expected)
    for other in ((2 * X).astype(int), X > 0):
        as_floats = estimator_for(name).fit(other.astype(float), y)
        np.testing.assert_array_equal(estimator_for(name).fit(other, y).coef_, as_floats.coef_)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, np.float32, bool, object])
def test_the_dtype_of_a_target_does_not_matter(dtype):
    X, y = regression_data()
    y = (y > 0).astype(float) if dtype is bool else np.abs(y).round()
    expected = LossRegressor("huber").fit(X, y)
    np.testing.assert_array_equal(LossRegressor("huber").fit(X, y.astype(dtype)).coef_, expected.coef_)


@pytest.mark.parametrize("layout", ["C", "F", "csr_array", "csc_array"])
def test_single_precision_stays_single_from_data_to_prediction(layout):
    X, y = regression_data()
    small = LAYOUTS[layout](X.astype(np.float32))
    for target in (y, np.column_stack([y, -y])):
        model = LossRegressor("huber", penalty="l1", alpha=0.01).fit(small, target)
        double = LossRegressor("huber", penalty="l1", alpha=0.01).fit(X, target)
        assert model.coef_.dtype == model.predict(small).dtype == np.float32
        # Entries of X are rounded by 6e-8, and coefficients by as much.
        np.testing.assert_allclose(model.predict(small), double.predict(X), rtol=1e-5, atol=1e-5)
    assert isinstance(LossRegressor().fit(small, y).intercept_, float)
    for n_classes in (2, 3):
        X, y = classification_data(n_classes=n_classes)
        small = LAYOUTS[layout](X.astype(np.float32))
        model = LossClassifier().fit(small, y)
        parts = model.coef_, model.intercept_, model.decision_function(small), model.predict_proba(small)
        assert [part.dtype for part in parts] == [np.float32] * 4
        np.testing.assert_allclose(parts[-1], LossClassifier().fit(X, y).predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_file_in_memory_is_read_and_not_written(tmp_path, dtype, monkeypatch):
    monkeypatch.setattr("sklloss._design.BLOCK_BYTES", 1 << 14)  # several blocks of rows
    X, y = regression_data(n=3000)
    stored = np.memmap(tmp_path / "X", dtype=dtype, mode="w+", shape=X.shape)
    stored[:] = X
    stored.flush()
    target = np.memmap(tmp_path / "y", dtype=np.float64, mode="w+", shape=y.shape)
    target[:] = y
    target.flush()
    mapped = np.memmap(tmp_path / "X", dtype=dtype, mode="r", shape=X.shape)
    for loss in ("squared_error", "huber", "absolute_error"):
        model = LossRegressor(loss).fit(mapped, np.memmap(tmp_path / "y", dtype=np.float64, mode="r"))
        np.testing.assert_array_equal(model.coef_, LossRegressor(loss).fit(X.astype(dtype), y).coef_)
        np.testing.assert_array_equal(model.predict(mapped), model.predict(X.astype(dtype)))


def test_processes_that_share_a_memory_map_give_the_numbers_of_one():
    X, y = classification_data(n=400, n_classes=3)
    for loss in ("log_loss", "hinge"):
        alone = cross_val_predict(LossClassifier(loss), X, y, method="decision_function")
        with parallel_config("loky", max_nbytes=1):  # every array goes by a read-only memory map
            shared = cross_val_predict(LossClassifier(loss), X, y, method="decision_function", n_jobs=2)
        np.testing.assert_allclose(shared, alone, rtol=1e-9, atol=1e-11)  # BLAS may have other threads there


# ----------------------------------------------------------------------------------------------- categories and text
@pytest.mark.parametrize("name", CONVEX)
def test_categories_alone_are_fitted_by_the_best_constant_of_each(name, frame):
    _, y = data_for(name)
    city = np.array(["Basel", "Lyon", "Turin"])[np.arange(len(y)) ** 2 % 7 % 3]
    table = frame({"city": city.astype(object)})
    onehot = make_column_transformer((OneHotEncoder(), ["city"]))  # sparse, and its columns sum to the intercept's
    model = make_pipeline(onehot, estimator_for(name, penalty=None, scale=None)).fit(table, y)
    for place in np.unique(city):
        mine, predicted = y[city == place], model.predict(table)[city == place]
        assert np.ptp(predicted) <= 1e-12 * np.abs(predicted[0])
        loss = get_loss(name)
        best = loss.response(np.full(len(mine), loss.fit_intercept_only(mine, np.full(len(mine), 1 / len(mine)))))
        value = average_loss(mine, best, loss=name)
        assert average_loss(mine, predicted, loss=name) == pytest.approx(value, rel=1e-6, abs=1e-9)


def test_classes_of_categories_have_their_frequencies_as_probabilities(frame):
    rng = np.random.default_rng(0)
    city, y = rng.choice(["Basel", "Lyon", "Turin"], 200), rng.choice(["no", "perhaps", "yes"], 200)
    table = frame({"city": city.astype(object), "noise": rng.normal(size=200)})
    encode = make_column_transformer((OneHotEncoder(), ["city"]), remainder="drop")
    model = make_pipeline(encode, LossClassifier(penalty=None)).fit(table, y)
    for place in ("Basel", "Lyon", "Turin"):
        shares = [np.mean(y[city == place] == label) for label in model.classes_]
        np.testing.assert_allclose(model.predict_proba(table)[city == place][0], shares, atol=1e-6)


def test_numbers_beside_categories_are_fitted_together(frame):
    X, y = regression_data()
    city = np.array(["Basel", "Lyon", "Turin"])[np.arange(len(y)) % 3]
    y = y + 5 * (city == "Lyon")
    table = frame({"city": city.astype(object), **dict(zip(NAMES, X.T, strict=True))})
    encode = make_column_transformer((OneHotEncoder(), ["city"]), (StandardScaler(), NAMES))
    model = make_pipeline(encode, LossRegressor("mae", penalty="l1", alpha=0.01)).fit(table, y)
    names = model[:-1].get_feature_names_out()
    coef = dict(zip(names, model[-1].coef_, strict=True))
    assert coef["onehotencoder__city_Lyon"] - coef["onehotencoder__city_Basel"] == pytest.approx(5, abs=0.5)
    by_hand = np.column_stack([*(city == place for place in np.unique(city)), StandardScaler().fit_transform(X)])
    expected = LossRegressor("mae", penalty="l1", alpha=0.01).fit(by_hand, y)
    assert model[-1].solution_.value == pytest.approx(expected.solution_.value, rel=1e-9)


def test_rates_of_groups_are_claims_over_exposure(frame):
    rng = np.random.default_rng(1)
    region, exposure = rng.choice(["north", "south"], 300), rng.uniform(0.1, 1.0, 300)
    claims = rng.poisson(exposure * np.where(region == "north", 0.5, 2.0))
    table = frame({"region": region.astype(object)})
    model = make_pipeline(make_column_transformer((OneHotEncoder(), ["region"])), LossRegressor("poisson", None))
    model.fit(table, claims / exposure, lossregressor__sample_weight=exposure)
    for place in ("north", "south"):
        here = region == place
        rate = claims[here].sum() / exposure[here].sum()
        np.testing.assert_allclose(model.predict(table)[here], rate, rtol=1e-8)


@pytest.mark.parametrize("loss", ["log_loss", "hinge", "squared_hinge", "modified_huber"])
def test_text_is_classified_from_its_sparse_matrix(loss):
    texts = ["good film", "a very good play", "good music and good food", "a good day", "fine and good"]
    texts += ["bad film", "a very bad play", "bad music and bad food", "a bad day", "sad and bad"]
    labels = ["praise"] * 5 + ["blame"] * 5
    model = make_pipeline(TfidfVectorizer(), LossClassifier(loss, alpha=0.01)).fit(texts, labels)
    words = model[0].get_feature_names_out()
    assert sparse.issparse(model[0].transform(texts))
    assert len(words) > len(texts)
    assert words[model[1].coef_[0].argmax()] == "good"
    assert words[model[1].coef_[0].argmin()] == "bad"
    assert model.predict(["a good week", "bad weather"]).tolist() == ["praise", "blame"]
    dense = LossClassifier(loss, alpha=0.01).fit(model[0].transform(texts).toarray(), labels)
    np.testing.assert_allclose(model[1].coef_, dense.coef_, rtol=1e-6, atol=1e-9)


# --------------------------------------------------------------------------------------------------------- labels
WORDS = np.array(["no", "yes"])[classification_data()[1]]
LABELS = {
    "list": WORDS.tolist(),
    "objects": WORDS.astype(object),
    "series with an index": pd.Series(WORDS, index=np.arange(len(WORDS))[::-1]),
    "strings": pd.Series(WORDS, dtype="string"),
    "category": pd.Series(WORDS, dtype="category"),
    "ordered categories": pd.Categorical(WORDS, categories=["yes", "no"], ordered=True),
    "category without rows": pd.Categorical(WORDS, categories=["maybe", "no", "yes"]),
    "booleans": WORDS == "yes",
    "series of booleans": pd.Series(WORDS == "yes"),
    "nullable booleans": pd.Series(WORDS == "yes", dtype="boolean"),
    "nullable integers": pd.Series((WORDS == "yes").astype(int), dtype="Int64"),
    "signs": np.where(WORDS == "yes", 1, -1),
    "bytes": np.where(WORDS == "yes", 200, 100).astype(np.uint8),
    "floats": np.where(WORDS == "yes", 2.0, 1.0),
}


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("loss", ["log_loss", "hinge"])
def test_labels_of_frames_are_those_of_their_values(loss, kind):
    X, y = classification_data()
    labels = LABELS[kind]
    model = LossClassifier(loss).fit(X, labels)
    expected = LossClassifier(loss).fit(X, y)
    np.testing.assert_array_equal(model.coef_, expected.coef_)
    assert model.classes_.tolist() == np.unique(np.asarray(labels)).tolist()
    np.testing.assert_array_equal(model.predict(X) == model.classes_[1], expected.predict(X) == 1)
    assert model.score(X, labels) == expected.score(X, y)


def test_labels_of_a_polars_frame_are_those_of_their_values():
    polars = pytest.importorskip("polars")
    X, y = classification_data()
    expected = LossClassifier().fit(X, y)
    for labels in (polars.Series(WORDS), polars.Series(WORDS, dtype=polars.Categorical), polars.Series(WORDS == "yes")):
        model = LossClassifier().fit(X, labels)
        np.testing.assert_array_equal(model.coef_, expected.coef_)
        assert model.classes_.tolist() in (["no", "yes"], [False, True])
        assert model.score(X, labels) == expected.score(X, y)
