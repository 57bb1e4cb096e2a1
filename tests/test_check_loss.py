"""Every loss of the package passes the conformance suite, and the suite catches losses that are broken."""

import re
import warnings

import numpy as np
import pytest

from sklloss import check_loss, get_loss, testing
from sklloss.losses import (
    CTC,
    PSNR,
    AbsoluteError,
    Asymmetric,
    Barron,
    Brier,
    CrammerSinger,
    Dice,
    EpsilonInsensitive,
    Expectile,
    Focal,
    GemanMcClure,
    Hampel,
    Hinge,
    Huber,
    LogCosh,
    LogLoss,
    Lovasz,
    Pinball,
    Poisson,
    Poly1,
    PredictionVariation,
    Ramp,
    ResidualLoss,
    SetLoss,
    SmoothedHinge,
    SmoothL1,
    SquaredEpsilonInsensitive,
    SquaredError,
    SquaredHinge,
    Tversky,
    Tweedie,
)
from sklloss.losses._derived import Scaled
from sklloss.testing import CHECKS, parametrize_losses

from .common import CLASSIFICATION, REGRESSION, SETS

pytest_plugins = ["pytester"]

VARIANTS = [  # parameters at which facts change, and constants far from those of the data
    Huber(0.2), Huber(1e3), SmoothL1(0.0), SmoothL1(0.1), SmoothL1(3.0), Pinball(0.01), Pinball(0.9),
    Hampel(0.1, 0.1, 0.2), Hampel(20.0, 40.0, 80.0), EpsilonInsensitive(0.0), EpsilonInsensitive(2.0),
    SquaredEpsilonInsensitive(0.0), Expectile(0.9), *[Barron(alpha) for alpha in (-np.inf, -2.0, 0.0, 1.5, 2.0)],
    *[Tweedie(power) for power in (-1.0, 0.0, 1.0, 1.9, 2.0, 3.0)],
    Focal(gamma=0.0), Focal(gamma=0.5), Focal(alpha=0.25), Focal(gamma=0.0, alpha=0.25),
    Poly1(-1.0), Poly1(-0.5), Poly1(1.05), Poly1(3.0), SmoothedHinge(0.5), SmoothedHinge(2.0),
    LogLoss(label_smoothing=0.1), LogLoss(class_weight=[1, 3]), LogLoss(class_weight=[1, 3, 0.5]),
    LogLoss(class_weight={0: 1.0, 1: 2.0}), LogLoss(ignore_label=-1),
    Scaled(Huber(1.35), 0.3), Scaled(Pinball(0.3), 2.0), Scaled(SquaredError(), 7.0),
    Asymmetric(Huber(), 0.9), Asymmetric(EpsilonInsensitive(0.5), 0.3), Asymmetric(SquaredError(), 0.5),
    SquaredError() + AbsoluteError(), 0.5 * Pinball(0.1) + 0.5 * Pinball(0.9), 0.7 * LogLoss() + 0.3 * Brier(),
    Dice(squared=True), Dice(smoothing=0), Dice(smoothing=0, squared=True), Dice(smoothing=3.0), Tversky(0.3, 0.7),
    Tversky(1.0, 0.0, smoothing=0.5), CTC(blank=2), CTC(zero_infinity=True), PSNR(data_range=255),
    0.5 * LogLoss() + 0.5 * Dice(), LogLoss() + CTC(), SquaredError() + 0.1 * PSNR(),
    PredictionVariation(), PredictionVariation(order=3), PredictionVariation((2, 3), [1.0, 0.5]),
    PredictionVariation((2, 2), isotropic=True), Huber() + 0.1 * PredictionVariation((2, 2), isotropic=True),
]  # fmt: skip


@parametrize_losses([*REGRESSION, *CLASSIFICATION, *SETS, *VARIANTS])
def test_a_loss_is_what_it_claims_to_be(loss, check):
    check(loss)


@pytest.mark.parametrize("name", REGRESSION + CLASSIFICATION + SETS)
def test_a_loss_of_the_package_says_what_it_is_for(name):
    assert len(get_loss(name).use) > 10


# ------------------------------------------------------------------- broken losses, none of which takes a name
class _Square(ResidualLoss):
    """The squared error, to be broken."""

    quadratic = True
    rho, psi, psi_prime = SquaredError.rho, SquaredError.psi, SquaredError.psi_prime
    fit_intercept_only = SquaredError.fit_intercept_only


