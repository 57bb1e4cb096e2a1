"""Checks of the facts that a loss declares and that solvers choose by.

convex, smooth, quadratic and elementwise are checked in both directions: a fact that is True must not be refuted, and
one that is False must be, unless the loss is not ``definite``.  Then come standardized, translates, kinks, smoothed,
majorizer.
The lines of a loss of sets lead through the raw predictions of all rows of a set.
"""

from functools import partial

import numpy as np

from ._machinery import check, check_of_rows, compare, require
from ._probes import along, difference, extrapolated, losses, on_line, value
from ._samples import MOVES, N_ROWS, SAMPLE_SET, SOME, as_weights, directions, lines, samples, special_points

__all__ = [  # noqa: RUF022  (in the order in which they run)
    "check_convex",
    "check_smooth",
    "check_quadratic",
    "check_elementwise",
    "check_standardized",
    "check_translates",
    "check_kinks",
    "check_smoothed",
    "check_majorizer",
]

FALL, JUMP = 1e-9, 1e-4  # parts of a slope that it must fall, or jump, to prove anything


def _not_too_timid(loss, fact, evidence, found):
    """Require evidence for a fact that is False, and not merely unknown."""
    if not getattr(loss, fact) and loss.definite:
        require(evidence, f"{fact} is False, but nothing along {len(SOME)} lines and more speaks against it", *found)


def _part(change, before, after, typical):
    """A change of slope as a part of the slopes before and after, or of a typical one if larger; 0 where unknown."""
    size = np.maximum(np.maximum(np.abs(before), np.abs(after)), typical)
    return np.nan_to_num(change / np.where(size > 0, size, 1))


def _typical(slopes):
    """The typical size of the slopes of each line, (n, 1)."""
    return np.nan_to_num(np.nanmedian(np.abs(slopes), axis=1, keepdims=True))


@check
def check_convex(loss):
    """convex says whether slopes never fall along a line, in both directions."""
    largest = 0.0
    for line in lines(loss):
        found = on_line(loss, line)
        slopes = found[2]
        fall = -np.diff(slopes, axis=1)
        part = _part(fall, slopes[:, :-1], slopes[:, 1:], 1e-4 * _typical(slopes))
        largest = max(largest, part.max())
        if loss.convex and largest > FALL:
            steepest = np.unravel_index(np.argmax(np.where(part > FALL, fall, 0)), fall.shape)
            _fail_with_chord(loss, line, found, *steepest)
    _not_too_timid(loss, "convex", largest > FALL, (largest, f"a fall of > {FALL} of the slope"))


def _fail_with_chord(loss, line, found, row, a):
    """Fail with the chord from move a to the next along the line of a row, and the loss in the middle above it."""
    ends, losses, slopes = (each[row, a : a + 2] for each in found)
    middle = np.array([[MOVES[a : a + 2].mean()]])
    between, got, _ = (each[0, 0] for each in on_line(loss, [part[[row]] for part in line], middle))
    where = {"y_true": line[0][row], "raw_prediction": between}
    where |= {"chord_ends": ends.tolist(), "losses": losses.tolist(), "slopes": slopes.tolist()}
    what = "convex is True, but slopes fall and the loss lies above a chord"
    require(False, what, got, f"<= {losses.mean()}", **where)


@check
def check_smooth(loss):
    """smooth says whether the gradient is continuous along a line, in both directions."""
    largest = 0.0
    for line in lines(loss):
        slopes = on_line(loss, line)[2]
        rows, at = np.nonzero(_part(np.abs(np.diff(slopes)), slopes[:, :-1], slopes[:, 1:], _typical(slopes)) > JUMP)
        if len(rows) == 0:
            continue
        steep, moves = [part[rows] for part in line], np.column_stack([MOVES[at], MOVES[at + 1]])
        moves, ends = _narrowed(loss, steep, moves, np.column_stack([slopes[rows, at], slopes[rows, at + 1]]))
        jump = _part(np.abs(np.diff(ends)), ends[:, :1], ends[:, 1:], _typical(slopes)[rows])[:, 0]
        largest = max(largest, jump.max())
        ok, raw = jump <= JUMP if loss.smooth else True, on_line(loss, steep, moves)[0][:, 0]
        where = {"y_true": steep[0], "raw_prediction": raw}
        require(ok, "smooth is True, but the gradient jumps", ends[:, 1], ends[:, 0], **where)
    _not_too_timid(loss, "smooth", largest > JUMP, (largest, f"a jump of > {JUMP} of the slope"))


