"""The label without a loss, in a head and its losses, and where it comes from."""
from collections.abc import Sequence

from torch import nn

IGNORED = 255  # the default of mmsegmentation


class FollowsIgnoreIndex:
    """The part of BaseDecodeHead that takes `ignore_index` over from the training data.

    What was configured with an `ignore_index`, be it the head or one of its losses, keeps it.
    """

    loss_decode: nn.Module

    def _init_ignore_index(self, ignore_index: int | None, loss_cfgs: Sequence[dict]) -> None:
        self.ignore_index = IGNORED if ignore_index is None else ignore_index
        self._ignore_index_is_set = ignore_index is not None
        self._losses_are_set = ['ignore_index' in cfg for cfg in loss_cfgs]
        self._followed = IGNORED

    def criteria(self) -> list[nn.Module]:
        """The losses, one or several."""
        several = isinstance(self.loss_decode, nn.ModuleList)
        return list(self.loss_decode) if several else [self.loss_decode]

    def follow_ignore_index(self, ignore_index: int) -> None:
        """Ignore that label wherever none was configured, in losses with such an attribute too.

        A loss whose class has another default than 255 keeps it.
        """
        if not self._ignore_index_is_set:
            self.ignore_index = ignore_index
        for loss, is_set in zip(self.criteria(), self._losses_are_set, strict=True):
            if not is_set and getattr(loss, 'ignore_index', None) == self._followed:
                loss.ignore_index = ignore_index
        self._followed = ignore_index

    def configured_loss_ignores(self) -> list[tuple[str, int]]:
        """Place in this head and `ignore_index` of the losses that were configured with one."""
        several = isinstance(self.loss_decode, nn.ModuleList)
        places = [f'loss_decode.{i}' if several else 'loss_decode'
                  for i in range(len(self._losses_are_set))]
        return [(place, loss.ignore_index) for place, loss, is_set
                in zip(places, self.criteria(), self._losses_are_set, strict=True)
                if is_set and isinstance(getattr(loss, 'ignore_index', None), int)]
