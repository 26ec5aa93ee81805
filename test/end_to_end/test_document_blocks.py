"""Blocks of code in the documents, and what they say about own data, are tried on small data."""
import re
import shutil
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mmcv_replace.utils import Config, build_from_cfg
from mmcv_replace.utils.errors import MissingModuleError
from mmseg.apis import load_config
from mmseg.core.evaluation import read_evaluations
from mmseg.datasets import PIPELINES, build_dataset
from mmseg.datasets.own import OwnDataSettings

from . import desk as helper
from . import documents

ROOT = Path(__file__).resolve().parents[2]


ENGLISH, FOR_DEVELOPERS = DOCUMENTS = [
    documents.Document(ROOT / name) for name in ('README.md', 'CONTRIBUTING.md')]
CONFIG, run, substitute = helper.CONFIG, helper.run, helper.substitute


def place(document, code):
    return f'{document.name}:{code.line}'


def check_own_config(document, block, desk):
    """It is the file that is shipped, below the comment at its top."""
    shipped = (ROOT / 'configs/pspnet/pspnet_r18-d8_512x512_own_data.py').read_text()
    assert shipped.split('\n', 3)[3] == block.text


def check_yaml(document, block, desk):
    """A training, a test and a check by the file, with the settings that it names."""
    (desk / 'data/my_data.yaml').write_text(block.text)
    shipped = load_config(desk / 'data/my_data.yaml')  # by the configs of the package
    assert shipped.model.backbone.depth == 50
    Config.fromfile(desk / CONFIG).dump(desk / 'small.yaml')
    (desk / 'my_data.yaml').write_text(re.sub('_base_: .*', '_base_: small.yaml', block.text))
    run(desk, 'python tools/train.py my_data.yaml')
    assert 'mIoU' in run(desk, 'python tools/test.py my_data.yaml work_dirs/my_data/latest.pth '
                               '--eval mIoU')
    told = run(desk, 'python tools/check_dataset.py my_data.yaml')
    names = [field.name for field in fields(OwnDataSettings)]
    assert {*re.findall(r'^  (\w+):', block.text, re.MULTILINE)} <= {*names}
    assert re.search(r'\| 255 +\| ignored ', told)


def check_python(document, block, desk):
    (desk / 'pasted.py').write_text(block.text)
    run(desk, 'python pasted.py')
    width, height = Image.open(desk / 'image.jpg').size
    painted = Image.open(desk / 'painted.png').size
    assert painted[0] > width  # by the legend
    assert painted[1] >= height


def check_tree(document, block, desk):
    """Each path of the tree is there, in the data of the desk."""
    above = []
    for line in block.text.splitlines():
        name = line.lstrip('│├└─ ')
        depth = (len(line) - len(name)) // 4
        above = [*above[:depth], name]
        pattern = '/'.join(above)
        choices = re.search(r'\{(.*)\}', pattern)
        for choice in choices[1].split(',') if choices else ['']:
            path = re.sub(r'\{.*\}', choice, pattern)
            assert list(desk.glob(path)), f'{place(document, block)}: {path}'


def check_error(document, block, desk):
    text = run(desk, f'python tools/train.py {CONFIG} --cfg-options '
                     'model.decode_head.pool_scale=1', code=2)
    assert block.text in text


def check_architecture(document, block, desk):
    for line in block.text.splitlines():
        for name in re.findall(r'(?:mmseg|mmcv_replace|configs|tools|test)/[\w/]*',
                               line.split('  ')[0] + '  ' + line):
            assert (ROOT / name).exists(), name


def check_recipe(document, block, desk):
    """Of a recipe, which test_recipes.py pastes."""
    assert any(block in section.blocks for section in document.sections
               if section.level == 3), place(document, block)


def check_steps(document, block, desk):
    """Steps of a pipeline, on a small sample; one whose package is missing is skipped."""
    missing = []
    for cfg in eval(f'[{block.text}]'):
        try:
            step = build_from_cfg(cfg, PIPELINES)
        except MissingModuleError as error:
            missing.append(str(error))
            continue
        img = np.full((40, 56, 3), 90, np.uint8)
        results = step(dict(img=img, gt_semantic_seg=img[..., 0] % 2,
                            seg_fields=['gt_semantic_seg']))
        assert results['img'].shape[:2] == results['gt_semantic_seg'].shape
    if missing:
        pytest.skip('; '.join(missing))


def check_evaluation(document, block, desk):
    """A training that is short, with evaluations of that kind."""
    (desk / 'configs/pspnet/evaluated.py').write_text(
        f'_base_ = {Path(CONFIG).name!r}\n{block.text}')
    run(desk, 'python tools/train.py configs/pspnet/evaluated.py --seed 0 --cfg-options '
              'evaluation.interval=2')
    record = read_evaluations(desk / 'work_dirs/evaluated')[-1]
    assert {'val/loss', 'mIoU.vehicles', 'IoU.vehicles', 'aAcc.vehicles'} <= record.scores.keys()


def check_trackers(document, block, desk):
    """A training with those of the loggers whose packages are here."""
    packages = {'TensorboardLoggerHook': ('tensorboard', 'tf_logs'),
                'WandbLoggerHook': ('wandb', 'wandb'), 'MlflowLoggerHook': ('mlflow', 'mlflow.db'),
                'SwanlabLoggerHook': ('swanlab', 'swanlog'), 'TextLoggerHook': ('json', '.')}
    settings = eval(f'dict({block.text.removeprefix("log_config = dict(").rstrip()[:-1]})')
    hooks = [hook for hook in settings['hooks'] if find_spec(packages[hook['type']][0])]
    (desk / 'configs/pspnet/tracked.py').write_text(
        f'_base_ = {Path(CONFIG).name!r}\nlog_config = {dict(settings, hooks=hooks)!r}\n')
    run(desk, 'python tools/train.py configs/pspnet/tracked.py')
    for hook in hooks:
        assert (desk / 'work_dirs/tracked' / packages[hook['type']][1]).exists(), hook
    missing = [hook['type'] for hook in settings['hooks'] if hook not in hooks]
    if missing:
        pytest.skip(f'no packages for {", ".join(missing)}')


