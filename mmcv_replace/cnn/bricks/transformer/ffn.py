"""The feed-forward network of a transformer layer."""
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from mmcv_replace.runner.base_module import BaseModule, Sequential
from mmcv_replace.utils.errors import ConfigError

from ..activation import build_activation_layer
from ..drop import build_dropout
from ..registry import FEEDFORWARD_NETWORK
from .old_names import take, tell_unused


@FEEDFORWARD_NETWORK.register_module()
class FFN(BaseModule):
    """identity + dropout_layer(layers(x)), where the layers are `num_fcs` linear ones.

    All but the last have `feedforward_channels` and the activation; each is followed by dropout of
    probability `ffn_drop`. `add_identity=False` leaves the sum out. x: [..., embed_dims] -> the
    same shape. Raises ConfigError for num_fcs < 2.
    """

    def __init__(self, embed_dims: int = 256, feedforward_channels: int = 1024, num_fcs: int = 2,
                 act_cfg: dict = {'type': 'ReLU', 'inplace': True},  # noqa: B006
                 ffn_drop: float = 0., dropout_layer: dict | None = None,
                 add_identity: bool = True, init_cfg: dict | Sequence[dict] | None = None,
                 **kwargs: Any) -> None:
        super().__init__(init_cfg)
        if num_fcs < 2:
            raise ConfigError(f'FFN: num_fcs={num_fcs} must be at least 2')
        ffn_drop = take('FFN', kwargs, 'dropout', 'ffn_drop', ffn_drop)
        add_identity = take('FFN', kwargs, 'add_residual', 'add_identity', add_identity)
        tell_unused('FFN', kwargs)
        self.embed_dims = embed_dims
        self.feedforward_channels = feedforward_channels
        self.num_fcs = num_fcs
        self.act_cfg = act_cfg
        self.add_identity = add_identity
        self.activate = build_activation_layer(act_cfg)
        widths = [embed_dims] + [feedforward_channels] * (num_fcs - 1)
        layers = [Sequential(nn.Linear(inputs, feedforward_channels), self.activate,
                             nn.Dropout(ffn_drop)) for inputs in widths[:-1]]
        self.layers = Sequential(*layers, nn.Linear(feedforward_channels, embed_dims),
                                 nn.Dropout(ffn_drop))
        self.dropout_layer = build_dropout(dropout_layer) if dropout_layer else nn.Identity()

    def forward(self, x: Tensor, identity: Tensor | None = None, *,
                residual: Tensor | None = None) -> Tensor:
        """`identity` defaults to x; `residual` is its name in earlier versions of mmcv."""
        identity = residual if identity is None else identity
        out = self.dropout_layer(self.layers(x))
        if not self.add_identity:
            return out
        return (x if identity is None else identity) + out
