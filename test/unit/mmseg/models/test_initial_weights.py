"""First weights as in mmsegmentation 0.10: init_weights takes a file, also in classes of users."""
import copy

import pytest
import torch
from torch import nn

from mmcv_replace.cnn.utils.deferred_init import DeferredInit
from mmcv_replace.utils.errors import ConfigTypeError
from mmseg.apis.model import initialize_weights
from mmseg.models import BACKBONES, BaseSegmentor, EncoderDecoder, FCNHead, ResNet, build_backbone
from mmseg.models.utils import WrittenWeights, starting_from

SMALL = dict(depth=18, stem_channels=8, base_channels=4)


@pytest.fixture
def file(tmp_path):
    """Weights of a backbone in which each number is 0.5."""
    state = {key: torch.full_like(value, 0.5) for key, value in ResNet(**SMALL).state_dict().items()
             if value.is_floating_point()}
    torch.save(dict(state_dict=state), tmp_path / 'net.pth')
    return str(tmp_path / 'net.pth')


def is_half(*modules):
    return all(bool((value == 0.5).all()) for module in modules for value in module.parameters())


@pytest.mark.parametrize('given', [lambda net, file: net.init_weights(file),
                                   lambda net, file: net.init_weights(pretrained=file)])
def test_a_backbone_loads_the_file(file, given):
    net = ResNet(**SMALL)
    net.init_weights(pretrained=None)
    assert net.layer1[0].bn2.weight.eq(0).all()
    given(net, file)
    assert is_half(net)


def test_a_head_loads_the_file(tmp_path):
    head, other = (FCNHead(in_channels=4, channels=4, num_classes=2) for _ in range(2))
    torch.save(head.state_dict(), tmp_path / 'head.pth')
    other.init_weights(pretrained=str(tmp_path / 'head.pth'))
    assert torch.equal(head.conv_seg.weight, other.conv_seg.weight)


@pytest.mark.parametrize('pretrained', [0, True, ['a.pth']])
def test_anything_else_is_a_type_error(pretrained):
    with pytest.raises(ConfigTypeError, match=r'=.* must be the name of a file') as caught:
        ResNet(**SMALL).init_weights(pretrained=pretrained)
    assert isinstance(caught.value, TypeError)


def test_subclasses_call_the_version_of_the_base(file):
    class Wider(ResNet):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.more = nn.Conv2d(4, 4, 1)

        def init_weights(self, pretrained=None):
            super().init_weights(pretrained)
            nn.init.constant_(self.more.weight, 7)

    net = Wider(**SMALL)
    net.init_weights(pretrained=file)
    assert is_half(net.layer1, net.layer4)
    assert net.more.weight.eq(7).all()


@pytest.fixture
def registered():
    """Backbones of users: one derived from ResNet with its own way to load, one plain."""
    @BACKBONES.register_module()
    class OwnWay(ResNet):
        def init_weights(self, pretrained=None):
            self.calls = [*getattr(self, 'calls', []), pretrained]

    @BACKBONES.register_module()
    class NoWeights(nn.Module):
        def forward(self, x):
            return [x]

    yield
    for name in ('OwnWay', 'NoWeights'):
        del BACKBONES._module_dict[name]


def test_a_segmentor_passes_the_file_on(file, tiny_cfg, registered):
    cfg = dict(tiny_cfg, backbone=dict(type='OwnWay', **SMALL))
    del cfg['type']
    model = EncoderDecoder(pretrained=file, **cfg)
    model.init_weights()
    assert model.backbone.calls == [file]
    model.init_weights()
    assert model.backbone.calls == [file]
    model.init_weights(pretrained='other.pth')
    assert model.backbone.calls == [file, 'other.pth']
    assert 'init_weights' not in vars(model.backbone)


def test_a_backbone_without_weights_needs_no_method(tiny_cfg, registered):
    head = dict(type='FCNHead', in_channels=3, channels=4, num_classes=2, in_index=0)
    EncoderDecoder(dict(type='NoWeights'), head).init_weights(pretrained=None)


class OldSegmentor(BaseSegmentor):
    """A whole model in the way of 0.10: the constructor draws or loads the weights."""

    extract_feat = encode_decode = forward_train = simple_test = aug_test = None

    def __init__(self, backbone, pretrained=None):
        super().__init__()
        self.backbone = build_backbone(backbone)
        self.init_weights(pretrained=pretrained)

    def init_weights(self, pretrained=None):
        super().init_weights(pretrained)
        self.backbone.init_weights(pretrained=pretrained)


