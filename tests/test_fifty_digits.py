"""Every pointwise loss against its definition in arithmetic of hundreds of digits.

The definitions below are those of the docstrings, in plain mathematics: no trick that saves digits is needed where
there are enough of them.  Derivatives come from forward differentiation (`Jet`), so they are as exact as the values.
``pytest -s tests/test_fifty_digits.py`` prints the worst relative errors of each loss.

Tolerances, with eps = 2**-52 the spacing of float64 at 1:

- A loss of the residual, or of the margin, is compared at the residual *as rounded* to float64 (the margin is never
  rounded), so no conditioning enters: 1e-14 for the value, 1e-12 for the gradient, 1e-10 for the curvature.  Constants
  such as delta divide the residual, and that quotient is off by up to eps / 2, so its functions g by eps / 2 times
  abs(r g'(r)).  Four such roundings are allowed where g vanishes but r does not: for every curvature (points of
  inflection), and for the gradient of Andrews' wave, which ends at pi * delta, where only a longer pi would help.
- Other losses depend on y_true and raw_prediction separately.  A relative error of eps / 2 in either, or in the link
  of y_true where that is what the raw prediction is compared with, changes the result by eps / 2 times abs(x dl/dx).
  Allowed are eight such roundings, 4 eps times the sum over x = y_true, raw_prediction, on top of 1e-14, 1e-12: that
  is 9e-16 times the condition number.  The curvature of a loss that is barely convex, such as Poly1 at epsilon = 1,
  is a small difference; there x = epsilon counts too.
- Below the smallest normal number the spacing is 2**-1074, whatever the value.  An intermediate result down there is
  off by up to half of that, and may be multiplied: the floor is 4 * 2**-1074 times the largest such factor, the square
  of delta or 1 / delta for a scaled residual, the logarithm of a probability, at most abs(raw_prediction), for one.
- A true value beyond the largest float64 must come out as inf of its sign.
"""

import numpy as np
import pytest
from mpmath import mp, mpf

from sklloss import get_loss, list_losses
from sklloss.losses import Loss

EPS = float(np.finfo(np.float64).eps)
LARGEST = mpf(float(np.finfo(np.float64).max)) * (1 + mpf(EPS) / 4)  # from here on rounding to nearest gives inf
TILT = mpf(2) ** -80  # a relative change so small that only its first order counts
SMALLEST = float(np.finfo(np.float64).tiny)
SUBNORMAL = float(np.finfo(np.float64).smallest_subnormal)
MANY = 350  # digits that tell 1 + x from 1 for every float64 x, and keep 25 of a difference of the smallest
K = 3


# ------------------------------------------------------------------------------------------------ differentiation
class Jet:
    """A number and its first two derivatives by one variable."""

    def __init__(self, value, first=0, second=0):
        self.value, self.first, self.second = value, first, second

    def through(self, f, f1, f2):
        """f of this number, given the value and two derivatives of f there: the chain rule."""
        return Jet(f, f1 * self.first, f2 * self.first * self.first + f1 * self.second)

    def __add__(self, other):
        if not isinstance(other, Jet):
            return Jet(self.value + other, self.first, self.second)
        return Jet(self.value + other.value, self.first + other.first, self.second + other.second)

    def __neg__(self):
        return Jet(-self.value, -self.first, -self.second)

    def __mul__(self, other):
        if not isinstance(other, Jet):
            return Jet(self.value * other, self.first * other, self.second * other)
        a, b = self, other
        second = a.value * b.second + 2 * a.first * b.first + a.second * b.value
        return Jet(a.value * b.value, a.value * b.first + a.first * b.value, second)

    def __pow__(self, n):
        v = self.value
        first = n * v ** (n - 1) if n else 0
        return self.through(v**n, first, n * (n - 1) * v ** (n - 2) if n * (n - 1) else 0)

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return -self + other

    def __truediv__(self, other):
        return self * (other**-1 if isinstance(other, Jet) else 1 / mpf(other))

    def __rtruediv__(self, other):
        return other * self**-1

    def __abs__(self):
        return -self if self.value < 0 else self

    def __lt__(self, other):
        return self.value < jet(other).value

    def __le__(self, other):
        return self.value <= jet(other).value

    def __gt__(self, other):
        return self.value > jet(other).value

    def __ge__(self, other):
        return self.value >= jet(other).value

    __radd__, __rmul__ = __add__, __mul__


def jet(x):
    return x if isinstance(x, Jet) else Jet(mpf(x))


def exp(x):
    e = mp.exp(x.value)
    return x.through(e, e, e)


def log(x):
    x = jet(x)
    return x.through(mp.log(x.value), 1 / x.value, -1 / x.value**2)


def sqrt(x):
    return x ** mpf("0.5")


