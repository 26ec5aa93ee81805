import pytest

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError
from mmseg.apis.settings import LEAST, MOST, SETTINGS, check_settings

LEAF = 'configs/pspnet/pspnet_r50-d8_512x512_20k_voc12aug.py'


@pytest.mark.parametrize('file', ['pspnet', 'fcn'])
def test_real_configs_pass(repo_dir, file):
    for path in (repo_dir / 'configs' / file).glob('*.py'):
        check_settings(Config.fromfile(path))


def test_a_config_may_lack_everything():
    check_settings(Config({}))


@pytest.mark.parametrize(('key', 'value', 'message'), [
    ('data', 5, r'data=5 \(set by command line\) does not fit, it takes dict'),
    ('data.samples_per_gpu', 0, 'from 1 to 1048576'),
    ('data.workers_per_gpu', 'x', "data.workers_per_gpu='x'"),
    ('workflow', 'train', 'workflow'), ('log_config.interval', 0, 'from 1 on'),
    ('custom_hooks', {'type': 'A'}, 'custom_hooks'), ('seed', 2**40, 'from 0 to 4294967295'),
    ('seed', 1.5, 'int'),
    ('log_level', 'loud', "log_level='loud': choose"),
    ('load_from', 3, 'str'), ('total_iters', 'x', 'int'),
])
def test_wrong_kinds(repo_dir, key, value, message):
    cfg = Config.fromfile(repo_dir / LEAF)
    cfg.merge_from_dict({key: {'_delete_': True, **value} if isinstance(value, dict) else value})
    with pytest.raises(ConfigError, match=message):
        check_settings(cfg)


def test_a_setting_of_the_data_that_is_not_known_is_told(repo_dir, caplog):
    cfg = Config.fromfile(repo_dir / LEAF)
    check_settings(cfg)
    assert caplog.text == ''
    cfg.merge_from_dict({'data.sample_per_gpu': 3, 'data.cache': 'decoded',
                         'data.extra': {'type': 'CustomDataset'}})
    check_settings(cfg)
    assert caplog.text.count('has no effect') == 1
    assert ('data.sample_per_gpu=3 (set by command line) has no effect; did you mean '
            "'samples_per_gpu' or") in caplog.text


def test_limits_are_those_of_settings():
    assert {*LEAST, *MOST} <= set(SETTINGS)