def test_what_a_constructor_has_loaded_stays(file):
    model = OldSegmentor(dict(type='ResNet', **SMALL), file)
    assert is_half(model.backbone)
    initialize_weights(model)
    assert is_half(model.backbone)


def test_a_new_model_is_initialised_with_its_file(file, tiny_cfg):
    class Loud(EncoderDecoder):
        def init_weights(self, pretrained=None):
            self.given = pretrained
            super().init_weights(pretrained)

    cfg = dict(tiny_cfg, backbone=dict(type='ResNet', **SMALL))
    del cfg['type']
    model = Loud(pretrained=file, **cfg)
    initialize_weights(model)
    assert model.given == file
    assert is_half(model.backbone)


def test_written_weights_stay(build_tiny):
    model, twin = build_tiny(), build_tiny()  # which draws the classifier after building
    loaded = {key: torch.full_like(value, 0.25) for key, value in twin.state_dict().items()
              if key.startswith('decode_head.bottleneck') and value.is_floating_point()}
    model.load_state_dict(loaded, strict=False)
    classifier = model.decode_head.conv_seg.weight.clone()
    before = model.backbone.stem[0].weight.clone()
    model.init_unwritten()
    assert torch.equal(model.decode_head.conv_seg.weight, classifier)
    assert all(torch.equal(model.state_dict()[key], value) for key, value in loaded.items())
    assert not torch.equal(model.backbone.stem[0].weight, before)
    after = {key: value.clone() for key, value in model.state_dict().items()}
    model.init_unwritten()
    assert all(torch.equal(value, after[key]) for key, value in model.state_dict().items())


def test_a_copy_keeps_its_weights(build_tiny):
    twin = copy.deepcopy(build_tiny())
    before = twin.backbone.stem[0].weight.clone()
    twin.init_unwritten()
    assert torch.equal(twin.backbone.stem[0].weight, before)
    assert not twin.is_init


def test_written_weights_are_found():
    model = nn.Sequential(nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 1))
    seen = WrittenWeights(model)
    model.double().float()
    assert seen.since(model) == {}
    nn.init.ones_(model[0].weight)
    model[1] = nn.Conv2d(1, 1, 1)
    model.append(nn.Conv2d(1, 1, 1))
    assert seen.since(model).keys() == {'0.weight', '1.weight', '1.bias', '3.weight', '3.bias'}


def inflate(model):
    model.backbone.stem[0].weight.data[:, 2:] = 0.5


def assign(model):
    model.backbone.stem[0].weight.data = torch.full_like(model.backbone.stem[0].weight, 0.5)


@pytest.mark.parametrize('write', [inflate, assign])
def test_weights_written_through_data_stay(build_tiny, write):
    model = build_tiny()
    before = model.backbone.stem[3].weight.clone()
    write(model)
    written = model.backbone.stem[0].weight.clone()
    model.init_unwritten()
    assert torch.equal(model.backbone.stem[0].weight, written)
    assert not torch.equal(model.backbone.stem[3].weight, before)


def test_values_without_a_number_and_of_large_parameters():
    model = nn.ParameterList([torch.full((3,), float('nan')), torch.zeros(4, 64, 7, 7),
                              torch.zeros(512, 512, 3, 3)])
    seen = WrittenWeights(model)
    assert seen.since(model) == {}
    model[0].data[1] = 1
    model[1].data[2] = 1  # a quarter
    model[2].data[:, 500:503] = 1  # one in 170
    assert seen.since(model).keys() == {'0', '1', '2'}


def test_a_model_without_values():
    with DeferredInit():
        deferred = nn.Linear(2, 2)
        seen = WrittenWeights(deferred)
    with torch.device('meta'):
        empty = nn.Linear(2, 2)
    assert DeferredInit.active == 0
    assert seen._values == {}
    assert WrittenWeights(empty).since(empty) == {}


def test_a_file_is_passed_only_inside_the_block():
    class Net(nn.Module):
        def init_weights(self, pretrained=None):
            return pretrained

    class Other(nn.Module):
        def init_weights(self):
            return 'without'

    for module in (None, nn.Conv2d(1, 1, 1)):
        with starting_from(module, 'a.pth'):
            pass
    net, other = Net(), Other()
    with starting_from(net, 'a.pth'), starting_from(other, 'a.pth'):
        assert (net.init_weights(), other.init_weights()) == ('a.pth', 'without')
    assert net.init_weights() is None