class ConvertsItsParameter(Huber):
    def __init__(self, delta=1):
        self.delta = float(delta)


class ForgetsItsParameter(Huber):
    def __init__(self, delta=2.0):
        self.delta = delta

    def __reduce__(self):
        return type(self), ()


class UseOfTwoLines(Huber):
    use = "mean of the bulk\nand an outlier is capped"


class Impostor(_Square):
    pass


Impostor.name = "huber"  # not filed: that happens where a class is defined


class TakesAnyTarget(Poisson):
    def check_y_true(self, y_true, fit=False):
        pass


class NamesNoRow(Poisson):
    def check_y_true(self, y_true, fit=False):
        if (y_true < 0).any():
            raise ValueError("There are negative targets.")


class KeepsAColumn(Huber):
    def loss(self, y_true, raw_prediction):
        return super().loss(y_true, raw_prediction)[:, None]


class AveragesColumns(Huber):
    def loss(self, y_true, raw_prediction):
        rows = super().loss(y_true, raw_prediction)
        return rows if raw_prediction.ndim == 1 else rows / raw_prediction.shape[1]


class LosesFloat32(Huber):
    def rho(self, r):
        return super().rho(r).astype(np.float64)


class WritesItsInput(Huber):
    def loss(self, y_true, raw_prediction):
        raw_prediction -= y_true
        return self.rho(raw_prediction)


class SteepGradient(Huber):
    def psi(self, r):
        return 1.001 * super().psi(r)


class SteepAtItsKink(AbsoluteError):
    def psi(self, r):
        return np.where(r == 0, 1.5, np.sign(r)).astype(r.dtype)


class RisesAtItsKink(Ramp):
    def phi_prime(self, m):
        return np.where(m == 1, 0.5, super().phi_prime(m)).astype(m.dtype)


class TwiceTheCurvature(Huber):
    def psi_prime(self, r):
        return 2 * super().psi_prime(r)


class CrookedProduct(LogLoss):
    def hessian_product(self, y_true, raw_prediction, weight, direction):
        product = super().hessian_product(y_true, raw_prediction, weight, direction)
        return product if direction.ndim == 1 else product + 0.01 * np.roll(direction, 1, axis=1)


class ProductWithoutWeight(Huber):
    def hessian_product(self, y_true, raw_prediction, weight, direction):
        return self.hessian(y_true, raw_prediction) * direction


class ClaimsConvexity(GemanMcClure):
    convex = True


class TimidConvexity(Huber):
    convex = False


class ClaimsSmoothness(AbsoluteError):
    smooth = True


class TimidSmoothness(Huber):
    smooth = False


class ClaimsTranslation(Poisson):
    translates = True


class ClaimsQuadratic(Huber):
    quadratic = True


class TimidQuadratic(_Square):
    quadratic = False


class _OfTheLargest(_Square):
    """Residuals in units of the largest."""

    def loss(self, y_true, raw_prediction):
        return super().loss(y_true, raw_prediction) / np.max(np.abs(y_true - raw_prediction))


class ClaimsRows(_OfTheLargest):
    elementwise = True


class TimidRows(SetLoss):
    def value_gradient(self, y_true, raw_prediction, weight, sample_set=None):
        return SquaredError().value_gradient(y_true, raw_prediction, weight)


class StandardizedTwice(_Square):
    standardized = True


class SmallRelu(AbsoluteError):
    relu = (1.0, 0.0), (-0.9, 0.0)

    def rho(self, r):
        return np.abs(r)

    def psi(self, r):
        return np.sign(r)


class HidesItsKinks(AbsoluteError):
    def kinks(self, y_true):
        return None


class OtherVariation(PredictionVariation):
    def variation(self, y_true, n_outputs):
        return PredictionVariation(order=2).variation(y_true, n_outputs)


class SmoothedFromBelow(PredictionVariation):
    def smoothed(self, width):
        return 0.9 * super().smoothed(width)


class SmoothedTooFarAbove(CrammerSinger):
    def excess(self, n_classes):
        return 0.3 * super().excess(n_classes)


class LowMajorizer(Huber):
    def majorizer(self, y_true, raw_prediction):
        return 0.9 * super().majorizer(y_true, raw_prediction)


class OverflowsToNan(LogCosh):
    def rho(self, r):
        with np.errstate(all="ignore"):
            return np.log(np.cosh(r)) - 0 * np.cosh(r)


