"""Losses of features: values, gradients and fits against independent computations, and what is refused."""

import pickle

import numpy as np
import pytest
from scipy import optimize, sparse
from sklearn.base import clone
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.kernel_approximation import RBFSampler
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklloss import LossClassifier, LossRegressor, average_loss, d2_loss_score, loss_scorer
from sklloss._scale import of_squares
from sklloss.displays import LossDisplay
from sklloss.losses import (
    LSGAN,
    AbsoluteError,
    CrammerSinger,
    FeatureLoss,
    FeatureMap,
    Hinge,
    Huber,
    LossSum,
    NetworkLayers,
    Poisson,
    SmoothL1,
    SquaredError,
    Tukey,
    hifigan_generator,
    mel_spectrogram,
)
from sklloss.losses._derived import SmoothedKinks
from sklloss.losses._feature_maps import read_map
from sklloss.penalties import L1, L2, ElasticNet, GroupLasso
from sklloss.testing import CHECKS, parametrize_losses

rng = np.random.default_rng(0)
Y = rng.normal(size=(40, 4)) @ rng.normal(size=(4, 4)) + [1.0, -2.0, 0.0, 30.0]
P = Y + rng.normal(size=Y.shape)
PCA_2 = PCA(2, whiten=True).fit(Y)
LABEL = (Y[:, 0] + Y[:, 1] ** 2 > np.median(Y[:, 0] + Y[:, 1] ** 2)).astype(int)


def network(activation="tanh", kind=MLPClassifier, hidden=(6, 5)):
    """A network that was trained a little: any weights will do."""
    model = kind(hidden_layer_sizes=hidden, activation=activation, solver="lbfgs", max_iter=20, tol=1.0, random_state=0)
    return model.fit(StandardScaler().fit_transform(Y), LABEL)


def second_differences(rows):
    return np.diff(rows, n=2, axis=1)


def second_differences_adjoint(slopes):
    return np.apply_along_axis(lambda row: np.convolve(row, [1.0, -2.0, 1.0]), 1, slopes)


def squares(rows):
    return rows**2


def squares_vjp(rows, slopes):
    return 2 * rows * slopes


def half_squares_vjp(rows, slopes):
    return rows * slopes


EDGES = FeatureMap(FunctionTransformer(second_differences), adjoint=second_differences_adjoint)
SQUARES = FeatureMap(squares, vjp=squares_vjp)
MEL = mel_spectrogram(8000, 16, 8, 4, 0.0, 4000.0)


# ---------------------------------------------------------------------------------------------------- conformance
@parametrize_losses(
    [
        FeatureLoss(SquaredError(), PCA_2),
        FeatureLoss(AbsoluteError(), PCA_2),
        FeatureLoss(Huber(0.5), [PCA_2, StandardScaler().fit(Y)]),
        FeatureLoss(SquaredError(), [EDGES, StandardScaler().fit(Y)]),
        FeatureLoss(SquaredError(), network("tanh")),
        FeatureLoss(SquaredError(), network("relu")),
        FeatureLoss(AbsoluteError(), mel_spectrogram(8000, 4, 2, 1, 0.0, 4000.0)),
        FeatureLoss(LSGAN(), network("logistic", MLPRegressor), target=1.0),
        FeatureLoss(LSGAN(), LinearRegression().fit(Y, LABEL), target=1.0),
        FeatureLoss(SquaredError(), PCA_2) + 0.5 * SquaredError(),
    ]
)
def test_a_loss_of_features_is_what_it_claims_to_be(loss, check):
    check(loss)


@pytest.mark.parametrize("check", [c for c in CHECKS if c.__name__ not in ("check_fit", "check_search")])  # it is slow
def test_the_loss_of_the_generator_is_what_it_claims_to_be(check):
    check(hifigan_generator(network("tanh", MLPRegressor), mel_spectrogram(8000, 4, 2, 1, 0.0, 4000.0)))


# --------------------------------------------------------------------------------------------------------- values
def test_a_loss_through_pca_is_that_of_its_transforms():
    rows = ((PCA_2.transform(Y) - PCA_2.transform(P)) ** 2).mean(axis=1)
    np.testing.assert_allclose(FeatureLoss(SquaredError(), PCA_2).loss(Y, P), rows, rtol=1e-10)


@pytest.mark.parametrize(
    "transformer",
    [
        PCA(3),
        PCA(2, whiten=True),
        TruncatedSVD(2),
        StandardScaler(),
        make_pipeline(StandardScaler(), PCA(2)),
        SelectKBest(k=2),
        FunctionTransformer(second_differences),
    ],
    ids=lambda transformer: type(transformer).__name__,
)
def test_a_linear_transformer_is_read_off(transformer):
    transformer.fit(Y, LABEL)
    found = read_map(transformer)
    assert found.linear
    np.testing.assert_allclose(found.features(P)[0], transformer.transform(P), rtol=1e-9, atol=1e-9)


