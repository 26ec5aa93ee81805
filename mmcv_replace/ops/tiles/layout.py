"""Tiles of feature maps and of CARAFE's masks, between which its sums are products of matrices.

A tile has `Layout.tile` pixels a side, at least kernel_size - 1. The tiles of a map begin half a
kernel before its corner, so that a tile and the next ones to the right and below hold all pixels
that the output of a tile of the map depends on. `features` of these four times the `band`, a matrix
with the kernels of all its pixels in their places among zeros, are that output. Both are made by
views, paddings and copies of slices, and so are their adjoints; nothing is gathered.

N stands for images times groups of channels, C for the channels of a group, B for all tiles of all
of them, t for the side of a tile, s for the scale.
"""
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Layout(NamedTuple):
    """What is constant in a call."""

    kernel: int
    groups: int
    scale: int

    @property
    def tile(self) -> int:
        """Pixels along a side of a tile."""
        return max(4, self.kernel - 1)

    def tiles(self, pixels: int) -> int:
        """Number of tiles that cover a row or a column."""
        return (pixels + self.tile - 1) // self.tile


def neighbours(maps: Tensor, tile: int) -> Tensor:
    """[N, C, (a + 1) t, (b + 1) t] -> [B, 2t 2t, C]: pixels of four tiles at each of a b places."""
    tiles = maps.unflatten(3, (-1, tile)).unflatten(2, (-1, tile))
    tiles = tiles.permute(0, 2, 4, 3, 5, 1).contiguous()
    pairs = torch.cat([tiles[:, :, :-1], tiles[:, :, 1:]], dim=4)  # N, a + 1, b, t, 2t, C
    fours = torch.cat([pairs[:, :-1], pairs[:, 1:]], dim=3)
    return fours.flatten(3, 4).flatten(0, 2)


def add_neighbours(fours: Tensor, rows: int, columns: int, tile: int) -> Tensor:
    """Adjoint of `neighbours`: sum of what each pixel got in four places."""
    fours = fours.view(-1, rows, columns, 2, tile, 2 * tile, fours.shape[2])
    pairs = F.pad(fours[:, :, :, 0], (0, 0) * 4 + (0, 1))
    pairs[:, 1:] += fours[:, :, :, 1]
    tiles = F.pad(pairs[..., :tile, :], (0, 0) * 3 + (0, 1))
    tiles[:, :, 1:] += pairs[..., tile:, :]
    return tiles.permute(0, 5, 1, 3, 2, 4).flatten(4, 5).flatten(2, 3)


def band(masks: Tensor, layout: Layout) -> Tensor:
    """[N, k k, a t s, b t s] -> [B, t s t s, 2t 2t]: what each output pixel takes of each pixel."""
    k, tile, scale = layout.kernel, layout.tile, layout.scale
    kernels = masks.unflatten(3, (-1, tile, scale)).unflatten(2, (-1, tile, scale))
    # N, a, b, then the place of the output pixel: within a pixel, column, row; then the kernel.
    kernels = kernels.permute(0, 2, 5, 4, 7, 6, 3, 1).flatten(0, 2)
    rows = _shift(kernels, k, 2 * tile * k).unflatten(5, (2 * tile, k)).permute(0, 1, 2, 4, 5, 3, 6)
    both = _shift(rows, 1, 2 * tile)  # B, s, s, t, 2t, t, 2t
    return both.permute(0, 3, 1, 5, 2, 4, 6).flatten(5, 6).flatten(1, 4)


def read_band(matrix: Tensor, rows: int, columns: int, layout: Layout) -> Tensor:
    """Adjoint of `band`: the entries at the places of the kernels."""
    k, tile, scale = layout.kernel, layout.tile, layout.scale
    both = matrix.view(-1, tile, scale, tile, scale, 2 * tile, 2 * tile)
    by_row = _unshift(both.permute(0, 2, 4, 1, 5, 3, 6), 1, k)  # B, s, s, t, 2t, t, k
    kernels = _unshift(by_row.permute(0, 1, 2, 5, 3, 4, 6).flatten(5, 6), k, k * k)
    kernels = kernels.unflatten(0, (-1, rows, columns)).permute(0, 7, 1, 6, 3, 2, 5, 4)
    return kernels.flatten(5, 7).flatten(2, 4)


def _shift(x: Tensor, step: int, width: int) -> Tensor:
    """[..., n, m] -> [..., n, width]: row i moved by i * step to the right, zeros around it."""
    count = x.shape[-2]
    padded = F.pad(x, (0, width + step - x.shape[-1])).flatten(-2)
    return padded[..., :count * width].unflatten(-1, (count, width))


def _unshift(x: Tensor, step: int, width: int) -> Tensor:
    """Adjoint of `_shift`: the values of [..., n, width] in the places to which they were moved."""
    count, wide = x.shape[-2:]
    padded = F.pad(x.flatten(-2), (0, count * step))
    return padded.unflatten(-1, (count, wide + step))[..., :width]


def split(maps: Tensor, side: int) -> Tensor:
    """[N, C, a side, b side] -> [B, C, side side]."""
    tiles = maps.unflatten(3, (-1, side)).unflatten(2, (-1, side)).permute(0, 2, 4, 1, 3, 5)
    return tiles.flatten(4, 5).flatten(0, 2)


def join(tiles: Tensor, rows: int, columns: int, side: int) -> Tensor:
    """[B, C, side side] -> [N, C, a side, b side]."""
    tiles = tiles.view(-1, rows, columns, tiles.shape[1], side, side).permute(0, 3, 1, 4, 2, 5)
    return tiles.flatten(4, 5).flatten(2, 3)