class OverflowsToInf(LogCosh):
    def rho(self, r):
        return np.log(np.cosh(r))


class DividesByZero(AbsoluteError):
    def psi(self, r):
        return r / np.abs(r)


class WarnsFarOut(LogCosh):
    def psi_prime(self, r):
        return 1 / np.cosh(np.clip(r, -1000, 1000)) ** 2

    def hessian(self, y_true, raw_prediction):
        return self.psi_prime(y_true - raw_prediction)


class BelowZero(_Square):
    def rho(self, r):
        return super().rho(r) - 1


class FarBelowZero(_Square):
    def rho(self, r):
        return super().rho(r) - 1e3


class OffTheTruth(_Square):
    def target(self, y_true):
        return y_true + 1

    def raw(self, y_pred):
        return y_pred


class TakesTheWrongClass(Hinge):
    relu = ((1.0, 1.0),)


class StartsAtTheTop(Huber):
    def fit_intercept_only(self, y_true, weight):
        return y_true.max(axis=0)


class StartsWithoutWeights(_Square):
    def fit_intercept_only(self, y_true, weight):
        return y_true.mean(axis=0)


class ValueWithoutWeights(Huber):
    def value_gradient(self, y_true, raw_prediction, weight):
        _, gradient = super().value_gradient(y_true, raw_prediction, weight)
        return float(self.loss(y_true, raw_prediction).sum()), gradient


class FastButWrong(LogCosh):
    def value_gradient(self, y_true, raw_prediction, weight):
        value, gradient = super().value_gradient(y_true, raw_prediction, weight)
        return value, gradient + 0.1 * (weight if gradient.ndim == 1 else weight[:, None])


class DividesByRows(Huber):
    def mean(self, y_true, rows, weight):
        return float(weight @ rows) / len(rows)


class SharesItsDenominator(Huber):
    def denominator(self, y_true):
        return np.arange(1.0, len(y_true) + 1)


class NegativeDenominator(Huber):
    def denominator(self, y_true):
        return -np.ones(len(y_true))


class AnotherInverse(Poisson):
    def raw(self, y_pred):
        return np.log1p(y_pred)


class BeyondOne(SquaredHinge):
    def probability(self, raw_prediction):
        return (1 + raw_prediction) / 2


class LogisticByHabit(SquaredHinge):
    def probability(self, raw_prediction):
        return np.exp(-np.logaddexp(0, -raw_prediction))


class ClaimsProbability(Hinge):
    probabilistic = True

    def probability(self, raw_prediction):
        return np.clip((1 + raw_prediction) / 2, 0, 1)


class TimidProbability(SquaredHinge):
    probabilistic = False


# -------------------------------------------------------------------------------------------- of sets of rows
class TakesAnyRegion(Dice):
    def check_y_true(self, y_true, fit=False):
        pass


class LosesFloat32OfSets(Dice):
    def value_gradient(self, y_true, raw_prediction, weight, sample_set=None):
        value, gradient = super().value_gradient(y_true, raw_prediction, weight, sample_set)
        return value, gradient.astype(np.float64)


class RoundsFloat32OfSets(Dice):
    def value_gradient(self, y_true, raw_prediction, weight, sample_set=None):
        rounded = np.round(raw_prediction) if raw_prediction.dtype == np.float32 else raw_prediction
        return super().value_gradient(y_true, rounded, weight, sample_set)


class _Alters(Dice):
    """A Dice loss with values and gradients of its sets that are changed."""

    def per_set(self, y_true, raw_prediction, weight, sets):
        return self.altered(*super().per_set(y_true, raw_prediction, weight, sets), sets)


class SmoothsOneHotRows(Dice):
    def per_set(self, y_true, raw_prediction, weight, sets):
        return super().per_set(y_true if y_true.ndim == 1 else 0.9 * y_true, raw_prediction, weight, sets)


class SteepSets(_Alters):
    def altered(self, values, gradient, sets):
        return values, 1.001 * gradient


class SteepSetsWithKinks(Lovasz):
    def per_set(self, y_true, raw_prediction, weight, sets):
        values, gradient = super().per_set(y_true, raw_prediction, weight, sets)
        return values, 1.001 * gradient


class BiasedSets(_Alters):
    def altered(self, values, gradient, sets):
        return values, gradient + 0.1 / len(gradient)