def cos(x):
    c, s = mp.cos_sin(x.value)
    return x.through(c, -s, -c)


def cosh(x):
    c, s = mp.cosh(x.value), mp.sinh(x.value)
    return x.through(c, s, c)


def balanced_l1(r, alpha, gamma, beta):
    x, b = abs(r) / beta, mp.exp(gamma / alpha) - 1
    return beta * (alpha / b * (b * x + 1) * log(b * x + 1) - alpha * x if x < 1 else gamma * x + gamma / b - alpha)


def hampel(r, a, b, c):
    x = abs(r)
    if x <= a:
        return x**2 / 2
    if x <= b:
        return a * x - a**2 / 2
    if x <= c:
        return a * (b - a / 2) + a * (x - b) * (1 - (x - b) / (2 * (c - b)))
    return a * (b - a + c) / 2


def barron(r, alpha, delta):
    q, b = (r / delta) ** 2, abs(alpha - 2)
    if alpha == 2:
        return q / 2
    if alpha == 0:
        return log(q / 2 + 1)
    if alpha == -mp.inf:
        return 1 - exp(-q / 2)
    return b / alpha * (exp(alpha / 2 * log(q / b + 1)) - 1)


# Losses of the residual r: definition, where its pieces meet (in abs(r)), and parameters to test it with.
RESIDUAL = {
    "squared_error": (lambda r: r**2, (), [{}]),
    "absolute_error": (abs, (0,), [{}]),
    "huber": (
        lambda r, delta: r**2 / 2 if abs(r) <= delta else delta * (abs(r) - delta / 2),
        ("delta",),
        [{}, {"delta": 0.01}, {"delta": 5.0}, {"delta": 1e3}],
    ),
    "smooth_l1": (
        lambda r, beta: r**2 / (2 * beta) if abs(r) < beta else abs(r) - beta / 2,
        ("beta",),
        [{}, {"beta": 0.0}, {"beta": 0.11}, {"beta": 30.0}],
    ),
    "pseudo_huber": (
        lambda r, delta: delta**2 * (sqrt(1 + (r / delta) ** 2) - 1),
        (),
        [{}, {"delta": 0.03}, {"delta": 7.0}, {"delta": 1e3}],
    ),
    "charbonnier": (
        lambda r, epsilon: sqrt(r**2 + epsilon**2),
        (),
        [{}, {"epsilon": 1e-9}, {"epsilon": 0.3}, {"epsilon": 20.0}],
    ),
    "log_cosh": (lambda r: log(cosh(r)), (), [{}]),
    "balanced_l1": (
        balanced_l1,
        ("beta",),
        [{}, {"alpha": 0.01}, {"gamma": 0.2, "beta": 0.1}, {"alpha": 3.0, "beta": 9.0}],
    ),
    "fair": (
        lambda r, delta: delta**2 * (abs(r) / delta - log(1 + abs(r) / delta)),
        (),
        [{}, {"delta": 0.02}, {"delta": 8.0}],
    ),
    "pinball": (
        lambda r, quantile: max(quantile * r, (quantile - 1) * r),
        (0,),
        [{}, {"quantile": 0.01}, {"quantile": 0.9}],
    ),
    "expectile": (lambda r, level: abs(level - (r < 0)) * r**2, (0,), [{}, {"level": 0.01}, {"level": 0.9}]),
    "epsilon_insensitive": (
        lambda r, epsilon: max(0, abs(r) - epsilon),
        ("epsilon",),
        [{}, {"epsilon": 0.0}, {"epsilon": 1e-9}, {"epsilon": 4.0}],
    ),
    "squared_epsilon_insensitive": (
        lambda r, epsilon: jet(max(0, abs(r) - epsilon)) ** 2,
        ("epsilon",),
        [{}, {"epsilon": 0.0}, {"epsilon": 1e-9}, {"epsilon": 4.0}],
    ),
    "cauchy": (
        lambda r, delta: delta**2 / 2 * log(1 + (r / delta) ** 2),
        (),
        [{}, {"delta": 0.03}, {"delta": 11.0}],
    ),
    "welsch": (
        lambda r, delta: delta**2 / 2 * (1 - exp(-((r / delta) ** 2))),
        (),
        [{}, {"delta": 0.03}, {"delta": 27.0}],
    ),
    "geman_mcclure": (
        lambda r, delta: r**2 / 2 / (1 + (r / delta) ** 2),
        (),
        [{}, {"delta": 0.03}, {"delta": 11.0}],
    ),
    "tukey": (
        lambda r, delta: delta**2 / 6 * (1 - (1 - (r / delta) ** 2) ** 3 if abs(r) <= delta else 1),
        ("delta",),
        [{}, {"delta": 0.03}, {"delta": 60.0}],
    ),
    "hampel": (hampel, ("a", "b", "c"), [{}, {"a": 0.3, "b": 0.3, "c": 0.7}, {"a": 1.7, "b": 3.4, "c": 85.0}]),
    "andrews": (
        lambda r, delta: delta**2 * (1 - cos(r / delta) if abs(r) <= mp.pi * delta else 2),
        (lambda delta: np.pi * delta,),
        [{}, {"delta": 0.03}, {"delta": 20.0}],
    ),
    "barron": (
        barron,
        (),
        [
            *({"alpha": alpha} for alpha in (1.0, 0.0, 1e-8, -1e-8, 1e-300, 2.0, 2 - 1e-9, 2 + 1e-9, 2 - 2**-51, -2.0)),
            *({"alpha": alpha} for alpha in (-1e3, -1e9, -1e300, -np.inf, 1 + 1e-9, 5.0)),
            *({"alpha": 1.25, "delta": 0.03}, {"alpha": -0.75, "delta": 12.0}, {"alpha": 0.25, "delta": 1e3}),
            {"alpha": -1e6, "delta": 12.0},
        ],
    ),
    "lsgan": (lambda r: r**2, (), [{}]),
}

