"""What the tests of samples in files have in common."""
import numpy as np

from mmseg.datasets.caching.disk_cache import DiskCache
from mmseg.datasets.pipelines import Compose
from mmseg.datasets.pipelines.fusion import fuse_steps

LOAD = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]
RESIZE = dict(type='Resize', img_scale=(60, 44), ratio_range=(0.5, 2.0))
CROP = dict(type='RandomCrop', crop_size=(20, 24), cat_max_ratio=0.3)
COUNT = 6


def stored(steps, folder, fuse=True, **options):
    """A pipeline with a cache in a folder, as each run makes it."""
    cache = DiskCache(folder, **options)
    pipeline = Compose(steps)
    pipeline.fusion = lambda steps: fuse_steps(steps, fuse, cache=cache)
    return pipeline


def run(pipeline, results, seed=0):
    """A sample, and a number that is drawn after it."""
    np.random.seed(seed)
    sample = pipeline(results)
    return sample, np.random.rand()


def files(folder):
    return sorted(path for path in folder.rglob('*') if path.is_file())
