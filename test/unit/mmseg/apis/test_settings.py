import json
import re

import pytest

from mmcv_replace.utils import Config
from mmcv_replace.utils import logging as our_logging
from mmcv_replace.utils.errors import ConfigError
from mmseg.apis.settings import TOP, check_settings

LEAF = 'configs/pspnet/pspnet_r50-d8_512x512_20k_voc12aug.py'


@pytest.fixture(autouse=True)
def own_warnings(monkeypatch):
    """What is warned about here once is warned about elsewhere too."""
    monkeypatch.setattr(our_logging, '_warned', set())


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
    ('log_level', 'loud', r"log_level='loud' \(set by .*\) does not fit, it takes 'DEBUG' \| "),
    ('load_from', 3, 'str'), ('total_iters', 'x', 'int'),
    ('bf16', 'dict()', r"bf16='dict\(\)' \(set by command line\) does not fit"),
    ('compile', 'dict()', r"compile='dict\(\)' \(set by command line\) does not fit"),
    ('data.test_dataloader', 'dict()', r"data.test_dataloader='dict\(\)' \(set by"),
])
def test_wrong_kinds(repo_dir, key, value, message):
    cfg = Config.fromfile(repo_dir / LEAF)
    cfg.merge_from_dict({key: {'_delete_': True, **value} if isinstance(value, dict) else value})
    with pytest.raises(ConfigError, match=message):
        check_settings(cfg)


def test_an_unknown_name_in_a_section_is_an_error(repo_dir):
    cfg = Config.fromfile(repo_dir / LEAF)
    cfg.merge_from_dict({'data.shuffle': True, 'data.cache': 'decoded', 'log_config.colour': 'red',
                         'data.extra': {'type': 'CustomDataset'}})
    with pytest.raises(ConfigError) as raised:
        check_settings(cfg)
    lines = str(raised.value).splitlines()
    assert len(lines) == 2
    assert lines[0].startswith('data.shuffle (set by command line) is no setting: data takes samp')
    assert lines[1] == ('log_config.colour (set by command line) is no setting: log_config takes '
                        'interval, hooks')