# Losses of the margin m.
MARGIN = {
    "hinge": (lambda m: max(0, 1 - m), (1,), [{}]),
    "squared_hinge": (lambda m: jet(max(0, 1 - m)) ** 2, (1,), [{}]),
    "smoothed_hinge": (
        lambda m, gamma: 0 if m >= 1 else (1 - m) ** 2 / (2 * gamma) if m > 1 - gamma else 1 - m - gamma / 2,
        (1, lambda gamma: 1 - gamma),
        [{}, {"gamma": 0.01}, {"gamma": 0.3}, {"gamma": 7.0}],
    ),
    "modified_huber": (lambda m: jet(max(0, 1 - m)) ** 2 if m >= -1 else -4 * m, (1, -1), [{}]),
    "exponential": (lambda m: exp(-m), (), [{}]),
    "perceptron": (lambda m: max(0, -m), (0,), [{}]),
    "ramp": (lambda m: min(1, max(0, 1 - m)), (0, 1), [{}]),
}


def poisson(y, f):
    return 2 * ((y * (log(y) - f) if y else 0) - y + exp(f))


def gamma(y, f):
    return 2 * (f - log(y) + y * exp(-f) - 1)


def tweedie(y, f, power):
    p = power
    if p in (1, 2):
        return poisson(y, f) if p == 1 else gamma(y, f)
    if p == 0:
        return (y - f) ** 2
    if p < 0:
        return 2 * (
            max(y, mpf(0)) ** (2 - p) / ((1 - p) * (2 - p)) - y * f ** (1 - p) / (1 - p) + f ** (2 - p) / (2 - p)
        )
    constant = y ** (2 - p) / ((1 - p) * (2 - p)) if y else 0
    return 2 * (constant - y * exp((1 - p) * f) / (1 - p) + exp((2 - p) * f) / (2 - p))


def log_loss(y, f, label_smoothing, class_weight, ignore_label):
    s, weight = label_smoothing, class_weight or [1, 1]
    share = [(1 - s) * c + s / 2 for c in (1 - y, y)]
    return weight[0] * share[0] * log(1 + exp(f)) + weight[1] * share[1] * log(1 + exp(-f))


def focal(y, f, gamma, alpha):
    weight = [1, 1] if alpha is None else [1 - alpha, alpha]
    p = [1 / (1 + exp(f)), 1 / (1 + exp(-f))]
    return sum(-w * c * o**gamma * log(q) for w, c, q, o in zip(weight, (1 - y, y), p, p[::-1], strict=True))


def poly1(y, f, epsilon):
    p = [1 / (1 + exp(f)), 1 / (1 + exp(-f))]
    return sum(c * (-log(q) + epsilon * o) for c, q, o in zip((1 - y, y), p, p[::-1], strict=True))


TWO = [0.0, 1.0]
SHARES = [0.0, 0.3, 0.5, 1.0]
COUNTS = [0.0, 1e-3, 0.3, 1.0, 7.0, 1e5]

