"""Tiny data sets in the layout of the real archives, with what their masks must become.

Every `make_...(folder)` returns a `Made`. The formats are those of the real files: GIFs of three
kinds, single bits, grey values between black and white, suffixes in upper case, .ppm.gz.
"""
import gzip
import io
import json
import tarfile
import zipfile
from typing import NamedTuple

import numpy as np
from PIL import Image

from ..coco_rle import rle_of

STARE = (1, 2, 3, 4, 5, 44, 77, 81, 82, 139, 162, 163, 235, 236, 239, 240, 255, 291, 319, 324)


class Made(NamedTuple):
    """Paths for the command line, and masks and images by their places in the output."""

    paths: list
    masks: dict
    images: dict


def photo(number, height=24, width=31):
    """A smooth image [H, W, 3], another one for each number."""
    random = np.random.RandomState(number)
    small = Image.fromarray(random.randint(0, 256, (4, 5, 3)).astype(np.uint8))
    return np.array(small.resize((width, height), Image.BICUBIC))


def vessels(number, height=24, width=31):
    """A mask [H, W] of zeros and ones."""
    return (np.random.RandomState(1000 + number).rand(height, width) < 0.3).astype(np.uint8)


def encode(array, form, mode=None, **options):
    file = io.BytesIO()
    image = Image.fromarray(array)
    (image if mode is None else image.convert(mode)).save(file, form, **options)
    return file.getvalue()


def gif(mask, kind):
    """A black-and-white GIF, made from grey, from bits, or from two colours in either order."""
    if kind in ('grey', 'bits'):
        return encode(mask * 255 if kind == 'grey' else mask.astype(bool), 'GIF')
    image = Image.fromarray(1 - mask if kind == 'white first' else mask)
    image.putpalette([255, 255, 255, 0, 0, 0] if kind == 'white first' else
                     [0, 0, 0, 255, 255, 255])
    file = io.BytesIO()
    image.save(file, 'GIF', optimize=False)
    return file.getvalue()


def ppm_gz(array):
    return gzip.compress(encode(array, 'PPM'))


