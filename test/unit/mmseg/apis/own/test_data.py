"""`own_data` in a config: what it changes there, and which split a run goes on with."""
import argparse

import numpy as np
import pytest
from PIL import Image

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError, DataError
from mmseg.apis.own.config import apply_plan
from mmseg.apis.own.data import (
    config_text,
    follow_own_data,
    plan_own_data,
    trying_own_data,
    write_own_data,
)
from mmseg.apis.own.options import add_own_data_arguments, apply_own_data_arguments
from mmseg.datasets import build_dataset

LOAD = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations', reduce_zero_label=True)]
TEST = [dict(type='LoadImageFromFile')]


def add_images(root, *names):
    for folder in ('images', 'masks'):
        (root / folder).mkdir(exist_ok=True)
    for name in names:
        image = np.random.default_rng(sum(map(ord, name))).integers(0, 256, (8, 12, 3))
        Image.fromarray(image.astype(np.uint8)).save(root / f'images/{name}.jpg')
        label = np.repeat(np.arange(12)[None] % 3, 8, axis=0).astype(np.uint8)
        Image.fromarray(label).save(root / f'masks/{name}.png')


@pytest.fixture
def cfg(tmp_path):
    add_images(tmp_path, *'abcdefgh')
    head = dict(type='FCNHead', num_classes=19, loss_decode=dict(
        type='CrossEntropyLoss', class_weight=[1.0] * 19))
    return Config(dict(
        model=dict(decode_head=head, auxiliary_head=[dict(head, loss_decode=[
            dict(type='CrossEntropyLoss', class_weight=[1.0, 2.0, 3.0])])]),
        data=dict(
            samples_per_gpu=3,
            train=dict(type='RepeatDataset', times=9, dataset=dict(
                type='ADE20KDataset', img_dir='x', ann_dir='y', pipeline=LOAD)),
            test=dict(type='ADE20KDataset', img_dir='x', pipeline=TEST)),
        own_data=dict(images=str(tmp_path / 'images'), masks=str(tmp_path / 'masks'),
                      classes=['sky', 'road', 'car']),
        work_dir=str(tmp_path / 'run')))


def resolve(cfg, told=()):
    plan, news = plan_own_data(cfg)
    assert set(told) <= set(apply_plan(cfg, plan, cfg.work_dir))
    write_own_data(plan, cfg.work_dir)
    return plan, news


def test_without_own_data_nothing_happens(tmp_path):
    cfg = Config(dict(data=dict(train=dict(type='X'))))
    before = cfg.pretty_text
    assert plan_own_data(cfg) is None
    follow_own_data(cfg, tmp_path)
    with trying_own_data(cfg) as plan:
        assert plan is None
    assert cfg.pretty_text == before


def test_data_sets_and_heads_of_the_config(cfg, tmp_path):
    plan, _ = resolve(cfg, told=[
        'model: num_classes=3 in decode_head, auxiliary_head.0',
        'left out: the 19 weights class_weight in decode_head, which are for other classes'])

    assert 'own_data' not in cfg
    assert cfg.data.samples_per_gpu == 3
    assert cfg.data.train.pipeline == [LOAD[0], dict(type='LoadAnnotations')]
    assert cfg.data.val.pipeline == cfg.data.test.pipeline == TEST
    assert cfg.data.train.split == str(tmp_path / 'run/own_data/train.txt')
    assert cfg.data.test.split == cfg.data.val.split == str(tmp_path / 'run/own_data/val.txt')
    assert cfg.model.decode_head.num_classes == cfg.model.auxiliary_head[0].num_classes == 3
    assert 'class_weight' not in cfg.model.decode_head.loss_decode
    assert cfg.model.auxiliary_head[0].loss_decode[0].class_weight == [1.0, 2.0, 3.0]
    # The saved config needs nothing else.
    cfg.dump(tmp_path / 'saved.py')
    saved = Config.fromfile(tmp_path / 'saved.py')
    train = build_dataset(saved.data.train)
    assert len(train) == len(plan.lists['train'])
    assert train[0]['gt_semantic_seg'].max() == 2
    assert train.CLASSES == ['sky', 'road', 'car']