# Losses of y_true and raw_prediction f, two classes where they are of classes: definition, targets, parameters.
RAW = {
    "absolute_percentage_error": (
        lambda y, f: abs(y - f) / max(abs(y), mpf(2) ** -52),
        [-2.0, 1e-300, 0.3, 1.0, 1e5],
        [{}],
    ),
    "squared_log_error": (lambda y, f: (log(1 + y) - f) ** 2, [-0.999, 0.0, 1e-9, 0.3, 1.0, 1e5], [{}]),
    "poisson": (poisson, COUNTS, [{}]),
    "gamma": (gamma, COUNTS[1:], [{}]),
    "tweedie": (
        tweedie,
        lambda power: COUNTS if 0 < power < 2 else COUNTS[1:] if power >= 2 else [-3.0, 0.0, 0.3, 1.0, 7.0],
        [{"power": p} for p in (1.5, 1.0, 1.01, 1.9, 2.0, 2.2, 3.0, 6.5, 0.0, -0.5, -1.0, -3.0)],
    ),
    "log_loss": (
        log_loss,
        SHARES,
        [
            {},
            {"label_smoothing": 0.1},
            {"class_weight": [2.0, 0.3]},
            {"label_smoothing": 0.3, "class_weight": [0.0, 9.0]},
        ],
    ),
    "focal": (focal, SHARES, [{}, {"gamma": 0.0}, {"gamma": 0.5}, {"gamma": 1.0, "alpha": 0.25}, {"gamma": 5.0}]),
    "poly1": (poly1, SHARES, [{}, {"epsilon": -1.0}, {"epsilon": -0.4}, {"epsilon": 9.0}, {"epsilon": -2.7}]),
    "brier": (lambda y, f: (y - 1 / (1 + exp(-f))) ** 2, SHARES, [{}]),
    "crammer_singer": (lambda y, f: max(0, 1 - (2 * y - 1) * f), TWO, [{}]),
}


def softmax(f, k):
    """p, 1 - p and -log p of class k."""
    others = sum(exp(other - f[k]) for j, other in enumerate(f) if j != k)
    return 1 / (1 + others), others / (1 + others), log(1 + others)


def over_classes(y, f, term):
    """Sum over the classes of their share times term(p, 1 - p, -log p)."""
    return sum(share * term(*softmax(f, k)) for k, share in enumerate(y) if share)


def log_loss_k(y, f, label_smoothing, class_weight, ignore_label):
    s, weight = label_smoothing, class_weight or [1] * K
    return over_classes([w * ((1 - s) * c + s / K) for w, c in zip(weight, y, strict=True)], f, lambda p, q, n: n)


def crammer_singer_k(y, f):
    own = max(range(K), key=lambda k: y[k])
    return max(0, 1 - f[own] + max(f[k] for k in range(K) if k != own))


# Losses of K = 3 classes, y the targets of the classes.
CLASSES = {
    "log_loss": (
        log_loss_k,
        [
            {},
            {"label_smoothing": 0.1},
            {"class_weight": [2.0, 0.3, 1.0]},
            {"label_smoothing": 0.3, "class_weight": [0.0, 9.0, 1.0]},
        ],
    ),
    "focal": (
        lambda y, f, gamma, alpha: over_classes(y, f, lambda p, q, n: q**gamma * n),
        [{}, {"gamma": 0.0}, {"gamma": 0.5}, {"gamma": 5.0}],
    ),
    "poly1": (lambda y, f, epsilon: over_classes(y, f, lambda p, q, n: n + epsilon * q), RAW["poly1"][2]),
    "brier": (lambda y, f: sum((c - softmax(f, k)[0]) ** 2 for k, c in enumerate(y)), [{}]),
    "crammer_singer": (crammer_singer_k, [{}]),
}


# ----------------------------------------------------------------------------------------------------------- grids
SIZES = np.array(
    [
        5e-324, 1e-310, 1e-300, 1e-160, 1e-100, 1e-30, 1e-15, 1e-12, 1e-9, 1e-6, 1e-3, 0.01, 0.04, 0.09, 0.11, 0.17,
        0.3, 0.51, 0.7, 0.99, 1.0, 1.01, 1.6, 2.4, 3.3, 5.0, 7.9, 12.0, 20.0, 37.0, 80.0, 300.0, 709.0, 746.0, 1e4, 1e5,
        1e9, 1e14, 1e20,
    ]
)  # fmt: skip
GRID = np.concatenate([-SIZES[::-1], [0.0], SIZES])

ROWS = np.array(
    [
        [0.0, 0.0, 0.0], [0.3, -0.2, 1.0], [1e-9, 0.0, -1e-9], [5e-324, 0.0, -1e-300], [1.0, 1.7, 1.5],
        [5.0, -3.0, 1.0], [0.2, 9.0, -4.0], [-1.0, 2.0, 21.0], [37.0, 0.0, -1.0], [0.0, 37.0, 36.5],
        [-90.0, 1.0, 2.0], [300.0, 1.0, 0.0], [709.0, 0.0, -3.0], [-746.0, 1.0, 0.0], [1e5, -1e5, 3.0],
        [1.0, 1e5, 1e5], [1e20, 0.0, 1.0], [0.0, -1e20, 1.0], [0.5, 0.0, 1e20], [-1e20, 1e20, 0.0], [1e20, 1e20, -1e20],
    ]
)  # fmt: skip