class BelowZeroOfSets(_Alters):
    def altered(self, values, gradient, sets):
        return values - 2, gradient


class BelowZeroInASet(_Alters):
    def altered(self, values, gradient, sets):
        return values - 0.2, gradient


class CostsMoreAmongOthers(_Alters):
    def altered(self, values, gradient, sets):
        return len(sets) * values, len(sets) * gradient


class CurvesTwice(Dice):
    def curvature(self, y_true, raw_prediction, weight, sample_set=None):
        diagonal, U, C = super().curvature(y_true, raw_prediction, weight, sample_set)
        return 2 * diagonal, U, C


class ClaimsConvexityOfSets(Dice):
    convex = True


class ClaimsSmoothnessOfSets(Lovasz):
    smooth = True


class TimidSmoothnessOfSets(Dice):
    smooth = False


class _MeanSquare(SetLoss):
    """The squared error as a loss of sets, with facts of its own."""

    translates = True

    def per_set(self, y_true, raw_prediction, weight, sets):
        r, mass = y_true - raw_prediction, sets.sum(weight)
        return sets.sum(weight * r * r) / mass, -2 * weight * r / mass[sets.index]


class TimidQuadraticOfSets(_MeanSquare):
    convex = True


class ClaimsTranslationOfSets(PSNR):
    def per_set(self, y_true, raw_prediction, weight, sets):
        return super().per_set(2 * y_true, raw_prediction, weight, sets)


class WarnsFarOutInSets(Dice):
    def per_set(self, y_true, raw_prediction, weight, sets):
        p = 1 / (1 + np.exp(-raw_prediction))
        return super().per_set(y_true, np.log(p) - np.log1p(-p), weight, sets)


class IsNothingAlone(_Alters):
    def altered(self, values, gradient, sets):
        return values, np.where(np.bincount(sets.index)[sets.index] == 1, np.nan, gradient.T).T


class TakesTheWrongRegion(Dice):
    def per_set(self, y_true, raw_prediction, weight, sets):
        values, gradient = super().per_set(y_true, -raw_prediction, weight, sets)
        return values, -gradient


class StartsInTheMiddle(Dice):
    def fit_intercept_only(self, y_true, weight, n_outputs=1, sample_set=None):
        return np.zeros(n_outputs) if n_outputs > 1 else 0.0


class ForgetsWeights(Dice):
    def per_set(self, y_true, raw_prediction, weight, sets):
        return super().per_set(y_true, raw_prediction, (weight > 0) * 1.0, sets)


class CountsLabels(Dice):
    def counts(self, weight, sets):
        return np.arange(1.0, len(sets) + 1)


class CountsLargeSetsMore(Dice):
    def counts(self, weight, sets):
        return sets.sum(weight)


class IgnoresSets(Dice):
    def value_gradient(self, y_true, raw_prediction, weight, sample_set=None):
        return super().value_gradient(y_true, raw_prediction, weight)


class CountsRows(Dice):
    def per_set(self, y_true, raw_prediction, weight, sets):
        return super().per_set(y_true, raw_prediction, weight * np.linspace(1, 2, len(weight)), sets)


class HearsTheSilent(Dice):
    def per_set(self, y_true, raw_prediction, weight, sets):
        return super().per_set(y_true, raw_prediction, weight + 1e-3, sets)


class MindsAFactor(Dice):
    def value_gradient(self, y_true, raw_prediction, weight, sample_set=None):
        value, gradient = super().value_gradient(y_true, raw_prediction, weight, sample_set)
        return weight.sum() * value, weight.sum() * gradient


