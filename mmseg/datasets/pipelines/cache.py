"""Keep what the first steps of a pipeline make of a file, in memory that all workers share."""
import pickle
from collections.abc import Hashable, Mapping, Sequence

from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.shared_store import SharedStore

from .base import Results, Step, Transform
from .loading import LoadAnnotations, LoadImageFromFile
from .resize import Resize

# Bytes; the arrays beside the image and the label map, such as a mean, have fewer.
SMALL = 1024


def sample_key(info: Mapping, ann: Mapping | None) -> Hashable:
    """What tells the samples of a dataset apart."""
    return info.get('filename'), (ann or {}).get('seg_map')


class SampleMemory:
    """Where the samples of one dataset are in a store, and up to which step they are kept.

    `level`: 'decoded' keeps the image and the label map as they are read, 'resized' what a `Resize`
    to one size makes of them.
    """

    def __init__(self, store: SharedStore, slots: Mapping[Hashable, int], level: str) -> None:
        self.store = store
        self.slots = slots
        self.level = level

    def count_steps(self, steps: Sequence[Step]) -> int:
        """How many of the first steps depend on nothing but the file; ConfigError without any."""
        kinds = [type(step) for step in steps]
        number = next((i for i, kind in enumerate(kinds)
                       if kind not in (LoadImageFromFile, LoadAnnotations)), len(kinds))
        if number == 0:
            raise ConfigError('data.cache keeps what LoadImageFromFile and LoadAnnotations read; '
                              f'the pipeline begins with {kinds[0].__name__ if kinds else None}: '
                              'leave data.cache out')
        if self.level == 'decoded':
            return number
        if kinds[number:number + 1] != [Resize] or not steps[number].is_fixed:
            raise ConfigError("data.cache='resized' needs a Resize of one img_scale, without "
                              "ratio_range, right after loading: use data.cache='decoded'")
        return number + 1


class CachedSteps(Transform):
    """The first steps of a pipeline, which run once for each file as long as there is room.

    Images of the store cannot be written to; `copy` is for steps to come that may want to.
    """

    def __init__(self, steps: Sequence[Step], memory: SampleMemory, copy: bool) -> None:
        self.steps = list(steps)
        self.memory = memory
        self.copy = copy

    def __call__(self, results: Results) -> Results:
        slot = self.memory.slots.get(sample_key(results['img_info'], results.get('ann_info')))
        kept = None if slot is None else self.memory.store.get(slot)
        if kept is not None:
            arrays = map(bytearray, kept[1:]) if self.copy else kept[1:]
            results.update(pickle.loads(kept[0], buffers=arrays))
            return results
        results['seg_fields'] = list(results.get('seg_fields', ()))
        before = dict(results)
        for step in self.steps:
            results = step(results)
        if slot is not None:
            self._keep(slot, before, results)
        return results

    def _keep(self, slot: int, before: Results, results: Results) -> None:
        made = {key: value for key, value in results.items() if value is not before.get(key)}
        arrays: list[memoryview] = []

        def is_small(buffer: pickle.PickleBuffer) -> bool:
            """Whether to copy an array each time instead of looking at it in the store."""
            view = buffer.raw()
            if view.nbytes >= SMALL:
                arrays.append(view)
            return view.nbytes < SMALL

        content = pickle.dumps({**made, 'seg_fields': results['seg_fields']}, protocol=5,
                               buffer_callback=is_small)
        self.memory.store.put(slot, [content, *arrays])