def around(seams):
    """Numbers at the seams and on both sides of them: next to them, and within 1e-9."""
    near = [[s, np.nextafter(s, -np.inf), np.nextafter(s, np.inf), s * (1 - 1e-9), s * (1 + 1e-9)] for s in seams]
    return np.array(near).ravel()


def resolve(seams, params):
    """Seams as numbers, from numbers, names of parameters, and functions of parameters."""
    return [float(params[s] if isinstance(s, str) else s(**params) if callable(s) else s) for s in seams]


def exactly(params):
    """Parameters as numbers of high precision."""
    lift = {float: mpf, list: lambda values: [mpf(v) for v in values]}
    return {key: lift.get(type(value), lambda v: v)(value) for key, value in params.items()}


def digits(x):
    """Digits to compute with at a raw prediction: fewer where neither it nor exp of it is extreme."""
    return 120 if 1e-20 < abs(x) < 100 else MANY


# ------------------------------------------------------------------------------------------------------ comparison
ORDERS = (("value", 1e-14), ("gradient", 1e-12), ("curvature", 1e-10))


def compare(loss, what, at, got, exact, allowed):
    """Fail at the first number of got that is further from its exact value than allowed."""
    worst = 0.0
    for where, number, e, limit in zip(at, got.tolist(), exact, allowed, strict=True):
        if abs(e) >= LARGEST:
            right, relative = number == (np.inf if e > 0 else -np.inf), 0.0
        else:
            error = abs(number - e)
            right, relative = error <= limit, float(error / abs(e or 1))
        if not right:
            pytest.fail(
                f"{loss!r}: {what} at {where}: {number!r}, exactly {mp.nstr(e, 17)}; relative error {relative:.1e}, "
                f"allowed {float(limit / abs(e or 1)):.1e}"
            )
        if abs(e) > SMALLEST and limit <= 2 * dict(ORDERS)[what] * abs(e):
            worst = max(worst, relative)
    print(f"{loss!r}: worst relative error of the {what}, where it is well conditioned, {worst:.1e}")


def derivatives(definition, *arguments, **params):
    """Value and two derivatives by the last argument."""
    *others, x = arguments
    e = jet(definition(*others, Jet(x, 1), **params))
    return e.value, e.first, e.second


def sensitivity(exact, *tilted):
    """Change of value and derivatives, to first order, by a relative change of each input that was tilted."""
    return [sum(abs(t[i] - e) for t in tilted) / TILT for i, e in enumerate(exact)]


def at_seam(x, seams):
    """Within four roundings of where pieces meet: there a rounded quotient may lie on the other side."""
    return any(abs(x - s) <= 4 * EPS * abs(s) for s in seams)


def settings(table):
    return [
        pytest.param(name, entry[:-1], params, id=f"{get_loss(name, **params)!r}")
        for name, entry in table.items()
        for params in entry[-1]
    ]


def check_one_variable(loss, definition, points, seams, got, factor):
    """Value, gradient and curvature of a loss of the residual or of the margin alone; got are all three, at points."""
    full = loss.get_params(deep=False)
    exponent = max(abs(full.get("alpha", 1.0)), 1e-300)  # Barron's takes as many digits as it has decimals
    extra = int(abs(np.log10(exponent))) if np.isfinite(exponent) else 0
    with mp.workdps(MANY + extra):
        params, numbers = exactly(full), [mpf(x) for x in points.tolist()]
        exact = [derivatives(definition, x, **params) for x in numbers]
        tilted = [derivatives(definition, x * (1 + TILT), **params) for x in numbers]
        changes = [sensitivity(*pair) for pair in zip(exact, tilted, strict=True)]
        away = np.array([not at_seam(x, seams) for x in points])
        for i, (what, limit) in enumerate(ORDERS[: 2 + loss.smooth]):
            rows = np.flatnonzero(away | (i == 0) | (loss.smooth and i == 1))
            rounding = 2 * EPS if i == 2 or (i == 1 and loss.name == "andrews") else 0.0
            allowed = [limit * abs(exact[j][i]) + rounding * changes[j][i] + 4 * SUBNORMAL * factor for j in rows]
            compare(loss, what, points[rows], got[i][rows], [exact[j][i] for j in rows], allowed)