def _narrowed(loss, line, moves, slopes):
    """Intervals of moves (m, 2) and the slopes at their ends, halved again and again to where more of the change is.

    A jump stays, a steep slope goes.
    """
    for _ in range(45):
        middle = moves.mean(axis=1, keepdims=True)
        slope = on_line(loss, line, middle)[2]
        first = np.abs(slope - slopes[:, :1]) >= np.abs(slopes[:, 1:] - slope)
        replaced = np.hstack([~first, first])
        moves, slopes = np.where(replaced, middle, moves), np.where(replaced, slope, slopes)
    return moves, slopes


@check
def check_quadratic(loss):
    """quadratic says whether the curvature along each line is a positive constant, in both directions."""
    all_constant, steepest = True, 0.0
    for line in lines(loss):
        raw, _, slopes = (found[:, ::10] for found in on_line(loss, line))
        bend = np.diff(slopes) / np.diff(MOVES[::10])
        least, most = np.nanmin(bend, axis=1), np.nanmax(bend, axis=1)
        constant = (most - least <= 1e-6 * most) & (most > 0)
        first, second = (raw[np.arange(len(raw)), np.argmax(bend == end[:, None], axis=1)] for end in (least, most))
        where = {"y_true": line[0], "raw_prediction": first, "other_raw_prediction": second}
        ok = constant if loss.quadratic else True
        require(ok, "quadratic is True, but the curvature is no positive constant", least, most, **where)
        all_constant, steepest = all_constant and bool(constant.all()), max(steepest, most.max())
    _not_too_timid(loss, "quadratic", not all_constant, (steepest, "two curvatures"))


@check
def check_elementwise(loss):
    """elementwise says whether a set of rows costs the sum of its parts; the loss of a row is then its own."""
    rng = np.random.default_rng(7)
    for y, raw in samples(loss):
        weight, order = as_weights(loss, rng.uniform(0.5, 2.0, N_ROWS)), rng.permutation(N_ROWS)[:20]
        part = np.arange(N_ROWS) < N_ROWS // 3
        whole = value(loss, y, weight, raw)
        parts = sum(value(loss, y[rows], weight[rows], raw[rows], SAMPLE_SET[rows]) for rows in (part, ~part))
        equal = abs(whole - parts) <= 1e-10 * max(1, abs(parts))
        if loss.elementwise:
            require(equal, "elementwise is True, but two parts do not add up", parts, whole)
            got, where = loss.loss(y[order], raw[order]), {"y_true": y[order], "raw_prediction": raw[order]}
            compare("the loss of a row must be its own", got, loss.loss(y, raw)[order], 1e-14, **where)
        elif loss.definite:
            require(not equal, "elementwise is False, but two parts add up", parts, f"not {whole}")


@check_of_rows
def check_standardized(loss):
    """Constants for residuals of scale 1 need a loss that is r**2 / 2 near 0, or the two shares of a quantile of it."""
    if loss.standardized and loss.definite:  # of a sum, those parts are scaled that are standardized
        r = np.array([-1e-6, 1e-6, -1e-5, 1e-5])
        factor = loss.loss(np.zeros(4), -r) / (r**2 / 2)
        total = factor[:2].sum()  # 1 + 1, or quantile + (1 - quantile)
        ok = np.allclose(factor[:2], factor[2:], rtol=1e-2) and min(abs(total - 2), abs(total - 1)) < 1e-2
        require(ok, "a standardized loss is this multiple of r**2 / 2 near 0", factor, "1 for each", residual=r)


@check
def check_translates(loss):
    """A loss that translates does not change when the same number is added to y_true and raw_prediction."""
    for y, raw in samples(loss) if loss.translates else ():
        where = {"y_true": y, "raw_prediction": raw}
        shift = 2.0 ** np.round(np.log2(1 + np.abs(y).max()))  # at most a bit of y and raw is rounded off
        y_far, raw_far = y + shift, raw + shift
        got, expected = losses(loss, y_far, raw_far), losses(loss, y_far - shift, raw_far - shift)
        compare("translates is True, but a shift changes the loss", got, expected, 1e-12, **where)