BROKEN = [
    (ConvertsItsParameter(2), testing.check_parameters, "must store delta as it is: got = 2.0, expected = 2"),
    (ForgetsItsParameter(3.0), testing.check_parameters, "pickle must keep the parameters: .*delta=3.0"),
    (UseOfTwoLines(), testing.check_names, "use must be one line"),
    (Impostor(), testing.check_names, "each name must lead to its class: name = huber, got = .*Huber"),
    (
        TakesAnyTarget(),
        testing.check_domain,
        "y_true outside its domain .* got = no error, expected = row 1 has -5e-324",
    ),
    (NamesNoRow(), testing.check_domain, "got = There are negative targets., expected = row 1 has -5e-324"),
    (
        KeepsAColumn(),
        testing.check_shapes,
        r"the shape of loss: raw_prediction = \(60,\), got = \(60, 1\), expected = \(60,\)",
    ),
    (AveragesColumns(), testing.check_shapes, "loss is the sum over columns"),
    (LosesFloat32(), testing.check_dtypes, "loss must keep the dtype: got = float64, expected = float32"),
    (WritesItsInput(), testing.check_inputs, "inputs must be left untouched"),
    (SteepGradient(), testing.check_gradient, "gradient against differences of loss: y_true = .* raw_prediction"),
    (SteepAtItsKink(), testing.check_subgradient, "a tangent must lie below a convex loss: .*gradient = -1.5"),
    (
        RisesAtItsKink(),
        testing.check_subgradient,
        r"between the slopes on both sides: .*got = 0.5, expected = \[-1. +0.\]",
    ),
    (TwiceTheCurvature(), testing.check_curvature, "hessian_product against differences .* got = 2.0, expected = "),
    (CrookedProduct(), testing.check_hessian_product, "must be symmetric"),
    (ProductWithoutWeight(), testing.check_hessian_product, "linear in weight and direction"),
    (ClaimsConvexity(), testing.check_convex, "lies above a chord: .*chord_ends = .*losses = .*slopes"),
    (TimidConvexity(), testing.check_convex, "convex is False, but nothing .* got = 0.0"),
    (ClaimsSmoothness(), testing.check_smooth, r"the gradient jumps: .* got = -?0.0, expected = -1.0"),
    (TimidSmoothness(), testing.check_smooth, "smooth is False, but nothing"),
    (ClaimsQuadratic(), testing.check_quadratic, r"no positive constant: .* got = 0.0, expected = 1.0"),
    (TimidQuadratic(), testing.check_quadratic, "quadratic is False, but nothing .* got = 2.0"),
    (ClaimsRows(), testing.check_elementwise, "elementwise is True, but two parts do not add up"),
    (TimidRows(), testing.check_elementwise, "elementwise is False, but two parts add up"),
    (StandardizedTwice(), testing.check_standardized, r"multiple of r\*\*2 / 2 near 0: .* got = \[2"),
    (SmallRelu(), testing.check_kinks, "loss is the sum of its relu: y_true = "),
    (HidesItsKinks(), testing.check_kinks, "must hand its kinks to the solvers: relu = .* got = None"),
    (OtherVariation(), testing.check_kinks, "loss is the sum of its variation: y_true = "),
    (SmoothedFromBelow(), testing.check_smoothed, "smoothed lies above the loss by at most width .* width = 0.01"),
    (SmoothedTooFarAbove(), testing.check_smoothed, "smoothed lies above the loss by at most width"),
    (LowMajorizer(), testing.check_majorizer, "parabola of majorizer must lie above the loss: .*touches_at"),
    (OverflowsToNan(), testing.check_extremes, "loss must never be NaN in float64: .* got = nan"),
    (OverflowsToInf(), testing.check_extremes, "finite in float64 where it does not overflow: .* got = inf"),
    (DividesByZero(), testing.check_extremes, "must not warn in float64: y_true = .* got = invalid value"),
    (WarnsFarOut(), testing.check_extremes, "must not warn in float64: .* got = overflow"),
    (BelowZero(), testing.check_nonnegative, "must not be negative: y_true = .* got = -0"),
    (OffTheTruth(), testing.check_right_prediction, "a perfect prediction must cost nothing"),
    (TakesTheWrongClass(), testing.check_right_prediction, "the right class .* got = 4.0, expected = 0.0"),
    (StartsAtTheTop(), testing.check_intercept, "must attain the minimum: constant = .* lower_at = "),
    (StartsWithoutWeights(), testing.check_intercept, "must attain the minimum: constant = .* lower_at = "),
    (ValueWithoutWeights(), testing.check_value_gradient, "against the weighted sum of loss"),
    (FastButWrong(), testing.check_value_gradient, "against weighted gradients"),
    (DividesByRows(), testing.check_weights, "k copies equal a weight of k"),
    (SharesItsDenominator(), testing.check_denominator, "the denominator of a row is its own"),
    (NegativeDenominator(), testing.check_denominator, "a row counts 0 or more: y_true = .* got = -1.0"),
    (AnotherInverse(), testing.check_response, "raw must invert response"),
    (BeyondOne(), testing.check_probability, r"a probability lies in \[0, 1\]"),
    (LogisticByHabit(), testing.check_probability, "the share of which raw_prediction is the minimiser"),
    (ClaimsProbability(), testing.check_probability, "got = True, expected = False"),
    (TimidProbability(), testing.check_probability, "got = False, expected = True"),
    (ClaimsTranslation(), testing.check_translates, "translates is True, but a shift changes the loss: y_true = "),
    (FastButWrong(), testing.check_fit, "no step improves a fit: solver = newton"),
    (ClaimsQuadratic(), testing.check_fit, "a fit converges without a warning: solver = least_squares"),
    (FarBelowZero(), testing.check_search, "a score is minus the loss"),
    (TakesAnyRegion(), testing.check_domain, "y_true outside its domain .* got = no error, expected = row 1 has -5e"),
    (SmoothsOneHotRows(), testing.check_shapes, "one-hot equals indices"),
    (LosesFloat32OfSets(), testing.check_dtypes, "value_gradient must keep the dtype: got = float64"),
    (RoundsFloat32OfSets(), testing.check_dtypes, "float32 against float64"),
    (CurvesTwice(), testing.check_curvature, "curvature against differences of gradient"),
    (ClaimsConvexityOfSets(), testing.check_convex, "lies above a chord"),
    (_MeanSquare(), testing.check_convex, "convex is False, but nothing .* got = 0.0"),
    (ClaimsSmoothnessOfSets(), testing.check_smooth, "the gradient jumps"),
    (TimidSmoothnessOfSets(), testing.check_smooth, "smooth is False, but nothing"),
    (TimidQuadraticOfSets(), testing.check_quadratic, "quadratic is False, but nothing"),
    (ClaimsTranslationOfSets(), testing.check_translates, "translates is True, but a shift changes the loss"),
    (WarnsFarOutInSets(), testing.check_extremes, "must not warn in float64: y_true = .* got = "),
    (IsNothingAlone(), testing.check_extremes, "value_gradient of single rows must never be NaN in float64"),
    (BelowZeroOfSets(), testing.check_nonnegative, "must not be negative: rows = 60"),
    (BelowZeroInASet(), testing.check_nonnegative, "must not be negative: y_true = "),
    (TakesTheWrongRegion(), testing.check_right_prediction, "the right prediction must cost no more than another"),
    (StartsInTheMiddle(), testing.check_intercept, "must attain the minimum: constant = 0.0, lower_at = "),
    (SteepSets(), testing.check_value_gradient, "value_gradient against its differences: first_row = 0"),
    (SteepSetsWithKinks(), testing.check_value_gradient, "value_gradient against its differences"),
    (ForgetsWeights(), testing.check_weights, "k copies equal a weight of k"),
    (CountsLabels(), testing.check_sets, "names of the sets change nothing"),
    (CountsLargeSetsMore(), testing.check_sets, "the loss is the mean of its sets"),
    (IgnoresSets(), testing.check_sets, "the loss is the mean of its sets"),
    (CostsMoreAmongOthers(), testing.check_sets, "a set costs what it costs alone"),
    (CountsRows(), testing.check_order_of_rows, "the order of rows changes no value"),
    (HearsTheSilent(), testing.check_weights_of_sets, "a row of weight 0 is left out"),
    (MindsAFactor(), testing.check_weights_of_sets, "a factor of all weights changes no value"),
    (BiasedSets(), testing.check_fit, "no step improves a fit: solver = lbfgs"),
    (BelowZeroOfSets(), testing.check_search, "a score is minus the loss"),
]


