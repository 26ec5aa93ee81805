import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, DistributedSampler, RandomSampler, SequentialSampler

from mmcv_replace.utils.errors import DataError
from mmseg.datasets import build_dataloader, build_dataset
from mmseg.datasets.loader.sampler import EpochSampler
from mmseg.datasets.loader.workers import start_worker

pytestmark = pytest.mark.filterwarnings('ignore:This DataLoader will create')


class Numbers:
    """Samples that report the state of the process that loads them."""

    CLASSES = ('a',)

    def __init__(self, length=10):
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        info = torch.utils.data.get_worker_info()
        return dict(index=index, draw=np.random.rand(), worker=-1 if info is None else info.id,
                    cv2_threads=cv2.getNumThreads())


def epochs(dataset, workers, number=2, **kwargs):
    loader = build_dataloader(dataset, 2, workers, **kwargs)
    for epoch in range(number):
        loader.sampler.set_epoch(epoch)
        yield list(loader)


def test_batches_are_the_same_for_any_number_of_workers(dataset_cfg):
    dataset = build_dataset(dataset_cfg)
    results = [list(epochs(dataset, workers, seed=7)) for workers in (0, 2, 4)]

    first = results[0]
    assert len(first) == 2
    assert len(first[0]) == 3
    for other in results[1:]:
        for one_epoch, other_epoch in zip(first, other, strict=True):
            for one, same in zip(one_epoch, other_epoch, strict=True):
                for key in ('img', 'gt_semantic_seg'):
                    assert torch.equal(one[key].data[0], same[key].data[0])
                names = [[meta['ori_filename'] for meta in batch['img_metas'].data[0]]
                         for batch in (one, same)]
                assert names[0] == names[1]


def test_the_epoch_and_the_seed_change_order_and_draws():
    def draws(**kwargs):
        return [{int(i): float(d) for batch in epoch
                 for i, d in zip(batch['index'], batch['draw'], strict=True)}
                for epoch in epochs(Numbers(), 0, **kwargs)]

    first, second = draws(seed=0)
    other = draws(seed=1)[0]

    assert list(first) != list(second)
    assert all(first[index] != second[index] for index in range(10))
    assert all(first[index] != other[index] for index in range(10))
    assert draws(seed=0) == [first, second]
    assert draws(seed=None) == [first, second]


def test_without_shuffling_samples_come_once_and_in_order():
    batches = list(build_dataloader(Numbers(5), 2, 0, shuffle=False))

    assert [batch['index'].tolist() for batch in batches] == [[0, 1], [2, 3], [4]]


def test_drop_last():
    assert len(build_dataloader(Numbers(5), 2, 0, drop_last=True)) == 2
    assert len(build_dataloader(Numbers(5), 2, 0)) == 3


def test_num_gpus_multiplies_batch_and_workers_of_a_process_alone():
    for dist, expected in ((False, (6, 3)), (True, (2, 1))):
        loader = build_dataloader(Numbers(), 2, 1, num_gpus=3, dist=dist)
        assert (loader.batch_size, loader.num_workers) == expected


@pytest.mark.parametrize(('options', 'kind'), [
    ({}, DistributedSampler), (dict(shuffle=False), DistributedSampler),
    (dict(dist=False), RandomSampler), (dict(dist=False, shuffle=False), SequentialSampler)])
def test_the_sampler_is_also_one_of_torch(options, kind):
    loader = build_dataloader(Numbers(), 3, 0, **options)

    assert isinstance(loader, DataLoader)
    assert isinstance(loader.sampler, kind)
    assert loader.sampler.shuffle is options.get('shuffle', True)
    assert (loader.batch_size, len(loader)) == (3, 4)
    assert len(loader.sampler) == getattr(loader.sampler, 'num_samples', 10) == 10


def test_a_data_set_without_a_sample_has_a_loader():
    for options in ({}, dict(dist=False), dict(dist=False, shuffle=False)):
        assert list(build_dataloader(Numbers(0), 2, 0, **options)) == []


def test_what_0_10_passes_is_accepted():
    loader = build_dataloader(Numbers(), 2, 0, 1, True, False, None, False, False, 'DataLoader')
    assert len(list(loader)) == 5