def test_a_transformer_of_a_data_frame_is_read_off_by_its_names():
    pd = pytest.importorskip("pandas")
    scaler = StandardScaler().set_output(transform="pandas").fit(pd.DataFrame(Y, columns=list("abcd")))
    np.testing.assert_allclose(read_map(scaler).features(P)[0], (P - scaler.mean_) / scaler.scale_, rtol=1e-9)


def test_a_frozen_transformer_is_the_transformer():
    one, other = FeatureLoss(SquaredError(), FrozenEstimator(PCA_2)), FeatureLoss(SquaredError(), PCA_2)
    np.testing.assert_array_equal(one.loss(Y, P), other.loss(Y, P))


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.parametrize("scaled", [True, False])
def test_the_layers_of_a_network_are_those_of_a_loop_over_units(activation, scaled):
    net = network(activation)
    scaler = StandardScaler().fit(Y)
    given = make_pipeline(scaler, net) if scaled else net
    act = {"relu": lambda z: max(z, 0.0), "tanh": np.tanh, "identity": float,
           "logistic": lambda z: 1 / (1 + np.exp(-z))}[activation]  # fmt: skip
    expected = [[], []]
    for row in P:
        a = (row - scaler.mean_) / scaler.scale_ if scaled else row
        for layer in (0, 1):
            W, b = net.coefs_[layer], net.intercepts_[layer]
            a = [act(sum(a[i] * W[i, j] for i in range(len(a))) + b[j]) for j in range(len(b))]
            expected[layer].append(a)
    for got, layer in zip(read_map(given).features(P), expected, strict=True):
        np.testing.assert_allclose(got, layer, rtol=1e-9, atol=1e-12)


def test_the_output_of_a_network_is_what_it_predicts():
    net, critic = network("relu"), network("relu", MLPRegressor)
    np.testing.assert_allclose(read_map(net, output=True).features(P)[0][:, 0], net.predict_proba(P)[:, 1], rtol=1e-9)
    np.testing.assert_allclose(read_map(critic, output=True).features(P)[0][:, 0], critic.predict(P), rtol=1e-9)


def test_maps_in_a_list_add_up_means_over_their_own_features():
    loss = FeatureLoss(AbsoluteError(), [PCA_2, network()])
    layers = [np.abs(a - b).mean(axis=1) for m in (PCA_2, network())
              for a, b in zip(read_map(m).features(Y), read_map(m).features(P), strict=True)]  # fmt: skip
    assert len(layers) == 3
    np.testing.assert_allclose(loss.loss(Y, P), np.sum(layers, axis=0), rtol=1e-12)
    assert average_loss(Y, P, loss=loss) == pytest.approx(np.sum(layers, axis=0).mean(), rel=1e-12)


def test_a_critic_looks_at_the_prediction_alone():
    critic = network("tanh", MLPRegressor)
    loss = FeatureLoss(LSGAN(), critic, target=1.0)
    np.testing.assert_allclose(loss.loss(Y, P), (critic.predict(P) - 1) ** 2, rtol=1e-9)
    linear = LossClassifier("lsgan").fit(Y, LABEL)
    rows = (linear.decision_function(P) + 0.5 - 1) ** 2
    np.testing.assert_allclose(FeatureLoss(LSGAN(), linear, target=1.0).loss(Y, P), rows, rtol=1e-9)


@pytest.mark.parametrize(
    "loss",
    [
        FeatureLoss(SquaredError(), [network("tanh"), EDGES, PCA_2, SQUARES]),
        FeatureLoss(AbsoluteError(), make_pipeline(StandardScaler().fit(Y), network("relu"))),
        FeatureLoss(LSGAN(), network("logistic", MLPRegressor), target=1.0),
        FeatureLoss(SquaredError(), NetworkLayers(network("relu"), [1])),
        FeatureLoss(SquaredError(), NetworkLayers(network("tanh"), [0, 2])),
        FeatureLoss(AbsoluteError(), mel_spectrogram(8000, 4, 2, 1, 0.0, 4000.0)),
    ],
    ids=["list", "relu", "critic", "second layer", "first layer and output", "mel"],
)
def test_the_gradient_is_that_of_differences(loss):
    gradient, h = loss.gradient(Y, P), 1e-6
    for k in range(4):
        step = h * np.eye(4)[k]
        expected = (loss.loss(Y, P + step) - loss.loss(Y, P - step)) / (2 * h)
        np.testing.assert_allclose(gradient[:, k], expected, rtol=1e-5, atol=1e-7 * np.abs(expected).max())


# ------------------------------------------------------------------------------------------------------------ fits
def problem(n=60, d=5, M=4):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(n, d))
    return X, X @ rng.normal(size=(d, M)) + 0.5 * rng.standard_t(3, size=(n, M))


TENT = FeatureMap(second_differences, adjoint=second_differences_adjoint)  # its two features share a direction


