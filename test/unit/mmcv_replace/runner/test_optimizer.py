import pytest
import torch
from torch import nn

from mmcv_replace.device import FUSED_OPTIMIZERS
from mmcv_replace.parallel import MMDataParallel
from mmcv_replace.runner import (
    OPTIMIZER_BUILDERS,
    OPTIMIZERS,
    DefaultOptimizerConstructor,
    build_optimizer,
)
from mmcv_replace.runner.optimizer import paramwise
from mmcv_replace.runner.optimizer.builder import TORCH_OPTIMIZERS
from mmcv_replace.utils import ConfigDict
from mmcv_replace.utils.config.config_dict import assign
from mmcv_replace.utils.errors import ArgumentError, ConfigError


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))
        self.depthwise = nn.Conv2d(4, 4, 3, groups=4)
        self.norms = nn.Sequential(nn.GroupNorm(2, 4), nn.LayerNorm(4))
        self.head = nn.Linear(4, 2)


def settings(paramwise_cfg, model=None, **kwargs):
    """{name: (lr, weight_decay)} as the optimizer has them."""
    model = model or Network()
    kwargs = {'lr': 1.0, 'weight_decay': 0.1, **kwargs}
    optimizer = build_optimizer(model, {'type': 'SGD', 'paramwise_cfg': paramwise_cfg, **kwargs})
    names = {parameter: name for name, parameter in model.named_parameters()}
    return {names[parameter]: (group['lr'], group['weight_decay'])
            for group in optimizer.param_groups for parameter in group['params']}


NORMS = ['stem.1.weight', 'stem.1.bias', 'norms.0.weight', 'norms.0.bias', 'norms.1.weight',
         'norms.1.bias']
BIASES = ['stem.0.bias', 'depthwise.bias', 'head.bias']
DEPTHWISE = ['depthwise.weight', 'depthwise.bias']


@pytest.mark.parametrize(('key', 'names', 'index'), [
    ('bias_lr_mult', BIASES, 0),
    ('bias_decay_mult', ['stem.0.bias', 'head.bias', 'depthwise.bias'], 1),
    ('norm_decay_mult', NORMS, 1),
    ('dwconv_decay_mult', DEPTHWISE, 1),
])
def test_each_factor_touches_its_parameters_only(key, names, index):
    if key == 'bias_decay_mult':
        names = [name for name in names if name not in DEPTHWISE]  # those have a rule of their own
    plain = (1.0, 0.1)
    for name, values in settings({key: 0.5}).items():
        expected = list(plain)
        if name in names:
            expected[index] *= 0.5
        assert values == tuple(expected), name


def test_rules_of_norms_and_depthwise_precede_those_of_biases():
    found = settings({'norm_decay_mult': 0.0, 'dwconv_decay_mult': 0.5, 'bias_decay_mult': 2.0,
                      'bias_lr_mult': 3.0})
    assert found['stem.1.bias'] == (1.0, 0.0)
    assert found['depthwise.bias'] == (3.0, 0.05)
    assert found['head.bias'] == (3.0, 0.2)


def test_longest_custom_key_decides_alone():
    found = settings({'custom_keys': {'head': {'lr_mult': 10}, 'head.bias': {'decay_mult': 0},
                                      'stem.1': {}}, 'norm_decay_mult': 0.0, 'bias_lr_mult': 2.0})
    assert found['head.weight'] == (10.0, 0.1)
    assert found['head.bias'] == (1.0, 0.0)
    assert found['stem.1.bias'] == (1.0, 0.1)
    assert found['norms.0.weight'] == (1.0, 0.0)


def test_equal_settings_share_a_group_in_order_of_appearance():
    model = Network()
    optimizer = build_optimizer(model, {
        'type': 'SGD', 'lr': 1.0, 'weight_decay': 0.1, 'momentum': 0.9,
        'paramwise_cfg': {'custom_keys': {'stem': {'lr_mult': 0.1}, 'head': {'lr_mult': 10}}}},
        joined=True)
    named = dict(model.named_parameters())
    groups = [['scale', 'depthwise.weight', 'depthwise.bias', 'norms.0.weight', 'norms.0.bias',
               'norms.1.weight', 'norms.1.bias'],
              ['stem.0.weight', 'stem.0.bias', 'stem.1.weight', 'stem.1.bias'],
              ['head.weight', 'head.bias']]
    assert [[id(p) for p in group['params']] for group in optimizer.param_groups] == [
        [id(named[name]) for name in group] for group in groups]
    assert [group['lr'] for group in optimizer.param_groups] == [1.0, 0.1, 10.0]
    assert {group['momentum'] for group in optimizer.param_groups} == {0.9}