@pytest.mark.parametrize(("loss", "check", "message"), BROKEN, ids=lambda part: type(part).__name__)
def test_a_broken_loss_is_caught_by_the_check_for_it(loss, check, message):
    with pytest.raises(AssertionError) as caught:
        check(loss)
    told = str(caught.value)
    assert told.startswith(f"{loss!r} fails {check.__name__}: ")
    assert re.search(r"got = .+, expected = .+", told), told
    assert re.search(message, told), told


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_every_check_has_been_seen_to_fail_and_bears_a_public_name(check):
    assert check in [caught_by for _, caught_by, _ in BROKEN]
    assert getattr(testing, check.__name__) is check
    assert check.__name__.startswith("check_")
    assert check.__doc__


def test_check_loss_runs_every_check():
    for loss, _, _ in BROKEN:
        with pytest.raises(AssertionError, match=" fails check_"):
            check_loss(loss)


# ---------------------------------------------------------------------------------------- what is not a failure
def _unknown(base):
    return type(base.__name__, (base,), {"definite": False})()


@pytest.mark.parametrize(
    ("base", "check"),
    [
        (TimidConvexity, testing.check_convex),
        (TimidSmoothness, testing.check_smooth),
        (TimidQuadratic, testing.check_quadratic),
        (TimidRows, testing.check_elementwise),
        (TimidProbability, testing.check_probability),
    ],
)
def test_a_fact_that_is_unknown_may_be_false(base, check):
    check(_unknown(base))


