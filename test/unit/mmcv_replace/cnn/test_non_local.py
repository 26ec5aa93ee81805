"""Non-local blocks against loops over all pairs of positions."""
import pytest
import torch
from torch import nn

from mmcv_replace.cnn import NonLocal1d, NonLocal2d, NonLocal3d
from mmcv_replace.cnn.bricks import attend
from mmcv_replace.cnn.bricks.non_local import _NonLocalNd
from mmcv_replace.utils.errors import ConfigError

SHAPES = {NonLocal1d: (2, 6, 7), NonLocal2d: (2, 6, 4, 5), NonLocal3d: (2, 6, 2, 4, 3)}
MODES = ('gaussian', 'embedded_gaussian', 'dot_product', 'concatenation')
OPTIONS = ({}, dict(sub_sample=True), dict(use_scale=False, reduction=3), dict(reduction=1))


def make(cls, **options):
    torch.manual_seed(0)
    block = cls(6, **options).double().eval()
    for value in block.parameters():
        nn.init.uniform_(value, -1, 1)
    return block


def similarity(block, theta, phi):
    """One pair of positions."""
    if block.mode == 'concatenation':
        weight = block.concat_project.conv.weight.flatten()
        return (weight @ torch.cat([theta, phi])).clamp(min=0)
    scaled = block.mode == 'embedded_gaussian' and block.use_scale
    return theta @ phi / (len(theta)**0.5 if scaled else 1)


def by_hand(block, x):
    """Each position of each sample in turn."""
    phi_of = getattr(block, 'phi', nn.Identity())
    theta = x if block.mode == 'gaussian' else block.theta(x)
    theta, phi, g = (maps.flatten(2) for maps in (theta, phi_of(x), block.g(x)))
    mixed = torch.zeros(len(x), g.shape[1], theta.shape[2], dtype=x.dtype)
    for n in range(len(x)):
        for i in range(theta.shape[2]):
            scores = torch.stack([similarity(block, theta[n, :, i], phi[n, :, j])
                                  for j in range(phi.shape[2])])
            weights = (scores.exp() / scores.exp().sum() if 'gaussian' in block.mode
                       else scores / len(scores))
            mixed[n, :, i] = g[n] @ weights
    return x + block.conv_out(mixed.view(len(x), -1, *x.shape[2:]))


