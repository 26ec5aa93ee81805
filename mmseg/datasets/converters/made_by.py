"""Which command makes data that are missing."""
from pathlib import Path
from typing import Any

from mmcv_replace.utils.errors import DataError, add_note
from mmseg.core.utils import leaf_configs

# A part of the message -> the converter, and its arguments.
MADE_BY = {
    'SegmentationClassAug': 'voc_aug.py {devkit} {devkit}/VOCaug',
    'ImageSets/Segmentation/aug.txt': 'voc_aug.py {devkit} {devkit}/VOCaug',
    'ImageSets/Segmentation/trainaug.txt': 'voc_aug.py {devkit} {devkit}/VOCaug',
    'SegmentationClassContext': 'pascal_context.py {devkit} {root}/trainval_merged.json',
    'SegmentationContext/train.txt does': 'pascal_context.py {devkit} {root}/trainval_merged.json',
    'SegmentationContext/val.txt does': 'pascal_context.py {devkit} {root}/trainval_merged.json',
    '_gtFine_labelTrainIds.png': 'cityscapes.py {root}',
    'images/train2014': 'coco_stuff10k.py {root}',
    'images/test2014': 'coco_stuff10k.py {root}',
    'annotations/train2017': 'coco_stuff164k.py {root}',
    'annotations/val2017': 'coco_stuff164k.py {root}',
    'LoveDADataset: ': 'loveda.py ARCHIVES -o {root}',
    'PotsdamDataset: ': 'potsdam.py ARCHIVES -o {root}',
    'ISPRSDataset: ': 'vaihingen.py ARCHIVES -o {root}',
    'iSAIDDataset: ': 'isaid.py ARCHIVES -o {root}',
    'ChaseDB1Dataset: ': 'chase_db1.py CHASEDB1.zip -o {root}',
    'DRIVEDataset: ': 'drive.py training.zip test.zip -o {root}',
    'HRFDataset: ': 'hrf.py healthy.zip healthy_manualsegm.zip glaucoma.zip '
                    'glaucoma_manualsegm.zip diabetic_retinopathy.zip '
                    'diabetic_retinopathy_manualsegm.zip -o {root}',
    'STAREDataset: ': 'stare.py stare-images.tar labels-ah.tar labels-vk.tar -o {root}',
}


def tell_converter(error: DataError, dataset: Any) -> None:
    """Note the command that makes what the error misses; `dataset` is the config, such as data.val.

    An error about anything else is left as it is.
    """
    command = next((made for part, made in MADE_BY.items() if part in str(error)), None)
    if command is not None:
        root = next((Path(part['data_root']) for _, part in leaf_configs(dataset)
                     if part.get('data_root')), Path('DIR/VOCdevkit/VOC2012'))
        command = command.format(root=root, devkit=root.parent)
        add_note(error, f'this makes it: python tools/convert_datasets/{command} --nproc 8')