def test_one_group_a_parameter_in_the_order_of_the_model():
    model = Network()
    model.head.bias.requires_grad = False
    optimizer = build_optimizer(model, {
        'type': 'SGD', 'lr': 1.0, 'weight_decay': 0.1,
        'paramwise_cfg': {'norm_decay_mult': 0.0, 'bias_lr_mult': 2.0}})
    assert [id(p) for group in optimizer.param_groups for p in group['params']] == [
        id(p) for p in model.parameters()]
    assert {len(group['params']) for group in optimizer.param_groups} == {1}
    assert optimizer.param_groups[2]['lr'] == 2.0  # stem.0.bias
    assert optimizer.param_groups[-1]['lr'] == 1.0  # frozen, as in mmcv


def test_joined_groups_have_no_place_of_their_own_for_frozen_parameters():
    model = Network()
    model.stem[0].bias.requires_grad = False
    optimizer = build_optimizer(model, {'type': 'SGD', 'lr': 1.0, 'paramwise_cfg': {
        'bias_lr_mult': 2.0}}, joined=True)
    assert [len(group['params']) for group in optimizer.param_groups] == [10, 3]


class DeformConv2d(nn.Conv2d):
    """The names of mmcv's classes decide."""


class DeformablePack(DeformConv2d):
    def __init__(self):
        super().__init__(4, 4, 3)
        self.conv_offset = nn.Conv2d(4, 18, 3)
        self.other = nn.Conv2d(4, 2, 1)


def test_offsets_of_deformable_convolutions():
    """Expected values are those of mmcv 1.7.2."""
    model = nn.Sequential(DeformablePack(), nn.Conv2d(3, 2, 1))
    model.conv_offset = nn.Conv2d(3, 2, 1)  # of that name only
    found = settings({'dcn_offset_lr_mult': 0.01, 'bias_lr_mult': 2.0, 'bias_decay_mult': 0.5},
                     model)
    assert found == {
        '0.weight': (1.0, 0.1), '0.bias': (2.0, 0.05), '0.conv_offset.weight': (0.01, 0.1),
        '0.conv_offset.bias': (0.01, 0.1), '0.other.weight': (1.0, 0.1),
        '0.other.bias': (1.0, 0.1), '1.weight': (1.0, 0.1), '1.bias': (2.0, 0.05),
        'conv_offset.weight': (1.0, 0.1), 'conv_offset.bias': (2.0, 0.05)}


class LayerDecay(DefaultOptimizerConstructor):
    """In the style of constructors for vision transformers."""

    def add_params(self, params, module, prefix='', is_dcn_module=None):
        groups = {}
        for name, parameter in module.named_parameters():
            rate = self.base_lr * self.paramwise_cfg['decay_rate'] ** name.count('.')
            groups.setdefault(rate, {'params': [], 'lr': rate, 'group_name': f'at {rate}'})
            groups[rate]['params'].append(parameter)
        params.extend(groups.values())


@pytest.mark.parametrize('joined', [True, False])
def test_groups_of_a_subclass_stay(monkeypatch, joined):
    monkeypatch.setitem(OPTIMIZER_BUILDERS.module_dict, 'LayerDecay', LayerDecay)
    optimizer = build_optimizer(Network(), {
        'type': 'SGD', 'lr': 1.0, 'constructor': 'LayerDecay',
        'paramwise_cfg': {'decay_rate': 0.5}}, joined=joined)
    assert [group['group_name'] for group in optimizer.param_groups] == ['at 1.0', 'at 0.25',
                                                                          'at 0.5']


def test_add_params_of_a_part():
    model = Network()
    constructor = DefaultOptimizerConstructor({'type': 'SGD', 'lr': 1.0}, {'bias_lr_mult': 2.0})
    params = []
    constructor.add_params(params, model.head, prefix='head')
    assert [group['lr'] for group in params] == [1.0, 2.0]
    with pytest.raises(ConfigError, match=r'head\.weight and a parameter before it'):
        constructor.add_params(params, model.head, prefix='head')


def test_error_types_of_mmcv():
    for make in (lambda: DefaultOptimizerConstructor([]),
                 lambda: DefaultOptimizerConstructor({'type': 'SGD', 'lr': 1.0}, ['error']),
                 lambda: settings({'custom_keys': [0.1]})):
        with pytest.raises(TypeError, match='is a dict'):
            make()


def test_without_options_there_is_one_group_with_frozen_parameters_too():
    model = Network()
    model.head.weight.requires_grad = False
    cfg = ConfigDict(type='Adam', lr=0.1)
    optimizer = build_optimizer(MMDataParallel(model), cfg)
    assert isinstance(optimizer, torch.optim.Adam)
    assert [id(p) for p in optimizer.param_groups[0]['params']] == [
        id(p) for p in model.parameters()]
    assert cfg == {'type': 'Adam', 'lr': 0.1}