def oracle_value(X, y, J, base, penalty, alpha, pixels=0.0):
    """The optimum by Clarabel, and its coefficients, for a map J and, times pixels, absolute errors of the outputs."""
    cp = pytest.importorskip("cvxpy")
    n, M = y.shape
    B, b = cp.Variable((X.shape[1], M)), cp.Variable((1, M))
    r = y - X @ B - np.ones((n, 1)) @ b
    rho = {"squared_error": cp.square, "huber": lambda r: 0.5 * cp.huber(r, 0.5), "absolute_error": cp.abs}[base.name]
    shape = {
        "l2": lambda B: 0.5 * cp.sum_squares(B),
        "l1": lambda B: cp.sum(cp.abs(B)),
        "groups": lambda B: 3**0.5 * cp.sum(cp.norm2(B[:3], axis=0)) + 2**0.5 * cp.sum(cp.norm2(B[3:], axis=0)),
    }[penalty]
    cost = cp.sum(rho(r @ J.T)) / (n * len(J)) + pixels * cp.sum(cp.abs(r)) / n + alpha * shape(B)
    oracle = cp.Problem(cp.Minimize(cost))
    oracle.solve(solver="CLARABEL", tol_gap_abs=1e-11, tol_gap_rel=1e-11, tol_feas=1e-11)
    return oracle.value, B.value.T


@pytest.mark.parametrize("base", [SquaredError(), Huber(0.5), AbsoluteError()], ids=lambda base: base.name)
@pytest.mark.parametrize("penalty", ["l2", "l1"])
@pytest.mark.parametrize("orthogonal", [True, False])
def test_a_fit_through_a_linear_map_is_that_of_clarabel(base, penalty, orthogonal):
    (X, y), alpha = problem(), 0.05
    given = PCA(3, whiten=True).fit(y) if orthogonal else TENT
    J = read_map(given).J if orthogonal else np.diff(np.eye(4), n=2, axis=0)
    tol = 1e-8 if base.smooth else 1e-6  # a path of smooth losses goes as far as their digits
    model = LossRegressor(FeatureLoss(base, given), penalty, alpha=alpha, tol=tol).fit(X, y)
    value, coef = oracle_value(X, y, J, base, penalty, alpha)
    assert model.solution_.value == pytest.approx(value, rel=2e-6)
    if penalty == "l2" and base.name != "absolute_error":  # strictly convex in what the features say
        np.testing.assert_allclose(model.coef_, coef, atol=1e-4)
    assert "a minimum" in model.solution_.certificate or "gap" in model.solution_.certificate
    assert ("a problem of its own" in model.solution_.certificate) == (orthogonal and penalty == "l2")


def test_groups_of_coefficients_of_all_outputs_are_drawn_to_the_optimum_of_clarabel():
    (X, y), alpha = problem(), 0.05
    given = PCA(3, whiten=True).fit(y)
    model = LossRegressor(FeatureLoss(SquaredError(), given), GroupLasso([0, 0, 0, 1, 1]), alpha=alpha, tol=1e-8)
    value, _ = oracle_value(X, y, read_map(given).J, SquaredError(), "groups", alpha)
    assert model.fit(X, y).solution_.value == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_features_one_by_one_are_the_features_together(fit_intercept):
    X, y = problem()
    X, y = X + 3, y - 5
    scaler = StandardScaler().fit(y)
    for given in (scaler, PCA(2, whiten=True).fit(y), [SelectKBest(k=2).fit(y, X[:, 0] > 3)]):
        loss = FeatureLoss(Huber(0.5), given)
        options = {"alpha": 0.05, "tol": 1e-10, "fit_intercept": fit_intercept}
        one = LossRegressor(loss, **options).fit(X, y)
        together = LossRegressor(loss, solver="newton", **options).fit(X, y)
        assert "a problem of its own" in one.solution_.certificate
        assert one.solution_.value == pytest.approx(together.solution_.value, rel=1e-9)
        assert one.solution_.gap == pytest.approx(0.0, abs=1e-9)
        np.testing.assert_allclose(one.coef_, together.coef_, atol=1e-6)
        loss, where = one.loss_, [one.predict(X), together.predict(X)]
        np.testing.assert_allclose(*[read_map(given).features(p)[0] for p in where], atol=1e-6)
        again = clone(one).set_params(warm_start=True).fit(X, y).fit(X, y)
        np.testing.assert_allclose(again.coef_, one.coef_, atol=1e-6)


class L2AndANorm(L2):
    """A penalty with a part that no diagonal says."""

    def value(self, coef):
        return super().value(coef) + np.linalg.norm(coef)


def test_only_a_penalty_of_squares_is_shared_out_among_features():
    assert of_squares(None, 5)
    assert of_squares(L2(), 5)
    assert of_squares(L2(weights=[1.0, 0.0, 2.0, 3.0, 4.0]), 5)
    for penalty in (L1(), ElasticNet(0.5), L2AndANorm()):
        assert not of_squares(penalty, 5)


def test_a_critic_that_is_linear_is_one_problem_of_one_feature():
    X, y = problem()
    critic = LinearRegression().fit(y, y[:, 0] > 0)
    model = LossRegressor(FeatureLoss(LSGAN(), critic, target=1.0) + SquaredError(), alpha=0.05, tol=1e-10).fit(X, y)
    alone = LossRegressor(FeatureLoss(LSGAN(), critic, target=1.0), alpha=0.05).fit(X, y)
    np.testing.assert_allclose(critic.predict(alone.predict(X)), 1.0)  # the intercept does that at no cost
    assert average_loss(y, model.predict(X), loss="squared_error") < average_loss(
        y, alone.predict(X), loss="squared_error"
    )


