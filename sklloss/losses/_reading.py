"""What can be read off a function from its values: its derivative, and its kinks.

The derivative is a central difference of fourth order.  Kinks are found row by row, and a reading is checked against
the function at other points.
"""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ._base import Loss
from ._kinks import Kinks

__all__ = ["difference", "quiet", "read_kinks"]

WIDE, NARROW = 1e-3, 1e-6  # widths of the two stencils, in units of the length on which the function changes
EPS = np.finfo(np.float64).eps


# ------------------------------------------------------------------------------------------------- differences
def difference(f, x, unit):
    """Derivative of an elementwise function by central differences of fourth order: 8 evaluations.

    Two widths are tried, both in units of ``unit``: the wide one has little rounding, the narrow one crosses few
    kinks.  Each comes with an estimate of its error, and the better one is taken, row by row.
    """
    (wide, wide_error), (narrow, narrow_error) = (_stencil(f, x, width * unit) for width in (WIDE, NARROW))
    return np.where(wide_error <= narrow_error, wide, narrow)


def _stencil(f, x, h):
    """Central difference of fourth order and an estimate of its error."""
    right, left, far_right, far_left = (f(x + k * h) for k in (1, -1, 2, -2))
    with np.errstate(all="ignore"):  # of a function that is infinite somewhere
        near = (right - left) / ((x + h) - (x - h))  # the widths as they are after rounding
        far = (far_right - far_left) / ((x + 2 * h) - (x - 2 * h))
        slope = (4 * near - far) / 3
        size = np.maximum(np.abs(right), np.abs(left))
        # The two differences of second order disagree by h**2; what is left of the combination is the square of it.
        bend = (near - far) ** 2 / np.maximum(np.abs(near), np.abs(far))
        error = np.where(near == far, 0.0, bend) + 4 * EPS * size / h
    # Where the function is infinite nearby there is no slope to speak of; its value says enough.
    return np.where(np.isfinite(slope), slope, 0.0), np.where(np.isfinite(error), error, np.inf)


# ------------------------------------------------------------------------------------------------- reading kinks
LEVELS = 6  # of intersecting lines: up to 32 kinks in a row
SLOPE = 1e-9  # slopes that differ by this part of the largest are one
LADDER = 10.0 ** np.arange(-10, -2)  # widths of a one-sided difference, in units of the distance to the next point
CHECKED = 0.037, 0.181, 0.293, 0.402, 0.463, 0.541, 0.617, 0.729, 0.853, 0.968  # where a reading is checked
CHUNK = 1 << 14  # rows that are read at once
READ = " of the function, whose kinks were read off its values"


def quiet(function, y_true, raw_prediction):
    """A function of the user's, far from where it was meant for."""
    with np.errstate(all="ignore"):
        return np.asarray(function(y_true, raw_prediction), dtype=np.float64)


def read_kinks(function, y_true, low, high, margin):
    """Read the kinks of rows off a function of (y_true, raw_prediction), between two raw predictions.

    Returns `Kinks`, with a smooth ``rest`` where the function is not piecewise linear; J = 0 without a kink; None
    where rows bend downwards at a kink, or jump.
    """

    def by_chunks(read):
        parts = []
        for start in range(0, len(y_true), CHUNK):
            y = y_true[start : start + CHUNK]
            usual = [np.full_like(y, at) for at in (-1.0, 0.0, 1.0)] if margin else [y]
            parts.append(read(function, y, low, high, usual))
            if parts[-1] is None:
                return None
        J = max(len(part.at) for part in parts)

        def padded(name):  # a kink that a row has not is one without a jump
            arrays = [getattr(part, name) for part in parts]
            return np.hstack([np.pad(array, ((0, J - len(array)), (0, 0))) for array in arrays])

        constant = np.concatenate([part.constant for part in parts])
        return Kinks(padded("at"), padded("low"), padded("high"), constant, origin=READ)

    found = by_chunks(_piecewise_linear)
    if found is not None:
        return found
    found = by_chunks(_kinks_of_curves)
    if found is None or not len(found.at):
        return found
    return replace(found, rest=Rest(function, found, y_true, low, high))