# How the first words of a block say what it is, unless it is one of commands.
BLOCKS = {
    '_base_ = ': check_own_config,
    '# my_data.yaml': check_yaml,
    'from mmseg.apis import': check_python,
    'data/': check_tree,
    'error: ': check_error,
    'log_config = dict(': check_trackers,
    'dict(type=': check_steps,
    'evaluation = ': check_evaluation,
    'configs/  ': check_architecture,
    **dict.fromkeys(('# mmseg/', '# mmcv_replace/', '# test/'), check_recipe),
}


@pytest.mark.parametrize(('document', 'block'), [
    pytest.param(document, block, id=place(document, block))
    for document in DOCUMENTS for block in document.blocks
    if block.language != 'bash'])
def test_blocks(document, block, desk):
    check = next((check for words, check in BLOCKS.items() if block.text.startswith(words)), None)
    assert check, (f'{place(document, block)}: no rule says how to try this block: add its first '
                   'words and a check to BLOCKS')
    check(document, block, desk)


def labels(dataset):
    return [dataset.get_gt_seg_map(number) for number in range(len(dataset))]


def own_data_set(desk, **changes):
    config = load_config(desk / 'configs/pspnet/my_data.py')
    return build_dataset({**config.data.train, 'data_root': str(desk / 'data/my_data'), **changes})


@pytest.mark.parametrize(('label_map', 'written'), [
    ({3: 255}, {0: 0, 1: 1, 2: 2, 255: 3}), ({0: 0, 255: 1}, {0: 0, 1: 255})])
def test_own_masks(label_map, written, desk, tmp_path):
    """Masks in other numbers, and the documented label_map: the classes are those of before."""
    assert f'label_map={label_map}' in {span.text for span in ENGLISH.settings}
    wanted = [np.where(np.isin(mask, list(written)), mask, 0)
              for mask in labels(own_data_set(desk))]
    for number, mask in enumerate(wanted):
        other = np.vectorize(written.get)(mask).astype(np.uint8)
        Image.fromarray(other).save(tmp_path / f'{number}.png')
    found = labels(own_data_set(desk, ann_dir=str(tmp_path), label_map=label_map))
    for mask, own in zip(wanted, found, strict=True):
        assert np.array_equal(mask, own)


def test_own_lists(desk):
    (desk / 'data/my_data/train.txt').write_text('2\n0\n')
    names = [info['filename'] for info in own_data_set(desk, split='train.txt').img_infos]
    assert names == ['2.jpg', '0.jpg']


def test_an_ignored_class(desk):
    """Masks whose 11 is what is ignored, as VOC's 255 is: the data say so, and all else follows."""
    option, = {span.text for span in ENGLISH.settings if span.text.startswith('ignore_index=')}
    ignored = int(option.partition('=')[2])
    shutil.copytree(desk / 'data/my_data', desk / 'data/ignored')
    for file in (desk / 'data/ignored/masks').rglob('*.png'):
        mask = np.array(Image.open(file))
        Image.fromarray(np.where(mask == 255, ignored, mask).astype(np.uint8)).save(file)
    run(desk, 'python tools/train.py configs/pspnet/my_data.py --work-dir work_dirs/ignored '
              f'--data-root data/ignored --cfg-options data.train.{option}')


def test_a_module_of_ones_own(desk):
    """CONTRIBUTING's sample, in the folder of the command, by the documented custom_imports."""
    head, = [block.text for block in FOR_DEVELOPERS.blocks
             if block.text.startswith('# mmseg/models/decode_heads/')]
    setting, = {span.text for document in DOCUMENTS for span in document.settings
                if 'my_package' in span.text}
    (desk / 'my_package').mkdir()
    (desk / 'my_package/my_head.py').write_text(head)
    (desk / 'configs/pspnet/my_head.py').write_text(
        "_base_ = './my_data.py'\n"
        f'{setting}\n'
        "model = dict(decode_head=dict(_delete_=True, type='MyHead', width=3, in_channels=64,\n"
        '             in_index=3, channels=8, num_classes=3))\n')
    run(desk, 'python tools/train.py configs/pspnet/my_head.py')
    weights = torch.load(desk / 'work_dirs/my_head/latest.pth', weights_only=True)['state_dict']
    assert weights['decode_head.project.weight'].shape == (8, 64, 3, 3)


def test_the_predicted_folder(desk):
    """What the documented commands write for images that have no masks."""
    images = {file.stem for file in (desk / 'folder').iterdir()}
    run(desk, 'python tools/train.py configs/pspnet/my_data.py --work-dir work_dirs/my_data')
    command, = [command for command in ENGLISH.commands if 'predicted_mine' in command.words]
    run(desk, substitute(command.bare))
    masks = [*(desk / 'predicted_mine/masks').iterdir()]
    assert {file.stem for file in masks} == images
    for file in masks:
        picture = Image.open(file)
        assert picture.size == (96, 64)
        assert set(np.unique(picture)) <= {0, 1, 2}
        assert picture.getpalette()[:9] == [128, 64, 128, 70, 70, 70, 70, 130, 180]
    painted = {file.stem for file in (desk / 'predicted_mine/overlays').iterdir()}
    assert painted == images
