import pytest

from mmcv_replace.utils import ConfigDict
from mmcv_replace.utils.errors import (
    ArgumentError,
    ConfigError,
    DataError,
    EmptyDatasetError,
    RegistryError,
)
from mmseg.datasets import DATASETS, PIPELINES, ConcatDataset, RepeatDataset, build_dataset
from mmseg.datasets.custom import CustomDataset

STEPS_OF_THE_REFERENCE = {
    'AdjustGamma', 'CLAHE', 'Collect', 'Compose', 'DefaultFormatBundle', 'ImageToTensor',
    'LoadAnnotations', 'LoadImageFromFile', 'MultiScaleFlipAug', 'Normalize', 'Pad',
    'PhotoMetricDistortion', 'RGB2Gray', 'RandomCrop', 'RandomFlip', 'RandomRotate', 'Rerange',
    'Resize', 'SegRescale', 'ToDataContainer', 'ToTensor', 'Transpose'}


def test_the_registries_hold_every_component_of_the_reference():
    assert {'CustomDataset', 'PascalVOCDataset', 'ConcatDataset', 'RepeatDataset'} <= set(DATASETS)
    assert set(PIPELINES) >= STEPS_OF_THE_REFERENCE


def test_module_paths_of_the_reference_lead_to_the_same_classes():
    from mmseg.datasets import builder, custom, dataset_wrappers, voc
    from mmseg.datasets.pipelines import (
        compose,
        formating,
        loading,
        test_time_aug,
        transforms,
    )

    found = {**vars(compose), **vars(formating), **vars(loading), **vars(test_time_aug),
             **vars(transforms)}
    assert all(found[name] is PIPELINES.get(name) for name in STEPS_OF_THE_REFERENCE)
    assert builder.DATASETS is DATASETS
    assert custom.CustomDataset is DATASETS.get('CustomDataset')
    assert voc.PascalVOCDataset is DATASETS.get('PascalVOCDataset')
    assert dataset_wrappers.ConcatDataset is ConcatDataset


def test_build_one_dataset_with_default_arguments(dataset_cfg):
    dataset = build_dataset(dataset_cfg, dict(test_mode=True))

    assert type(dataset) is CustomDataset
    assert dataset.test_mode
    assert len(dataset) == 6


def test_a_list_of_configs_becomes_one_dataset(dataset_cfg):
    part = dict(dataset_cfg, split='train.txt')

    dataset = build_dataset([dataset_cfg, part], dict(test_mode=True))

    assert isinstance(dataset, ConcatDataset)
    assert [len(inner) for inner in dataset.datasets] == [6, 3]
    assert all(inner.test_mode for inner in dataset.datasets)


@pytest.mark.parametrize(('lists', 'expected'), [
    (dict(split=['train.txt', 'other.txt']), [('img', 'ann', 'train.txt'),
                                              ('img', 'ann', 'other.txt')]),
    (dict(img_dir=['img', 'img2'], ann_dir=['ann', 'ann2']), [('img', 'ann', None),
                                                              ('img2', 'ann2', None)]),
    (dict(img_dir=('img', 'img2'), ann_dir=['ann'], split=['train.txt', 'other.txt']),
     [('img', 'ann', 'train.txt'), ('img2', 'ann', 'other.txt')]),
    (dict(ann_dir=['ann', 'ann2']), [('img', 'ann', None), ('img', 'ann2', None)]),
    (dict(split=['train.txt']), [('img', 'ann', 'train.txt')]),
])
def test_lists_in_a_config_become_datasets(dataset_cfg, data_root, lists, expected):
    (data_root / 'img2').symlink_to(data_root / 'img')
    (data_root / 'ann2').symlink_to(data_root / 'ann')
    (data_root / 'other.txt').write_text('1\n')

    dataset = build_dataset(ConfigDict(dataset_cfg, **lists))

    assert isinstance(dataset, ConcatDataset)
    found = [(inner.img_dir, inner.ann_dir, inner.split) for inner in dataset.datasets]
    root = str(data_root)
    assert found == [tuple(name and f'{root}/{name}' for name in entry) for entry in expected]


def test_lists_of_different_lengths_are_refused(dataset_cfg):
    cfg = dict(dataset_cfg, img_dir=['a', 'b'], split=['1', '2', '3'])

    with pytest.raises(ConfigError, match="different lengths, {'img_dir': 2, 'split': 3}"):
        build_dataset(cfg)


def test_repeat_and_concat_by_type(dataset_cfg):
    repeated = build_dataset(dict(type='RepeatDataset', times=3, dataset=dataset_cfg))
    nested = build_dataset(dict(type='RepeatDataset', times=2, dataset=[dataset_cfg, dataset_cfg]))
    joined = build_dataset(
        dict(type='ConcatDataset', datasets=[dataset_cfg, dataset_cfg]), dict(test_mode=True))

    assert isinstance(repeated, RepeatDataset)
    assert len(repeated) == 18
    assert isinstance(nested.dataset, ConcatDataset)
    assert len(nested) == 24
    assert len(joined) == 12
    assert joined.datasets[1].test_mode


def test_building_leaves_the_config_alone(dataset_cfg):
    cfg = ConfigDict(type='RepeatDataset', times=3, dataset=dataset_cfg)

    build_dataset(cfg)

    assert cfg == dict(type='RepeatDataset', times=3, dataset=dataset_cfg)


@pytest.mark.parametrize(('change', 'error', 'message'), [
    (dict(type='CustomDatset'), RegistryError, 'CustomDataset'),
    (dict(img_suffx='.png'), ArgumentError, "'img_suffx'.*img_suffix"),
    (dict(type='RepeatDataset'), ArgumentError, 'RepeatDataset'),
])
def test_mistakes_in_a_config_are_named(dataset_cfg, change, error, message):
    with pytest.raises(error, match=message):
        build_dataset(dict(dataset_cfg, **change))


def test_an_empty_list_among_others_is_left_out_with_a_warning(dataset_cfg, data_root, caplog):
    (data_root / 'aug.txt').write_text('\n')
    dataset = build_dataset({**dataset_cfg, 'split': ['train.txt', 'aug.txt']})
    assert len(dataset) == 3
    assert 'left out of the data' in caplog.text
    assert 'aug.txt' in caplog.text


def test_lists_that_are_all_empty_or_missing_are_errors(dataset_cfg, data_root):
    (data_root / 'aug.txt').write_text('\n')
    with pytest.raises(EmptyDatasetError, match='0 images'):
        build_dataset({**dataset_cfg, 'split': ['aug.txt', 'aug.txt']})
    with pytest.raises(DataError, match=r'none\.txt does not exist'):
        build_dataset({**dataset_cfg, 'split': ['train.txt', 'none.txt']})
    with pytest.raises(EmptyDatasetError):
        build_dataset({**dataset_cfg, 'split': 'aug.txt'}).check_files()