def test_the_command_line_has_the_last_word(cfg):
    cfg.merge_from_dict({
        'data.test.ignore_index': 7, 'data.train.dataset.label_map': {0: 1},
        'model.decode_head.num_classes': 5, 'model.decode_head.loss_decode.class_weight': [1.0] * 5,
        'own_data.val_fraction': 0.5})
    resolve(cfg)
    assert cfg.data.test.ignore_index == 7
    assert cfg.data.train.label_map == {0: 1}
    assert cfg.model.decode_head.num_classes == 5
    assert len(cfg.model.decode_head.loss_decode.class_weight) == 5
    assert cfg.model.auxiliary_head[0].num_classes == 3


@pytest.mark.parametrize(('options', 'told'), [
    ({'own_data.imagez': 'x'}, 'own_data.imagez.*did you mean'),
    ({'own_data.val_fraction': 1.5}, 'own_data.val_fraction=1.5.*above 0'),
    ({'own_data.seed': -1}, 'own_data.seed=-1'), ({'own_data': {'images': 'x'}}, '')])
def test_settings_are_checked(cfg, options, told):
    if not told:
        cfg.own_data = options['own_data']
        told = 'lacks masks'
    else:
        cfg.merge_from_dict(options)
    with pytest.raises(ConfigError, match=told):
        plan_own_data(cfg)


def test_a_config_without_pipelines(cfg):
    cfg.data = {}
    with pytest.raises(ConfigError, match=r'data\.train has none: begin with a config'):
        resolve(cfg)


def again(cfg, **settings):
    """The config of the same command, given once more."""
    cfg = Config(cfg.deepcopy().to_dict())
    cfg.update(settings)
    return cfg


def test_a_run_that_goes_on_keeps_its_lists(cfg, tmp_path):
    cfg.own_data.val_fraction = 0.4
    command = again(cfg)
    plan, _ = resolve(cfg)
    add_images(tmp_path, *'ijklmnop')

    fresh, _ = plan_own_data(again(command))
    assert len(sum(fresh.lists.values(), [])) == 16
    for side in ('train', 'val'):  # nothing has moved
        assert {*plan.lists[side]} == {*fresh.lists[side]} & {*sum(plan.lists.values(), [])}
    kept, news = plan_own_data(again(command, auto_resume=True))
    assert kept.lists == plan.lists
    assert '8 images that were added since, such as i.jpg, are not used' in news
    checkpoint = dict(work_dir=str(tmp_path / 'other'), resume_from=str(tmp_path / 'run/x.pth'))
    kept, _ = plan_own_data(again(command, **checkpoint))
    assert kept.lists == plan.lists


def test_a_job_that_its_launcher_starts_again_goes_on(cfg, tmp_path, monkeypatch):
    command = again(cfg)
    plan, _ = resolve(cfg)
    add_images(tmp_path, 'z')
    monkeypatch.setenv('TORCHELASTIC_RESTART_COUNT', '1')
    assert plan_own_data(again(command))[0].lists == plan.lists


def test_a_first_start_with_auto_resume_plans(cfg):
    cfg.auto_resume = True
    plan, news = plan_own_data(cfg)
    assert news == plan.text


def test_other_settings_are_no_resume(cfg):
    command = again(cfg, auto_resume=True)
    resolve(cfg)
    command.own_data.seed = 3
    with pytest.raises(ConfigError, match=r'was another: seed=3 \(0 before\)\. .*--work-dir'):
        plan_own_data(command)


def test_folders_may_move(cfg, tmp_path):
    command = again(cfg, auto_resume=True)
    plan, _ = resolve(cfg)
    for folder in ('images', 'masks'):
        (tmp_path / folder).rename(tmp_path / f'moved_{folder}')
        command.own_data[folder] = str(tmp_path / f'moved_{folder}')
    kept, _ = plan_own_data(command)
    assert kept.lists == plan.lists
    assert kept.datasets['test']['img_dir'] == str(tmp_path / 'moved_images')
    assert kept.datasets['train']['ann_dir'] == str(tmp_path / 'moved_masks')


