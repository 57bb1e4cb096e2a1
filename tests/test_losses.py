"""Losses, their registry, and the suite that checks them."""

import copy
import pickle

import numpy as np
import pytest

from sklloss import check_loss, get_loss, list_losses
from sklloss.losses import (
    AbsoluteError,
    Hinge,
    Huber,
    LogCosh,
    LogLoss,
    Loss,
    MarginLoss,
    Pinball,
    Poisson,
    ResidualLoss,
    SmoothL1,
    SquaredError,
    SquaredHinge,
)
from sklloss.losses._compose import Scaled

from .common import CLASSIFICATION, REGRESSION

VARIANTS = [
    Huber(0.2), Huber(5.0), SmoothL1(0.0), SmoothL1(0.1), SmoothL1(3.0), Pinball(0.01), Pinball(0.9),
    Scaled(Huber(1.35), 0.3), Scaled(Pinball(0.3), 2.0), Scaled(SquaredError(), 7.0),
]  # fmt: skip


@pytest.mark.parametrize("name", REGRESSION + CLASSIFICATION)
def test_every_registered_loss_is_what_it_claims_to_be(name):
    check_loss(name)


@pytest.mark.parametrize("loss", VARIANTS, ids=repr)
def test_losses_with_other_parameters_are_what_they_claim_to_be(loss):
    check_loss(loss)


# ------------------------------------------------------------------------------- check_loss catches broken losses
class _Broken(Huber):
    """A Huber loss to be broken; it takes no name."""


class WrongGradient(_Broken):
    def psi(self, r):
        return 1.001 * super().psi(r)


class WrongCurvature(_Broken):
    def psi_prime(self, r):
        return 2 * super().psi_prime(r)


class ClaimsConvexity(ResidualLoss):
    def rho(self, r):
        return r * r / (1 + r * r)

    def psi(self, r):
        return 2 * r / (1 + r * r) ** 2

    def psi_prime(self, r):
        return (2 - 6 * r * r) / (1 + r * r) ** 3

    def fit_intercept_only(self, y_true, weight):
        grid = np.linspace(y_true.min(), y_true.max(), 20001)
        return grid[np.argmin([weight @ self.loss(y_true, np.full_like(y_true, g)) for g in grid])]


class TimidConvexity(_Broken):
    convex = False


class ClaimsSmoothness(AbsoluteError):
    smooth = True


class TimidSmoothness(_Broken):
    smooth = False


class ClaimsQuadratic(_Broken):
    quadratic = True


class TimidQuadratic(SquaredError):
    quadratic = False


class WrongRelu(AbsoluteError):
    relu = (1.0, 0.0), (-0.9, 0.0)

    def rho(self, r):
        return np.abs(r)

    def psi(self, r):
        return np.sign(r)


class OverflowsToNan(LogCosh):
    def rho(self, r):
        with np.errstate(over="ignore", invalid="ignore"):
            return np.log(np.cosh(r)) - 0 * np.cosh(r)


class Overflows(LogCosh):
    def rho(self, r):
        return np.log(np.cosh(r))


class DividesByZero(AbsoluteError):
    def psi(self, r):
        return r / np.abs(r)


class WrongShape(_Broken):
    def loss(self, y_true, raw_prediction):
        return super().loss(y_true, raw_prediction)[:, None]


class LosesFloat32(_Broken):
    def rho(self, r):
        return super().rho(r).astype(np.float64)


class WritesItsInput(_Broken):
    def loss(self, y_true, raw_prediction):
        raw_prediction -= y_true
        return self.rho(raw_prediction)


class IgnoresWeights(_Broken):
    def value_gradient(self, y_true, raw_prediction, weight):
        return float(self.loss(y_true, raw_prediction).sum()), self.gradient(y_true, raw_prediction)


class ChangesItsParameter(ResidualLoss):
    def __init__(self, delta=1.0):
        self.delta = float(delta) + 0.0

    rho, psi, psi_prime = Huber.rho, Huber.psi, Huber.psi_prime


class BadStart(_Broken):
    def fit_intercept_only(self, y_true, weight):
        return y_true.max()


