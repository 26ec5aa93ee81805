"""The usual training and test pipelines by hand: OpenCV and NumPy, one step after the other.

`steps` are the steps of a config by their type; the random draws are those of mmsegmentation, in
its order, so that with equal seeds the samples are equal.
"""
import cv2
import numpy as np
import torch
from numpy import random
from PIL import Image

IGNORED = 255


def load_for_training(image, mask, steps):
    """-> img [3, H, W] float32 and gt_semantic_seg [1, H, W] int64."""
    img, label = cv2.imread(image), np.array(Image.open(mask))
    low, high = steps['Resize']['ratio_range']
    ratio = random.random_sample() * (high - low) + low
    size = fitting(img, [int(side * ratio) for side in steps['Resize']['img_scale']])
    img = cv2.resize(img, size, interpolation=cv2.INTER_LINEAR)
    label = cv2.resize(label, size, interpolation=cv2.INTER_NEAREST)
    area = choose_crop(label, steps['RandomCrop'])
    img, label = img[area], label[area]
    if random.rand() < steps['RandomFlip']['prob']:
        img, label = cv2.flip(img, 1), cv2.flip(label, 1)
    if 'PhotoMetricDistortion' in steps:
        img = distort(img)
    img = normalize(img, steps['Normalize'])
    height, width = steps['Pad']['size']
    below, right = height - img.shape[0], width - img.shape[1]
    img = cv2.copyMakeBorder(img, 0, below, 0, right, cv2.BORDER_CONSTANT, value=0)
    label = cv2.copyMakeBorder(label, 0, below, 0, right, cv2.BORDER_CONSTANT, value=IGNORED)
    label = torch.from_numpy(label[None].astype(np.int64))
    return {'img': to_tensor(img), 'gt_semantic_seg': label}


def load_for_testing(image, steps):
    """-> img [3, H, W] float32."""
    outer = steps['MultiScaleFlipAug']
    inner = {step['type']: step for step in outer['transforms']}
    img = cv2.imread(image)
    img = cv2.resize(img, fitting(img, outer['img_scale']), interpolation=cv2.INTER_LINEAR)
    return {'img': to_tensor(normalize(img, inner['Normalize']))}


def fitting(img, scale):
    """(width, height) of the image enlarged until a side reaches that of `scale`."""
    height, width = img.shape[:2]
    factor = min(max(scale) / max(height, width), min(scale) / min(height, width))
    return int(width * factor + 0.5), int(height * factor + 0.5)


def choose_crop(label, step):
    """A window in which no class takes too much of the area, if ten draws find one."""
    height, width = step['crop_size']
    for _ in range(1 + 10):
        top = random.randint(0, max(label.shape[0] - height, 0) + 1)
        left = random.randint(0, max(label.shape[1] - width, 0) + 1)
        area = slice(top, top + height), slice(left, left + width)
        labels, counts = np.unique(label[area], return_counts=True)
        counts = counts[labels != IGNORED]
        if len(counts) > 1 and counts.max() / counts.sum() < step['cat_max_ratio']:
            break
    return area


def distort(img):
    """Brightness, contrast before or after the colours, saturation, hue: each with half a chance.
    """
    if random.randint(2):
        img = scaled(img, 1, random.uniform(-32, 32))
    contrast_last = random.randint(2) == 0
    if not contrast_last and random.randint(2):
        img = scaled(img, random.uniform(0.5, 1.5), 0)
    if random.randint(2):
        hsv = cv2.cvtColor(img, cv2.COLOR_BGR2HSV)
        hsv[..., 1] = scaled(hsv[..., 1], random.uniform(0.5, 1.5), 0)
        img = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
    if random.randint(2):
        hsv = cv2.cvtColor(img, cv2.COLOR_BGR2HSV)
        hsv[..., 0] = (hsv[..., 0].astype(int) + random.randint(-18, 18)) % 180
        img = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
    if contrast_last and random.randint(2):
        img = scaled(img, random.uniform(0.5, 1.5), 0)
    return img


def scaled(img, alpha, beta):
    return np.clip(img.astype(np.float32) * alpha + beta, 0, 255).astype(np.uint8)


def normalize(img, step):
    img = cv2.cvtColor(img.astype(np.float32), cv2.COLOR_BGR2RGB)
    img = cv2.subtract(img, np.array([step['mean']], np.float64))
    return cv2.multiply(img, 1 / np.array([step['std']], np.float64))


def to_tensor(img):
    return torch.from_numpy(np.ascontiguousarray(img.transpose(2, 0, 1)))
