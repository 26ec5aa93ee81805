#!/usr/bin/env bash
# albumentations 2.0.8: its transforms draw from generators of their own, which follow neither
# NumPy's seed nor Python's. Worker processes that are forked from one process, as those of a
# DataLoader are on Linux, hold copies in one state: each of them makes the same draws, and workers
# that are started anew for the next epoch make them once more. Seeding np.random and random in the
# worker, as is usual, changes nothing; set_random_seed of the Compose does.
#
# Output, with numpy 2.2.6, opencv-python-headless 4.12.0.88 and albucore 0.0.24:
#   epoch 0: the angles of both workers are equal, though NumPy is seeded otherwise: True
#   epoch 1: they are those of epoch 0: True
#   with set_random_seed: both workers draw alike: False
#
# Fails when this changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"  # so that Python finds no package of this folder
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --retries 1 albumentations==2.0.8 albucore==0.0.24 numpy==2.2.6 \
    opencv-python-headless==4.12.0.88
NO_ALBUMENTATIONS_UPDATE=1 "$folder/venv/bin/python" - <<'PYTHON'
import multiprocessing
import random

import albumentations
import numpy as np

# The image is a ramp, whose middle row tells the angle.
RAMP = np.arange(64, dtype=np.uint8)[:, None].repeat(64, 1)
rotate = albumentations.Compose([albumentations.Rotate(limit=(-90, 90), p=1.0)])


def work(worker, epoch, follow, queue):
    np.random.seed(10 * epoch + worker)
    random.seed(10 * epoch + worker)
    if follow:
        rotate.set_random_seed(np.random.randint(2**31))
    queue.put((worker, [rotate(image=RAMP)['image'][32].tolist() for _ in range(4)]))


def run_epoch(epoch, follow=False):
    context = multiprocessing.get_context('fork')
    queue = context.Queue()
    workers = [context.Process(target=work, args=(worker, epoch, follow, queue))
               for worker in range(2)]
    for worker in workers:
        worker.start()
    drawn = dict(queue.get() for _ in workers)
    for worker in workers:
        worker.join()
    assert drawn[0][0] != drawn[0][1], 'a worker draws one angle after the other'
    return drawn


first, second, followed = run_epoch(0), run_epoch(1), run_epoch(0, follow=True)
alike, again = first[0] == first[1], second == first
print('epoch 0: the angles of both workers are equal, though NumPy is seeded otherwise:', alike)
print('epoch 1: they are those of epoch 0:', again)
print('with set_random_seed: both workers draw alike:', followed[0] == followed[1])
assert alike and again and followed[0] != followed[1]
PYTHON