def test_kinks_of_the_outputs_beside_those_of_features_are_fitted_to_the_optimum_of_clarabel():
    X, y = problem()
    loss = 0.3 * AbsoluteError() + FeatureLoss(AbsoluteError(), TENT)
    model = LossRegressor(loss, alpha=0.05).fit(X, y)
    value, _ = oracle_value(X, y, np.diff(np.eye(4), n=2, axis=0), AbsoluteError(), "l2", 0.05, pixels=0.3)
    assert model.solution_.value == pytest.approx(value, rel=2e-6)
    assert 0 <= model.solution_.gap <= 1e-6 * model.solution_.value


def test_through_the_identity_squared_error_is_the_mean_of_squared_errors():
    X, y = problem()
    identity = FunctionTransformer().fit(y)
    through = LossRegressor(FeatureLoss(SquaredError(), identity), alpha=1e-2 / 4, tol=1e-10).fit(X, y)
    plain = LossRegressor(SquaredError(), alpha=1e-2).fit(X, y)
    np.testing.assert_allclose(through.coef_, plain.coef_, rtol=1e-7)
    np.testing.assert_allclose(through.intercept_, plain.intercept_, rtol=1e-7)


def test_a_fit_with_absolute_error_has_a_strict_gap():
    X, y = problem()
    for given, solver in ((TENT, "smoothing"), (PCA(2).fit(y), "kinks")):
        model = LossRegressor(FeatureLoss(AbsoluteError(), given), alpha=0.05).fit(X, y)
        assert model.solution_.solver == solver
        assert 0 <= model.solution_.gap <= 1e-6 * model.solution_.value


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_a_fit_through_a_network_is_a_stationary_point_below_least_squares(activation):
    X, y = problem()
    net = MLPClassifier((8,), activation=activation, solver="lbfgs", max_iter=30, tol=1.0, random_state=0)
    loss = FeatureLoss(SquaredError(), net.fit(y, y[:, 0] > 0)) + 0.01 * SquaredError()
    model = LossRegressor(loss, alpha=1e-3, tol=1e-5).fit(X, y)
    assert "stationary point" in model.solution_.certificate or "local minimum" in model.solution_.certificate
    plain = LossRegressor(SquaredError(), alpha=1e-3).fit(X, y)
    cost = [average_loss(y, m.predict(X), loss=loss) + 1e-3 / 2 * (m.coef_**2).sum() for m in (model, plain)]
    assert model.solution_.value == pytest.approx(cost[0], rel=1e-9)
    assert cost[0] < 0.97 * cost[1]
    h, rng = 1e-3, np.random.default_rng(2)
    for _ in range(20):  # nowhere near does it go down by more than the gradient that is left
        moved = clone(model).set_params(warm_start=True)
        moved.__dict__.update(vars(model))
        moved.coef_ = model.coef_ + h * rng.normal(size=model.coef_.shape)
        other = average_loss(y, moved.predict(X), loss=loss) + 1e-3 / 2 * (moved.coef_**2).sum()
        assert other >= cost[0] * (1 - 1e-6)


def test_the_same_fit_twice_has_the_same_bits():
    X, y = problem()
    loss = FeatureLoss(SquaredError(), network("relu")) + SquaredError()
    one, two = (LossRegressor(loss, alpha=1e-2, tol=1e-3).fit(X, y) for _ in range(2))
    np.testing.assert_array_equal(one.coef_, two.coef_)


