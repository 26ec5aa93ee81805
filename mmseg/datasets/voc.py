"""Pascal VOC 2012, also with the masks of SBD ('aug')."""
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mmcv_replace.utils.errors import ArgumentError
from mmseg.core.evaluation.overrides import standard
from mmseg.core.utils import voc_colormap

from .builder import DATASETS
from .custom import CustomDataset
from .scores.scoring import Result
from .scores.submission import find_out_dir

COMPETITIONS = ('comp5', 'comp6')


@DATASETS.register_module()
class PascalVOCDataset(CustomDataset):
    """20 kinds of objects and the background; `split` is one of the lists in ImageSets."""

    CLASSES = (
        'background', 'aeroplane', 'bicycle', 'bird', 'boat', 'bottle', 'bus', 'car', 'cat',
        'chair', 'cow', 'diningtable', 'dog', 'horse', 'motorbike', 'person', 'pottedplant',
        'sheep', 'sofa', 'train', 'tvmonitor')
    PALETTE = voc_colormap(21).tolist()
    server_labels = {name: value for value, name in enumerate(CLASSES)}
    needs_split = True

    def __init__(self, split: str | None = None, **kwargs: Any) -> None:
        # In 0.x `split` is the first positional argument, which subclasses use.
        super().__init__(split=split, **kwargs)

    @standard
    def format_results(self, results: Iterable[Result], out_dir: str | None = None,
                       indices: Iterable[int] | None = None, to_label_id: bool = True,
                       imgfile_prefix: str | None = None, competition: str = 'comp6'
                       ) -> list[str]:
        """Write label maps to the devkit's folder under `out_dir`, and return the files.

        It is results/VOC2012/Segmentation/comp6_test_cls for the list test.txt. `competition` is
        comp5 for methods trained on VOC 2012 alone, comp6 for those that saw other data too, such
        as SBD or those of pretrained weights; ArgumentError for any other. For the other arguments
        see the base class.
        """
        if competition not in COMPETITIONS:
            raise ArgumentError(f'competition={competition!r}: the server knows comp5, trained on '
                                'VOC 2012 alone, and comp6, trained on other data too')
        folder = find_out_dir(results, out_dir, imgfile_prefix)
        if folder is not None:
            folder = str(Path(folder, 'results/VOC2012/Segmentation',
                              f'{competition}_{Path(self.split).stem}_cls'))
        return super().format_results(results, folder, indices, to_label_id)