def _piecewise_linear(function, y_true, low, high, usual):
    """The kinks of convex piecewise linear rows; None where the rows are something else.

    The lines along which a row leaves both ends meet at its kink, if it has one; else the row is above that point, and
    the same is done on either side of it.
    """
    n, length = len(y_true), high - low
    left, right = np.full(n, low), np.full(n, high)

    rows = np.arange(n)
    at_left, at_right = function(y_true, left), function(y_true, right)
    up = _one_sided(function, y_true, left, at_left, right - left)
    down = _one_sided(function, y_true, right, at_right, left - right)
    scale = np.maximum(np.abs(up), np.abs(down))  # of slopes
    if not np.all(np.isfinite(scale)):
        return None
    segments: Any = rows, left, at_left, up, right, at_right, down
    kinks = []
    for _ in range(LEVELS):
        rows, left, at_left, up, right, at_right, down = segments
        bent = down - up > SLOPE * scale[rows]
        if np.any(down - up < -SLOPE * scale[rows]):
            return None
        rows, left, at_left, up, right, at_right, down = (part[bent] for part in segments)
        if not len(rows):
            break
        at = left + ((at_right - at_left) - down * (right - left)) / (up - down)
        if not np.all((at > left) & (at < right)):
            return None
        for special in usual:
            at = np.where(np.abs(at - special[rows]) < 1e-9 * length, special[rows], at)
        value = function(y_true[rows], at)
        above = value - (at_left + up * (at - left))
        tolerance = 10 * _rounding(scale[rows], low, high)  # slopes at the ends are known to 1e-13
        if not np.all(above >= -tolerance):
            return None
        touches = above <= tolerance
        kinks.append((rows[touches], at[touches], value[touches]))
        open_ = ~touches
        rows, left, at_left, up, right, at_right, down, at, value = (
            part[open_] for part in (rows, left, at_left, up, right, at_right, down, at, value)
        )
        if not len(rows):
            break
        before = _one_sided(function, y_true[rows], at, value, left - at)
        after = _one_sided(function, y_true[rows], at, value, right - at)
        jumps = after - before > SLOPE * scale[rows]
        kinks.append((rows[jumps], at[jumps], value[jumps]))
        segments = tuple(
            np.concatenate(pair)
            for pair in (
                (rows, rows), (left, at), (at_left, value), (up, after), (at, right), (value, at_right), (before, down),
            )
        )  # fmt: skip
    else:
        return None
    return _assemble(function, y_true, low, high, kinks, scale, usual)


def _rounding(scale, low, high):
    """How well values are known that grow with slopes up to `scale` between two raw predictions."""
    return scale * (1e-12 * (high - low) + 4 * EPS * (abs(low) + abs(high)))


def _one_sided(function, y_true, at, value, distance):
    """Slopes on one side of points, by the widest differences that no kink makes different from narrower ones."""
    slope, known = None, None
    for width in LADDER:
        moved = at + width * distance
        new = function(y_true, moved)
        with np.errstate(all="ignore"):  # the narrowest differences may be 0
            wider = (new - value) / (moved - at)
            rounding = 8 * EPS * (np.abs(new) + np.abs(value)) / np.abs(moved - at)
        if slope is None:
            slope, known = wider, rounding
        else:
            same = ~(np.abs(wider - slope) > known)
            slope, known = np.where(same, wider, slope), np.where(same, rounding, -1.0)  # once different, for good
    return slope


def _assemble(function, y_true, low, high, kinks, scale, usual):
    """`Kinks` from (rows, at, value) triples, if they reproduce the function at other points."""
    n, length = len(y_true), high - low
    none = np.empty(0, int), np.empty(0), np.empty(0)
    rows, at, value = (np.concatenate(parts) for parts in zip(none, *kinks, strict=True))
    order = np.lexsort((at, rows))
    rows, at, value = rows[order], at[order], value[order]
    count = np.bincount(rows, minlength=n)
    place = np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count)
    nodes = np.full((max(1, int(count.max(initial=0))) + 2, n), high)
    nodes[0] = low
    nodes[place + 1, rows] = at
    # Once more from close by, where values are small: far away their rounding is that of the length.
    d = np.minimum(at - nodes[place, rows], nodes[place + 2, rows] - at) / 4
    y = y_true[rows]
    left, right = function(y, at - d), function(y, at + d)
    up, down = (left - function(y, at - 2 * d)) / d, (function(y, at + 2 * d) - right) / d
    with np.errstate(all="ignore"):
        shift = ((left + up * d) - (right - down * d)) / (down - up)
    at = at + np.where(np.abs(shift) < d, shift, 0.0)
    for special in usual:
        at = np.where(np.abs(at - special[rows]) < 1e-9 * length, special[rows], at)
    nodes[place + 1, rows] = at
    values = np.empty(nodes.shape)
    values[0], values[1:] = function(y_true, nodes[0]), function(y_true, nodes[-1])
    values[place + 1, rows] = function(y, at)
    gaps = np.diff(nodes, axis=0)
    slopes = np.diff(values, axis=0) / np.where(gaps > 0, gaps, 1.0)
    for j in range(1, len(slopes)):
        bends = (gaps[j] > 0) & (slopes[j] - slopes[j - 1] > SLOPE * scale)  # else it is no kink, or one found twice
        slopes[j] = np.where(bends, slopes[j], slopes[j - 1])
    slopes[np.abs(slopes) <= 1e-12 * scale] = 0.0
    found = from_slopes(nodes[1:-1], slopes, np.zeros(n))
    if np.any(slopes[0] > 0) or np.any(slopes[-1] < 0):
        return None  # a row without a lower bound
    found = replace(found, constant=values[1] - found.value(nodes[1]))
    near = [special + sign * size * length for special in usual for size in (0.0, 1e-4, 1e-3, 1e-2) for sign in (-1, 1)]
    for raw in [np.full(n, low + share * length) for share in CHECKED] + near:
        if not np.all(np.abs(function(y_true, raw) - found.value(raw)) <= _rounding(scale, low, high)):
            return None
    return found


