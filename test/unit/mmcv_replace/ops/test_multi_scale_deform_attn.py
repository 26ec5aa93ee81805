"""Multi-scale deformable attention: the module, parts of the queries, and what it refuses."""
import logging

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from mmcv_replace.cnn.bricks import transformer
from mmcv_replace.cnn.bricks.transformer import (
    build_attention,
    build_transformer_layer,
    build_transformer_layer_sequence,
)
from mmcv_replace.cnn.utils.deferred_init import DeferredInit
from mmcv_replace.ops import MultiScaleDeformableAttention
from mmcv_replace.ops import multi_scale_deform_attn as module
from mmcv_replace.ops.multi_scale_deform_attn import (
    MultiScaleDeformableAttnFunction,
    multi_scale_deformable_attn_pytorch,
)

from .cases import multi_scale_deform_attn as case
from .op_cases import uniform

C, HEADS, POINTS = 12, 2, 2
SHAPES, STARTS = case.SHAPES, torch.tensor([0, 12, 14])
N, Q, S, LEVELS = 2, 5, 16, 3


def make(**options):
    torch.manual_seed(0)
    block = MultiScaleDeformableAttention(C, HEADS, LEVELS, POINTS, **options).double().eval()
    for value in block.parameters():
        nn.init.uniform_(value, -1, 1)
    return block


def run(block, query, value=None, reference=2, **named):
    """With sequences [N, Q, C], whatever the block wants."""
    def turn(x):
        return x if block.batch_first or x.dim() != 3 or x.shape[2] != C else x.transpose(0, 1)

    points = (uniform(N, query.shape[1], LEVELS, reference, seed=3) + 1) / 2
    named = {name: turn(x) for name, x in named.items()}
    return turn(block(turn(query), value=None if value is None else turn(value),
                      reference_points=points, spatial_shapes=SHAPES, level_start_index=STARTS,
                      **named))


def by_hand(block, query, value, reference=2):
    """The attention without the sum with the identity."""
    points = (uniform(N, query.shape[1], LEVELS, reference, seed=3) + 1) / 2
    value = block.value_proj(value).view(N, S, HEADS, -1)
    offsets = block.sampling_offsets(query).view(N, -1, HEADS, LEVELS, POINTS, 2)
    scores = block.attention_weights(query).view(N, -1, HEADS, LEVELS * POINTS).exp()
    scores = (scores / scores.sum(3, keepdim=True)).view(offsets.shape[:-1])
    out = torch.zeros(N, query.shape[1], HEADS, C // HEADS).double()
    for n, q, m, level, p in torch.cartesian_prod(*map(torch.arange, scores.shape)).tolist():
        height, width = SHAPES[level].tolist()
        start = STARTS[level]
        image = value[n, start:start + height * width, m].view(height, width, -1)
        point, (dx, dy) = points[n, q, level], offsets[n, q, m, level, p]
        units = (1 / width, 1 / height) if reference == 2 else point[2:] / 2 / POINTS
        x, y = point[0] + dx * units[0], point[1] + dy * units[1]
        out[n, q, m] += scores[n, q, m, level, p] * case.sample(image, x, y)
    return block.output_proj(out.flatten(2))


def sequences(*lengths):
    return [uniform(N, length, C, seed=i) for i, length in enumerate(lengths)]


@pytest.mark.parametrize('reference', [2, 4])
@pytest.mark.parametrize('batch_first', [False, True])
def test_values_and_gradients(batch_first, reference):
    block = make(batch_first=batch_first)
    leaves = [x.requires_grad_() for x in sequences(Q, S)]
    out = run(block, *leaves, reference)
    expected = leaves[0] + by_hand(block, *leaves, reference)
    torch.testing.assert_close(out, expected)
    leaves += block.parameters()
    torch.testing.assert_close(torch.autograd.grad(out.square().sum(), leaves),
                               torch.autograd.grad(expected.square().sum(), leaves))


def test_defaults_of_value_and_identity():
    block = make(batch_first=True)
    query, other, pos = sequences(S, S, S)
    torch.testing.assert_close(run(block, query), query + by_hand(block, query, query))
    torch.testing.assert_close(run(block, query, query_pos=pos),
                               query + by_hand(block, query + pos, query))
    expected = other + by_hand(block, query, query)
    torch.testing.assert_close(run(block, query, identity=other), expected)
    torch.testing.assert_close(run(block, query, residual=other), expected)
    torch.testing.assert_close(run(block, query, key=other, key_pos=pos), run(block, query))


def test_padding_mask():
    block = make(batch_first=True)
    query, value = sequences(Q, S)
    mask = uniform(N, S, seed=5) < -0.3
    hidden = by_hand(block, query, value) - block.output_proj.bias
    expected = run(block, query, value, key_padding_mask=mask)
    nn.init.zeros_(block.value_proj.bias)
    assert mask.any()
    assert not torch.equal(hidden, expected)
    torch.testing.assert_close(
        run(block, query, value, key_padding_mask=mask),
        query + by_hand(block, query, value.masked_fill(mask.unsqueeze(2), 0)))


def test_state_and_attributes():
    block = MultiScaleDeformableAttention()
    assert {name: tuple(x.shape) for name, x in block.state_dict().items()} == {
        'sampling_offsets.weight': (256, 256), 'sampling_offsets.bias': (256,),
        'attention_weights.weight': (128, 256), 'attention_weights.bias': (128,),
        'value_proj.weight': (256, 256), 'value_proj.bias': (256,),
        'output_proj.weight': (256, 256), 'output_proj.bias': (256,)}
    assert (block.embed_dims, block.num_heads, block.num_levels, block.num_points) == (256, 8, 4, 4)
    assert (block.im2col_step, block.dropout.p, block.batch_first) == (64, 0.1, False)
    assert block.norm_cfg is None


def check_first_weights(block):
    """8 heads look to the sides and corners of a square."""
    ring = [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)]
    offsets = block.sampling_offsets.bias.view(8, 3, 2, 2)
    for level in range(3):
        torch.testing.assert_close(offsets[:, level, 0], torch.tensor(ring).float())
        torch.testing.assert_close(offsets[:, level, 1], torch.tensor(ring).float() * 2)
    for x in (block.sampling_offsets.weight, *block.attention_weights.parameters(),
              block.value_proj.bias, block.output_proj.bias):
        assert not x.any()
    for x in (block.value_proj.weight, block.output_proj.weight):
        assert 0.28 < x.abs().max() < (6 / 64) ** 0.5
        assert x.std().item() == pytest.approx((2 / 64) ** 0.5, rel=0.1)