def test_registry_holds_the_optimizers_of_torch():
    assert {'SGD', 'Adam', 'AdamW', 'RMSprop', 'Adadelta', 'LBFGS'} <= set(OPTIMIZERS)
    assert 'Optimizer' not in OPTIMIZERS
    assert set(TORCH_OPTIMIZERS) == {'Optimizer', *OPTIMIZERS} - {*FUSED_OPTIMIZERS}


def test_constructor_of_the_users(monkeypatch):
    class Constructor:
        def __init__(self, optimizer_cfg, paramwise_cfg=None):
            self.cfg = (optimizer_cfg, paramwise_cfg)

        def __call__(self, model):
            return self.cfg

    monkeypatch.setitem(OPTIMIZER_BUILDERS.module_dict, 'Mine', Constructor)
    assert build_optimizer(Network(), {'type': 'SGD', 'lr': 1, 'constructor': 'Mine',
                                       'paramwise_cfg': {'own': 1}}) == (
        {'type': 'SGD', 'lr': 1}, {'own': 1})


def test_shared_parameters(log_lines):
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].weight = model[0].weight
    with pytest.raises(ConfigError, match=r'1\.weight and 0\.weight .*bypass_duplicate'):
        settings({'norm_decay_mult': 0}, model)
    found = settings({'norm_decay_mult': 0, 'bypass_duplicate': True}, model)
    assert sorted(found) == ['0.bias', '0.weight', '1.bias']
    assert log_lines == ['1.weight is the same parameter as 0.weight and keeps its settings']


def test_unmatched_custom_key_warns(log_lines):
    settings({'custom_keys': {'heads': {'lr_mult': 10}, 'stem': {'lr_mult': 2}, 'stem.': {}}})
    assert log_lines == ["paramwise_cfg.custom_keys['heads'] is in the name of no parameter; did "
                         "you mean 'head'?"]


@pytest.mark.parametrize(('paramwise_cfg', 'message'), [
    ({'norm_decay': 0}, "no key 'norm_decay'; did you mean 'norm_decay_mult'"),
    ({'custom_keys': {'head': {'lr_mul': 1}}}, r"custom_keys\['head'\] has no key 'lr_mul'"),
])
def test_unknown_keys(paramwise_cfg, message):
    with pytest.raises(ConfigError, match=message):
        settings(paramwise_cfg)


@pytest.mark.parametrize(('missing', 'paramwise_cfg'), [
    ('weight_decay', {'norm_decay_mult': 0}),
    ('weight_decay', {'custom_keys': {'head': {'decay_mult': 0}}}),
    ('lr', {'bias_lr_mult': 2}), ('lr', {'custom_keys': {'head': {'lr_mult': 0}}}),
])
def test_scaled_settings_must_be_given(missing, paramwise_cfg):
    cfg = {'type': 'Adam', 'lr': 1, 'weight_decay': 1, 'paramwise_cfg': paramwise_cfg}
    del cfg[missing]
    with pytest.raises(ConfigError, match=f'needs an? {missing} of its own'):
        build_optimizer(Network(), cfg)


def test_unusable_configs():
    with pytest.raises(TypeError, match="'momentun'.*'momentum'"):
        build_optimizer(Network(), {'type': 'SGD', 'lr': 1, 'momentun': 0.9})
    with pytest.raises(KeyError, match="'SDG'.*did you mean 'SGD'"):
        build_optimizer(Network(), {'type': 'SDG', 'lr': 1})


def test_an_inherited_setting_that_another_type_lacks_is_traced():
    cfg = ConfigDict()
    assign(cfg, 'optimizer', dict(type='SGD', lr=0.1, momentum=0.9), 'configs/base.py')
    assign(cfg.optimizer, 'type', 'AdamW', 'command line')
    with pytest.raises(ArgumentError, match=(
            r"'AdamW' does not take 'momentum' \(set by configs/base\.py\)(.|\n)*"
            'set by command line: _delete_=True')):
        build_optimizer(Network(), cfg.optimizer)


def test_wd_mult_has_no_effect_and_says_so(monkeypatch):
    """As in mmcv: the published scores of DNLNet were made with the whole weight decay."""
    said = []
    monkeypatch.setattr(paramwise, 'warn_once', said.append)
    cfg = dict(type='SGD', lr=0.1, weight_decay=0.5)
    paramwise_cfg = dict(custom_keys=dict(weight=dict(wd_mult=0.0, lr_mult=2.0)))
    paramwise.check_paramwise(cfg, paramwise_cfg)
    assert said == ["paramwise_cfg.custom_keys['weight']: wd_mult has no effect, as in mmcv; the "
                    'factor of the weight decay is decay_mult']
    assert paramwise.factors(paramwise_cfg, 'weight', nn.Linear(1, 1), False) == (2.0, 1.0)
