"""Samples that cannot be loaded: which errors are skipped, what comes instead, and the cap."""
import cv2
import numpy as np
import pytest
import torch

from mmcv_replace.utils.errors import ConfigError, DataError
from mmcv_replace.utils.section import read_section
from mmseg.datasets import build_dataloader, build_dataset
from mmseg.datasets.loader.deterministic_dataset import DeterministicDataset
from mmseg.datasets.loader.sampler import SampleIndex
from mmseg.datasets.loader.skip_samples import MAX_ATTEMPTS, ReportingLoader, SkippingDataset
from mmseg.datasets.loader.workers import ShieldedLoader
from mmseg.datasets.settings import DataSettings

pytestmark = pytest.mark.filterwarnings('ignore:This DataLoader will create')


class Broken:
    """Samples (index, draw), of which some raise an error."""

    def __init__(self, bad, error=DataError, length=40):
        self.bad = bad
        self.error = error
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        if index in self.bad:
            raise self.error(f'{index}.jpg is damaged')
        return index, float(np.random.rand())


@pytest.mark.parametrize(('setting', 'cap'), [
    (None, None), ('raise', None), ('skip', 100), (dict(action='raise'), None),
    (dict(action='skip'), 100), (dict(action='skip', max_skipped=7), 7),
    (dict(action='skip', max_skipped=0), 0)])
def test_settings(setting, cap):
    assert read_section(DataSettings, dict(on_error=setting), 'data').max_skipped == cap


@pytest.mark.parametrize('setting', [
    'ignore', 'Skip', 3, dict(max_skipped=3), dict(action='skip', max=3), True,
    dict(action='skip', max_skipped=-1), dict(action='skip', max_skipped='3'),
    dict(action='skip', max_skipped=True), ['skip']])
def test_settings_that_mean_nothing(setting):
    with pytest.raises(ConfigError, match=r'data\.on_error[=.]'):
        read_section(DataSettings, dict(on_error=setting), 'data')


def test_good_samples_are_what_they_are_without_skipping():
    plain, skipping = DeterministicDataset(Broken([]), 3), SkippingDataset(Broken([5]), 3)

    for index in (0, 4, SampleIndex(39, 2)):
        assert skipping[index] == (plain[index], {})


def test_another_sample_comes_instead_drawn_by_seed_epoch_and_index():
    def replacements(seed, epoch):
        dataset = SkippingDataset(Broken({1, 2, 3}), seed)
        return [dataset[SampleIndex(index, epoch)][0] for index in (1, 2, 3)]

    first = replacements(0, 0)
    assert first == replacements(0, 0)
    assert not {index for index, _ in first} & {1, 2, 3}
    assert len({draw for _, draw in first}) == 3
    assert first != replacements(0, 1)
    assert first != replacements(1, 0)
    chosen = {index for epoch in range(300) for index, _ in replacements(0, epoch)}
    assert len(chosen) == 37  # any of the others


def test_what_was_skipped_comes_with_the_sample():
    dataset = SkippingDataset(Broken(range(1, 40)), seed=0)

    (index, _), skipped = dataset[5]

    assert index == 0
    assert skipped['5.jpg is damaged'] == '5.jpg is damaged'
    assert len(skipped) > 1


@pytest.mark.parametrize('error', [DataError, OSError, FileNotFoundError, ConnectionError])
def test_what_is_wrong_with_files_is_skipped(error):
    assert len(SkippingDataset(Broken([1], error))[1][1]) == 1


@pytest.mark.parametrize('error', [TypeError, KeyError, IndexError, ValueError, ConfigError,
                                   cv2.error, RuntimeError, MemoryError])
def test_errors_of_the_code_are_not_skipped(error):
    with pytest.raises(error):
        SkippingDataset(Broken([1], error))[1]


def test_more_bad_files_for_one_sample_than_allowed():
    dataset = SkippingDataset(Broken(range(40)), max_skipped=3)

    with pytest.raises(DataError, match='4 files could not be loaded; data.on_error lets the run '
                                        'skip 3: mend them') as caught:
        dataset[5]
    assert str(caught.value).count('.jpg is damaged') == 4
    assert '\n  5.jpg is damaged' in str(caught.value)