def write_zip(path, files, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, 'w', compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def write_tar(path, files):
    with tarfile.open(path, 'w') as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def make_chase_db1(folder):
    files, made = {}, Made([], {}, {})
    eyes = [f'Image_{child:02}{side}' for child in range(1, 15) for side in 'LR']
    for number, eye in enumerate(eyes):
        split = 'training' if number < 20 else 'validation'
        files[f'{eye}.jpg'] = encode(photo(number), 'JPEG', quality=95)
        made.images[f'images/{split}/{eye}.png'] = photo(number)
        for observer in (1, 2):
            mask = vessels(100 * observer + number)
            name = f'{eye}_{"1st" if observer == 1 else "2nd"}HO'
            # Real masks have a bit, and some of them values such as 200 where they should be white.
            files[f'{name}.png'] = (encode(mask.astype(bool), 'PNG') if number % 3 else
                                    encode(np.where(mask, 200, 100).astype(np.uint8), 'PNG'))
            made.masks[f'annotations/{split}/{name}.png'] = mask
    files['__MACOSX/._Image_01L.jpg'] = b'nothing'
    made.paths.append(write_zip(folder / 'CHASEDB1.zip', files))
    return made


def make_drive(folder, observers=(1, 2)):
    """`observers` of the test images; today's archive has none."""
    made = Made([], {}, {})
    for part, split, numbers in (('training', 'training', range(21, 41)),
                                 ('test', 'validation', range(1, 21))):
        files = {}
        for number in numbers:
            name = f'{number:02}'
            files[f'{part}/images/{name}_{part}.tif'] = encode(photo(number), 'TIFF',
                                                               compression='tiff_lzw')
            files[f'{part}/mask/{name}_{part}_mask.gif'] = gif(np.ones((24, 31), np.uint8), 'grey')
            made.images[f'images/{split}/{name}.png'] = photo(number)
            for observer in (1,) if part == 'training' else observers:
                mask = vessels(100 * observer + number)
                place = f'{"1st" if observer == 1 else "2nd"}_manual/{name}_manual{observer}'
                kind = ('grey', 'bits', 'black first', 'white first')[number % 4]
                files[f'{part}/{place}.gif'] = gif(mask, kind)
                made.masks[f'annotations/{split}/{name}_manual{observer}.png'] = mask
        made.paths.append(write_zip(folder / f'{part}.zip', files))
    return made


def make_hrf(folder):
    made = Made([], {}, {})
    for start, (group, short) in enumerate((('healthy', 'h'), ('glaucoma', 'g'),
                                            ('diabetic_retinopathy', 'dr'))):
        images, masks = {}, {}
        for number in range(1, 16):
            name = f'{number:02}_{short}'
            split = 'training' if number <= 5 else 'validation'
            seed = 100 * start + number
            images[f'{name}.{"JPG" if short == "dr" else "jpg"}'] = encode(
                photo(seed), 'JPEG', quality=95)
            mask = vessels(seed)
            masks[f'{name}.tif'] = encode(mask * 255, 'TIFF',
                                          mode='RGB' if number == 3 else None)
            made.images[f'images/{split}/{name}.png'] = photo(seed)
            made.masks[f'annotations/{split}/{name}.png'] = mask
        # Each archive has a file that is not looked at.
        for name, files in ((group, images), (f'{group}_manualsegm', masks)):
            made.paths.append(write_zip(folder / f'{name}.zip', {**files, 'Thumbs.db': b'x'}))
    return made


def make_stare(folder):
    made, files = Made([], {}, {}), {'images': {}, 'ah': {}, 'vk': {}}
    for place, number in enumerate(STARE):
        split, name = 'training' if place < 10 else 'validation', f'im{number:04}'
        files['images'][f'{name}.ppm.gz'] = ppm_gz(photo(number))
        made.images[f'images/{split}/{name}.png'] = photo(number)
        for seed, observer in ((1, 'ah'), (2, 'vk')):
            mask = vessels(1000 * seed + number)
            files[observer][f'{name}.{observer}.ppm.gz'] = ppm_gz(mask * 255)
            made.masks[f'annotations/{split}/{name}.{observer}.png'] = mask
    for name, key in (('stare-images', 'images'), ('labels-ah', 'ah'), ('labels-vk', 'vk')):
        made.paths.append(write_tar(folder / f'{name}.tar', files[key]))
    return made


def square(label, left, top, right, bottom, **more):
    """An object of Cityscapes' JSON."""
    corners = [[left, top], [right, top], [right, bottom], [left, bottom]]
    return dict(label=label, polygon=corners, **more)


def paint(shape, background, squares):
    """Pillow's rule for squares at whole numbers: borders on all sides belong to them."""
    mask = np.full(shape, background, np.uint8)
    for value, (left, top), _, (right, bottom), _ in squares:
        mask[max(top, 0):max(bottom + 1, 0), max(left, 0):max(right + 1, 0)] = value
    return mask


def make_cityscapes(folder, height=40, width=64, kind='gtFine'):
    """Two images of each split, whose objects are squares; `paths` is the folder of the data."""
    made = Made([folder], {}, {})
    train_ids = dict(sky=10, road=0, car=13, bicyclegroup=18, terrain=9)
    train_ids |= {'out of roi': 255, 'polegroup': 255, 'license plate': None}
    for split, city in (('train', 'aachen'), ('val', 'munster'), ('test', 'bonn')):
        for number in range(2):
            name = f'{city}_{number:06}_000019'
            objects = [
                square('sky', -3, -2, width, 14), square('road', 0, 15, width - 1, height + 5),
                square('out of roi', 0, 0, 3, height), square('car', 10 + number, 12, 30, 25),
                square('license plate', 14, 18, 20, 20), square('bicyclegroup', 28, 20, 41, 30),
                square('polegroup', 50, 5, 52, 33), square('terrain', 0, 0, 63, 39, deleted=1)]
            place = folder / kind / split / city / f'{name}_{kind}_polygons.json'
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(json.dumps(dict(imgWidth=width, imgHeight=height, objects=objects)))
            image = folder / 'leftImg8bit' / split / city / f'{name}_leftImg8bit.png'
            image.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(photo(number, height, width)).save(image)
            squares = [(train_ids[each['label']], *each['polygon']) for each in objects
                       if 'deleted' not in each and train_ids[each['label']] is not None]
            made.masks[f'{kind}/{split}/{city}/{name}_{kind}_labelTrainIds.png'] = paint(
                (height, width), 255, squares)
    return made


def make_pascal_context(folder, height=40, width=52):
    """`paths`: the devkit and the JSON file of PASCAL in Detail."""
    voc = folder / 'VOC2010'
    made = Made([folder, voc / 'trainval_merged.json'], {}, {})
    (voc / 'JPEGImages').mkdir(parents=True)
    categories = {2: 1, 458: 59, 284: 37, 22: 5, 360: 47, 187: 29}
    images, regions = [], []
    for number, phase in enumerate(('train', 'train', 'val', 'test')):
        name = f'2008_{number:06}'
        image_id = 2008 * 10**6 + number
        images.append(dict(image_id=image_id, file_name=f'{name}.jpg', phase=phase, height=height,
                           width=width, date_captured='31-Oct-2008'))
        Image.fromarray(photo(number, height, width)).save(voc / 'JPEGImages' / f'{name}.jpg')
        mask = np.zeros((height, width), np.uint8)
        for place, (category, index) in enumerate(categories.items()):
            region = np.random.RandomState(place + 10 * number).rand(height, width) < 0.3
            mask[region] = index
            regions.append(dict(id=len(regions), image_id=image_id, category_id=category,
                                segmentation=rle_of(region), iscrowd=0, parts=[]))
        if phase != 'test':
            made.masks[f'SegmentationClassContext/{name}.png'] = mask
    made.paths[1].write_text(json.dumps(dict(
        info={}, images=images, annos_segmentation=regions, annos_occlusion=[],
        annos_boundary=[], categories=[], parts=[])))
    return made


RETINA = dict(chase_db1=make_chase_db1, drive=make_drive, hrf=make_hrf, stare=make_stare)