@check_of_rows
def check_kinks(loss):
    """The loss is the sum that relu declares, with row_weight and argument, and what kinks or variation say of it."""
    for y, raw in samples(loss):
        if raw.ndim == 2:  # kinks of a loss of several classes are not those of a margin
            _is_its_variation(loss, y, raw)
            continue
        expected, kinks = {}, loss.kinks(y)
        if loss.relu is not None:
            what = "a loss that declares relu must hand its kinks to the solvers"
            require(kinks is not None, what, kinks, "kinks(y_true)", relu=loss.relu)
            offset, slope = loss.argument(y)
            t = offset + slope * raw
            expected["relu"] = loss.row_weight(y) * sum(np.maximum(0, c * t + o) for c, o in loss.relu)
        if kinks is not None and len(kinks.at):
            ok = (kinks.low <= 0) & (kinks.high >= 0)
            require(ok, "a kink must bend upwards", kinks.high, ">= 0", low=kinks.low, at=kinks.at)
            expected["kinks"] = kinks.value(raw) + (0 if kinks.rest is None else kinks.rest.loss(y, raw))
        for what, total in expected.items():
            where = {"y_true": y, "raw_prediction": raw}
            compare(f"loss is the sum of its {what}", loss.loss(y, raw), total, 1e-12, **where)


def _is_its_variation(loss, y, raw):
    """Require that a loss of coupled columns is the sum of the norms, kinks and rest that it hands to the solvers."""
    variation = loss.variation(y, raw.shape[1])
    if variation is None:
        return
    total = variation.norms.value(raw)
    total = total + (0 if variation.kinks is None else variation.kinks.value(raw).sum(axis=1))
    total = total + (0 if variation.rest is None else variation.rest.loss(y, raw))
    compare("loss is the sum of its variation", loss.loss(y, raw), total, 1e-12, y_true=y, raw_prediction=raw)


@check_of_rows
def check_smoothed(loss):
    """Of a convex loss of several columns smoothed lies above it, by at most width * excess, and has its gradient."""
    for y, raw in samples(loss) if loss.convex and hasattr(loss, "smoothed") else ():
        asked = raw.ndim == 2 and (loss.response_method == "predict" or y.ndim == 1)  # of class indices, as in a fit
        for width in (1e-2, 1.0) if asked else ():
            smooth, most = loss.smoothed(width), width * loss.excess(raw.shape[1])
            below, got = loss.loss(y, raw), smooth.loss(y, raw)
            where, slack = {"y_true": y, "raw_prediction": raw, "width": width}, 1e-12 * (1 + below)
            ok = (got >= below - slack) & (got <= below + most + slack)
            what = "smoothed lies above the loss by at most width * excess"
            require(ok, what, got, np.column_stack([below, below + most]), **where)
            for direction in directions(raw):
                expected, error = difference(partial(smooth.loss, y), raw, direction)
                got = along(smooth.gradient(y, raw), direction)
                compare("gradient of smoothed against differences of its loss", got, expected, 1e-7, error, **where)


@check_of_rows
def check_majorizer(loss):
    """The parabola with the curvature majorizer that touches a smooth loss somewhere lies above it everywhere."""
    for y, raw in samples(loss) if hasattr(loss, "majorizer") and loss.smooth else ():
        for i in SOME if raw.ndim == 1 else ():
            points = special_points(loss, y[[i]], raw[[i]])
            t = np.full(len(points), y[i])
            values, slopes, curvature = (f(t, points) for f in (loss.loss, loss.gradient, loss.majorizer))
            parabola, others, losses = extrapolated(points, values, slopes, curvature)
            ok = ~(parabola + 1e-12 + 1e-10 * (np.abs(parabola) + values[:, None]) < (1 - 1e-10) * losses)
            where = {"y_true": t, "touches_at": points, "curvature": curvature, "raw_prediction": others}
            require(ok, "the parabola of majorizer must lie above the loss", parabola, losses, **where)