# ----------------------------------------------------------------------------------------------------------- tests
@pytest.mark.parametrize(("name", "entry", "params"), settings(RESIDUAL))
def test_losses_of_the_residual_agree_with_fifty_digits(name, entry, params):
    definition, seams = entry
    loss = get_loss(name, **params)
    full = loss.get_params(deep=False)
    seams = resolve(seams, full)
    seams = np.array([*seams, *(-s for s in seams)])
    r = np.unique(np.concatenate([GRID, around(seams)]))
    y = np.zeros_like(r)  # so that the residual is -raw_prediction exactly
    width = full.get("delta", full.get("beta", 1.0)) or 1.0
    factor = max(width, 1 / width) ** 2
    got = loss.loss(y, -r), -loss.gradient(y, -r), loss.hessian(y, -r)
    check_one_variable(loss, definition, r, seams, got, factor)


@pytest.mark.parametrize(("name", "entry", "params"), settings(MARGIN))
def test_losses_of_the_margin_agree_with_fifty_digits(name, entry, params):
    definition, seams = entry
    loss = get_loss(name, **params)
    seams = resolve(seams, loss.get_params(deep=False))
    m = np.unique(np.concatenate([GRID, around(seams)]))
    for sign in (-1, 1):
        y = np.full_like(m, (1 + sign) / 2)
        got = loss.loss(y, sign * m), sign * loss.gradient(y, sign * m), loss.hessian(y, sign * m)
        check_one_variable(loss, definition, m, seams, got, 1.0)


@pytest.mark.parametrize("name", [name for name in RESIDUAL if get_loss(name).argument(np.zeros(1))[0] == 0])
def test_losses_of_the_residual_depend_on_it_alone(name):
    loss = get_loss(name)
    y = np.repeat([1.0, -3.5, 1e5, -1e20], len(GRID))
    f = np.tile(GRID, 4)
    zero = np.zeros_like(y)
    for method in (loss.loss, loss.gradient, loss.hessian):
        np.testing.assert_array_equal(method(y, f), method(y - f, zero))


def points_of(loss, targets):
    """Targets and raw predictions: all pairs with the grid, and raw predictions near the best."""
    best = np.array(targets)
    if loss.response_method == "predict":
        low = loss.interval_y_pred.low
        best = loss.raw(np.where(loss.interval_y_pred.includes(best), best, 1.0 + max(low, -1.0)))
    steps = [0.0, 1e-12, -1e-8, 1e-5, -1e-3, 0.02, -0.1, 0.3]
    f = np.concatenate([np.tile(GRID, len(targets)), *(best * (1 + step) + step for step in steps)])
    y = np.concatenate([np.repeat(targets, len(GRID)), np.tile(targets, len(steps))])
    if loss.link.name == "identity" and loss.response_method == "predict" and not loss.interval_y_pred.is_real_line:
        inside = loss.interval_y_pred.includes(f) & (f > SMALLEST)  # a power of less has no digits to compare
        return y[inside], f[inside]
    return y, f


@pytest.mark.parametrize(("name", "entry", "params"), settings(RAW))
def test_losses_of_target_and_raw_prediction_agree_with_fifty_digits(name, entry, params):
    definition, targets = entry
    loss = get_loss(name, **params)
    full = loss.get_params(deep=False)
    y, f = points_of(loss, targets(**full) if callable(targets) else targets)
    at = [f"y_true = {a}, raw_prediction = {b}" for a, b in zip(y.tolist(), f.tolist(), strict=True)]
    params = exactly(full)
    with mp.workdps(MANY):
        up = 1 + TILT
        constants = {key: value * up if key == "epsilon" else value for key, value in params.items()}
    moved = {"log": lambda y: y**up, "log1p": lambda y: (1 + y) ** up - 1}.get(loss.link.name, lambda y: y * up)
    exact, changes = [], []
    for a, b in zip(map(mpf, y.tolist()), map(mpf, f.tolist()), strict=True):
        with mp.workdps(digits(b)):
            e = derivatives(definition, a, b, **params)
            by_y = sensitivity(e, derivatives(definition, moved(a), b, **params)) if a else (0, 0, 0)
            by_constants = derivatives(definition, a, b, **constants) if "epsilon" in params else e
            bend = by_y[2] + sensitivity(e, by_constants)[2]
            changes.append((by_y[0] + abs(b * e[1]), by_y[1] + abs(b * e[2]), bend))
            exact.append(e)
    floor = 4 * SUBNORMAL * (1 + np.minimum(np.abs(f), 746))

    def regular(a, b):
        """Whether the slopes on both sides are equal, of a piecewise linear loss."""
        sides = [derivatives(definition, a, b + side * TILT * (abs(b) or SUBNORMAL), **params)[1] for side in (-1, 1)]
        return sides[0] == sides[1]

    def check(i, got):
        what, limit = ORDERS[i]
        rows = [j for j in range(len(f)) if loss.smooth or i == 0 or regular(mpf(y[j]), mpf(f[j]))]
        allowed = [limit * abs(exact[j][i]) + 4 * EPS * changes[j][i] + floor[j] for j in rows]
        compare(loss, what, [at[j] for j in rows], got[rows], [exact[j][i] for j in rows], allowed)

    with mp.workdps(MANY):
        check(0, loss.loss(y, f))
        check(1, loss.gradient(y, f))
        if loss.smooth:
            check(2, loss.hessian(y, f))
        if type(loss).value_gradient is not Loss.value_gradient:  # a second path to the same numbers
            one_row = [loss.value_gradient(y[[j]], f[[j]], np.ones(1)) for j in range(len(f))]
            check(0, np.array([value for value, _ in one_row]))
            check(1, np.concatenate([gradient for _, gradient in one_row]))


