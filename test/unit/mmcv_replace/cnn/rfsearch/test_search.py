"""The hook that gives branches to convolutions and chooses their dilations."""
import copy
import json
import logging
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from mmcv_replace.cnn import Conv2dRFSearchOp, RFSearchHook
from mmcv_replace.cnn.rfsearch import search as search_module

SEARCH = dict(step=0, max_step=12, search_interval=1, exp_rate=0.5, init_alphas=0.01, mmin=1,
              mmax=24, num_branches=2, skip_layer=['stem', 'block.1'])


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 2, 3, padding=1)
        self.block = nn.Sequential(*(nn.Conv2d(2, 2, 3, padding=1) for _ in range(2)))
        self.pointwise = nn.Conv2d(2, 2, 1)
        self.even = nn.Conv2d(2, 2, 4)
        self.wide = nn.Conv2d(2, 2, (1, 3), padding=(0, 1))
        self.line = nn.Conv1d(2, 2, 3)


STRUCTURE = {'module.block.0': [2, 2], 'module.wide': 3}


def make(mode='search', structure=None, by_epoch=True, **search):
    config = dict(search={**SEARCH, **search})
    if structure is not None:
        config['structure'] = dict(structure)
    return RFSearchHook(mode, config, by_epoch=by_epoch, verbose=False)


def searched(model):
    return {name: module.dilation_rates for name, module in model.named_modules()
            if isinstance(module, Conv2dRFSearchOp)}


def test_search_wraps_what_has_a_dilation_to_search():
    model = Model()
    make().init_model(model)
    assert searched(model) == {'block.0': [(1, 1), (2, 2)], 'wide': [(1, 1), (1, 2)]}
    make().wrap_model(model)
    assert len(searched(model)) == 2  # not those inside, once more


def test_search_from_a_structure():
    model = Model()
    make(structure=STRUCTURE).init_model(model)
    assert searched(model) == {'block.0': [(1, 1), (3, 3)], 'wide': [(3, 2), (3, 4)]}


@pytest.mark.parametrize('mode', ['fixed_single_branch', 'fixed_multi_branch'])
def test_fixed_modes(mode, tmp_path):
    model, hook = Model(), make(mode, STRUCTURE)
    hook.init_model(model)
    multiple = mode == 'fixed_multi_branch'
    layer = model.wide.op_layer if multiple else model.wide
    assert layer.dilation == (3, 3)
    assert layer.padding == (0, 3)
    assert len(searched(model)) == 2 * multiple
    rates = searched(model)
    hook.after_train_epoch(SimpleNamespace(model=model, work_dir=tmp_path))
    assert hook.config['search']['step'] == 0
    assert searched(model) == rates


def test_layers_that_the_structure_lacks():
    with pytest.raises(KeyError, match=r'no dilation for module.block.0.*skip_layer'):
        make('fixed_single_branch').init_model(Model())
    model = Model()
    make().set_model(model, init_rates=5)
    assert model.block[0].dilation == model.block[0].padding == (5, 5)
    model = Model()
    make(structure={'net.block.0': 2, 'net.wide': 2}).set_model(model, prefix='net')
    assert model.wide.dilation == (2, 2)


def test_prefix_is_part_of_the_name():
    model = Model()
    make().wrap_model(model, prefix='stem')
    assert not searched(model)


@pytest.mark.parametrize(('by_epoch', 'acts', 'rests'), [
    (True, 'after_train_epoch', 'after_train_iter'), (False, 'after_train_iter',
                                                      'after_train_epoch')])
def test_steps(tmp_path, by_epoch, acts, rests):
    model, hook = Model(), make(by_epoch=by_epoch, search_interval=2, max_step=5)
    hook.init_model(model)
    runner = SimpleNamespace(model=model, work_dir=str(tmp_path))
    seen = []
    for _ in range(6):
        getattr(hook, rests)(runner)
        getattr(hook, acts)(runner)
        model.block[0].branch_weights.data[:] = torch.tensor([0.0, 1.0])
        seen.append(model.block[0].dilation_rates)
    once, twice = [(1, 1), (3, 3)], [(2, 2), (4, 4)]
    # 1.5 is rounded to 2; then 3 has all the weight.
    assert seen == [[(1, 1), (2, 2)], once, once, twice, twice, twice]
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ['local_search_config_step2.json', 'local_search_config_step4.json']
    found = json.loads((tmp_path / files[1]).read_text())
    assert found['search'] == {**SEARCH, 'search_interval': 2, 'max_step': 5, 'step': 4}
    assert found['structure'] == {'block.0': [3, 3], 'wide': [1, 2]}


def test_one_process_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(search_module, 'get_dist_info', lambda: (1, 2))
    make().step(Model(), tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_file_of_a_search_is_a_structure(tmp_path):
    file = tmp_path / 'found.json'
    file.write_text(json.dumps(dict(search=dict(step=9), structure={'module.wide': [1, 4]})))
    config = dict(search=SEARCH, structure={'module.wide': 2})
    hook = RFSearchHook('fixed_single_branch', config, rfstructure_file=str(file))
    assert hook.config == dict(search=SEARCH, structure={'module.wide': [1, 4]})
    assert config['structure'] == {'module.wide': 2}


def test_settings_of_the_caller_stay(tmp_path):
    config = dict(search=dict(SEARCH))
    before = copy.deepcopy(config)
    RFSearchHook('search', config).step(Model(), tmp_path)
    assert config == before


def test_a_resume_continues_the_search(tmp_path):
    hook, model = make(), Model()
    hook.init_model(model)
    runner = SimpleNamespace(model=model, work_dir=tmp_path)
    hook.after_train_epoch(runner)
    checkpoint = {}
    hook.before_save_checkpoint(runner, checkpoint)

    again, fresh = make(), Model()
    again.init_model(fresh)
    again.after_resume(SimpleNamespace(model=fresh), checkpoint)
    assert again.config == hook.config
    assert searched(fresh) == searched(model) != {}
    assert fresh.wide.op_layer.dilation == (1, 2)
    assert fresh.wide.op_layer.padding == (0, 2)
    again.after_resume(SimpleNamespace(model=fresh), {})
    assert again.config['search']['step'] == 1


def test_nothing_to_search_is_told(caplog):
    logger = logging.getLogger('rfsearch')
    hook, model = make(), Model()
    hook.before_run(SimpleNamespace(model=model, logger=logger))
    assert 'call its init_model(model)' in caplog.text
    caplog.clear()
    hook.init_model(model)
    hook.before_run(SimpleNamespace(model=model, logger=logger))
    assert not caplog.text


@pytest.mark.parametrize(('arguments', 'error', 'words'), [
    (('find', dict(search=SEARCH)), AssertionError, "mode='find'"),
    (('search',), KeyError, "lacks 'search'"),
])
def test_wrong_settings(arguments, error, words):
    with pytest.raises(error, match=words):
        RFSearchHook(*arguments)


def test_only_layers_of_two_dimensions_are_searched():
    with pytest.raises(ValueError, match="search_op='Conv1d'"):
        make().wrap_model(Model(), 'Conv1d')