def test_a_fact_that_is_claimed_is_tested_even_where_others_are_unknown():
    for base, check in ((ClaimsConvexity, testing.check_convex), (ClaimsSmoothness, testing.check_smooth)):
        with pytest.raises(AssertionError, match="is True, but"):
            check(_unknown(base))


def test_a_loss_defined_inside_a_function_passes():
    class Local(ResidualLoss):
        quadratic = True
        rho, psi, psi_prime = SquaredError.rho, SquaredError.psi, SquaredError.psi_prime

    check_loss(Local())


def _cubic(y_true, raw_prediction):
    return np.abs(y_true - raw_prediction) ** 3


def test_a_plain_function_passes_with_facts_that_are_unknown():
    check_loss(_cubic)
    check_loss(lambda y_true, raw_prediction: np.abs(y_true - raw_prediction))


def test_a_loss_that_no_solver_can_fit_passes_as_a_metric():
    class Unsmoothed(CrammerSinger):
        @property
        def smoothed(self):
            raise AttributeError

    check_loss(Unsmoothed())


def test_check_loss_takes_a_name_and_refuses_what_is_no_loss():
    check_loss("huber")
    testing.check_gradient("huber")
    with pytest.raises(ValueError, match="Did you mean 'huber'"):
        check_loss("hubber")
    with pytest.raises(TypeError, match="is a class; pass an instance"):
        check_loss(Huber)
    with pytest.raises(ValueError, match="'delta' parameter of Huber must be"):
        check_loss(Huber(-1.0))


def test_a_check_leaves_the_warning_filters_alone():
    before = list(warnings.filters)
    check_loss("ramp")
    assert warnings.filters == before


# ------------------------------------------------------------------------------------------- parametrize_losses
def test_parametrize_losses_makes_a_case_of_each_loss_and_check():
    @parametrize_losses([Huber(2.0), "mae"])
    def a_test(loss, check):
        pass

    (mark,) = a_test.pytestmark
    assert mark.args[0] == ("loss", "check")
    cases = mark.args[1]
    assert len(cases) == 2 * len(CHECKS)
    assert [case.values[1] for case in cases] == [*CHECKS, *CHECKS]
    assert {type(case.values[0]) for case in cases} == {Huber, AbsoluteError}
    assert [cases[6].id, cases[len(CHECKS)].id] == ["Huber(delta=2.0)-gradient", "mae-parameters"]
    assert len({case.id for case in cases}) == len(cases)


def test_the_name_of_a_case_does_not_change_from_one_run_to_the_next():
    @parametrize_losses([_cubic, get_loss(_cubic)])
    def a_test(loss, check):
        pass

    ids = [case.id for case in a_test.pytestmark[0].args[1]]
    assert ids[:: len(CHECKS)] == ["_cubic-parameters", "FunctionLoss(function=<function _cubic>)-parameters"]


def test_parametrize_losses_runs_in_a_test_of_ones_own(pytester):
    pytester.makepyfile(
        """
        from sklloss.losses import ResidualLoss
        from sklloss.testing import parametrize_losses


        class Cubic(ResidualLoss):
            def rho(self, r):
                return abs(r) ** 3

            def psi(self, r):
                return 3 * r * abs(r)

            def psi_prime(self, r):
                return 5 * abs(r)  # not 6


        @parametrize_losses([Cubic()])
        def test_my_loss(loss, check):
            check(loss)
        """
    )
    result = pytester.runpytest("-q", "-k", "gradient or curvature")
    result.assert_outcomes(passed=3, failed=1, deselected=len(CHECKS) - 4)
    result.stdout.fnmatch_lines(["*test_my_loss[[]Cubic()-curvature]*", "*hessian_product against differences*"])
