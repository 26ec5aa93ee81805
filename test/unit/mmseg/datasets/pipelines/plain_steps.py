"""Slow plain forms of the steps that change pixels: loops and formulas instead of libraries.

Each takes the sample and the options of a step, draws like it, and changes the sample's arrays.
"""
import cv2
import numpy as np


def bilinear(img, rows, columns):
    """Values of [H, W, C] at places (arrays [h, w]) between its pixels; the edge goes on."""
    rows, columns = (np.clip(places, 0, edge - 1)
                     for places, edge in zip((rows, columns), img.shape, strict=False))
    top, left = (np.floor(places).astype(int) for places in (rows, columns))
    bottom, right = np.minimum(top + 1, len(img) - 1), np.minimum(left + 1, img.shape[1] - 1)
    down, across = (rows - top)[..., None], (columns - left)[..., None]
    img = img.astype(np.float64)
    return ((img[top, left] * (1 - across) + img[top, right] * across) * (1 - down)
            + (img[bottom, left] * (1 - across) + img[bottom, right] * across) * down)


def rounded(values, dtype):
    return np.rint(values).astype(dtype) if dtype == np.uint8 else values.astype(dtype)


def fit(size, box):
    """The largest (width, height) of the ratio of `size` that fits into a box lying either way."""
    factor = min(max(box) / max(size), min(box) / min(size))
    return tuple(int(edge * factor + 0.5) for edge in size)