SLIPS = {
    'checkpoint_confg': 'checkpoint_config', 'optimzer_config': 'optimizer_config',
    'evaluaton': 'evaluation', 'evalutaion': 'evaluation', 'Evaluation': 'evaluation',
    'checkpoint-config': 'checkpoint_config', 'checkpointconfig': 'checkpoint_config',
    'LogConfig': 'log_config', 'lr_confg': 'lr_config', 'runer': 'runner', 'modle': 'model',
    'dtaa': 'data', 'resume_form': 'resume_from', 'load_form': 'load_from', 'fp_16': 'fp16',
    'custom_hook': 'custom_hooks', 'total_iter': 'total_iters', 'dist_param': 'dist_params',
    'tset_cfg': 'test_cfg', 'workflw': 'workflow', 'cudnn_benchmrk': 'cudnn_benchmark',
    'optimiser': 'optimizer', 'work_dri': 'work_dir', 'seeed': 'seed', 'winogard': 'winograd',
    'channel_last': 'channels_last', 'non_finite': 'nonfinite', 'NPU': 'npu',
    'data.trian': 'data.train', 'data.sample_per_gpu': 'data.samples_per_gpu',
    'data.on_eror': 'data.on_error', 'data.Val': 'data.val',
    'data.train_dataloder': 'data.train_dataloader',
    'data.val_dataloader.worker_per_gpu': 'data.val_dataloader.workers_per_gpu',
    'log_config.intervl': 'log_config.interval', 'log_config.hook': 'log_config.hooks',
    'evaluation.metrc': 'evaluation.metric', 'evaluation.save_bset': 'evaluation.save_best',
    'dist_params.timeot': 'dist_params.timeout', 'npu.jit_compil': 'npu.jit_compile',
    'npu.stirct': 'npu.strict', 'fp16.loss_scal': 'fp16.loss_scale',
    'ddp.static_grph': 'ddp.static_graph', 'cpu.thread': 'cpu.threads',
    'model.test_cfg.max_logit_mb': 'model.test_cfg.max_logits_mb',
    'model.train_cfg.num_pointz': 'model.train_cfg.num_points',
    'train_cfg.oversampl_ratio': 'train_cfg.oversample_ratio',
    'model.test_cfg.subdivison_steps': 'model.test_cfg.subdivision_steps',
    'test_cfg.scale_facter': 'test_cfg.scale_factor',
}
# Variables that real configs define beside their settings, or could.
OWN = (
    'norm_cfg', 'img_norm_cfg', 'crop_size', 'img_scale', 'train_pipeline', 'test_pipeline',
    'data_root', 'dataset_type', 'backbone_norm_cfg', 'conv_kernel_size', 'num_stages',
    'checkpoint_file', 'pretrained', 'custom_keys', 'depths', 'device', 'gpu_ids', 'lr',
    'max_iters', 'runner_type', 'model_cfg', 'datasets', 'optim', 'evaluations', 'evaluator',
    'mode', 'date', 'fp32', 'gpu', 'seeds', 'models', 'model2', 'lr_cfg', 'lr_mult', 'base_lr',
    'optimizer_cfg', 'optimizer_type', 'log_cfg', 'log_interval', 'log_dir', 'val_cfg',
    'test_config', 'train_config', 'hr_config', 'text_cfg', 'best_cfg', 'local_iters',
    'total_items', 'warmup_iters', 'compiler', 'checkpoint', 'checkpoint_dir', 'resume',
    'data_cfg', 'eval_cfg', 'dataset', 'train', 'val', 'test', 'iters', 'num_classes',
    'data.extra', 'data.train2', 'data.val_dataset', 'data.trainval', 'data.test_dev',
    'evaluation.pre_eval', 'evaluation.efficient_test', 'model.train_cfg.temperature',
    'test_cfg.multi_label', 'npu.matmul.allow_hf32',
    'dist_params.backend', 'dist_params.port')


@pytest.mark.parametrize(('key', 'meant'), SLIPS.items())
def test_a_misspelt_setting_is_not_ignored(repo_dir, key, meant):
    cfg = Config.fromfile(repo_dir / LEAF)
    cfg.merge_from_dict({key: {'interval': 1}})
    with pytest.raises(ConfigError, match=rf"^{key} \(set by command line\) is no setting and "
                       rf"would be ignored; did you mean '{meant}'\?"):
        check_settings(cfg)


@pytest.mark.parametrize('suffix', ['.py', '.json', '.yaml'])
@pytest.mark.parametrize('value', [{'interval': 1}, None, {}])
def test_a_misspelt_setting_of_a_file(tmp_path, suffix, value):
    file = tmp_path / f'config{suffix}'
    file.write_text(f'evaluaton = {value}\nruner = 3\n' if suffix == '.py'
                    else json.dumps({'evaluaton': value, 'runer': 3}))
    with pytest.raises(ConfigError) as raised:
        check_settings(Config.fromfile(file))
    assert f"evaluaton (set by {file}) is no setting" in str(raised.value)
    assert f"runer (set by {file}) is no setting" in str(raised.value)
    assert 'A variable of your own needs a name that is less like' in str(raised.value)


def test_a_misspelt_setting_that_a_base_has_and_that_is_emptied(tmp_path):
    (tmp_path / 'base.py').write_text('evaluaton = dict(interval=1)\n')
    (tmp_path / 'leaf.py').write_text("_base_ = 'base.py'\nevaluaton = dict(_delete_=True)\n")
    with pytest.raises(ConfigError, match=r"evaluaton \(set by .*leaf\.py\)"):
        check_settings(Config.fromfile(tmp_path / 'leaf.py'))