def test_a_dataset_without_a_good_sample_ends():
    loads = []

    class Counting(Broken):
        def __getitem__(self, index):
            loads.append(index)
            return super().__getitem__(index)

    with pytest.raises(DataError, match='3 files could not be loaded'):
        SkippingDataset(Counting(range(3), length=3), max_skipped=50)[0]
    assert len(loads) == MAX_ATTEMPTS


def test_the_generators_are_restored():
    np.random.seed(1)
    torch.manual_seed(1)
    before = np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()

    SkippingDataset(Broken([1]))[1]

    assert (np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()) == before


def test_a_file_is_known_by_its_name_whatever_the_error_says():
    class Flaky(Broken):
        def __getitem__(self, index):
            if index in self.bad:
                error = OSError(f'error {np.random.rand()}\n')
                error.sample_file = f'/data/{index}\n.jpg'
                raise error
            return index, 0.0

    dataset = SkippingDataset(Flaky([1]))
    skipped = {**dataset[SampleIndex(1, 0)][1], **dataset[SampleIndex(1, 1)][1]}
    assert list(skipped) == [r'/data/1\n.jpg']
    assert '\n' not in skipped[r'/data/1\n.jpg']


def batches_of(dataset, workers, epochs=2, **options):
    loader = build_dataloader(dataset, 4, workers, seed=2, max_skipped=10, **options)
    assert isinstance(loader, ReportingLoader)
    batches = []
    for epoch in range(epochs):
        loader.sampler.set_epoch(epoch)
        batches += [(indices.tolist(), draws.tolist()) for indices, draws in loader]
    return batches, dict(loader.skipped)


def test_batches_and_reports_are_the_same_for_any_number_of_workers():
    results = [batches_of(Broken({3, 17, 30}), workers) for workers in (0, 1, 3)]
    results.append(batches_of(Broken({3, 17, 30}), 2, persistent_workers=False))

    assert all(result == results[0] for result in results)
    batches, skipped = results[0]
    assert len(batches) == 20
    assert set(skipped) == {'3.jpg is damaged', '17.jpg is damaged', '30.jpg is damaged'}
    assert not {3, 17, 30} & {index for indices, _ in batches for index in indices}


def test_an_epoch_that_goes_on_later_gives_the_same_batches():
    whole = batches_of(Broken({3, 17, 30}), 0, epochs=1)[0]
    loader = build_dataloader(Broken({3, 17, 30}), 4, 2, seed=2, max_skipped=10)
    loader.sampler.set_epoch(0, start=12)

    assert [(i.tolist(), d.tolist()) for i, d in loader] == whole[3:]


def test_without_a_cap_the_loader_is_the_plain_one():
    loader = build_dataloader(Broken([]), 4, 0)

    assert type(loader) is ShieldedLoader
    assert type(loader.dataset) is DeterministicDataset
    with pytest.raises(DataError, match=r'3\.jpg is damaged'):
        list(build_dataloader(Broken([3]), 4, 0))


@pytest.mark.parametrize('workers', [0, 2])
def test_bad_files_of_a_dataset(dataset_cfg, data_root, workers):
    dataset = build_dataset(dataset_cfg)
    (data_root / 'img' / '3.jpg').write_bytes(b'\xff\xd8 cut off')
    (data_root / 'ann' / '1.png').unlink()
    loader = build_dataloader(dataset, 2, workers, max_skipped=10)
    names = [meta['ori_filename'] for batch in loader for meta in batch['img_metas'].data[0]]

    assert len(names) == 6
    assert set(names) <= {'0.jpg', '2.jpg', '4.jpg', '5.jpg'}
    assert set(loader.skipped) == {str(data_root / 'img/3.jpg'), str(data_root / 'img/1.jpg')}
    assert 'img/3.jpg: the file is truncated' in loader.skipped[str(data_root / 'img/3.jpg')]
    assert 'ann/1.png' in loader.skipped[str(data_root / 'img/1.jpg')]


def test_a_pipeline_that_drops_everything_is_no_fault_of_the_files(dataset_cfg):
    dataset_cfg['pipeline'].append(lambda results: None)

    with pytest.raises(DataError, match='the pipeline has dropped 100 images in a row'):
        SkippingDataset(build_dataset(dataset_cfg))[0]
