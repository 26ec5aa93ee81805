"""A data set whose samples are mixed from several of another one."""
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from mmcv_replace.utils.errors import ConfigError

from .base_wrapper import BaseDatasetWrapper
from .builder import DATASETS
from .custom import MAX_DROPPED
from .loader.skip_samples import DroppedSamplesError
from .pipelines import Compose
from .pipelines.base import Results, Step
from .pipelines.draws import tell


@DATASETS.register_module()
class MultiImageMixDataset(BaseDatasetWrapper):
    """Samples of a data set that a further `pipeline` changes, whose steps may mix several.

    A step with a method `get_indexes(dataset)`, such as RandomMosaic, returns the number of another
    sample there, or a list of them, and finds these samples in `results['mix_results']`. The inner
    data set's own pipeline loads images and masks, and must not end with Collect.

    `skip_type_keys` names steps, by their type, that are left out; `update_skip_type_keys` changes
    them. Where the pipeline drops a sample, another one is drawn.
    """

    def __init__(self, dataset: Dataset, pipeline: Sequence[dict[str, Any] | Callable],
                 skip_type_keys: Sequence[str] | None = None) -> None:
        self.dataset = dataset
        self.pipeline = MixingCompose(pipeline, dataset)
        self._steps = list(self.pipeline.transforms)
        self.update_skip_type_keys(skip_type_keys)

    def update_skip_type_keys(self, skip_type_keys: Sequence[str] | None) -> None:
        """Leave out the steps of these types, and no others.

        Raises ConfigError for one that the pipeline does not have.
        """
        names = [type(step).__name__ for step in self._steps]
        if isinstance(skip_type_keys, str) or any(key not in names for key in skip_type_keys or ()):
            raise ConfigError(f'MultiImageMixDataset: skip_type_keys={skip_type_keys!r}: give a '
                              f'list of types of the pipeline, which has {", ".join(names)}')
        self.skip_type_keys = skip_type_keys
        self.pipeline.transforms = [step for step, name in zip(self._steps, names, strict=True)
                                    if name not in (skip_type_keys or ())]

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, idx: int) -> Any:
        for attempt in range(MAX_DROPPED):
            sample = self.pipeline(sample_of(
                self.dataset, np.random.randint(len(self)) if attempt else idx))
            if sample is not None:
                return sample
        raise DroppedSamplesError(f'the pipeline of MultiImageMixDataset has dropped {MAX_DROPPED} '
                                  'images in a row; does a step of it lack `return results`?')


class MixingCompose(Compose):
    """A pipeline that gives steps with `get_indexes` other samples of a data set."""

    def __init__(self, transforms: Sequence[dict[str, Any] | Callable], dataset: Dataset) -> None:
        super().__init__(transforms)
        self.dataset = dataset

    def run_step(self, step: Step, data: Results) -> Results | None:
        if not hasattr(step, 'get_indexes'):
            return super().run_step(step, data)
        chosen = step.get_indexes(self.dataset)
        indices = chosen if isinstance(chosen, Sequence | np.ndarray) else [chosen]
        tell(other_samples=[int(index) for index in indices])
        data['mix_results'] = [sample_of(self.dataset, int(index)) for index in indices]
        result = super().run_step(step, data)
        if result is not None:
            result.pop('mix_results', None)
        return result


def sample_of(dataset: Dataset, index: int) -> Results:
    """A sample as a dict of its own; ConfigError where the data set gives something else."""
    sample = dataset[index]
    if not isinstance(sample, dict) or 'img_metas' in sample:
        raise ConfigError('MultiImageMixDataset: the pipeline of its dataset must end with what '
                          'loads and augments single images; move Collect and what formats for the '
                          'model into the pipeline of the MultiImageMixDataset')
    return dict(sample)
