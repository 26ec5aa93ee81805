import pytest

from mmcv_replace.utils import Config
from mmcv_replace.utils.config.explain import all_origins
from mmcv_replace.utils.errors import ConfigError


@pytest.fixture
def cfg(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'base.py').write_text(
        "model = dict(type='A', depth=50, head=dict(bins=(1, 2)), old=dict(a=1))\n"
        "data = dict(train=dict(pipeline=[dict(type='Load'), dict(type='Pad', size=3)]))\n")
    (tmp_path / 'mid.py').write_text("_base_ = 'base.py'\nmodel = dict(depth=101)\n")
    (tmp_path / 'leaf.py').write_text(
        "_base_ = 'mid.py'\nmodel = dict(depth=18, old=dict(_delete_=True, b=2))\n")
    result = Config.fromfile('leaf.py')
    result.merge_from_dict({'data.train.pipeline.1.size': 4, 'model.head.bins': [3]})
    return result


def test_value_tells_its_whole_history(cfg):
    assert cfg.explain('model.depth') == (
        'model.depth = 18  # set by base.py, overridden by mid.py, overridden by leaf.py')


def test_dict_lists_every_value_below(cfg):
    assert cfg.explain('model').splitlines() == [
        'model: set by base.py',
        "model.type = 'A'       # set by base.py",
        'model.depth = 18       # set by base.py, overridden by mid.py, overridden by leaf.py',
        'model.head.bins = [3]  # set by base.py, overridden by command line',
        'model.old.b = 2        # set by leaf.py',
    ]


def test_list_of_dicts(cfg):
    assert cfg.explain('data.train.pipeline').splitlines() == [
        'data.train.pipeline: set by base.py',
        "data.train.pipeline.0.type = 'Load'  # set by base.py",
        "data.train.pipeline.1.type = 'Pad'   # set by base.py",
        'data.train.pipeline.1.size = 4       # set by base.py, overridden by command line',
    ]
    assert cfg.explain('data.train.pipeline.1.size').endswith('overridden by command line')
    assert cfg.explain('model.head.bins.0') == (
        'model.head.bins.0 = 3  # set by base.py, overridden by command line')


def test_value_set_by_the_program(cfg):
    cfg.model.depth = 34
    cfg.seed = 1
    assert cfg.explain('model.depth').endswith('overridden by program code')
    assert cfg.explain('seed') == 'seed = 1  # set by program code'
    assert cfg.explain('model.old').splitlines()[0] == (
        'model.old: set by base.py, overridden by leaf.py')


def test_file_outside_the_current_folder_is_given_in_full(tmp_path, monkeypatch):
    (tmp_path / 'a.py').write_text('x = 1')
    (tmp_path / 'sub').mkdir()
    monkeypatch.chdir(tmp_path / 'sub')
    assert Config.fromfile('../a.py').explain('x') == f'x = 1  # set by {tmp_path / "a.py"}'


@pytest.mark.parametrize(('key', 'message'), [
    ('', 'an empty name'),
    ('modle', "key 'modle': the config has no 'modle'; did you mean 'model'"),
    ('model.detph', r"model has no 'detph'; did you mean 'depth'\? \(its keys: type, depth"),
    ('model.depth.x', "'model.depth' is 18, which has no parts"),
    ('data.train.pipeline.5', "a list of 2, so the next step is an index from 0 to 1, not '5'"),
])
def test_unknown_key(cfg, key, message):
    with pytest.raises(ConfigError, match=message):
        cfg.explain(key)


def test_origins_of_all_values(cfg):
    cfg.seed, cfg.text_of_user = 1, 'x' * 2000
    rows = all_origins(cfg)
    assert rows[:2] == [('model.type', "'A'", 'set by base.py'), (
        'model.depth', '18', 'set by base.py, overridden by mid.py, overridden by leaf.py')]
    assert ('data.train.pipeline.1.size', '4', 'set by base.py, overridden by command line') in rows
    assert rows[-2] == ('seed', '1', 'set by program code')
    assert len(rows[-1][1]) == 1000
