"""A checkout as a reader of the documents has it, small, and commands that run in it."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from ..unit.mmseg.datasets.converters import archives, later_archives
from ..unit.mmseg.datasets.importers.exports import EXPORTS

ROOT = Path(__file__).resolve().parents[2]
CONFIG = 'configs/pspnet/pspnet_r18-d8_512x512_20k_voc12aug.py'
CHECKPOINT = 'work_dirs/trained/latest.pth'
VOC = 'data/VOCdevkit/VOC2012'
# What a reader puts in the place of these words, or of numbers of processes.
PLACES = {
    r'\bCONFIG 8\b': f'{CONFIG} 2', r'\bCONFIG CHECKPOINT 8\b': f'{CONFIG} {CHECKPOINT} 2',
    r'\bCONFIG\b': CONFIG, r'(?<=json )FILE\b': 'found.json', r'\b(CHECKPOINT|FILE)\b': CHECKPOINT,
    r'\bDIR\b': VOC, r'(?<=data_path=)\.\.\.': VOC, r'\bLISTS\b': 'clean', r'\bFOLDER\b': 'folder',
    r'\bWORK_DIR/nonfinite_iter_N_rank_R.pth': 'work_dirs/spoilt/nonfinite_iter_2_rank_0.pth',
    r'\bARCHIVES\b': 'archives', r'=N$': '=1000', r'\bCOMMAND\b': 'true', r'[][]': '',
}
# Labelling tools whose exports the documents import, and their folders in data/.
TOOLS = {'coco': 'coco', 'labelme': 'labelme', 'cvat-xml': 'cvat', 'labelstudio': 'labelstudio',
         'yolo': 'yolo'}
# What the documents' configs inherit here: a narrow network, two iterations, small images.
SMALL = '''
_base_ = {small_config!r}
data_root = 'data/VOCdevkit/VOC2012'
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='MultiScaleFlipAug', img_scale=(256, 96), flip=False, transforms=[
        dict(type='Resize', keep_ratio=True),
        dict(type='RandomFlip'),
        dict(type='Normalize', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375],
             to_rgb=True),
        dict(type='ImageToTensor', keys=['img']),
        dict(type='Collect', keys=['img']),
    ]),
]
data = dict(
    samples_per_gpu=2,
    train=dict(data_root=data_root),
    val=dict(data_root=data_root, pipeline=test_pipeline),
    test=dict(data_root=data_root, pipeline=test_pipeline))
runner = dict(max_iters=2)
evaluation = dict(interval=2)
'''
# torch.compile takes minutes on a CPU; its own tests run it.
ENVIRONMENT = dict(CUDA_VISIBLE_DEVICES='', OMP_NUM_THREADS='1', TORCHDYNAMO_DISABLE='1')


def substitute(text):
    for word, place in PLACES.items():
        text = re.sub(word, place, text)
    return text


def make_desk(root, devkit, small_config, own_config):
    """A checkout as a reader has it, with the data where README wants them and small configs."""
    for folder in ('tools', 'configs', 'test/cluster'):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns('__pycache__'))
    for file in (ROOT / 'env_npu.sh', *ROOT.glob('test/*.sh')):
        shutil.copy(file, root / file.relative_to(ROOT))
    for package in ('mmcv_replace', 'mmseg'):
        (root / package).symlink_to(ROOT / package)
    shutil.copytree(devkit, root / 'data/VOCdevkit')
    write_own_data(root / 'data/my_data')
    archives.make_cityscapes(root / 'data/cityscapes')
    archives.make_pascal_context(root / 'data/VOCdevkit')
    for make in archives.RETINA.values():
        make(root)
    for name, folder in TOOLS.items():
        (root / 'data' / folder).mkdir()
        EXPORTS[name][1](root / 'data' / folder)
    later_archives.make_archives(root / 'archives')
    later_archives.make_coco_stuff10k(root / 'data/coco_stuff10k')
    later_archives.make_coco_stuff164k(root / 'data/coco_stuff164k')
    shutil.copytree(root / 'data/my_data/images/val', root / 'folder')
    shutil.copy(root / 'folder/1.jpg', root / 'image.jpg')
    write_video(root / 'video.mp4')
    (root / 'my_script.py').write_text('import mmcv\n\nassert mmcv.imread("image.jpg").ndim == 3\n')
    (root / CONFIG).write_text(SMALL.format(small_config=str(small_config)))
    (root / CONFIG.replace('r18', 'r50')).write_text(f'_base_ = {Path(CONFIG).name!r}\n')
    (root / 'configs/pspnet/my_data.py').write_text(own_config)

    run(root, f'python tools/train.py {CONFIG} --work-dir work_dirs/trained --cfg-options '
              '''custom_hooks="[dict(type='EMAHook')]"''')
    run(root, f'python tools/train.py {CONFIG} --work-dir work_dirs/spoilt --seed 0 '
              '--cfg-options optimizer.lr=1e25', code=2)
    shutil.copy(root / CHECKPOINT, root)
    shutil.copytree(root / 'work_dirs/trained',
                    root / 'work_dirs/pspnet_r50-d8_512x512_20k_voc12aug')


def write_own_data(folder):
    """Bands of the classes 0, 1, 2 and of pixels without a class, darker and lighter."""
    for split in ('train', 'val'):
        for kind in ('images', 'masks'):
            (folder / kind / split).mkdir(parents=True)
        for number in range(4):
            noise = np.random.default_rng(number).integers(0, 40, (64, 96, 3))
            bands = np.repeat(np.arange(4), 16)[:, None]
            image = (noise + 60 * bands[..., None] * np.ones((1, 96, 1))).astype(np.uint8)
            mask = np.where(bands == 3, 255, bands) * np.ones((1, 96), int)
            if split == 'val':
                image = image[::-1]
                mask = mask[::-1]
            Image.fromarray(image).save(folder / f'images/{split}/{number}.jpg')
            Image.fromarray(mask.astype(np.uint8)).save(folder / f'masks/{split}/{number}.png')


def write_video(path):
    """Three frames of the size of own images."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 10, (96, 64))
    for level in (60, 120, 180):
        writer.write(np.full((64, 96, 3), level, np.uint8))
    writer.release()


def run(folder, line, code=0):
    """What a line of bash prints; the test fails where its exit code is another one."""
    python = os.path.dirname(sys.executable)
    environment = {**os.environ, **ENVIRONMENT, 'PYTHON': sys.executable,
                   'PATH': f'{python}:{os.environ["PATH"]}'}
    done = subprocess.run(['bash', '-c', line], cwd=folder, env=environment, capture_output=True,
                          text=True, timeout=300)
    assert done.returncode == code, f'{line}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}'
    return done.stdout + done.stderr