def derivatives_k(definition, y, f, **params):
    """Value, gradient and Hessian by K raw predictions: those along the axes and their diagonals tell them all."""

    def along(*axes):
        return jet(definition(y, [Jet(x, int(k in axes)) for k, x in enumerate(f)], **params))

    with mp.workdps(max((digits(x) for x in f if x), default=120)):
        axis = [along(k) for k in range(K)]
        hessian = [[axis[k].second for _ in range(K)] for k in range(K)]
        for k, j in ((0, 1), (0, 2), (1, 2)):
            hessian[k][j] = hessian[j][k] = (along(k, j).second - axis[k].second - axis[j].second) / 2
        return axis[0].value, [a.first for a in axis], hessian


@pytest.mark.parametrize(("name", "entry", "params"), settings(CLASSES))
def test_losses_of_three_classes_agree_with_fifty_digits(name, entry, params):
    (definition,) = entry
    loss = get_loss(name, **params)
    targets = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.1, 0.2, 0.7], [0.0, 0.5, 0.5]])
    targets = targets if loss.smooth else targets[:K]
    y, f = np.repeat(targets, len(ROWS), axis=0), np.tile(ROWS, (len(targets), 1))
    at = [f"y_true = {a}, raw_prediction = {b}" for a, b in zip(y.tolist(), f.tolist(), strict=True)]
    with mp.workdps(MANY):
        params = exactly(loss.get_params(deep=False))
        pairs = [([mpf(v) for v in a], [mpf(v) for v in b]) for a, b in zip(y.tolist(), f.tolist(), strict=True)]
        exact = [derivatives_k(definition, a, b, **params) for a, b in pairs]
        floor = 4 * SUBNORMAL * (1 + np.minimum(np.abs(f).max(axis=1), 746))
        changes = [
            (
                sum(abs(x * s) for x, s in zip(b, slopes, strict=True)),
                [sum(map(abs, map(mp.mpf.__mul__, b, h))) for h in bends],
            )
            for (_, b), (_, slopes, bends) in zip(pairs, exact, strict=True)
        ]
        value, gradient = loss.loss(y, f), loss.gradient(y, f)
        allowed = [1e-14 * abs(e[0]) + 4 * EPS * c[0] + low for e, c, low in zip(exact, changes, floor, strict=True)]
        compare(loss, "value", at, value, [e[0] for e in exact], allowed)
        own = np.where(y == 1, f, np.inf).min(axis=1)
        best = np.where(y == 1, -np.inf, f).max(axis=1)
        # a kink is where two rivals are equal, or the best just reaches the margin
        regular = [i for i in range(len(f)) if loss.smooth or (len(set(f[i])) == K and own[i] - best[i] != 1)]
        for k in range(K):
            allowed = [1e-12 * abs(exact[i][1][k]) + 4 * EPS * changes[i][1][k] + floor[i] for i in regular]
            slopes = [exact[i][1][k] for i in regular]
            compare(loss, "gradient", [at[i] for i in regular], gradient[regular, k], slopes, allowed)
        if loss.smooth:
            if "epsilon" in params:
                constants = {"epsilon": params["epsilon"] * (1 + TILT)}
                tilted = [derivatives_k(definition, a, b, **constants)[2] for a, b in pairs]
            else:
                tilted = [e[2] for e in exact]
            # where all predictions are equal, entries vanish that are differences of the rounded probabilities 1/3
            flat = np.where(np.ptp(f, axis=1) < 1e-6, 4 * EPS, 0.0)
        for j in range(K if loss.smooth else 0):
            curvature = loss.hessian_product(y, f, np.ones(len(f)), np.tile(np.eye(K)[j], (len(f), 1)))
            for k in range(K):
                bends = [e[2][k][j] for e in exact]
                by_constants = [abs(t[k][j] - h) / TILT for t, h in zip(tilted, bends, strict=True)]
                allowed = [
                    1e-10 * abs(h) + 4 * EPS * c + low
                    for h, c, low in zip(bends, by_constants, floor + flat, strict=True)
                ]
                compare(loss, "curvature", at, curvature[:, k], bends, allowed)
    hard = np.arange(K * len(ROWS))  # as indices the same, but for rounding
    np.testing.assert_allclose(loss.loss(y[hard].argmax(axis=1), f[hard]), value[hard], rtol=1e-15)
    np.testing.assert_allclose(loss.gradient(y[hard].argmax(axis=1), f[hard]), gradient[hard], rtol=1e-15)