def from_slopes(at, slopes, constant):
    """`Kinks` of convex rows with the given slopes (J + 1, n) by the raw prediction between the kinks (J, n)."""
    before, after = slopes[:-1], slopes[1:]
    # By z = at - raw_prediction slopes change their sign; a kink off the minimum is flat on the side of the minimum.
    low = np.where(before > 0, before - after, np.minimum(-after, 0.0))
    high = np.where(after < 0, after - before, np.maximum(-before, 0.0))
    return Kinks(at, low, high, constant)


HALVINGS = 30
JUMP = 1e-6  # of the largest slope: less is rounding
# A change of slope, when its width is made a fourth: a jump stays, a curve's becomes a fourth, a step's four times.
STAYS = 0.7, 1.4
MOST = 4  # kinks of a curved row that are looked for


def _kinks_of_curves(function, y_true, low, high, usual):
    """The kinks of curved rows; J = 0 without a kink; None where rows bend downwards at one, or jump.

    They are looked for at the usual places first.  Then, of a grid, the cell around which the slope changes most is
    halved again and again: the change that a curve makes goes with the width of the cell, the jump at a kink stays.
    """
    n, length = len(y_true), high - low
    at, jumps = np.empty((0, n)), np.empty((0, n))

    def rest(raw):
        return function(y_true, raw) - (np.maximum(0.0, raw - at) * jumps).sum(axis=0)

    grid = np.linspace(low, high, 65)
    scale = np.abs(_slopes(rest, grid, n)).max(axis=0)
    if not np.all(np.isfinite(scale)):
        return None
    for trial in range(len(usual) + MOST):
        place = usual[trial] if trial < len(usual) else _sharpest(rest, grid, n)
        jump, wider = (_jump(rest, place, width * length) for width in (1e-5, 4e-5))
        size = np.abs(jump)
        jump = np.where((size >= STAYS[0] * np.abs(wider)) & (size > JUMP * scale), jump, 0.0)
        if np.any(jump < 0) or np.any((jump > 0) & (size > STAYS[1] * np.abs(wider))):
            return None
        if jump.any():
            at, jumps = np.vstack([at, place]), np.vstack([jumps, jump])
        elif trial >= len(usual):
            break
    return Kinks(at, -jumps, np.zeros_like(jumps), np.zeros(n))  # jump * max(0, raw - at) is jump * max(0, -z)


def _slopes(f, grid, n):
    """Slopes of n rows in the cells of a grid, (len(grid) - 1, n)."""
    values = np.array([f(np.full(n, point)) for point in grid])
    with np.errstate(invalid="ignore"):  # of a function that is infinite somewhere
        return np.diff(values, axis=0) / np.diff(grid)[:, None]


def _sharpest(f, grid, n):
    """The point of each row at which the slope changes most sharply, to 1e-8 of the grid."""
    cell = np.abs(np.diff(_slopes(f, grid, n), axis=0)).argmax(axis=0)
    a, b = grid[cell], grid[cell + 2]
    for _ in range(HALVINGS):
        quarter = (b - a) / 4
        f0, f1, f2, f3, f4 = (f(a + k * quarter) for k in range(5))
        # the change of slope in the left half, around the middle, in the right half
        bends = np.abs(np.array([f2 - 2 * f1 + f0, f3 - 2 * f2 + f1, f4 - 2 * f3 + f2]))
        a = a + bends.argmax(axis=0) * quarter
        b = a + 2 * quarter
        if np.all(b - a <= 1e-8 * (grid[-1] - grid[0])):
            break
    return (a + b) / 2


def _jump(f, at, h):
    """The jump of the slope at a point, by one-sided differences of second order."""
    middle = f(at)
    after = (4 * f(at + h) - f(at + 2 * h) - 3 * middle) / (2 * h)
    before = (3 * middle - 4 * f(at - h) + f(at - 2 * h)) / (2 * h)
    return after - before


class Rest(Loss):
    """What is left of a function when its kinks are taken out, for the very rows whose kinks they are."""

    of_given_rows = True

    def __init__(self, function, kinks, y_true, low, high):
        self.function = function
        self.kinked = kinks
        slopes = _slopes(partial(self.loss, y_true), np.linspace(low, high, 65), len(y_true))
        self.convex = bool(np.all(np.diff(slopes, axis=0) >= -1e-7 * np.abs(slopes).max()))

    def loss(self, y_true, raw_prediction):
        return self.function(y_true, raw_prediction) - self.kinked.value(raw_prediction)

    def gradient(self, y_true, raw_prediction):
        return difference(partial(self.loss, y_true), raw_prediction, self._unit(y_true, raw_prediction))

    def hessian(self, y_true, raw_prediction):
        h = WIDE * self._unit(y_true, raw_prediction)
        sides = self.loss(y_true, raw_prediction + h) + self.loss(y_true, raw_prediction - h)
        return (sides - 2 * self.loss(y_true, raw_prediction)) / (h * h)

    def _unit(self, y_true, raw_prediction):
        size = np.maximum(np.abs(y_true), np.abs(raw_prediction))
        return np.maximum(np.abs(y_true - raw_prediction), 1e-2 * size + 1e-3)
