"""CARAFE: content-aware reassembly of features, an upsampling (arXiv:1905.02188)."""
from torch import Tensor, nn

from mmcv_replace.cnn.bricks.registry import UPSAMPLE_LAYERS
from mmcv_replace.cnn.utils.layer_init import normal_init, xavier_init
from mmcv_replace.utils.errors import ArgumentError

from .function_names import as_function
from .precision import wide_type
from .tiles.layout import Layout
from .tiles.reassembly import reassemble


def carafe(features: Tensor, masks: Tensor, kernel_size: int, group_size: int,
           scale_factor: int) -> Tensor:
    """Enlarge feature maps by weighted sums of neighbourhoods, with weights for each output pixel.

    features: [N, C, H, W], masks: [N, group_size * k * k, s * H, s * W] -> [N, C, s * H, s * W],
    where k is kernel_size and s scale_factor. Pixel (y, x) of the output sums the k x k pixels
    around (y // s, x // s), which are zero beyond the border, with the masks' k * k values at
    (y, x). Each group of C / group_size channels in succession has masks of its own. Differentiable
    once in both inputs. The result has the type of the features, to which the masks are rounded.

    A pixel that is infinite or NaN spoils all output within two tiles of max(4, k - 1) pixels.
    Cost: 8 N C H W (s max(4, k - 1))**2 operations, which are batched products of matrices;
    temporary memory is a share of the output's, in the backward pass too.
    Raises ArgumentError for shapes or options that do not fit.
    """
    _check_options(kernel_size, group_size, scale_factor)
    _check_shapes(features, masks, kernel_size, group_size, scale_factor)
    layout = Layout(kernel_size, group_size, scale_factor)
    return reassemble(features, masks.to(features.dtype), layout)


CARAFEFunction = as_function('CARAFEFunction', carafe)


def carafe_naive(features: Tensor, masks: Tensor, kernel_size: int, group_size: int,
                 scale_factor: int) -> Tensor:
    """`carafe`, of which mmcv has a second kernel under this name."""
    return carafe(features, masks, kernel_size, group_size, scale_factor)


CARAFENaiveFunction = as_function('CARAFENaiveFunction', carafe_naive)


def _check_options(kernel_size: int, group_size: int, scale_factor: int) -> None:
    options = dict(kernel_size=kernel_size, group_size=group_size, scale_factor=scale_factor)
    for name, value in options.items():
        if not isinstance(value, int) or value < 1:
            raise ArgumentError(f'carafe: {name}={value!r} must be an integer from 1 on')
    if kernel_size % 2 == 0:
        raise ArgumentError(f'carafe: kernel_size={kernel_size} must be odd, so that the kernel '
                            f'has a centre: use {kernel_size - 1} or {kernel_size + 1}')


def _check_shapes(features: Tensor, masks: Tensor, kernel_size: int, group_size: int,
                  scale_factor: int) -> None:
    if features.dim() != 4:
        raise ArgumentError('carafe: features must have the shape [N, C, H, W], not '
                            f'{list(features.shape)}')
    n, channels, height, width = features.shape
    if channels % group_size:
        raise ArgumentError(f'carafe: group_size={group_size} must divide the {channels} channels '
                            'of the features')
    expected = (n, group_size * kernel_size**2, height * scale_factor, width * scale_factor)
    if masks.shape != expected:
        raise ArgumentError(
            f'carafe: masks must have the shape {list(expected)}, not {list(masks.shape)}: '
            'group_size * kernel_size**2 channels, and scale_factor times the height and width of '
            f'the features {list(features.shape)}')


class CARAFE(nn.Module):
    """`carafe` as a module of masks that others compute."""

    def __init__(self, kernel_size: int, group_size: int, scale_factor: int) -> None:
        super().__init__()
        _check_options(kernel_size, group_size, scale_factor)
        self.kernel_size = kernel_size
        self.group_size = group_size
        self.scale_factor = scale_factor

    def forward(self, features: Tensor, masks: Tensor) -> Tensor:
        return carafe(features, masks, self.kernel_size, self.group_size, self.scale_factor)


class CARAFENaive(CARAFE):
    """`CARAFE`, of which mmcv has a second kernel under this name."""


@UPSAMPLE_LAYERS.register_module(name='carafe')
class CARAFEPack(nn.Module):
    """Upsampling by `carafe` with masks that two convolutions predict from the features.

    x: [N, channels, H, W] -> [N, channels, scale_factor * H, scale_factor * W]. `up_kernel` and
    `up_group` are the kernel_size and group_size of `carafe`; the channels are compressed to
    `compressed_channels` before the convolution of `encoder_kernel` and `encoder_dilation`, whose
    result a softmax turns into masks. Cost and memory: those of `carafe` and of the convolutions.
    Raises ArgumentError for options that do not fit.
    """

    def __init__(self, channels: int, scale_factor: int, up_kernel: int = 5, up_group: int = 1,
                 encoder_kernel: int = 3, encoder_dilation: int = 1,
                 compressed_channels: int = 64) -> None:
        super().__init__()
        _check_options(up_kernel, up_group, scale_factor)
        if channels % up_group:
            raise ArgumentError(f'carafe: up_group={up_group} must divide channels={channels}')
        if min(compressed_channels, encoder_kernel, encoder_dilation) < 1:
            raise ArgumentError(
                f'carafe: compressed_channels={compressed_channels}, encoder_kernel='
                f'{encoder_kernel} and encoder_dilation={encoder_dilation} must be 1 or more')
        span = (encoder_kernel - 1) * encoder_dilation
        if span % 2:
            raise ArgumentError(
                f'carafe: encoder_kernel={encoder_kernel} with encoder_dilation={encoder_dilation} '
                'would change the size of the map: one of them must be odd and even, respectively')
        self.channels = channels
        self.scale_factor = scale_factor
        self.up_kernel = up_kernel
        self.up_group = up_group
        self.encoder_kernel = encoder_kernel
        self.encoder_dilation = encoder_dilation
        self.compressed_channels = compressed_channels
        self.channel_compressor = nn.Conv2d(channels, compressed_channels, 1)
        self.content_encoder = nn.Conv2d(
            compressed_channels, up_kernel**2 * up_group * scale_factor**2, encoder_kernel,
            padding=span // 2, dilation=encoder_dilation)
        self.init_weights()

    def init_weights(self) -> None:
        """Draw the weights: nearly 0 in the encoder, so that the first masks are averages."""
        for conv in (self.channel_compressor, self.content_encoder):
            xavier_init(conv, distribution='uniform')
        normal_init(self.content_encoder, std=0.001)

    def kernel_normalizer(self, mask: Tensor) -> Tensor:
        """The encoder's result [N, s * s * channels, H, W] as masks [N, channels, s * H, s * W].

        The kernel of each pixel and group has the sum 1. The softmax is taken in float32 at least.
        """
        mask = nn.functional.pixel_shuffle(mask, self.scale_factor)
        kernels = mask.unflatten(1, (-1, self.up_kernel**2))
        return kernels.softmax(2, dtype=wide_type(mask.dtype)).to(mask.dtype).flatten(1, 2)

    def feature_reassemble(self, x: Tensor, mask: Tensor) -> Tensor:
        """`carafe` of the features by the masks."""
        return carafe(x, mask, self.up_kernel, self.up_group, self.scale_factor)

    def forward(self, x: Tensor) -> Tensor:
        masks = self.content_encoder(self.channel_compressor(x))
        return self.feature_reassemble(x, self.kernel_normalizer(masks))