class BadInverse(Poisson):
    def raw(self, y_pred):
        return np.log1p(y_pred)


class BadProbability(SquaredHinge):
    def probability(self, raw_prediction):
        return (1 + raw_prediction) / 2


BROKEN = {
    WrongGradient: "gradient against differences",
    WrongCurvature: "hessian_product against differences",
    ClaimsConvexity: "convex must tell",
    TimidConvexity: "convex must tell",
    ClaimsSmoothness: "smooth must tell",
    TimidSmoothness: "smooth must tell",
    ClaimsQuadratic: "quadratic must tell",
    TimidQuadratic: "quadratic must tell",
    WrongRelu: "sum of relu",
    OverflowsToNan: "never be NaN",
    Overflows: "must be finite",
    WrongShape: "must have the shape",
    WritesItsInput: "inputs must be left untouched",
    LosesFloat32: "must keep the dtype",
    IgnoresWeights: "value_gradient against the weighted sum",
    BadStart: "fit_intercept_only must attain the minimum",
    BadInverse: "raw must invert response",
    BadProbability: "probabilities must lie in",
}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda cls: cls.__name__)
def test_check_loss_catches_a_broken_loss_by_the_intended_check(broken):
    with pytest.raises(AssertionError, match=BROKEN[broken]):
        check_loss(broken())


def test_check_loss_catches_a_warning_at_a_perfect_prediction():
    with pytest.raises(RuntimeWarning, match="invalid value"):
        check_loss(DividesByZero())


def test_check_loss_catches_a_parameter_that_init_changes():
    with pytest.raises(RuntimeError, match="the constructor either does not set or modifies parameter delta"):
        check_loss(ChangesItsParameter(1))


# --------------------------------------------------------------------------------------------------- the registry
def test_names_are_sorted_canonical_and_filtered_by_facts():
    assert list_losses() == sorted(list_losses())
    assert "mse" not in list_losses()
    assert set(list_losses(smooth=False)) >= {"absolute_error", "pinball", "hinge"}
    assert "huber" in list_losses("regression", standardized=True)
    assert "huber" not in list_losses("classification")


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


@pytest.mark.parametrize("wrong", [Huber, 3, None, np.abs])
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


@pytest.mark.parametrize("name", REGRESSION + CLASSIFICATION)
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


# ------------------------------------------------------------------------------------------------ fifty digits
@pytest.mark.parametrize("raw", [-1e20, -745.5, -40.0, -1.0, -1e-9, 0.0, 1e-12, 0.3, 5.0, 37.0, 800.0, 1e20])
@pytest.mark.parametrize("y", [0.0, 1.0])
def test_log_loss_and_log_cosh_agree_with_fifty_digits(raw, y):
    mpmath = pytest.importorskip("mpmath", reason="mpmath is in the extra 'bench'")
    with mpmath.workdps(50):
        f = mpmath.mpf(raw)
        softplus = (f if f > 0 else mpmath.mpf(0)) + mpmath.log1p(mpmath.exp(-abs(f)))
        log_loss = softplus - y * f if abs(f) < 1e4 else (softplus if y == 0 else (-f if f < 0 else mpmath.mpf(0)))
        slope = (1 / (1 + mpmath.exp(-f)) if abs(f) < 1e4 else mpmath.mpf(f > 0)) - y
        r = mpmath.mpf(y) - f
        log_cosh = abs(r) + mpmath.log1p(mpmath.exp(-2 * abs(r))) - mpmath.log(2)
        expected = [float(v) for v in (log_loss, slope, log_cosh, -mpmath.tanh(r))]
    targets, raws = np.array([y]), np.array([raw])
    got = [
        LogLoss().loss(targets, raws)[0], LogLoss().gradient(targets, raws)[0],
        LogCosh().loss(targets, raws)[0], LogCosh().gradient(targets, raws)[0],
    ]  # fmt: skip
    # The residual y - raw is itself rounded: log_cosh and tanh are conditioned by r / (y - raw), at most 1 / eps**0.
    np.testing.assert_allclose(got, expected, rtol=1e-14, atol=1e-300)