def nearest(label, size):
    height, width = label.shape
    return np.array([[label[row * height // size[1], column * width // size[0]]
                      for column in range(size[0])] for row in range(size[1])], label.dtype)


def change_labels(sample, change):
    for key in sample['seg_fields']:
        sample[key] = change(sample[key])


def change_all(sample, change, *drawn):
    for key in ('img', *sample['seg_fields']):
        sample[key] = change(sample[key], *drawn)


def draw_scale(size, img_scale=None, multiscale_mode='range', ratio_range=None, keep_ratio=True,
               min_size=None):
    several = img_scale is not None and not isinstance(img_scale[0], int)
    if ratio_range:
        factor = ratio_range[0] + np.random.random_sample() * (ratio_range[1] - ratio_range[0])
        size = tuple(int(edge * factor) for edge in img_scale or size)
    elif several and multiscale_mode == 'value':
        size = img_scale[np.random.randint(len(img_scale))]
    elif several:
        size = tuple(np.random.randint(min(edges), max(edges) + 1) for edges in (
            list(map(max, img_scale)), list(map(min, img_scale))))
    else:
        size = img_scale
    return size


def resize(sample, **options):
    img = sample['img']
    own = (img.shape[1], img.shape[0])
    size = draw_scale(own, **options)
    width, height = fit(own, size) if options.get('keep_ratio', True) else size
    if options.get('min_size'):
        short = max(min(size), options['min_size'])
        width, height = (int(edge * short / min(own) + 0.5) for edge in own)
    sample['img'] = enlarged(img, (width, height))
    change_labels(sample, lambda label: nearest(label, (width, height)))


def enlarged(img, size):
    """An image of another (width, height)."""
    rows, columns = ((np.arange(new) + 0.5) * old / new - 0.5
                     for new, old in zip(size[::-1], img.shape, strict=False))
    return rounded(bilinear(img, *np.meshgrid(rows, columns, indexing='ij')), img.dtype)


def resize_to_multiple(sample, size_divisor=32, interpolation=None):
    size = [-(-edge // size_divisor) * size_divisor for edge in sample['img'].shape[1::-1]]
    if interpolation == 'nearest':
        channels = np.moveaxis(sample['img'], 2, 0)
        sample['img'] = np.dstack([nearest(channel, size) for channel in channels])
    else:
        sample['img'] = enlarged(sample['img'], size)
    change_labels(sample, lambda label: nearest(label, size))


def random_cut_out(sample, prob, n_holes, cutout_shape=None, cutout_ratio=None, fill_in=0,
                   seg_fill_in=None):
    if np.random.rand() >= prob:
        return
    height, width = sample['img'].shape[:2]
    number = np.random.randint(n_holes[0], n_holes[1] + 1) if isinstance(n_holes, tuple) else (
        n_holes + 0 * np.random.randint(1))
    y, x = np.indices((height, width))
    for _ in range(number):
        left, top = np.random.randint(width), np.random.randint(height)
        sizes = cutout_shape or cutout_ratio
        sizes = sizes if isinstance(sizes, list) else [sizes]
        size = sizes[np.random.randint(len(sizes))]
        if cutout_ratio:
            size = int(size[0] * width), int(size[1] * height)
        inside = (y >= top) & (y < top + size[1]) & (x >= left) & (x < left + size[0])
        sample['img'] = np.where(inside[..., None], fill_in, sample['img'])
        if seg_fill_in is not None:
            change_labels(sample, lambda label, inside=inside: np.where(
                inside, seg_fill_in, label).astype(label.dtype))


def random_mosaic(sample, prob, img_scale=(640, 640), center_ratio_range=(0.5, 1.5), pad_val=0,
                  seg_pad_val=255):
    """The value of each pixel is looked up in the part that covers it."""
    if np.random.rand() >= prob:
        return
    center_x = int(np.random.uniform(*center_ratio_range) * img_scale[1])
    center_y = int(np.random.uniform(*center_ratio_range) * img_scale[0])

    def join(parts, change, fill):
        height, width = 2 * img_scale[0], 2 * img_scale[1]
        joined = np.full((height, width, *parts[0].shape[2:]), fill, parts[0].dtype)
        resized = []
        for part in parts:
            factor = min(img_scale[0] / part.shape[0], img_scale[1] / part.shape[1])
            resized.append(change(part, (int(part.shape[1] * factor), int(part.shape[0] * factor))))
        for y in range(height):
            for x in range(width):
                part = resized[2 * (y >= center_y) + (x >= center_x)]
                row = y - center_y + (len(part) if y < center_y else 0)
                column = x - center_x + (part.shape[1] if x < center_x else 0)
                if 0 <= row < len(part) and 0 <= column < part.shape[1]:
                    joined[y, x] = part[row, column]
        return joined

    samples = [sample, *sample['mix_results']]
    sample['img'] = join([part['img'] for part in samples], enlarged, pad_val)
    for key in sample['seg_fields']:
        sample[key] = join([part[key] for part in samples], nearest, seg_pad_val)


def seg_rescale(sample, scale_factor=1):
    height, width = (int(edge * scale_factor + 0.5) for edge in sample['img'].shape[:2])
    change_labels(sample, lambda label: nearest(label, (width, height)))


def random_crop(sample, crop_size, cat_max_ratio=1.0, ignore_index=255):
    def draw():
        top, left = (np.random.randint(0, max(edge - kept, 0) + 1)
                     for edge, kept in zip(sample['img'].shape, crop_size, strict=False))
        return np.s_[top:top + crop_size[0], left:left + crop_size[1]]

    window = draw()
    for _ in range(10 if cat_max_ratio < 1 else 0):
        classes, counts = np.unique(sample['gt_semantic_seg'][window], return_counts=True)
        counts = counts[classes != ignore_index]
        if len(counts) > 1 and np.max(counts) / np.sum(counts) < cat_max_ratio:
            break
        window = draw()
    change_all(sample, lambda array: array[window])


def random_flip(sample, prob=None, direction='horizontal', flip_ratio=None):
    if np.random.rand() < (flip_ratio if prob is None else prob):
        axis = {'horizontal': 1, 'vertical': 0}[direction]
        change_all(sample, lambda array: np.stack(list(np.moveaxis(array, axis, 0))[::-1], axis))


def pad(sample, size=None, size_divisor=None, pad_val=0, seg_pad_val=255):
    def padded(array, value):
        edges = size or [edge + -edge % size_divisor for edge in array.shape[:2]]
        result = np.zeros((*edges, *array.shape[2:]), array.dtype) + np.array(value, array.dtype)
        result[:array.shape[0], :array.shape[1]] = array
        return result

    sample['img'] = padded(sample['img'], pad_val)
    change_labels(sample, lambda label: padded(label, seg_pad_val))


def random_rotate(sample, prob, degree, pad_val=0, seg_pad_val=255, center=None, auto_bound=False):
    rotated = np.random.rand() < prob
    angle = np.random.uniform(*(degree if isinstance(degree, tuple) else (-degree, degree)))
    if not rotated:
        return
    img = sample['img']
    old = np.array(img.shape[:2])
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    new = old
    if auto_bound:
        new = np.rint([abs(old[1] * sin) + abs(old[0] * cos),
                       abs(old[0] * sin) + abs(old[1] * cos)]).astype(int)
    middle = (old - 1) / 2 if center is None else np.array(center[::-1])
    grown = (np.array([abs(old[1] * sin) + abs(old[0] * cos),
                       abs(old[0] * sin) + abs(old[1] * cos)]) - old) / 2 if auto_bound else 0
    y, x = np.indices(new) - (middle + grown)[:, None, None]
    rows, columns = middle[0] + y * cos - x * sin, middle[1] + y * sin + x * cos

    def inside(rows, columns):
        return (rows >= 0) & (rows < old[0]) & (columns >= 0) & (columns < old[1])

    framed = np.empty((old[0] + 2, old[1] + 2, *img.shape[2:]), img.dtype)
    framed[...] = pad_val
    framed[1:-1, 1:-1] = img
    sample['img'] = rounded(bilinear(framed, rows + 1, columns + 1), img.dtype)
    row, column = np.rint(rows).astype(int), np.rint(columns).astype(int)
    known = inside(row, column)
    change_labels(sample, lambda label: np.where(
        known, label[np.clip(row, 0, old[0] - 1), np.clip(column, 0, old[1] - 1)],
        seg_pad_val).astype(label.dtype))


def normalize(sample, mean, std, to_rgb=True):
    img = sample['img'][..., ::-1] if to_rgb else sample['img']
    sample['img'] = ((img - np.array(mean)) / np.array(std)).astype(np.float32)


def rerange(sample, min_value=0, max_value=255):
    img = sample['img'].astype(np.float64)
    low, high = img.min(), img.max()
    sample['img'] = (img - low) / (high - low) * (max_value - min_value) + min_value


def clahe(sample, clip_limit=40.0, tile_grid_size=(8, 8)):
    method = cv2.createCLAHE(clip_limit, tile_grid_size)
    img = np.rint(sample['img']).astype(np.uint8)
    sample['img'] = np.dstack([method.apply(np.ascontiguousarray(channel))
                               for channel in np.moveaxis(img, 2, 0)])


def rgb2gray(sample, out_channels=None, weights=(0.114, 0.587, 0.299)):
    img = sample['img'].astype(np.float64)
    gray = sum(weight * img[..., channel] for channel, weight in enumerate(weights))
    sample['img'] = np.dstack([gray] * (out_channels or len(weights)))


def adjust_gamma(sample, gamma=1.0):
    img = np.rint(sample['img'])
    sample['img'] = np.floor(255 * (img / 255.0) ** (1 / gamma) + 1e-9).astype(np.uint8)


def photo_metric_distortion(sample, brightness_delta=32, contrast_range=(0.5, 1.5),
                            saturation_range=(0.5, 1.5), hue_delta=18):
    def linear(values, factor, offset):
        return np.clip(values.astype(np.float32) * factor + offset, 0, 255).astype(np.uint8)

    def contrast(img):
        return linear(img, np.random.uniform(*contrast_range), 0) if np.random.randint(2) else img

    img = sample['img']
    if np.random.randint(2):
        img = linear(img, 1, np.random.uniform(-brightness_delta, brightness_delta))
    contrast_first = np.random.randint(2)
    img = contrast(img) if contrast_first else img
    if np.random.randint(2):
        hsv = cv2.cvtColor(img, cv2.COLOR_BGR2HSV)
        hsv[..., 1] = linear(hsv[..., 1], np.random.uniform(*saturation_range), 0)
        img = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
    if np.random.randint(2):
        hsv = cv2.cvtColor(img, cv2.COLOR_BGR2HSV)
        hsv[..., 0] = (hsv[..., 0].astype(int) + np.random.randint(-hue_delta, hue_delta)) % 180
        img = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
    sample['img'] = img if contrast_first else contrast(img)
