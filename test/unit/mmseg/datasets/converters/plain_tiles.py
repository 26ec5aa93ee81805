"""What the tests of converters of aerial images share: archives, and a slow form of the windows."""
import io
import zipfile

import numpy as np
from PIL import Image


def zipped(files):
    """A zip of names and their bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, 'w', zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def encoded(array, kind='PNG', **options):
    content = io.BytesIO()
    Image.fromarray(array).save(content, format=kind, **options)
    return content.getvalue()


def scene(seed, height, width, colours, bands=3):
    """An image of noise, and labels in colours, each of which it has."""
    random = np.random.default_rng(seed)
    image = random.integers(0, 256, (height, width, bands), np.uint8)
    choice = np.resize(random.permutation(len(colours)), (height, width))
    return image, np.array(colours, np.uint8)[choice]


def plain_labels(colour_image, labels, other=None):
    """The label of each pixel, one after the other."""
    return np.array([[labels.get(tuple(pixel), other) for pixel in row]
                     for row in colour_image.tolist()])


def plain_windows(size, window, step):
    """(top, bottom, left, right) of windows; what would leave the image is moved back."""
    def starts(length, part, distance):
        return {max(min(start, length - part), 0) for start in range(0, length, distance)}
    return [(top, top + window[0], left, left + window[1])
            for top in starts(size[0], window[0], step[0])
            for left in starts(size[1], window[1], step[1])]


def contents(folder):
    """Names below a folder and the pixels of images: indices of palettes, RGB of others."""
    found = {}
    for path in sorted(folder.rglob('*')):
        if path.is_file():
            with Image.open(path) as image:
                found[path.relative_to(folder).as_posix()] = np.array(image)
    return found


def assert_same(found, expected):
    assert sorted(found) == sorted(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)