def test_first_weights():
    block = MultiScaleDeformableAttention(32, 8, 3, 2)
    check_first_weights(block)
    for _ in range(2):  # as after an initialisation of all parameters by the model around it
        for x in block.parameters():
            nn.init.constant_(x, 3)
        block.init_weights()
        check_first_weights(block)
        assert block.is_init


def test_first_weights_that_are_put_off():
    with DeferredInit() as init:
        block = MultiScaleDeformableAttention(32, 8, 3, 2)
    init.finish()
    check_first_weights(block)


def test_init_cfg():
    block = MultiScaleDeformableAttention(
        32, 8, 3, 2, init_cfg=dict(type='Constant', layer='Linear', val=2., bias=3.))
    check_first_weights(block)
    block.init_weights()
    assert all((x == 3 if name.endswith('bias') else x == 2).all()
               for name, x in block.named_parameters())


def test_dropout():
    block = make(batch_first=True, dropout=0.5)
    query, = sequences(S)
    assert not torch.equal(run(block.train(), query), run(block, query))
    assert torch.equal(run(block.eval(), query), run(block, query))


def test_arguments_of_other_shapes():
    block, points = make(batch_first=True), torch.zeros(N, S, LEVELS, 2).double()
    query = torch.zeros(N, S, C).double()
    with pytest.raises(ValueError, match=r'key_padding_mask \[2, 15\] must be .* \[2, 16\]'):
        run(block, query, key_padding_mask=torch.zeros(N, S - 1, dtype=torch.bool))
    with pytest.raises(ValueError, match=r'reference_points \[2, 16, 3\] must be \[N, Q, L, 2\]'):
        block(query, reference_points=points[..., 0], spatial_shapes=SHAPES)
    with pytest.raises(ValueError, match=r'spatial_shapes=\[\[3, 4\].* must be a tensor'):
        block(query, reference_points=points, spatial_shapes=SHAPES.tolist())