def test_a_test_follows_the_training(cfg, tmp_path):
    command = again(cfg)
    with pytest.raises(ConfigError, match='no training with these data is in .*train first'):
        follow_own_data(again(command), tmp_path)
    plan, _ = resolve(cfg)
    tested = again(command)
    follow_own_data(tested, tmp_path)  # by its work_dir
    assert tested.data.test == cfg.data.test
    elsewhere = again(command, work_dir=None)
    follow_own_data(elsewhere, tmp_path / 'run')  # by the folder of its checkpoint
    assert elsewhere.data.test == cfg.data.test
    assert len(build_dataset(elsewhere.data.test, dict(test_mode=True))) == len(plan.lists['val'])


def test_a_test_is_on_the_folders_of_its_config(cfg, tmp_path):
    command = again(cfg)
    resolve(cfg)
    moved = again(command)
    for folder in ('images', 'masks'):
        (tmp_path / folder).rename(tmp_path / f'moved_{folder}')
        moved.own_data[folder] = str(tmp_path / f'moved_{folder}')
    follow_own_data(moved, tmp_path / 'run')
    assert moved.data.test.img_dir == str(tmp_path / 'moved_images')
    build_dataset(moved.data.test, dict(test_mode=True)).check_files()
    with pytest.raises(ConfigError, match=r'own_data.images: .*images is not a folder'):
        follow_own_data(again(command), tmp_path / 'run')
    other = again(command, own_data=dict(
        images=str(tmp_path / 'moved_images'), masks=str(tmp_path / 'moved_masks'), seed=3))
    with pytest.raises(ConfigError, match=r'was another: .*seed=3 \(0 before\)\. A test is on the '
                                          'images that the training was validated on: .*saved'):
        follow_own_data(other, tmp_path / 'run')


def test_a_try_writes_nothing(cfg, tmp_path):
    with trying_own_data(cfg) as plan:
        train = build_dataset(cfg.data.train)
        assert len(train) == len(plan.lists['train'])
        text = config_text(cfg, plan)
    assert not (tmp_path / 'run').exists()
    assert 'model: num_classes=3' in plan.text
    (tmp_path / 'told.py').write_text(text)
    told = Config.fromfile(tmp_path / 'told.py')
    assert told.data.val.split == 'WORK_DIR/own_data/val.txt'
    assert told.data.train.classes == ['sky', 'road', 'car']
    assert 'pipeline' not in told.data.train
    assert told.data.train.split == 'WORK_DIR/own_data/train.txt'
    assert told.data.test.to_dict() == {
        name: value for name, value in cfg.data.test.items()
        if name not in ('pipeline', 'data_root')} | dict(split='WORK_DIR/own_data/val.txt')
    assert told.model.to_dict() == dict(decode_head=dict(num_classes=3),
                                        auxiliary_head=[dict(num_classes=3)])


def test_a_refusal_leaves_nothing_behind(cfg, tmp_path):
    (tmp_path / 'masks/c.png').unlink()
    with pytest.raises(DataError, match=r'1 image without a mask: c\.jpg'):
        plan_own_data(cfg)
    assert not (tmp_path / 'run').exists()


def options(*argv):
    parser = argparse.ArgumentParser()
    parser.add_argument('--data-root')
    add_own_data_arguments(parser)
    return parser.parse_args(argv)


def test_options_set_the_section():
    cfg = Config({})
    apply_own_data_arguments(cfg, options())
    assert 'own_data' not in cfg
    apply_own_data_arguments(cfg, options(
        '--images', 'i', '--masks', 'm', '--val-images', 'vi', '--val-masks', 'vm',
        '--val-fraction', '0.3', '--classes', 'a,b'))
    assert cfg.own_data.to_dict() == dict(
        images='i', masks='m', val_images='vi', val_masks='vm', val_fraction=0.3, classes='a,b')
    apply_own_data_arguments(cfg, options('--classes', 'c,d'))
    assert cfg.own_data.classes == 'c,d'
    assert cfg.own_data.images == 'i'


@pytest.mark.parametrize(('argv', 'told'), [
    (['--images', 'x'], '--images without --masks'),
    (['--val-fraction', '0.2'], '--val-fraction without --images and --masks'),
    (['--images', 'x', '--masks', 'y', '--data-root', 'z'], '--data-root is the folder of those')])
def test_options_that_do_not_fit(argv, told):
    with pytest.raises(ConfigError, match=told):
        apply_own_data_arguments(Config({}), options(*argv))