@pytest.mark.parametrize('key', OWN)
def test_variables_of_the_users_own_are_free(repo_dir, key, caplog):
    cfg = Config.fromfile(repo_dir / LEAF)
    for value in (1, {'interval': 1}, [1], 'x'):
        *path, name = key.split('.', 1)
        if not path or isinstance(value, dict):
            holder = cfg.setdefault(path[0], {}) if path else cfg
            holder[name] = value
            check_settings(cfg)
    assert caplog.text == ''


def test_no_config_of_the_reference_is_refused(shared_dir, caplog):
    configs = json.loads((shared_dir / 'reference/configs_0.10.json').read_text())
    assert len(configs) == 375
    for values in configs.values():
        check_settings(Config(values))
    assert caplog.text == ''


@pytest.mark.parametrize(('key', 'message'), [
    ('checkpoint_config.x', 'checkpoint_config takes interval, by_epoch'),
    ('nonfinite.x', 'nonfinite takes interval, action'), ('preemption.x', 'preemption takes sig'),
    ('data.on_error', r"on_error=1 \(set by .*\) does not fit, it takes str \| dict"),
    ('data.cache.x', r'data\.cache\.x \(set by .*cache takes level, max_gb'),
    ('data.check', r"data\.check=1 \(set by .* takes 'quick' \| 'full' \| 'off': the data check"),
    ('compile.x', 'compile takes parts, backend, dynamic'),
    ('log_config.x', 'log_config takes interval, hooks'),
    ('checkpoint_config.out_dir', r'out_dir=1 \(set by .* takes str \| Path \| None'),
    ('ddp.nothing', r'ddp\.nothing \(set by command line\) is no setting: ddp takes module'),
    ('cpu.cores', 'cpu takes threads, keep_memory'), ('fp16.x', 'fp16 takes opt_level'),
    ('bf16.x', 'bf16 takes'), ('data.test_dataloader.x', 'data.test_dataloader takes samples')])
def test_names_that_a_part_does_not_take(repo_dir, key, message):
    cfg = Config.fromfile(repo_dir / LEAF)
    cfg.merge_from_dict({key: 1})
    with pytest.raises(ConfigError, match=message):
        check_settings(cfg)


@pytest.mark.parametrize(('key', 'choices'), [
    *((key, 'bool | None') for key in ('channels_last', 'host_norms', 'recompute_norms',
                                       'winograd', 'fuse_conv_bn')),
    ('deterministic', r"True | False | 'strict' | None")])
def test_choices(key, choices):
    for value in (True, False, None):
        check_settings(Config({key: value}))
    with pytest.raises(ConfigError, match=re.escape(f"{key}='yes' (set by") + '.*'
                       + re.escape(f'takes {choices}')):
        check_settings(Config({key: 'yes'}))


@pytest.mark.parametrize('options', [
    {'deterministic': 'strict'},
    {'evaluation.save_best': False}, {'evaluation.save_best': None}, {'evaluation.start': 0},
    {'bf16': True}, {'bf16': False}, {'compile': dict(parts=['a'])}, {'evaluation': None},
    {'data.cache': dict(level='decoded')}, {'data.on_error': dict(action='skip')}, {'fp16': None},
    {'preemption': None}, {'preemption.exit_code': 3}, {'checkpoint_config.type': 'Mine'}])
def test_settings_that_fit(repo_dir, options):
    cfg = Config.fromfile(repo_dir / LEAF)
    cfg.merge_from_dict(options)
    check_settings(cfg)


def test_every_setting_that_is_read_is_known(repo_dir):
    """A name that the code asks a config for is none of the user's own."""
    text = ''.join(file.read_text() for file in (repo_dir / 'mmseg/apis').glob('*.py'))
    read = set(re.findall(r"\bcfg\.get\('(\w+)'", text)) | set(re.findall(
        r"_choice\(cfg, '(\w+)'", text))
    assert {'nonfinite', 'auto_resume', 'winograd'} <= read
    # A variable of the dialect's custom, which a user may also name otherwise.
    assert read - {'test_pipeline'} <= set(TOP)