def test_the_list_of_the_samples_is_read_before_there_are_workers(dataset_cfg, data_root):
    dataset = build_dataset(dict(dataset_cfg, split='train.txt'))
    loader = build_dataloader(dataset, 2, 2, shuffle=False)
    (data_root / 'train.txt').unlink()

    assert len(list(loader)) == 2


def test_dist_takes_the_share_of_the_process(monkeypatch):
    monkeypatch.setattr('mmseg.datasets.loader.get_dist_info', lambda: (1, 4))

    train = build_dataloader(Numbers(), 2, 0, dist=True)
    test = build_dataloader(Numbers(), 2, 0, dist=True, shuffle=False)
    alone = build_dataloader(Numbers(), 2, 0, dist=False)

    assert isinstance(train.sampler, EpochSampler)
    assert len(train.sampler) == 3
    assert [int(index) for index in test.sampler] == [1, 5, 9]
    assert len(alone.sampler) == 10


def test_opencv_runs_in_one_thread_in_workers_only():
    before = cv2.getNumThreads()
    cv2.setNumThreads(3)
    try:
        batch = next(iter(build_dataloader(Numbers(), 2, 1)))
        here = next(iter(build_dataloader(Numbers(), 2, 0)))
    finally:
        cv2.setNumThreads(before)

    assert set(batch['cv2_threads'].tolist()) <= {0, 1}
    assert here['cv2_threads'].tolist() == [3, 3]


@pytest.fixture
def requests_as_before(monkeypatch):
    """This process is no worker: it must go on to obey signals."""
    monkeypatch.setattr('mmseg.datasets.loader.workers.outlive_requests', lambda: None)


@pytest.mark.usefixtures('requests_as_before')
def test_start_worker_sets_the_threads():
    before = cv2.getNumThreads()
    try:
        start_worker(0)
        assert cv2.getNumThreads() <= 1
    finally:
        cv2.setNumThreads(before)


@pytest.mark.usefixtures('requests_as_before')
def test_start_worker_keeps_freed_memory(monkeypatch):
    calls = []
    monkeypatch.setattr('mmseg.datasets.loader.workers.keep_freed_memory', lambda: calls.append(1))
    before = cv2.getNumThreads()
    start_worker(0)
    cv2.setNumThreads(before)

    assert calls == [1]


def test_workers_are_kept_unless_refused():
    assert build_dataloader(Numbers(), 2, 1).persistent_workers
    assert not build_dataloader(Numbers(), 2, 1, persistent_workers=False).persistent_workers
    assert not build_dataloader(Numbers(), 2, 0).persistent_workers


def test_kept_workers_learn_of_a_new_epoch():
    first, second = epochs(Numbers(), 1)
    once = list(epochs(Numbers(), 0))

    for kept, plain in zip((first, second), once, strict=True):
        assert [batch['draw'].tolist() for batch in kept] == [
            batch['draw'].tolist() for batch in plain]


def test_other_arguments_go_to_the_loader():
    assert build_dataloader(Numbers(), 2, 1, prefetch_factor=5).prefetch_factor == 5


def test_memory_is_pinned_only_where_an_accelerator_is(monkeypatch):
    for present in (True, False):
        monkeypatch.setattr(torch.accelerator, 'is_available', lambda present=present: present)
        assert build_dataloader(Numbers(), 2, 0).pin_memory is present
        assert build_dataloader(Numbers(), 2, 0, pin_memory=False).pin_memory is False


def test_loading_takes_nothing_from_the_global_generators():
    torch.manual_seed(0)
    np.random.seed(0)
    expected = torch.rand(1), np.random.rand()
    torch.manual_seed(0)
    np.random.seed(0)

    list(build_dataloader(Numbers(), 2, 0))
    list(build_dataloader(Numbers(), 2, 2))

    assert (torch.rand(1), np.random.rand()) == expected


def test_attributes_of_the_dataset_are_at_hand():
    assert build_dataloader(Numbers(), 2, 0).dataset.CLASSES == ('a',)


@pytest.mark.parametrize('workers', [0, 1])
def test_an_error_names_the_file_also_from_a_worker(dataset_cfg, data_root, workers):
    dataset = build_dataset(dataset_cfg)
    (data_root / 'img' / '3.jpg').write_bytes(b'\xff\xd8 cut off')

    with pytest.raises(DataError, match=r'img/3\.jpg: the file is truncated'):
        list(build_dataloader(dataset, 2, workers))
