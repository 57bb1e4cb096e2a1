"""Losses, their registry, and the suite that checks them."""

import copy
import pickle

import numpy as np
import pytest

from sklloss import average_loss, get_loss, list_losses
from sklloss.losses import (
    Hinge,
    Huber,
    LogLoss,
    Loss,
    MarginLoss,
    Pinball,
    Poisson,
    ResidualLoss,
    SmoothL1,
    SquaredError,
    Tweedie,
)

from .common import CLASSIFICATION, REGRESSION, SETS


# --------------------------------------------------------------------------------------------------- the registry
def test_names_are_sorted_canonical_and_filtered_by_facts():
    assert list_losses() == sorted(list_losses())
    assert "mse" not in list_losses()
    assert set(list_losses(smooth=False)) >= {"absolute_error", "pinball", "hinge"}
    assert "huber" in list_losses("regression", standardized=True)
    assert "huber" not in list_losses("classification")
    assert list_losses(elementwise=False) == ["ctc", "dice", "jaccard", "lovasz", "psnr", "tversky"]


def test_list_losses_refuses_unknown_kinds_and_facts():
    with pytest.raises(ValueError, match="kind must be"):
        list_losses("ranking")
    with pytest.raises(ValueError, match="convexity"):
        list_losses(convexity=True)


def test_an_unknown_name_gets_near_misses():
    with pytest.raises(ValueError, match="Did you mean 'huber'"):
        get_loss("hubber")
    with pytest.raises(ValueError, match="Known: absolute_error"):
        get_loss("zzzzzz")


@pytest.mark.parametrize("wrong", [Huber, 3, None, [1.0]])
def test_what_is_no_loss_is_refused_with_the_remedy(wrong):
    with pytest.raises(TypeError, match=r"instance|must be a name"):
        get_loss(wrong)


def test_parameters_go_with_a_name_only():
    assert get_loss("huber", delta=2.0).delta == 2.0
    loss = Huber(3.0)
    assert get_loss(loss) is loss
    with pytest.raises(TypeError, match="set_params"):
        get_loss(loss, delta=2.0)


def test_a_name_can_be_taken_once_but_redefined_in_place():
    def define():
        class Twice(ResidualLoss):
            name = "test_twice"

        return Twice

    define()
    define()  # as when a notebook cell is run again
    with pytest.raises(ValueError, match="is taken by"):

        class Other(ResidualLoss):
            name = "huber"


@pytest.mark.parametrize(
    ("loss", "parameter"),
    [
        (Huber(0.0), "delta"),
        (Huber(-1.0), "delta"),
        (Pinball(0.0), "quantile"),
        (Pinball(1.5), "quantile"),
        (SmoothL1(-1), "beta"),
    ],
)
def test_parameters_out_of_range_are_named_with_their_value(loss, parameter):
    with pytest.raises(ValueError, match=rf"'{parameter}' parameter of {type(loss).__name__} must be .* Got"):
        loss.check()


@pytest.mark.parametrize("name", REGRESSION + CLASSIFICATION + SETS)
def test_losses_copy_pickle_and_show_what_they_are(name):
    loss = get_loss(name)
    assert repr(pickle.loads(pickle.dumps(loss))) == repr(loss) == repr(copy.deepcopy(loss))
    assert len(loss.use) > 10
    assert "\n" not in loss.use


# -------------------------------------------------------------------------------------------------- the metric
def test_a_loss_is_its_metric():
    assert Huber(1.0)([3.0, 1.0], [1.0, 0.5]) == 0.8125
    assert Huber(1.0)([3.0, 1.0], [1.0, 0.5], sample_weight=[1, 3]) == 0.46875
    assert Poisson()([2.0], [2.0]) == 0.0
    assert LogLoss()([1.0], [0.5]) == pytest.approx(np.log(2), rel=1e-15)


@pytest.mark.parametrize(
    ("loss", "y", "p", "message"),
    [
        (Poisson(), [1.0, -2.0], [1.0, 1.0], r"y_true must be in \[0, inf\) for Poisson\(\); row 1 has -2.0"),
        (Poisson(), [1.0, 2.0], [1.0, 0.0], r"y_pred must be in \(0, inf\) for Poisson\(\); row 1"),
        (Hinge(), [-1, 1], [0.5, 0.5], "row 0 has -1"),
        (LogLoss(), [0.0, 1.0], [0.5, 1.5], r"row 1 has 1.5"),
        (Huber(), [0.0, 1.0], [[0.5], [1.5]], r"shape \(2,\), y_pred has shape \(2, 1\)"),
    ],
)
def test_values_outside_the_domain_are_named(loss, y, p, message):
    with pytest.raises(ValueError, match=message):
        loss(y, p)


def test_a_base_class_says_what_is_missing():
    class Nothing(Loss):
        pass

    class NoRho(ResidualLoss):
        pass

    class NoPhi(MarginLoss):
        pass

    with pytest.raises(NotImplementedError, match="must define loss"):
        Nothing().loss(np.zeros(1), np.zeros(1))
    with pytest.raises(NotImplementedError, match="rho, psi and psi_prime, or relu"):
        NoRho().loss(np.zeros(1), np.zeros(1))
    with pytest.raises(NotImplementedError, match="phi, phi_prime and phi_second, or relu"):
        NoPhi().loss(np.zeros(1), np.zeros(1))


def test_a_row_of_weight_zero_may_cost_infinitely_much():
    assert average_loss([0.0, 1.0], [1e200, 3.0], loss="squared_error", sample_weight=[0.0, 2.0]) == 4.0
    assert SquaredError()(np.array([0.0, 1.0]), np.array([1e200, 3.0]), sample_weight=[0.0, 2.0]) == 4.0


def test_the_best_constant_of_a_deviance_on_the_identity_link_is_positive():
    y = -1 - np.random.default_rng(0).random(50)
    assert Tweedie(-0.5).fit_intercept_only(y, np.full(50, 0.02)) > 0


def test_class_weights_may_name_a_class_that_a_fold_lacks():
    weights = {"a": 1.0, "b": 2.0, "c": 3.0}
    assert LogLoss(class_weight=weights).bind(np.array(["a", "b"])).class_weight == [1.0, 2.0]
    with pytest.raises(ValueError, match=r"names labels \['d'\]"):
        LogLoss(class_weight={"a": 1.0, "d": 2.0}).bind(np.array(["a", "b"]))


@pytest.mark.parametrize("loss", [LogLoss(), LogLoss(label_smoothing=0.2, class_weight=[1.0, 2.0, 0.5])], ids=repr)
def test_pairs_of_second_derivatives_are_those_of_the_product(loss):
    rng = np.random.default_rng(0)
    raw, labels = 20 * rng.normal(size=(50, 3)), rng.integers(0, 3, 50)
    for y in (labels, np.eye(3)[labels] * 0.7 + 0.1):
        products = [loss.hessian_product(y, raw, np.ones(50), np.eye(3)[m] * np.ones((50, 1))) for m in range(3)]
        expected = np.column_stack([products[m][:, k] for m in range(3) for k in range(m + 1)])
        np.testing.assert_allclose(loss.hessian_pairs(y, raw), expected, rtol=1e-12, atol=1e-300)
