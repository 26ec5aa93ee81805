"""What is particular to CARAFE: options, strips of a map, the layer with its own masks."""
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from mmcv_replace.cnn import ConvModule, build_upsample_layer
from mmcv_replace.ops import CARAFE, CARAFENaive, CARAFEPack, carafe, carafe_naive
from mmcv_replace.ops.tiles import reassembly
from mmcv_replace.utils.errors import ArgumentError

from .op_cases import uniform


def unfolded(features, masks, kernel_size, group_size, scale_factor):
    """The usual form, with a tensor k * k times as large as the output."""
    (n, _, height, width), k = features.shape, kernel_size
    columns = F.unfold(features, k, padding=k // 2).view(n, -1, height, width)
    columns = F.interpolate(columns, scale_factor=scale_factor)
    columns = columns.view(n, group_size, -1, k * k, *masks.shape[2:])
    return (columns * masks.view(n, group_size, 1, k * k, *masks.shape[2:])).sum(3).flatten(1, 2)


def inputs(size=(2, 4, 9, 14), kernel_size=5, group_size=2, scale_factor=2):
    n, _, height, width = size
    masks = (n, group_size * kernel_size**2, height * scale_factor, width * scale_factor)
    return [x.requires_grad_() for x in (uniform(*size), uniform(*masks, seed=1))]


def outcome(run, tensors, *options):
    result = run(*tensors, *options)
    return [result, *torch.autograd.grad(result, tensors, uniform(*result.shape, seed=2))]


@pytest.mark.parametrize('elements', [1, 70000, 100000, 10**9])
def test_strips_make_up_the_whole(monkeypatch, elements):
    """One row of tiles at a time, several of one image, one image, and all at once."""
    monkeypatch.setattr(reassembly, 'ELEMENTS', elements)
    monkeypatch.setattr(reassembly, 'SHARE', 10**9)
    tensors = inputs()
    found = outcome(carafe, tensors, 5, 2, 2)
    for own, other in zip(found, outcome(unfolded, tensors, 5, 2, 2), strict=True):
        torch.testing.assert_close(own, other, rtol=1e-12, atol=1e-12)


def test_number_of_strips(monkeypatch):
    features, layout = inputs()[0], reassembly.Layout(5, 2, 2)
    monkeypatch.setattr(reassembly, 'SHARE', 10**9)
    counts = []
    for elements in (1, 70000, 100000, 10**9):
        monkeypatch.setattr(reassembly, 'ELEMENTS', elements)
        counts.append(len(list(reassembly._strips(features, layout))))
    assert counts == [6, 4, 2, 1]


class Sizes(TorchDispatchMode):
    """Elements of all tensors that take memory of their own."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        storages = {x.untyped_storage()._cdata for x in args if isinstance(x, torch.Tensor)}
        if (isinstance(result, torch.Tensor)
                and result.untyped_storage()._cdata not in storages):
            self.found.append(result.numel())
        return result


@pytest.mark.parametrize('channels', [4, 96])
def test_temporary_tensors_are_a_share_of_the_output(monkeypatch, channels):
    monkeypatch.setattr(reassembly, 'ELEMENTS', 1)
    tensors = inputs((3, channels, 64, 64), group_size=1)
    with Sizes() as sizes:
        result = carafe(*tensors, 5, 1, 2)
        saved = result.grad_fn.saved_tensors
        torch.autograd.grad(result, tensors, torch.ones_like(result))
    large = {x.numel() for x in (*tensors, result)}
    others = [size for size in sizes.found if size not in large]
    assert max(others) <= max(result.numel(), 25 * 128**2 * 3) / 8
    assert [x.data_ptr() for x in saved] == [x.data_ptr() for x in tensors]


@pytest.mark.parametrize('operator', [carafe, carafe_naive, lambda *x: CARAFE(*x[2:])(*x[:2]),
                                      lambda *x: CARAFENaive(*x[2:])(*x[:2])])
def test_all_names_compute_the_same(operator):
    tensors = inputs((1, 6, 4, 5), 3, 3, 2)
    assert torch.equal(operator(*tensors, 3, 3, 2), carafe(*tensors, 3, 3, 2))


def test_modules_hold_their_options():
    assert vars(CARAFE(5, 2, 3)).items() >= dict(
        kernel_size=5, group_size=2, scale_factor=3).items()


@pytest.mark.parametrize('size', [(0, 4, 5, 6), (2, 0, 5, 6), (2, 4, 0, 6), (2, 4, 5, 0)])
def test_empty_inputs(size):
    tensors = inputs(size)
    result, *gradients = outcome(carafe, tensors, 5, 2, 2)
    assert result.shape == (*size[:2], 2 * size[2], 2 * size[3])
    assert all(torch.equal(x, torch.zeros_like(y)) for x, y in zip(gradients, tensors, strict=True))


@pytest.mark.parametrize('wanted', [0, 1])
def test_gradient_of_one_input_alone(wanted):
    tensors = inputs()
    expected = outcome(unfolded, tensors, 5, 2, 2)[1 + wanted]
    tensors[1 - wanted].requires_grad_(False)
    result = carafe(*tensors, 5, 2, 2)
    found = torch.autograd.grad(result, tensors[wanted], uniform(*result.shape, seed=2))
    torch.testing.assert_close(found[0], expected)


@pytest.mark.parametrize(('options', 'message'), [
    (dict(kernel_size=4), r'kernel_size=4 must be odd.*use 3 or 5'),
    (dict(kernel_size=0), 'kernel_size=0 must be an integer from 1 on'),
    (dict(kernel_size=-1), 'kernel_size=-1 must be an integer'),
    (dict(kernel_size=3.0), 'kernel_size=3.0 must be an integer'),
    (dict(scale_factor=0), 'scale_factor=0 must be an integer from 1 on'),
    (dict(scale_factor=1.5), 'scale_factor=1.5 must be an integer from 1 on'),
    (dict(group_size=0), 'group_size=0 must be an integer from 1 on'),
    (dict(group_size=3), 'group_size=3 must divide the 4 channels'),
    (dict(group_size=1), r'masks must have the shape \[2, 9, 10, 12\], not \[2, 18, 10, 12\]'),
    (dict(scale_factor=3), r'\[2, 18, 15, 18\], not .* of the features \[2, 4, 5, 6\]'),
    (dict(features=torch.zeros(4, 5, 6)), r'shape \[N, C, H, W\], not \[4, 5, 6\]'),
    (dict(features=torch.zeros(1, 4, 5, 6)), r'\[1, 18, 10, 12\], not \[2, 18, 10, 12\]'),
])
def test_what_does_not_fit(options, message):
    features, masks = inputs((2, 4, 5, 6), 3)
    arguments = dict(features=features, masks=masks, kernel_size=3, group_size=2, scale_factor=2)
    with pytest.raises(ArgumentError, match=message):
        carafe(**{**arguments, **options})


def test_a_module_refuses_its_options_at_once():
    with pytest.raises(ArgumentError, match='kernel_size=2 must be odd'):
        CARAFE(2, 1, 2)


def test_precision_is_that_of_the_features_under_autocast():
    features, masks = (x.detach().float() for x in inputs())
    expected = carafe(features, masks, 5, 2, 2)
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(carafe(features, masks, 5, 2, 2), expected)
        low = carafe(features.bfloat16(), masks, 5, 2, 2)
        assert low.dtype == torch.bfloat16
    torch.testing.assert_close(low.float(), expected, rtol=0.01, atol=0.01)


def test_masks_of_another_type_get_their_gradient_in_it():
    features, masks = inputs()
    masks = masks.detach().float().requires_grad_()
    carafe(features, masks, 5, 2, 2).sum().backward()
    assert masks.grad.dtype == torch.float32


def test_an_infinite_pixel_spoils_two_tiles_at_most():
    features, masks = (x.detach() for x in inputs((1, 2, 20, 20)))
    features[0, 0, 10, 10] = torch.inf
    finite = carafe(features, masks, 5, 2, 2).isfinite()
    assert finite[0, 1].all()
    assert finite[0, 0, :4].all()
    assert finite[0, 0, 32:].all()
    assert not finite[0, 0, 16:24, 16:24].any()


def masks_of(pack, x):
    """The masks that a layer should make, pixel by pixel of the small map."""
    s, k = pack.scale_factor, pack.up_kernel**2
    codes = pack.content_encoder(pack.channel_compressor(x))
    masks = codes.new_empty(len(x), codes.shape[1] // s**2, x.shape[2] * s, x.shape[3] * s)
    for dy in range(s):
        for dx in range(s):
            part = codes[:, dy * s + dx::s * s]
            groups = [part[:, i:i + k].softmax(1) for i in range(0, part.shape[1], k)]
            masks[:, :, dy::s, dx::s] = torch.cat(groups, 1)
    return masks


@pytest.mark.parametrize('options', [
    {}, dict(up_kernel=3, up_group=3, encoder_kernel=5, encoder_dilation=2, compressed_channels=7),
    dict(encoder_kernel=2, encoder_dilation=2), dict(scale_factor=3)])
def test_layer(options):
    options = dict(scale_factor=2) | options
    pack = CARAFEPack(6, **options).double()
    nn.init.normal_(pack.content_encoder.weight)
    x = uniform(2, 6, 5, 4)
    masks = masks_of(pack, x)
    expected = unfolded(x, masks, pack.up_kernel, pack.up_group, pack.scale_factor)
    torch.testing.assert_close(pack(x), expected)
    codes = pack.content_encoder(pack.channel_compressor(x))
    torch.testing.assert_close(pack.kernel_normalizer(codes), masks)
    torch.testing.assert_close(pack.feature_reassemble(x, masks), expected)
    encoder = pack.content_encoder
    assert encoder.kernel_size == (options.get('encoder_kernel', 3),) * 2
    assert encoder.dilation == (options.get('encoder_dilation', 1),) * 2
    assert encoder.in_channels == options.get('compressed_channels', 64)
    assert vars(pack).items() >= options.items()


def test_weights_are_those_of_mmcv():
    """Names, shapes and the first values after a seed, read from mmcv-full 1.7.2."""
    torch.manual_seed(0)
    pack = CARAFEPack(4, 2)
    assert {k: list(v.shape) for k, v in pack.state_dict().items()} == {
        'channel_compressor.weight': [64, 4, 1, 1], 'channel_compressor.bias': [64],
        'content_encoder.weight': [100, 64, 3, 3], 'content_encoder.bias': [100]}
    first = torch.tensor([[-0.2887, -0.0505, -0.1522], [1.3920e-05, -8.3728e-04, -8.8838e-04]])
    for own, other in zip((pack.channel_compressor, pack.content_encoder), first, strict=True):
        torch.testing.assert_close(own.weight.flatten()[:3].detach(), other, rtol=1e-3, atol=0)
        assert not own.bias.any()
    torch.testing.assert_close(torch.rand(1), torch.tensor([0.8335]), rtol=1e-3, atol=0)


@pytest.mark.parametrize(('options', 'message'), [
    (dict(up_kernel=4), 'kernel_size=4 must be odd'),
    (dict(scale_factor=0), 'scale_factor=0'),
    (dict(up_group=3), 'up_group=3 must divide channels=4'),
    (dict(compressed_channels=0), 'compressed_channels=0, .* must be 1 or more'),
    (dict(encoder_dilation=0), 'encoder_dilation=0 must be 1 or more'),
    (dict(encoder_kernel=4), 'encoder_kernel=4 with encoder_dilation=1 would change the size'),
])
def test_options_that_make_no_layer(options, message):
    with pytest.raises(ArgumentError, match=message):
        CARAFEPack(**{**dict(channels=4, scale_factor=2), **options})


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_softmax_in_float32(dtype):
    """Rounded once: a softmax in low precision would be further from the exact one."""
    pack = CARAFEPack(4, 2)
    codes = (uniform(2, 100, 5, 5) * 4).to(dtype)
    masks = pack.kernel_normalizer(codes)
    assert masks.dtype == dtype
    assert torch.equal(masks, pack.kernel_normalizer(codes.float()).to(dtype))


class Decoder(nn.Module):
    """Two levels of a feature pyramid, joined after CARAFE, as in the paper."""

    def __init__(self, upsample_cfg):
        super().__init__()
        self.lateral = nn.ModuleList(
            ConvModule(width, 8, 1, norm_cfg=dict(type='BN')) for width in (6, 12))
        self.upsample = build_upsample_layer(upsample_cfg)
        self.classify = nn.Conv2d(8, 3, 1)

    def forward(self, fine, coarse):
        return self.classify(self.lateral[0](fine) + self.upsample(self.lateral[1](coarse)))


def test_a_decoder_learns():
    torch.manual_seed(0)
    decoder = Decoder(dict(type='carafe', channels=8, scale_factor=2, up_kernel=5, up_group=2,
                           encoder_kernel=3, encoder_dilation=1, compressed_channels=16))
    fine, coarse = torch.randn(2, 6, 12, 20), torch.randn(2, 12, 6, 10)
    label = F.interpolate(coarse[:, :3], scale_factor=2, mode='bilinear').argmax(1)
    optimizer = torch.optim.SGD(decoder.parameters(), 0.2, momentum=0.9)
    losses = []
    for _ in range(60):
        loss = F.cross_entropy(decoder(fine, coarse), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]
    for name, parameter in decoder.upsample.named_parameters():
        assert parameter.grad.abs().max() > 0, name


def test_unknown_options_of_the_layer():
    with pytest.raises(ArgumentError, match='in_channels'):
        build_upsample_layer(dict(type='carafe', in_channels=4, channels=4, scale_factor=2))
    assert isinstance(build_upsample_layer(dict(type='carafe'), 4, 2), CARAFEPack)


@pytest.mark.slow  # test_every_op.py has exports for one size
def test_export_for_any_size(tmp_path):
    pytest.importorskip('onnxscript')
    runtime = pytest.importorskip('onnxruntime')
    pack = CARAFEPack(4, 2, compressed_channels=8).eval()
    size = torch.export.Dim.DYNAMIC
    torch.onnx.export(pack, (torch.randn(2, 4, 6, 9),), tmp_path / 'carafe.onnx', dynamo=True,
                      verbose=False, dynamic_shapes={'x': {0: size, 2: size, 3: size}})
    session = runtime.InferenceSession(tmp_path / 'carafe.onnx',
                                       providers=['CPUExecutionProvider'])
    for shape in ((2, 4, 6, 9), (1, 4, 11, 3)):
        x = torch.randn(shape)
        found = torch.from_numpy(session.run(None, {'x': x.numpy()})[0])
        torch.testing.assert_close(found, pack(x).detach(), rtol=1e-5, atol=1e-6)