def test_sparse_and_single_precision_features_give_the_same_fit():
    X, y = problem()
    X[np.abs(X) < 0.5] = 0
    loss = FeatureLoss(Huber(0.5), TENT) + 0.1 * SquaredError()
    dense = LossRegressor(loss, alpha=0.1, tol=1e-9).fit(X, y)
    np.testing.assert_allclose(LossRegressor(loss, alpha=0.1, tol=1e-9).fit(sparse.csr_matrix(X), y).coef_, dense.coef_)
    single = LossRegressor(loss, alpha=0.1).fit(X.astype(np.float32), y.astype(np.float32))
    assert single.coef_.dtype == single.predict(X.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(single.coef_, dense.coef_, atol=1e-5)


def test_weight_two_equals_two_copies():
    X, y = problem()
    weight = np.arange(60) % 3
    copies = np.repeat(np.arange(60), weight)
    loss = FeatureLoss(Huber(0.5), PCA(2).fit(y))
    one = LossRegressor(loss, alpha=0.1, tol=1e-9).fit(X, y, sample_weight=weight)
    two = LossRegressor(loss, alpha=0.1, tol=1e-9).fit(X[copies], y[copies])
    np.testing.assert_allclose(one.coef_, two.coef_, rtol=1e-6, atol=1e-8)


def test_a_far_y_is_fitted_as_one_around_zero():
    X, y = problem()
    loss = FeatureLoss(SquaredError(), StandardScaler().fit(y))
    near = LossRegressor(loss, alpha=1e-2, tol=1e-9).fit(X, y)
    far = LossRegressor(loss, alpha=1e-2, tol=1e-9).fit(X, y + 1e6)
    np.testing.assert_allclose(far.coef_, near.coef_, atol=1e-6)


def test_constants_are_in_units_of_the_features_whatever_the_scale():
    X, y = problem()
    loss = FeatureLoss(Huber(0.5), PCA(2).fit(y))
    auto, none = (LossRegressor(loss, alpha=0.1, scale=scale).fit(X, y) for scale in ("auto", None))
    np.testing.assert_array_equal(auto.coef_, none.coef_)
    assert auto.scale_ == 1.0


def test_huber_beside_a_loss_of_features_takes_a_scale_that_is_given():
    X, y = problem()
    features = FeatureLoss(SquaredError(), PCA(2).fit(y))
    one = LossRegressor(Huber(1.0) + features, alpha=0.1, scale=2.0, tol=1e-9).fit(X, y)
    two = LossRegressor(Huber(2.0) + features, alpha=0.1, scale=None, tol=1e-9).fit(X, y)
    np.testing.assert_allclose(one.coef_, two.coef_, rtol=1e-6)


def test_the_best_constant_row_of_a_loss_with_kinks_is_that_of_highs():
    wide = FunctionTransformer(second_differences).fit(Y)
    scaler = StandardScaler().fit(Y)
    loss = FeatureLoss(AbsoluteError(), [scaler, wide])  # six features of four outputs: not all can have their medians
    weight = np.random.default_rng(3).uniform(size=40)
    J = np.vstack([np.diag(1 / scaler.scale_), np.diff(np.eye(4), n=2, axis=0)])
    features = (Y @ J.T).ravel()  # the sum of cost * abs(features - J b), by b and the absolute values
    cost = np.concatenate([np.zeros(4), np.outer(weight, [1 / 4] * 4 + [1 / 2] * 2).ravel()])
    tall, eye = np.tile(J, (40, 1)), sparse.identity(240)
    rows = sparse.vstack([sparse.hstack([-tall, -eye]), sparse.hstack([tall, -eye])])
    bounds = [(None, None)] * 4 + [(0, None)] * 240
    oracle = optimize.linprog(cost, rows, np.concatenate([-features, features]), bounds=bounds)
    found = loss.fit_intercept_only(Y, weight)
    assert weight @ loss.loss(Y, np.tile(found, (40, 1))) == pytest.approx(oracle.fun, rel=1e-6)


def test_smoothed_kinks_lie_above_by_at_most_an_eighth_of_the_window_each():
    r, width = np.linspace(-2, 2, 4001), 0.3
    above = SmoothedKinks(AbsoluteError(), width).rho(r) - np.abs(r)
    assert above.min() >= -1e-15
    assert above.max() == pytest.approx(2 * width / 8)


# ----------------------------------------------------------------------------------------------- scikit-learn's ways
def test_clone_and_pickle_keep_the_fitted_map():
    loss = FeatureLoss(Huber(0.5), [PCA_2, network()], target=None)
    copy = clone(loss)
    assert copy.feature_map is loss.feature_map
    assert copy.base is not loss.base
    expected = loss.loss(Y, P)
    for other in (copy, clone(loss + SquaredError()).parts[0], pickle.loads(pickle.dumps(loss))):
        np.testing.assert_allclose(other.loss(Y, P), expected, rtol=1e-14)
    np.testing.assert_allclose(pickle.loads(pickle.dumps(FeatureLoss(SquaredError(), EDGES))).loss(Y, P),
                               FeatureLoss(SquaredError(), EDGES).loss(Y, P))  # fmt: skip


def test_a_map_that_is_fitted_again_is_read_again():
    pca = PCA(2).fit(Y)
    loss = FeatureLoss(SquaredError(), pca)
    before = average_loss(Y, P, loss=loss)
    pca.fit(Y[:, ::-1] ** 2)
    expected = ((pca.transform(Y) - pca.transform(P)) ** 2).mean()
    assert average_loss(Y, P, loss=loss) == pytest.approx(expected, rel=1e-9)
    assert expected != pytest.approx(before, rel=1e-3)


def test_targets_that_change_in_place_are_seen():
    loss, y = FeatureLoss(SquaredError(), network()), Y.copy()
    loss.loss(y, P)
    y += 1
    np.testing.assert_array_equal(loss.loss(y, P), FeatureLoss(SquaredError(), network()).loss(y, P))


def test_a_search_goes_over_maps_and_parameters_of_the_base():
    X, y = problem()
    maps = [FeatureLoss(Huber(), PCA(k).fit(y)) for k in (1, 4)]
    judge = loss_scorer("squared_error")
    search = GridSearchCV(LossRegressor(), {"loss": maps, "alpha": [0.1]}, scoring=judge, error_score="raise").fit(X, y)
    assert search.best_params_["loss"].feature_map.n_components == 4
    grid = {"loss__base__delta": [0.1, 10.0]}
    GridSearchCV(LossRegressor(maps[1]), grid, scoring=judge, error_score="raise").fit(X, y)


def test_a_loss_of_features_is_a_scorer_of_any_model():
    X, y = problem()
    loss = FeatureLoss(SquaredError(), PCA(2).fit(y))
    scores = cross_val_score(LinearRegression(), X, y, scoring=loss_scorer(loss), cv=3)
    assert (scores < 0).all()
    model = LinearRegression().fit(X, y)
    rows = average_loss(y, model.predict(X), loss=loss, aggregate=None)
    assert average_loss(y, model.predict(X), loss=loss) == pytest.approx(rows.mean(), rel=1e-12)


def test_d2_of_a_loss_through_pca_is_r2_of_its_features():
    from sklearn.metrics import r2_score

    features = PCA_2.transform(Y), PCA_2.transform(P)
    total = 1 - ((features[0] - features[1]) ** 2).sum() / ((features[0] - features[0].mean(axis=0)) ** 2).sum()
    assert d2_loss_score(Y, P, loss=FeatureLoss(SquaredError(), PCA_2)) == pytest.approx(total, rel=1e-9)
    assert r2_score(*features, multioutput="variance_weighted") == pytest.approx(total, rel=1e-9)


def test_the_average_of_a_sum_is_what_a_fit_minimises():
    X, y = problem()
    loss = 0.3 * SquaredError() + FeatureLoss(SquaredError(), PCA(2).fit(y))
    model = LossRegressor(loss, alpha=0).fit(X, y)
    assert average_loss(y, model.predict(X), loss=loss) == pytest.approx(model.solution_.value, rel=1e-9)


# ------------------------------------------------------------------------------------------------------- HiFi-GAN
def test_the_mel_map_is_a_sum_over_samples_and_frequencies():
    """By the definition, in loops: a discrete Fourier transform, triangles between points of the mel scale."""
    rate, n_fft, hop, n_mels, fmin, fmax = 8000, 32, 8, 6, 100.0, 3900.0
    signal = np.random.default_rng(4).normal(size=70)
    beside = (n_fft - hop) // 2
    padded = np.concatenate([signal[beside:0:-1], signal, signal[-2 : -beside - 2 : -1]])

    def mel(f):
        return 3 * f / 200 if f < 1000 else 15 + 27 * np.log(f / 1000) / np.log(6.4)

    def inverse(target):
        low, high = 0.0, 4000.0
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if mel(middle) < target else (low, middle)
        return low

    points = [inverse(mel(fmin) + (mel(fmax) - mel(fmin)) * k / (n_mels + 1)) for k in range(n_mels + 2)]
    n_frames = (len(padded) - n_fft) // hop + 1
    expected = np.empty((n_mels, n_frames))
    for frame in range(n_frames):
        size = []
        for k in range(n_fft // 2 + 1):
            terms = [
                padded[frame * hop + j]
                * (0.5 - 0.5 * np.cos(2 * np.pi * j / n_fft))
                * np.exp(-2j * np.pi * j * k / n_fft)
                for j in range(n_fft)
            ]
            size.append(np.sqrt(abs(sum(terms)) ** 2 + 1e-9))
        for band in range(n_mels):
            a, b, c = points[band : band + 3]
            weights = [max(0.0, min((f - a) / (b - a), (c - f) / (c - b))) * 2 / (c - a)
                       for f in (k * rate / n_fft for k in range(n_fft // 2 + 1))]  # fmt: skip
            expected[band, frame] = np.log(max(np.dot(weights, size), 1e-5))
    got = mel_spectrogram(rate, n_fft, hop, n_mels, fmin, fmax).transform(signal[None])
    np.testing.assert_allclose(got.reshape(n_mels, n_frames), expected, rtol=1e-9)


def test_the_mel_map_with_its_defaults_gives_the_numbers_of_librosa():
    """librosa 0.11.0: filters.mel (Slaney) of stft(window="hann", center=False), reflected as HiFi-GAN does."""
    t = np.arange(4096) / 22050
    signal = 0.5 * np.sin(2 * np.pi * 440 * t) + 0.25 * np.sin(2 * np.pi * 3000 * t**1.5)
    got = mel_spectrogram().transform(signal[None]).reshape(80, 16)
    expected = {
        0: [-0.24850386375137215, -8.161640044375122, -8.861141678909068, -3.1800184247224523],
        5: [-1.5413548903180145, -6.312039653695522, -6.337915961012503, -2.741630568416615],
        17: [-1.4187074819852257, -2.0633062198313232, -6.4162913342954475, -2.418863276528981],
        40: [-3.763574953276648, -10.44035593206792, -4.578771762592209, -1.892222089172239],
        79: [-6.442978320401853, -11.512925464970229, -11.512925464970229, -5.948333413545244],
    }
    for band, values in expected.items():
        np.testing.assert_allclose(got[band, [0, 3, 9, 15]], values, rtol=1e-9)


@pytest.mark.parametrize("n_fft", [16, 17])
@pytest.mark.parametrize("rounding", [0.0, 0.5])
def test_the_adjoint_of_the_mel_map_is_its_jacobian_transposed(n_fft, rounding):
    mel = clone(mel_spectrogram(8000, n_fft, 6, 4, 0.0, 4000.0)).set_params(rounding=rounding)
    rows = 1e-2 * np.random.default_rng(5).normal(size=(2, 40))
    features = mel.transform(rows)
    J, h = np.empty((2, features.shape[1], 40)), 1e-7
    for k in range(40):
        step = h * np.eye(40)[k]
        J[:, :, k] = (mel.transform(rows + step) - mel.transform(rows - step)) / (2 * h)
    slopes = np.random.default_rng(6).normal(size=features.shape)
    expected = np.einsum("nf,nfk->nk", slopes, J)
    np.testing.assert_allclose(mel.vjp(rows, slopes), expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max())
    again, back = mel.pull(rows)
    np.testing.assert_array_equal(again, features)
    np.testing.assert_array_equal(back(slopes), mel.vjp(rows, slopes))


def test_silence_has_no_slope_and_no_warning():
    loss = FeatureLoss(AbsoluteError(), MEL)
    assert (loss.gradient(np.zeros((2, 40)), np.zeros((2, 40))) == 0).all()
    assert (loss.loss(np.zeros((2, 40)), np.zeros((2, 40))) == 0).all()


def test_the_loss_of_the_generator_is_the_sum_of_the_papers_terms():
    rng = np.random.default_rng(7)
    real, fake = rng.normal(size=(2, 30, 40))
    critics = [
        MLPRegressor(hidden_layer_sizes=hidden, solver="lbfgs", max_iter=5, tol=1e9, random_state=0).fit(
            np.vstack([real, fake]), np.repeat([1.0, 0.0], 30)
        )
        for hidden in ((7,), (5, 3))
    ]
    loss = hifigan_generator(critics, MEL)
    assert isinstance(loss, LossSum)
    adversarial, matching = 0.0, 0.0
    for critic in critics:
        adversarial += np.mean((1 - critic.predict(fake)) ** 2)
        a, b = real, fake
        for k, (W, c) in enumerate(zip(critic.coefs_, critic.intercepts_, strict=True)):
            a, b = a @ W + c, b @ W + c
            if k < len(critic.coefs_) - 1:
                a, b = np.maximum(a, 0), np.maximum(b, 0)
            matching += np.mean(np.abs(a - b))
    mel = np.mean(np.abs(MEL.transform(real) - MEL.transform(fake)))
    assert average_loss(real, fake, loss=loss) == pytest.approx(adversarial + 2 * matching + 45 * mel, rel=1e-10)


def test_the_generator_is_trained_below_least_squares():
    rng = np.random.default_rng(8)
    t = np.arange(40) / 8000
    signals = np.sin(2 * np.pi * rng.uniform(300, 900, (40, 1)) * t + rng.uniform(0, 6, (40, 1)))
    X = signals[:, ::4] + 0.1 * rng.normal(size=(40, 10))
    start = LossRegressor(alpha=1e-2).fit(X, signals)
    critic = MLPRegressor(hidden_layer_sizes=(8,), activation="tanh", solver="lbfgs", tol=1.0, random_state=0)
    critic.fit(np.vstack([signals, start.predict(X)]), np.repeat([1.0, 0.0], 40))
    loss = hifigan_generator(critic, MEL)
    model = LossRegressor(loss, alpha=1e-2, tol=0.5).fit(X, signals)
    cost = [average_loss(signals, m.predict(X), loss=loss) for m in (model, start)]
    assert cost[0] < 0.97 * cost[1]
    assert "the loss itself differs" in model.solution_.certificate


# ------------------------------------------------------------------------------------------------------- bad input
def fit(loss, y=Y):
    return LossRegressor(loss).fit(np.arange(len(y) * 2.0).reshape(-1, 2), y)


def wrong_shape(rows, slopes):
    return slopes


def together(rows):
    return rows - rows.mean(axis=0)


def same(rows, slopes):
    return slopes


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (FeatureLoss(SquaredError(), FeatureMap(second_differences, vjp=wrong_shape)),
         r"(?s)vjp of feature_map=.* must return .* the shape of the rows, \(3, 4\); .* it returned shape \(3, 2\)"),
        (FeatureLoss(SquaredError(), FeatureMap(squares, vjp=half_squares_vjp)),
         "(?s)vjp of feature_map=.* does not belong to its transform: .* differences of transform give"),
        (FeatureLoss(SquaredError(), FeatureMap(squares, adjoint=np.asarray)), "does not belong to its transform"),
        (FeatureLoss(SquaredError(), FeatureMap(np.abs, adjoint=np.asarray)), "does not belong|says that it is linear"),
        (FeatureLoss(SquaredError(), FeatureMap(together, vjp=same)), "must map each row by itself"),
        (FeatureLoss(SquaredError(), FeatureMap(squares)), "one of adjoint .* and vjp"),
        (FeatureLoss(SquaredError(), FeatureMap(np.sum, vjp=same)), "must make numbers of shape"),
        (FeatureLoss(SquaredError(), PCA(2)), r"feature_map=PCA\(n_components=2\) is not fitted"),
        (FeatureLoss(SquaredError(), MLPClassifier()), "is not fitted"),
        (FeatureLoss(SquaredError(), RBFSampler(random_state=0).fit(Y)), "is not linear: .*FeatureMap"),
        (FeatureLoss(SquaredError(), PCA(2).fit(Y[:, :3])), r"y_true must have .* \(n_samples, 3\) .* \(40, 4\)"),
        (FeatureLoss(SquaredError(), [PCA_2, PCA(2).fit(Y[:, :3])]), "rows of different lengths"),
        (FeatureLoss(SquaredError(), []), "empty list"),
        (FeatureLoss(SquaredError(), NetworkLayers(network(), [3])), r"layers=\[3\] must be layers of"),
        (FeatureLoss(CrammerSinger(), PCA_2), "must be a loss of each number by itself"),
        (FeatureLoss(Poisson(), PCA_2), "identity link"),
        (FeatureLoss(Hinge(), PCA_2), "a critic needs the label as target"),
        (FeatureLoss(LSGAN(), PCA_2, target=0.5), r"y_true must be in \{0, 1\}"),
        (FeatureLoss("squared_error", PCA_2), "base of FeatureLoss must be a loss"),
        (FeatureLoss(SquaredError(), mel_spectrogram()), r"at least 385 samples .* rows have 4"),
    ],
)  # fmt: skip
def test_a_map_or_base_that_is_none_is_refused(loss, message):
    with pytest.raises(ValueError, match=message):
        fit(loss)


@pytest.mark.parametrize("given", [None, 3, PCA, LossRegressor])
def test_what_is_no_map_is_refused(given):
    with pytest.raises(TypeError, match="feature_map="):
        fit(FeatureLoss(SquaredError(), given))


def test_a_single_output_is_no_image():
    with pytest.raises(ValueError, match=r"y_true must have the shape \(n_samples, 4\).*it has shape \(40,\)"):
        fit(FeatureLoss(SquaredError(), PCA_2), Y[:, 0])
    with pytest.raises(ValueError, match="image or a signal"):
        average_loss(Y[:, 0], P[:, 0], loss=FeatureLoss(SquaredError(), PCA_2))


def test_the_output_of_a_network_of_three_classes_is_no_critic():
    net = MLPClassifier((3,), solver="lbfgs", max_iter=5, tol=1e9, random_state=0).fit(Y, np.arange(40) % 3)
    with pytest.raises(ValueError, match="several probabilities"):
        fit(FeatureLoss(LSGAN(), net, target=1.0))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"fmax": 5000.0}, "fmin < fmax <= sample_rate / 2 = 4000"),
        ({"fmin": 4000.0}, "fmin=4000.0"),
        ({"hop_length": 65}, "hop_length=65 must be at most n_fft=64"),
        ({"n_mels": 60}, "n_mels=60 is too many: band 0 lies between two .* 125 Hz apart"),
        ({"n_fft": 64.0}, "'n_fft' parameter of MelSpectrogram must be an int"),
    ],
)
def test_a_mel_map_that_cannot_be_is_refused(changed, message):
    given = {"sample_rate": 8000, "n_fft": 64, "hop_length": 16, "n_mels": 8, "fmin": 0.0, "fmax": 4000.0}
    with pytest.raises(ValueError, match=message):
        mel_spectrogram(**given | changed)


