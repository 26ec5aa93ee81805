"""SyncBatchNorm becomes a plain batch norm with the same state."""
import pytest
import torch
from torch import nn

from mmcv_replace.cnn import revert_sync_batchnorm


def make():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sequential(nn.SyncBatchNorm(4, eps=1e-3,
                                                                            momentum=0.3)))
    for tensor in [*model.parameters(), *model.buffers()]:
        if tensor.is_floating_point():
            nn.init.uniform_(tensor, 0.5, 1.5)
    return model


@pytest.mark.parametrize('training', [True, False])
def test_numbers_and_state_stay(training):
    model = make().double().train(training)
    params = dict(model.named_parameters())
    before = {key: value.clone() for key, value in model.state_dict().items()}
    reverted = revert_sync_batchnorm(model)
    assert reverted is model
    norm = model[1][0]
    assert not isinstance(norm, nn.SyncBatchNorm)
    assert norm.training is training
    assert {name: id(p) for name, p in model.named_parameters()} == {
        name: id(p) for name, p in params.items()}
    assert list(model.state_dict()) == list(before)
    assert all(torch.equal(model.state_dict()[key], value) for key, value in before.items())

    plain = nn.BatchNorm2d(4, eps=1e-3, momentum=0.3).double().train(training)
    plain.load_state_dict({key.removeprefix('1.0.'): value for key, value in before.items()
                           if key.startswith('1.')})
    x = torch.randn(2, 4, 5, 5, dtype=torch.float64)
    torch.testing.assert_close(norm(x), plain(x))
    torch.testing.assert_close(norm.running_mean, plain.running_mean)


def test_frozen_norms_stay_frozen():
    model = make()
    model[1][0].requires_grad_(False)
    revert_sync_batchnorm(model)
    assert not any(param.requires_grad for param in model[1].parameters())


def test_any_number_of_dimensions():
    norm = revert_sync_batchnorm(nn.SyncBatchNorm(4))
    for shape in ((3, 4), (3, 4, 5), (3, 4, 5, 5), (3, 4, 2, 2, 2)):
        assert norm(torch.randn(shape)).shape == shape
    with pytest.raises(ValueError, match=r'\[N, C, ...\]'):
        norm(torch.randn(4))


def test_without_weights_or_statistics():
    norm = revert_sync_batchnorm(nn.SyncBatchNorm(4, affine=False, track_running_stats=False))
    assert norm.weight is None
    assert norm.running_mean is None
    assert norm.eval()(torch.randn(3, 4)).shape == (3, 4)


def test_a_layer_under_two_names_is_replaced_under_both():
    model = nn.Module()
    model.first = model.second = nn.SyncBatchNorm(4)
    revert_sync_batchnorm(model)
    assert not any(isinstance(child, nn.SyncBatchNorm) for child in model._modules.values())
    assert model.first.weight is model.second.weight


def test_other_models_are_left_alone():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))
    layers = list(model)
    revert_sync_batchnorm(model)
    assert list(model) == layers