@pytest.mark.parametrize('options', OPTIONS)
@pytest.mark.parametrize('mode', MODES)
@pytest.mark.parametrize('cls', SHAPES)
def test_values(cls, mode, options):
    block = make(cls, mode=mode, **options)
    x = torch.randn(SHAPES[cls], dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(block(x), by_hand(block, x))


@pytest.mark.parametrize('mode', MODES)
@pytest.mark.parametrize('options', OPTIONS[:2])
def test_gradients_are_those_of_the_matrix_of_all_weights(mode, options):
    class Plain(NonLocal2d):
        """With a method of its own, a block has all weights in memory."""

    for name in MODES:
        setattr(Plain, name, lambda self, *args, name=name: getattr(_NonLocalNd, name)(self, *args))
    block, plain = make(NonLocal2d, mode=mode, **options), make(Plain, mode=mode, **options)
    plain.load_state_dict(block.state_dict())
    x = torch.randn(2, 6, 4, 5, dtype=torch.float64)
    grads = []
    for module in (block, plain):
        leaf = x.clone().requires_grad_()
        module(leaf).square().sum().backward()
        grads.append([leaf.grad, *(value.grad for value in module.parameters())])
    torch.testing.assert_close(*grads)


@pytest.mark.parametrize('mode', MODES[:3])
def test_no_matrix_of_all_weights_in_memory(mode, largest_tensor, monkeypatch):
    monkeypatch.setattr(attend, '_HOST_BYTES', 4 * 1600 * 50)  # of float32
    x = torch.randn(1, 6, 40, 40, requires_grad=True)
    with largest_tensor:
        NonLocal2d(6, mode=mode)(x).sum().backward()
    assert largest_tensor.size < 1600 * 100


@pytest.mark.parametrize('mode', MODES[:3])
def test_matrix_of_all_weights_where_it_is_asked_for(mode, largest_tensor):
    x = torch.randn(2, 6, 20, 20, dtype=torch.float64)
    block, plain = make(NonLocal2d, mode=mode), make(NonLocal2d, mode=mode, fuse_attention=False)
    with largest_tensor:
        found = plain(x)
    assert largest_tensor.size >= 2 * 400 * 400
    torch.testing.assert_close(found, block(x))


def test_method_of_a_subclass_is_used():
    class Mean(NonLocal2d):
        def embedded_gaussian(self, theta_x, phi_x):
            assert theta_x.shape == (2, 20, 3)
            assert phi_x.shape == (2, 3, 20)
            return torch.full((2, 20, 20), 1 / 20, dtype=theta_x.dtype)

    block = make(Mean)
    x = torch.randn(2, 6, 4, 5, dtype=torch.float64)
    mean = block.g(x).mean((2, 3), keepdim=True).expand(-1, -1, 4, 5)
    torch.testing.assert_close(block(x), x + block.conv_out(mean))


@pytest.mark.parametrize(('options', 'keys'), [
    ({}, ['g.conv', 'conv_out.conv', 'theta.conv', 'phi.conv']),
    (dict(mode='gaussian'), ['g.conv', 'conv_out.conv']),
    (dict(mode='gaussian', sub_sample=True), ['g.0.conv', 'conv_out.conv']),
    (dict(sub_sample=True), ['g.0.conv', 'conv_out.conv', 'theta.conv', 'phi.0.conv']),
    (dict(norm_cfg=dict(type='IN', affine=True)),
     ['g.conv', 'conv_out.conv', 'conv_out.in', 'theta.conv', 'phi.conv'])])
def test_keys_of_the_state(options, keys):
    expected = [f'{key}.{kind}' for key in keys for kind in ('weight', 'bias')
                if (key, kind, len(keys)) != ('conv_out.conv', 'bias', 5)]
    assert list(NonLocal2d(6, **options).state_dict()) == expected


def test_projection_of_pairs_is_flat():
    state = NonLocal3d(6, mode='concatenation').state_dict()
    assert list(state)[-1] == 'concat_project.conv.weight'
    assert state['concat_project.conv.weight'].shape == (1, 6, 1, 1)


def test_initial_weights():
    x = torch.randn(2, 64, 4, 5)
    assert torch.equal(NonLocal2d(64)(x), x)
    normed = NonLocal2d(64, norm_cfg=dict(type='BN'))
    assert normed.conv_out.bn.weight.eq(0).all()
    for mode in ('gaussian', 'dot_product'):
        block = NonLocal2d(64, mode=mode, zeros_init=False, std=0.2)
        for layer in (block.g, block.conv_out, *([block.theta] if mode != 'gaussian' else [])):
            assert layer.conv.weight.std().item() == pytest.approx(0.2, rel=0.1)
            assert layer.conv.bias.eq(0).all()
    assert NonLocal2d(64).g.conv.weight.std().item() == pytest.approx(0.01, rel=0.1)


def test_attributes_and_pools():
    block = NonLocal3d(1, sub_sample=True)
    assert (block.inter_channels, block.sub_sample, block.mode) == (1, True, 'embedded_gaussian')
    assert block.g[1].kernel_size == block.phi[1].kernel_size == (1, 2, 2)
    assert NonLocal2d(6, mode='gaussian', sub_sample=True).phi.kernel_size == (2, 2)
    assert NonLocal1d(6, sub_sample=True).phi[1].kernel_size == 2


def test_unknown_mode():
    with pytest.raises(ConfigError, match="NonLocal2d: mode='softmax' is not one of gaussian, emb"):
        NonLocal2d(6, mode='softmax')


def test_reduction_below_one():
    with pytest.raises(ConfigError, match='NonLocal2d: reduction=0 must be 1 or more'):
        NonLocal2d(6, reduction=0)
