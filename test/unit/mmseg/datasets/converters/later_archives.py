"""Tiny archives of the later data sets, at the places that the READMEs' commands name."""
import numpy as np
from PIL import Image
from scipy.io import savemat

from .plain_tiles import encoded, zipped

SIZE = 12, 15


def _picture():
    return np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)


def _png():
    return encoded(_picture())


def _tiff():
    return encoded(_picture(), 'TIFF')


def _white(kind):
    """Labels of one colour: impervious surfaces."""
    return encoded(np.full((*SIZE, 3), 255, np.uint8), kind)


def make_archives(folder):
    """LoveDA, Potsdam, Vaihingen and iSAID, which their converters tell from each other."""
    folder.mkdir()
    mask = encoded(np.ones(SIZE, np.uint8))
    for number, split in enumerate(('Train', 'Val', 'Test')):
        place = f'{split}/Rural/{{}}_png/{number}.png'.format
        masks = {} if split == 'Test' else {place('masks'): mask}
        (folder / f'{split}.zip').write_bytes(zipped({place('images'): _png()} | masks))
    (folder / 'Potsdam.zip').write_bytes(zipped({
        f'Potsdam/{name}.zip': zipped({file.format(tile): content for tile in ('2_10', '2_13')})
        for name, file, content in (
            ('2_Ortho_RGB', '2_Ortho_RGB/top_potsdam_{}_RGB.tif', _tiff()),
            ('5_Labels_all_noBoundary', 'top_potsdam_{}_label_noBoundary.tif', _white('TIFF')))}))
    name = 'ISPRS_semantic_labeling_Vaihingen'
    (folder / 'Vaihingen.zip').write_bytes(zipped({
        f'{name}{end}.zip': zipped({file.format(tile): content for tile in (1, 2)})
        for end, file, content in (
            ('', 'top/top_mosaic_09cm_area{}.tif', _tiff()),
            ('_ground_truth_eroded_COMPLETE', 'top_mosaic_09cm_area{}_noBoundary.tif',
             _white('TIFF')))}))
    black = encoded(np.zeros((*SIZE, 3), np.uint8))
    for split in ('train', 'val'):
        for kind, file, content in (('images', 'P0000', _png()),
                                    ('Semantic_masks', 'P0000_instance_color_RGB', black)):
            (folder / split / kind).mkdir(parents=True)
            (folder / split / kind / 'images.zip').write_bytes(
                zipped({f'images/{file}.png': content}))


def make_coco_stuff10k(root):
    for folder in ('images', 'annotations', 'imageLists'):
        (root / folder).mkdir(parents=True)
    for name, split in (('COCO_train2014_000000000077', 'train'),
                        ('COCO_train2014_000000000064', 'test')):
        (root / f'imageLists/{split}.txt').write_text(name)
        Image.fromarray(_picture()).save(root / f'images/{name}.jpg')
        savemat(root / f'annotations/{name}.mat', dict(S=np.ones(SIZE, np.uint16)))


def make_coco_stuff164k(root):
    for name, split in (('000000000009', 'train2017'), ('000000000139', 'val2017')):
        for folder in ('images', 'annotations'):
            (root / folder / split).mkdir(parents=True)
        Image.fromarray(_picture()).save(root / f'images/{split}/{name}.jpg')
        Image.fromarray(np.ones(SIZE, np.uint8)).save(root / f'annotations/{split}/{name}.png')
