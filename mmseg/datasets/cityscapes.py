"""Cityscapes: the classes of its benchmark, their colours, and its scores."""
import logging
import os
from collections.abc import Callable, Sequence
from logging import Logger
from typing import Any

import numpy as np

from mmcv_replace.fileio import FileClient
from mmcv_replace.utils import print_log
from mmcv_replace.utils.errors import ArgumentError, ConfigError
from mmseg.core.evaluation.confusion import ConfusionMatrix
from mmseg.core.evaluation.overrides import standard
from mmseg.core.evaluation.table import format_class_table, format_summary

from .builder import DATASETS
from .custom import CustomDataset
from .masks.annotation import decode_label
from .scores.cityscapes_scores import CATEGORIES, CityscapesCounts, mean_of

BENCHMARK = 'cityscapes'  # its metric

COLOURS = {
    'road': (128, 64, 128),
    'sidewalk': (244, 35, 232),
    'building': (70, 70, 70),
    'wall': (102, 102, 156),
    'fence': (190, 153, 153),
    'pole': (153, 153, 153),
    'traffic light': (250, 170, 30),
    'traffic sign': (220, 220, 0),
    'vegetation': (107, 142, 35),
    'terrain': (152, 251, 152),
    'sky': (70, 130, 180),
    'person': (220, 20, 60),
    'rider': (255, 0, 0),
    'car': (0, 0, 142),
    'truck': (0, 0, 70),
    'bus': (0, 60, 100),
    'train': (0, 80, 100),
    'motorcycle': (0, 0, 230),
    'bicycle': (119, 11, 32),
}


@DATASETS.register_module()
class CityscapesDataset(CustomDataset):
    """Streets of German cities; the masks hold the train ids, which the converter makes.

    The metric 'cityscapes' is that of the benchmark (`cityscapes_scores`). Its iIoU is computed
    where the archive's files *_instanceIds.png lie beside the masks.
    """

    CLASSES = tuple(COLOURS)
    PALETTE = [list(colour) for colour in COLOURS.values()]
    img_suffix = '_leftImg8bit.png'
    seg_map_suffix = '_gtFine_labelTrainIds.png'
    # The ids of the labels, of which those of training are a part.
    server_labels = dict(zip(CLASSES, (
        7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33), strict=True))
    own_metrics = (BENCHMARK,)
    score_groups = tuple(CATEGORIES)

    @standard
    def check_metrics(self, metrics: str | Sequence[str]) -> tuple[str, ...]:
        names = super().check_metrics(metrics)
        if BENCHMARK in names and set(self.CLASSES or ()) != set(COLOURS):
            raise ConfigError(f"metric '{BENCHMARK}' is that of all {len(COLOURS)} classes of the "
                              f'benchmark, and {type(self).__name__} has '
                              f'{", ".join(self.CLASSES or ("none",))}: leave out `classes`, or '
                              "score by metric='mIoU'")
        return names

    @standard
    def make_counts(self, metrics: str | Sequence[str] = ()) -> ConfusionMatrix:
        if BENCHMARK not in self.check_metrics(metrics):
            return super().make_counts(metrics)
        return self._make_counts(self._instance_getter())

    def _make_counts(self, instances: Callable[[int], np.ndarray] | None) -> CityscapesCounts:
        label_ids = [CityscapesDataset.server_labels[name] for name in self.CLASSES]
        return CityscapesCounts(self.CLASSES, label_ids, self.ignore_index, instances)

    def _instance_getter(self) -> Callable[[int], np.ndarray] | None:
        """`get_instance_map`, None where the first sample has no such file."""
        file = self.instance_file(0) if len(self) else None
        if file is not None and FileClient.infer_client(uri=file).exists(file):
            return self.get_instance_map
        logging.getLogger('mmseg').info(
            '%s: iIoU is left out, since %s', type(self).__name__,
            f'there is no {file}, which is a part of gtFine_trainvaltest.zip' if file
            else 'the names of the masks do not tell those of instance maps')
        return None

    def instance_file(self, idx: int) -> str | None:
        """The file in which the archive has the instances of a sample; None where that is unknown.
        """
        mask = self.get_ann_info(idx).get('seg_map')
        if mask is None or self.ann_dir is None:
            return None
        kind = next((kind for kind in ('labelTrainIds', 'labelIds')
                     if kind in self.seg_map_suffix), None)
        if kind is None:
            return None
        name = mask.removesuffix(self.seg_map_suffix)
        return os.path.join(self.ann_dir, name + self.seg_map_suffix.replace(kind, 'instanceIds'))

    def get_instance_map(self, idx: int) -> np.ndarray:
        """The instances of a sample [H, W]: 1000 * label id + number; below 1000 no single one."""
        file = self.instance_file(idx)
        return decode_label(bytes(FileClient.infer_client(uri=file).get(file)), file)

    @standard
    def evaluate(self, results: Sequence[Any] | ConfusionMatrix,
                 metric: str | Sequence[str] = 'mIoU', logger: Logger | str | None = None,
                 imgfile_prefix: str | None = None, **kwargs: Any) -> dict[str, float]:
        """Scores of the data set's class, and by the metric 'cityscapes' of the benchmark.

        Their keys are averageScoreClasses, averageScoreCategories, averageScoreInstClasses and
        averageScoreInstCategories (iIoU), and classScores.road, categoryScores.flat,
        classInstScores.car and so on. Nothing is written but, with `imgfile_prefix`, the label
        maps, by `format_results`.
        """
        if imgfile_prefix is not None:
            if isinstance(results, ConfusionMatrix):
                raise ArgumentError(f'imgfile_prefix={imgfile_prefix!r}: of the label maps only '
                                    'counts are left, which cannot be written: give evaluate the '
                                    'label maps, or call format_results')
            self.format_results(results, imgfile_prefix)
        return super().evaluate(results, metric, logger, **kwargs)

    def score_as(self, metric: str, counts: ConfusionMatrix,
                 logger: Logger | str | None) -> dict[str, float]:
        if not isinstance(counts, CityscapesCounts):
            plain, counts = counts, self._make_counts(None)
            counts.matrix += plain.matrix
        summary, single = {}, {}
        for title, plural, names, scores in (
                ('class', 'Classes', self.CLASSES, counts.class_scores()),
                ('category', 'Categories', CATEGORIES, counts.category_scores())):
            print_log(f'per {title} results of the benchmark:\n'
                      + format_class_table(tuple(names), scores, title.capitalize()), logger)
            for score, values in scores.items():
                kind = 'Inst' if score == 'iIoU' else ''
                summary[f'averageScore{kind}{plural}'] = mean_of(values)
                single |= {f'{title}{kind}Scores.{name}': value for name, value
                           in zip(names, values.tolist(), strict=True)}
        print_log('Summary: ' + format_summary(summary), logger)
        return summary | single
