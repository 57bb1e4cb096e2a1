"""Checks of gradient and curvature against differences in the raw prediction, and of subgradients at kinks."""

from functools import partial

import numpy as np

from ._machinery import check, check_of_rows, compare, require
from ._probes import EPS, along, difference, extrapolated, value_gradient
from ._samples import N_ROWS, SAMPLE_SET, SOME, as_weights, directions, samples, special_points

__all__ = [  # noqa: RUF022  (in the order in which they run)
    "check_gradient",
    "check_subgradient",
    "check_curvature",
    "check_hessian_product",
]

SIDE = 1e-5  # of the one-sided differences at a kink


@check_of_rows
def check_gradient(loss):
    """The gradient is that of the loss, away from kinks."""
    for y, raw in samples(loss):
        for direction in directions(raw):
            expected, error = difference(partial(loss.loss, y), raw, direction)
            got, where = along(loss.gradient(y, raw), direction), {"y_true": y, "raw_prediction": raw}
            compare("gradient against differences of loss", got, expected, 1e-7, error, **where)
            known = np.mean(error <= 1e-5 * np.maximum(1, np.abs(expected)))
            require(known >= 0.5, "most rows must have a derivative", known, ">= 0.5 of the rows")


@check_of_rows
def check_subgradient(loss):
    """At a kink the gradient is a subgradient; of a loss that is not convex, between the slopes on both sides."""
    for y, raw in samples(loss):
        for i in SOME:
            points = special_points(loss, y[[i]], raw[[i]])
            t = np.repeat(y[[i]], len(points), axis=0)
            values, slopes = loss.loss(t, points), loss.gradient(t, points)
            if loss.convex:
                _lies_below(t, points, values, slopes)
            else:
                for direction in directions(points):
                    _lies_between(loss, t, points, values, slopes, direction)


def _lies_below(y, points, values, slopes):
    """Require that the tangent at each point lies nowhere above the loss."""
    tangent, others, losses = extrapolated(points, values, slopes)
    slack = 1e-12 + 1e-11 * (np.abs(tangent) + np.abs(losses) + np.abs(values[:, None]))
    ok = ~(tangent > losses + slack)  # what overflows proves nothing
    where = {"y_true": y, "touches_at": points, "gradient": slopes, "raw_prediction": others}
    require(ok, "a tangent must lie below a convex loss", tangent, losses, **where)


def _lies_between(loss, y, points, values, slopes, direction):
    """Require that the gradient lies between the slopes on both sides of each point."""
    sides = []
    with np.errstate(all="ignore"):  # where the range of the loss ends
        for s in (-SIDE, SIDE):
            one, two = (loss.loss(y, points + k * s * direction) for k in (1, 2))
            sides.append((4 * one - two - 3 * values) / (2 * s))
    got, low, high = along(slopes, direction), np.minimum(*sides), np.maximum(*sides)
    slack = 1e-5 * np.maximum(1, np.abs(got)) + 4 * EPS / SIDE * values
    ok = (got >= low - slack) & (got <= high + slack) | ~np.isfinite(low + high)
    where, expected = {"y_true": y, "raw_prediction": points}, np.column_stack([low, high])
    require(ok, "the gradient must lie between the slopes on both sides", got, expected, **where)


@check
def check_curvature(loss):
    """hessian and hessian_product, or curvature of sets, are the derivative of the gradient, away from its kinks."""
    if not loss.elementwise:
        _curvature_of_sets(loss)
        return
    for y, raw in samples(loss) if loss.has_curvature else ():
        for direction in directions(raw):
            expected, error = difference(partial(loss.gradient, y), raw, direction)
            found = {"hessian_product": loss.hessian_product(y, raw, np.ones(N_ROWS), direction)}
            if raw.ndim == 1 and hasattr(loss, "hessian"):
                found["hessian"] = loss.hessian(y, raw)
            where = {"y_true": y, "raw_prediction": raw}
            for what, got in found.items():
                compare(f"{what} against differences of gradient", got, expected, 1e-7, error, **where)


def _curvature_of_sets(loss):
    """The matrix diag(diagonal) + U C U' for two classes, or one output, times a direction."""
    y, raw = samples(loss)[0]
    if raw.ndim > 1 or not hasattr(loss, "curvature"):
        return
    rng = np.random.default_rng(13)
    weight, direction = as_weights(loss, rng.uniform(0.5, 2.0, N_ROWS)), rng.normal(size=N_ROWS)
    diagonal, U, C = loss.curvature(y, raw, weight, SAMPLE_SET)
    got = diagonal * direction + U @ (C @ (U.T @ direction))
    expected, error = difference(lambda raw: value_gradient(loss, y, raw, weight)[1], raw, direction)
    compare("curvature against differences of gradient", got, expected, 1e-7, error, y_true=y, raw_prediction=raw)


@check_of_rows
def check_hessian_product(loss):
    """The product is symmetric, linear in weight and direction, and where the loss is convex nowhere negative."""
    rng = np.random.default_rng(6)
    for y, raw in samples(loss) if loss.has_curvature else ():
        u, v = rng.normal(size=(2, *raw.shape))
        weight, ones = rng.uniform(0.5, 2.0, N_ROWS), np.ones(N_ROWS)
        Hu, Hv = (loss.hessian_product(y, raw, ones, direction) for direction in (u, v))
        uHu, uHv, vHu = along(Hu, u), along(Hv, u), along(Hu, v)
        slack = 1e-11 * (np.abs(uHu) + np.abs(along(Hv, v)) + np.abs(uHv))  # what cancels is of that size
        where = {"y_true": y, "raw_prediction": raw}
        compare("hessian_product must be symmetric", vHu, uHv, 0.0, slack, **where)
        got = along(loss.hessian_product(y, raw, weight, 2 * u), v)
        compare("hessian_product is linear in weight and direction", got, 2 * weight * vHu, 0.0, 4 * slack, **where)
        ok = uHu >= -slack if loss.convex else True
        require(ok, "a convex loss has no negative curvature", uHu, ">= 0", **where, direction=u)