def test_a_loss_of_rows_has_no_curve():
    pytest.importorskip("matplotlib")
    with pytest.raises(ValueError, match="no curve of a single residual"):
        LossDisplay.from_losses([FeatureLoss(SquaredError(), PCA_2)])


def test_a_critic_without_layers_is_refused():
    with pytest.raises(TypeError, match=r"critic=LinearRegression.* must be a fitted MLPRegressor"):
        hifigan_generator(LinearRegression(), MEL)


def test_a_solver_for_single_outputs_says_what_it_cannot_do():
    X, y = problem()
    with pytest.raises(ValueError, match="quadratic objective"):
        LossRegressor(FeatureLoss(Huber(), PCA(2).fit(y)), solver="least_squares").fit(X, y)
    with pytest.raises(ValueError, match="cannot minimise this objective"):
        LossRegressor(FeatureLoss(AbsoluteError(), TENT), solver="newton").fit(X, y)


def test_a_base_that_is_not_convex_is_fitted_all_the_same():
    X, y = problem()
    model = LossRegressor(FeatureLoss(Tukey(3.0), PCA(2).fit(y)), alpha=1e-2).fit(X, y)
    assert model.solution_.converged
    assert "local minimum" in model.solution_.certificate
    smooth = LossRegressor(FeatureLoss(SmoothL1(1.0), PCA(2).fit(y)), alpha=1e-2).fit(X, y)
    assert "a minimum" in smooth.solution_.certificate