def test_errors():
    with pytest.raises(ValueError, match='divisible by num_heads=0'):
        MultiScaleDeformableAttention(30, 0)
    with pytest.raises(ValueError, match='embed_dims=30 must be divisible by num_heads=8'):
        MultiScaleDeformableAttention(30, 8)
    with pytest.raises(ValueError, match=r'reference_points \[2, 5, 3, 3\] must end in 2 values'):
        run(make(batch_first=True), *sequences(Q, S), reference=3)
    value, _, locations, weights = case.inputs()
    call = multi_scale_deformable_attn_pytorch
    with pytest.raises(AssertionError, match='have 17 pixels, and value 16'):
        call(value, torch.tensor([[3, 4], [1, 3], [2, 1]]), locations, weights)
    for wrong in ((value[0], SHAPES, locations, weights), (value, SHAPES[:2], locations, weights),
                  (value[:1], SHAPES, locations, weights),
                  (value[:, :, :1], SHAPES, locations, weights),
                  (value, SHAPES, locations[..., :1], weights),
                  (value, SHAPES, locations, weights[:, :1]),
                  (value, SHAPES, locations[0], weights[0])):
        with pytest.raises(AssertionError, match=r'must be \[N, S, M, D\], L, '):
            call(*wrong)


def test_slow_widths_are_told(caplog):
    with caplog.at_level(logging.WARNING, 'mmseg.cnn'):
        MultiScaleDeformableAttention(96, 8)
        MultiScaleDeformableAttention(128, 8)
    assert [record.message for record in caplog.records if '12 channels a head' in record.message]
    assert len(caplog.records) == 1


def test_start_of_each_level():
    value, shapes, locations, weights = case.inputs()
    expected = multi_scale_deformable_attn_pytorch(value, shapes, locations, weights)
    run_compiled = MultiScaleDeformableAttnFunction.apply
    # im2col_step: mmcv refuses a batch that it does not divide.
    assert torch.equal(run_compiled(value, shapes, STARTS, locations, weights, 3), expected)
    moved = torch.cat([value[:, 12:], value[:, :12]], 1)
    assert torch.equal(
        run_compiled(moved, shapes, torch.tensor([4, 0, 2]), locations, weights, 64), expected)


def test_start_of_each_level_by_default():
    block, (query, value) = make(batch_first=True), sequences(Q, S)
    points = (uniform(N, Q, LEVELS, 2, seed=3) + 1) / 2
    found = block(query, value=value, reference_points=points, spatial_shapes=SHAPES)
    assert torch.equal(found, run(block, query, value))


@pytest.mark.parametrize('starts', [[0, 12, 15], [-1, 12, 14], [5, 12, 14]])
def test_maps_beyond_the_image(starts):
    """All but the last image of a batch have other pixels there, which would be read."""
    value, shapes, locations, weights = case.inputs()
    with pytest.raises(ValueError, match='beyond the 16 pixels of value: give the sums'):
        MultiScaleDeformableAttnFunction.apply(value, shapes, torch.tensor(starts), locations,
                                               weights, 64)


def test_maps_that_are_not_told():
    value, shapes, locations, weights = case.inputs()
    for starts in (STARTS[:1], STARTS.expand(3, 3), torch.tensor([0, 12, 14, 16])):
        with pytest.raises(ValueError, match='must have a number for each of the 3 spatial_shapes'):
            MultiScaleDeformableAttnFunction.apply(value, shapes, starts, locations, weights, 64)
    block, (query,) = make(batch_first=True), sequences(S)
    points = torch.zeros(N, S, LEVELS, 2).double()
    with pytest.raises(ValueError, match='reference_points and spatial_shapes must be given'):
        block(query)
    with pytest.raises(ValueError, match=': spatial_shapes must be given'):
        block(query, reference_points=points)
    with pytest.raises(ValueError, match='2 spatial_shapes for num_levels=3: give as many'):
        block(query, reference_points=points, spatial_shapes=SHAPES[:2])


def test_sizes_as_a_list():
    value, shapes, locations, weights = case.inputs()
    sizes = [tuple(size) for size in shapes.tolist()]
    assert torch.equal(multi_scale_deformable_attn_pytorch(value, sizes, locations, weights),
                       multi_scale_deformable_attn_pytorch(value, shapes, locations, weights))


class Largest(TorchDispatchMode):
    size = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for x in torch.utils._pytree.tree_leaves(out):
            self.size = max(self.size, x.numel() if isinstance(x, torch.Tensor) else 0)
        return out


