"""Memory of an evaluation does not depend on the number of samples."""
import weakref

import pytest
import torch
from torch.utils.data import DataLoader

from mmcv_replace.parallel import MMDataParallel, collate
from mmcv_replace.runner import IterBasedRunner
from mmseg.core.evaluation import EvalHook, evaluate_model

AHEAD = 6  # what two batches of two images and their results may hold at a time


@pytest.fixture
def watched(make_parts):
    """A model that counts how many images and label maps of its past are still alive."""
    model, dataset = make_parts()
    held, alive = [], []
    forward = model.forward

    def counting_forward(img, img_metas, **options):
        alive.append(sum(each() is not None for each in held))
        label_maps = forward(img, img_metas, **options)
        held.extend(map(weakref.ref, [*img, *label_maps]))
        return label_maps

    model.forward = counting_forward
    return MMDataParallel(model), type(dataset), alive


def evaluate(model, dataset):
    loader = DataLoader(dataset, 2, collate_fn=lambda samples: collate(samples, 2))
    return evaluate_model(model, loader)


def test_no_image_and_no_prediction_is_kept(watched):
    model, make_dataset, alive = watched
    scores = evaluate(model, make_dataset(100))
    assert 0 < scores['mIoU'] < 1
    assert len(alive) == 50
    assert max(alive) <= AHEAD


def test_nor_in_the_course_of_training(watched, train_loader, tmp_path):
    model, make_dataset, alive = watched
    loader = DataLoader(make_dataset(60), 2, collate_fn=lambda samples: collate(samples, 2))
    runner = IterBasedRunner(model, max_iters=4, work_dir=tmp_path,
                             optimizer=torch.optim.SGD(model.parameters(), 0.1))
    runner.register_hook(EvalHook(loader, interval=2, save_best=None), 'LOW')
    runner.run([train_loader], [('train', 1)])
    assert len(alive) == 60
    assert max(alive) <= AHEAD