def test_every_pointwise_loss_of_the_package_is_compared():
    losses = [get_loss(name) for name in list_losses()]
    ours = [loss for loss in losses if loss.elementwise and type(loss).__module__.startswith("sklloss.")]
    assert {loss.name for loss in ours} <= RESIDUAL.keys() | MARGIN.keys() | RAW.keys()
    assert {loss.name for loss in ours if loss.multiclass} <= CLASSES.keys()


def single_precision_cases():
    for table in (RESIDUAL, MARGIN, RAW, CLASSES):
        for name, *rest in ((name, *entry) for name, entry in table.items()):
            for params in rest[-1]:
                loss = get_loss(name, **params)
                if table is RESIDUAL:  # delta is rounded as well, so leave out where it is a kink
                    seams = [] if loss.smooth else resolve(rest[1], loss.get_params(deep=False))
                    f = np.array([f for f in GRID if not any(0 < abs(abs(f) - s) < 1e-6 * s for s in seams)])
                    f = f[~np.isin(np.abs(f), seams)] if seams != [0.0] else f
                    y = np.zeros_like(f)
                elif table is MARGIN:
                    y, f = np.repeat([0.0, 1.0], len(GRID)), np.tile(GRID, 2)
                elif table is RAW:
                    targets = rest[1](**loss.get_params(deep=False)) if callable(rest[1]) else rest[1]
                    y, f = points_of(loss, targets)
                else:
                    y, f = np.tile(np.arange(K), len(ROWS)), np.repeat(ROWS, K, axis=0)
                kind = "K classes" if table is CLASSES else "one column"
                yield pytest.param(loss, y, f, id=f"{loss!r}, {kind}")


@pytest.mark.parametrize(("loss", "y", "f"), list(single_precision_cases()))
def test_single_precision_keeps_its_dtype_and_its_digits(loss, y, f):
    """Against the same formulas in double precision, at the same numbers; any warning is an error.

    Allowed are 16 roundings of eps / 2 of the result and of its input: of the raw prediction, and of what it is
    compared with, which is the link of y_true for a regression loss, and at most 1 for a margin or a probability.
    """
    single = np.finfo(np.float32)
    y, f = y if y.dtype.kind == "i" else y.astype(np.float32), f.astype(np.float32)
    wide_y, wide_f = y if y.dtype.kind == "i" else y.astype(np.float64), f.astype(np.float64)

    def orders(y, f):
        """Value, gradient, and curvature along each axis."""
        axes = [np.ones_like(f)] if f.ndim == 1 else [np.tile(axis, (len(f), 1)) for axis in np.eye(K, dtype=f.dtype)]
        bends = [loss.hessian_product(y, f, np.ones(len(f), f.dtype), axis) for axis in axes]
        return loss.loss(y, f), loss.gradient(y, f), *bends

    with np.errstate(over="raise", divide="raise", invalid="raise"):
        got, exact = orders(y, f), orders(wide_y, wide_f)
    for values in got:
        assert values.dtype == np.float32
        assert not np.isnan(values).any()
    level = 1.0
    if loss.response_method == "predict":
        level = np.abs(wide_y if loss.link.name == "identity" else loss.raw(np.maximum(wide_y, SMALLEST)))
    size = np.abs(wide_f) + level
    with np.errstate(over="ignore", invalid="ignore"):
        slope = np.abs(size * exact[1])
        bend = size * np.abs(exact[2]) if f.ndim == 1 else sum(size[:, [k]] * np.abs(exact[2 + k]) for k in range(K))
    for what, numbers, e, change in zip(
        ("value", "gradient"), got, exact, (slope if f.ndim == 1 else slope.sum(axis=1), bend), strict=False
    ):
        allowed = 8 * float(single.eps) * (np.abs(e) + change) + 100 * float(single.smallest_subnormal)
        over = np.abs(e) > float(single.max)
        right = np.where(over, numbers == np.copysign(np.inf, e), np.abs(numbers - np.where(over, 0, e)) <= allowed)
        wrong = np.argwhere(~right)
        assert not len(wrong), f"{what} at y_true = {y[wrong[0][0]]}, raw_prediction = {f[wrong[0][0]]}: " + (
            f"{numbers[tuple(wrong[0])]}, exactly {e[tuple(wrong[0])]}, allowed {allowed[tuple(wrong[0])]}"
        )