def test_parts_of_the_queries(monkeypatch):
    """A bound on what is in memory changes no result."""
    shapes, place = torch.tensor([[3, 4], [2, 1]]), (N, 200, HEADS, 2, POINTS)
    inputs = (uniform(N, 14, HEADS, 3), uniform(*place, 2, seed=1) * 0.9 + 0.513,
              uniform(*place, seed=2))

    def outcome():
        value, locations, weights = leaves = [x.detach().requires_grad_() for x in inputs]
        out = multi_scale_deformable_attn_pytorch(value, shapes, locations, weights)
        return [out.detach(), *torch.autograd.grad(out.square().sum(), leaves)]

    expected = outcome()
    monkeypatch.setattr(module, 'LIMIT', 7 * 4 * N * HEADS * 2 * POINTS)
    with Largest() as largest:
        found = outcome()
    torch.testing.assert_close(found, expected)
    assert largest.size == inputs[1].numel()


@pytest.mark.parametrize('queries', [0, 3])
def test_empty(queries):
    value = uniform(0 if queries else N, S, HEADS, 3).requires_grad_()
    place = (len(value), queries, HEADS, LEVELS, POINTS)
    out = multi_scale_deformable_attn_pytorch(value, SHAPES, uniform(*place, 2), uniform(*place))
    assert out.shape == (len(value), queries, HEADS * 3)
    out.sum().backward()
    assert not value.grad.any()


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16], ids=str)
def test_positions_in_low_precision(dtype):
    """Pixels are counted in float32: those of a large map are too many for a low precision."""
    ramp = (torch.arange(2000) % 32).to(dtype).view(1, 2000, 1, 1)
    shapes = torch.tensor([[1, 2000]])
    locations = torch.tensor([0.25, 0.5, 0.75]).to(dtype).view(1, 3, 1, 1, 1, 1).repeat(
        1, 1, 1, 1, 1, 2)
    locations[..., 1] = 0.5
    out = multi_scale_deformable_attn_pytorch(
        ramp, shapes, locations, torch.ones(1, 3, 1, 1, 1, dtype=dtype))
    # Between pixels 499 and 500, 999 and 1000, 1499 and 1500.
    assert out.flatten().tolist() == [19.5, 7.5, 27.5]
    assert out.dtype == dtype


def test_autocast():
    block = make(batch_first=True).float()
    query, value = (x.float() for x in sequences(Q, S))
    expected = run(block, query, value)
    with torch.autocast('cpu', torch.bfloat16):
        found = run(block, query, value)
    assert 0 < (found - expected).abs().max() < 0.05 * expected.abs().max()
    found.sum().backward()
    assert all(x.grad.isfinite().all() for x in block.parameters())


def encoder(layers):
    layer = dict(
        type='BaseTransformerLayer', operation_order=('self_attn', 'norm', 'ffn', 'norm'),
        attn_cfgs=dict(type='MultiScaleDeformableAttention', embed_dims=16, num_heads=4,
                       num_levels=3, num_points=2, dropout=0.),
        ffn_cfgs=dict(type='FFN', embed_dims=16, feedforward_channels=32, ffn_drop=0.))
    if layers == 1:
        return build_transformer_layer(layer)
    return build_transformer_layer_sequence(
        dict(type='TransformerLayerSequence', transformerlayers=layer, num_layers=layers))


@pytest.mark.parametrize('layers', [1, 2])
def test_an_encoder_from_a_config_learns(layers):
    torch.manual_seed(0)
    model = encoder(layers)
    model.init_weights()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    query, pos, target = torch.randn(3, S, N, 16)
    points = torch.rand(N, S, 1, 2).expand(-1, -1, LEVELS, -1)
    mask = torch.zeros(N, S, dtype=torch.bool)
    mask[1, 14:] = True
    losses = []
    for _ in range(8):
        out = model(query=query, key=None, value=None if layers > 1 else query, query_pos=pos,
                    query_key_padding_mask=mask, reference_points=points, spatial_shapes=SHAPES,
                    level_start_index=STARTS)
        losses.append((out - target).square().mean())
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < 0.8 * losses[0]
    assert all(p.grad.any() for p in model.parameters())


def test_name_among_the_parts_of_transformers():
    assert transformer.MultiScaleDeformableAttention is MultiScaleDeformableAttention


def test_built_by_name():
    block = build_attention(dict(type='MultiScaleDeformableAttention', embed_dims=16, num_heads=2))
    assert isinstance(block, MultiScaleDeformableAttention)
