"""Every command, setting and block of code in the documents does what they say, on small data.

`documents.py` says how the documents are read, and how a command that needs a network, an
accelerator or several hosts is marked there: it is listed as skipped.
"""
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mmcv_replace.utils import Config
from mmcv_replace.utils.literal import read_literal
from mmcv_replace.utils.signature import parameters_of
from mmseg.apis import load_config
from mmseg.apis.settings import TOP
from mmseg.datasets import CustomDataset, build_dataset

ROOT = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location('documents', Path(__file__).parent / 'documents.py')
documents = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(documents)

# The Chinese README has the code of the English one: test_document_facts.py compares them.
ENGLISH, FOR_DEVELOPERS = DOCUMENTS = [
    documents.Document(ROOT / name) for name in ('README.md', 'CONTRIBUTING.md')]

CONFIG = 'configs/pspnet/pspnet_r18-d8_512x512_20k_voc12aug.py'
CHECKPOINT = 'work_dirs/trained/latest.pth'
VOC = 'data/VOCdevkit/VOC2012'
# What a reader puts in the place of these words, or of numbers of processes.
PLACES = {
    r'\bCONFIG 8\b': f'{CONFIG} 2', r'\bCONFIG CHECKPOINT 8\b': f'{CONFIG} {CHECKPOINT} 2',
    r'\bCONFIG\b': CONFIG, r'(?<=json )FILE\b': 'found.json', r'\b(CHECKPOINT|FILE)\b': CHECKPOINT,
    r'\bDIR\b': VOC, r'(?<=data_path=)\.\.\.': VOC, r'\bLISTS\b': 'clean', r'\bFOLDER\b': 'folder',
    r'\bWORK_DIR/nonfinite_iter_N_rank_R.pth': 'work_dirs/spoilt/nonfinite_iter_2_rank_0.pth',
    r'=N$': '=1000', r'\bCOMMAND\b': 'true', r'[][]': '',
}
# Command -> what is added to it, so that it takes seconds. The configs here are small already.
SHORT_JOB = '--device=cpu --nproc=1 --batch_size=2'
SHORT = {
    'python tools/convert_datasets/voc_aug.py': '',
    'python tools/train.py': '',
    'python tools/test.py': '',
    'python tools/check_dataset.py': '',
    'python tools/preflight.py': '',
    'python tools/print_config.py': '',
    'python tools/replay_batch.py': '',
    'python tools/benchmark.py': f'{CONFIG} --rounds 1 --warmup 0 --size 64 64 --no-plain '
                                 '--no-inspect',
    'bash tools/dist_train.sh': '',
    'bash tools/dist_test.sh': '',
    'bash tools/slurm_train.sh': '',
    'bash test/train_full_1p.sh': f'{SHORT_JOB} --max_iters=2',
    'bash test/train_full_8p.sh': f'{SHORT_JOB} --max_iters=2',
    'bash test/train_performance_8p.sh': f'{SHORT_JOB} --max_iters=2',
    'bash test/train_performance_multinodes.sh': '',
    'bash test/train_val_8p.sh': '--device=cpu --nproc=1',
    'bash test/cluster/restartable.sh': '',
    'export OPENCV_IO_MAX_IMAGE_PIXELS=N': '',
    'ruff check': '.',
}
# Exit codes other than 0: the batch that is replayed is not finite.
CODES = {'python tools/replay_batch.py': 1}

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
# Where a setting stands that the documents name alone.
OWNERS = {
    'color_type': 'data.train.pipeline.0',
    'imdecode_backend': 'data.train.pipeline.0',
    'async_save': 'checkpoint_config',
    'verify': 'checkpoint_config',
    'statistics_batches': 'custom_hooks.0',
    'decode_head': 'model',
    'pretrained': 'model',
    'fuse_pyramid': 'model.decode_head',
}
# Settings that are true with others alone.
COMPANIONS = {
    'custom_hooks.0.statistics_batches': ["custom_hooks=[dict(type='EMAHook')]"],
    'model.decode_head': ['model.auxiliary_head.num_classes=2', *(
        f"data.{split}.classes=['background','aeroplane']" for split in ('train', 'val', 'test'))],
}
# Settings that shut each other out, other than by their names.
CLASHES = {'bf16': 'fp16', 'deterministic': 'compile'}
# Of the form key=value, and no settings of a config, or run by a test of their own.
NO_SETTINGS = {
    'weights_only=True': 'an argument of torch.load',
    'num_classes=1': 'test_binary.py', 'num_classes=2': 'a part of decode_head=dict(...)',
    'a.2.b=1': 'an example of the syntax',
    'label_map={3: 255}': 'test_own_masks', 'label_map={0: 0, 255: 1}': 'test_own_masks',
    "split='train.txt'": 'test_own_lists',
    'data.train.ignore_index=0 model.decode_head.ignore_index=0': 'test_an_ignored_class',
    "custom_imports = dict(imports=['my_package.my_head'])": 'test_a_module_of_ones_own',
}
# torch.compile takes minutes on a CPU; its own tests run it.
ENVIRONMENT = dict(CUDA_VISIBLE_DEVICES='', OMP_NUM_THREADS='1', TORCHDYNAMO_DISABLE='1')


def substitute(text):
    for word, place in PLACES.items():
        text = re.sub(word, place, text)
    return text


@pytest.fixture(scope='session')
def desk(tmp_path_factory, devkit, small_config):
    """A checkout as a reader has it, with the data where README wants them and small configs."""
    root = tmp_path_factory.mktemp('desk')
    for folder in ('tools', 'configs', 'test/cluster'):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns('__pycache__'))
    for file in (ROOT / 'env_npu.sh', *ROOT.glob('test/*.sh')):
        shutil.copy(file, root / file.relative_to(ROOT))
    for package in ('mmcv_replace', 'mmseg'):
        (root / package).symlink_to(ROOT / package)
    shutil.copytree(devkit, root / 'data/VOCdevkit')
    write_own_data(root / 'data/my_data')
    shutil.copytree(root / 'data/my_data/images/val', root / 'folder')
    shutil.copy(root / 'folder/1.jpg', root / 'image.jpg')
    (root / CONFIG).write_text(SMALL.format(small_config=str(small_config)))
    (root / CONFIG.replace('r18', 'r50')).write_text(f'_base_ = {Path(CONFIG).name!r}\n')
    (root / 'configs/pspnet/my_data.py').write_text(own_config(ENGLISH))

    run(root, f'python tools/train.py {CONFIG} --work-dir work_dirs/trained --cfg-options '
              '''custom_hooks="[dict(type='EMAHook')]"''')
    run(root, f'python tools/train.py {CONFIG} --work-dir work_dirs/spoilt --seed 0 '
              '--cfg-options optimizer.lr=1e25', code=2)
    shutil.copy(root / CHECKPOINT, root)
    shutil.copytree(root / 'work_dirs/trained',
                    root / 'work_dirs/pspnet_r50-d8_512x512_20k_voc12aug')
    return root


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


def own_config(document):
    block, = [block for block in document.blocks if block.text.startswith('_base_')]
    return block.text


def run(folder, line, code=0):
    """What a line of bash prints; the test fails where its exit code is another one."""
    python = os.path.dirname(sys.executable)
    environment = {**os.environ, **ENVIRONMENT, 'PYTHON': sys.executable,
                   'PATH': f'{python}:{os.environ["PATH"]}'}
    done = subprocess.run(['bash', '-c', line], cwd=folder, env=environment, capture_output=True,
                          text=True, timeout=300)
    assert done.returncode == code, f'{line}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}'
    return done.stdout + done.stderr


def place(document, code):
    return f'{document.name}:{code.line}'


def groups_of_commands():
    """The commands of a block are run one after the other; those of prose each for itself."""
    for document in DOCUMENTS:
        blocks = [block.commands for block in document.blocks if block.commands]
        inside = [command for block in blocks for command in block]
        seen = {command.bare for command in inside}
        prose = []
        for command in document.commands:
            if command.bare not in seen:
                seen.add(command.bare)
                prose.append([command])
        for commands in blocks + prose:
            yield pytest.param(document, commands, id=place(document, commands[0]))


@pytest.mark.parametrize(('document', 'commands'), [*groups_of_commands()])
def test_commands(document, commands, desk):
    left_out = []
    for command in commands:
        if command.words[0] == 'pip' or command.needs:
            check_without_running(document, command, desk)
            left_out.append(f'{place(document, command)} {command.needs}: {command.text}')
            continue
        line = substitute(command.bare)
        rule = next((rule for rule in SHORT if command.text.startswith(rule)), None)
        assert rule, (f'{place(document, command)}: no rule says how to run {command.text!r} on '
                      'small data: add one to SHORT, or mark it needs-network or needs-device')
        folder = ROOT if rule == 'ruff check' else desk
        if rule == 'ruff check':
            pytest.importorskip('ruff')
        run(folder, f'{line} {SHORT[rule]}', CODES.get(rule, 0))
    if left_out:
        pytest.skip('; '.join(left_out))


def check_without_running(document, command, desk):
    """What can be known without a network or a device: the words are those of our scripts."""
    where = place(document, command)
    words = command.words
    assert command.needs, f'{where}: mark {command.text!r} with needs-network'
    if words[0] == 'pip':
        project = (ROOT / 'pyproject.toml').read_text()
        for extra in re.findall(r'\.\[(\w+)\]', command.text):
            assert f'\n{extra} = [' in project, f'{where}: there is no extra {extra!r}'
        pinned = re.search(r'^TORCH_VERSION=(.*)', (ROOT / 'test/environment.sh').read_text(), re.M)
        for version in re.findall(r'\btorch(?:_npu)?==([\d.]+)', command.text):
            assert version == pinned[1], f'{where}: torch {version}, not {pinned[1]}'
        return
    script = next((word for word in words if word.endswith(('.sh', '.py'))), '')
    assert (ROOT / script).exists(), f'{where}: there is no {script}'
    if script.endswith('.sh') and ('train' in script or 'test_' in script):
        run(desk, f'{substitute(command.bare)} --dry-run')


def documented_settings(form):
    """The settings of one form, '=' of command lines or ' = ' of configs, in runs without clashes.

    Each run is a dict of dotted keys and the text of their values.
    """
    runs = []
    for document in DOCUMENTS:
        for span in document.settings:
            found = [re.split(r'\s?=\s?', word, maxsplit=1) for word in settings_of(span)]
            if span.text in NO_SETTINGS or span.needs or (' = ' in span.text) != (form == ' = '):
                continue
            entries = {full_key(document, span, key): value for key, value in found}
            fitting = next((run for run in runs if not any(
                clash(key, other) for key in entries for other in run)), None)
            if fitting is None:
                runs.append(fitting := {})
            fitting.update(entries)
    return runs


def settings_of(span):
    """Several settings of a command line stand between blanks, a value holds blanks in brackets."""
    if ' = ' in span.text:
        return [span.text]
    return re.findall(r'[\w.]+=(?:"[^"]*"|\w+\(.*\)|\S+)', span.text)


def full_key(document, span, key):
    head = key.split('.')[0]
    assert head in TOP or head in OWNERS or head == 'norm_cfg', (
        f'{place(document, span)}: no rule says where {span.text!r} stands in a config: add '
        f'{head!r} to OWNERS, or the text to NO_SETTINGS')
    return f'{OWNERS[head]}.{key}' if head in OWNERS else key


def clash(key, other):
    key, other = (CLASHES.get(name, name) + '.' for name in (key, other))
    return key.startswith(other) or other.startswith(key)


@pytest.mark.parametrize('number', range(len(documented_settings('='))))
def test_settings_of_command_lines(number, desk):
    settings = documented_settings('=')[number]
    extra = [word for key in settings for word in COMPANIONS.get(key, ())]
    words = ' '.join([*(shlex.quote(word) for word in extra),
                      *(f'{key}={value}' if value.startswith('"') else
                        shlex.quote(f'{key}={value}') for key, value in settings.items())])
    run(desk, f'python tools/train.py {CONFIG} --work-dir work_dirs/settings_{number} '
              f'--cfg-options {words}')
    check_settings(desk / f'work_dirs/settings_{number}', settings)
    run(desk, f'python tools/test.py {CONFIG} work_dirs/settings_{number}/latest.pth --eval mIoU '
              f'--cfg-options {words}')


@pytest.mark.parametrize('number', range(len(documented_settings(' = '))))
def test_settings_of_configs(number, desk):
    settings = documented_settings(' = ')[number]
    text = f'_base_ = {Path(CONFIG).name!r}\n'
    text += ''.join(f'{key} = {value}\n' for key, value in settings.items())
    (desk / f'configs/pspnet/written_{number}.py').write_text(text)
    run(desk, f'python tools/train.py configs/pspnet/written_{number}.py --seed 0')
    check_settings(desk / f'work_dirs/written_{number}', settings)
    run(desk, f'python tools/test.py configs/pspnet/written_{number}.py '
              f'work_dirs/written_{number}/latest.pth --eval mIoU')


def test_settings_that_are_left_out():
    """Those that need a network or a device, too, have a place in a config."""
    left_out = [(document, span) for document in DOCUMENTS for span in document.settings
                if span.needs]
    for document, span in left_out:
        full_key(document, span, span.text.split('=')[0].strip())
    pytest.skip('; '.join(f'{place(document, span)} {span.needs}: {span.text}'
                          for document, span in left_out))


def check_settings(work_dir, settings):
    """The config that the run has kept holds each value, as a literal of Python."""
    file, = work_dir.glob('*.py')
    config = Config.fromfile(file)
    for key, text in settings.items():
        value = config
        for name in key.split('.'):
            value = value[int(name) if isinstance(value, list) else name]
        text = text[1:-1] if text.startswith('"') else text
        try:
            expected = read_literal(text)
        except ValueError:  # a bare word: decoded
            expected = text
        holds(value, expected, key)


def holds(value, expected, key):
    if not isinstance(expected, dict):
        assert value == expected, key
        return
    for name, inner in expected.items():
        holds(value[name], inner, f'{key}.{name}')


def check_own_config(document, block, desk):
    """It is the file that is shipped, below the comment at its top."""
    shipped = (ROOT / 'configs/pspnet/pspnet_r18-d8_512x512_own_data.py').read_text()
    assert shipped.split('\n', 3)[3] == block.text


def check_python(document, block, desk):
    (desk / 'pasted.py').write_text(block.text)
    run(desk, 'python pasted.py')
    assert Image.open(desk / 'painted.png').size == Image.open(desk / 'image.jpg').size


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


def check_sample_head(document, block, desk):
    """Pasted where it says, and into the table: it passes ruff and the tests of its registry."""
    pytest.importorskip('ruff')
    row, = [other.text for other in document.blocks if other.text.startswith("    'MyHead'")]
    checkout = desk / 'with_my_head'
    for folder in ('mmseg', 'test/unit/mmseg/models'):
        shutil.copytree(ROOT / folder, checkout / folder,
                        ignore=shutil.ignore_patterns('__pycache__'))
    for file in ('pyproject.toml', 'test/conftest.py'):
        shutil.copy(ROOT / file, checkout / file)
    (checkout / 'mmcv_replace').symlink_to(ROOT / 'mmcv_replace')
    (checkout / block.text.splitlines()[0].removeprefix('# ')).write_text(block.text)
    heads = checkout / 'mmseg/models/decode_heads/__init__.py'
    text = heads.read_text().replace('\n\n__all__', '\n\nfrom .my_head import MyHead\n\n__all__', 1)
    heads.write_text(text.replace('__all__ = [', "__all__ = ['MyHead', "))
    run(checkout, 'ruff check --quiet --fix --select I mmseg/models/decode_heads/__init__.py')
    table = checkout / 'test/unit/mmseg/models/test_registries.py'
    table.write_text(table.read_text().replace('HEAD_OPTIONS = {\n', f'HEAD_OPTIONS = {{\n{row}'))
    run(checkout, 'ruff check mmseg test/unit/mmseg/models/test_registries.py')
    text = run(checkout, 'PYTHONPATH=. python -m pytest -q -p no:cacheprovider -k MyHead '
                         'test/unit/mmseg/models/test_registries.py')
    assert re.search(r'^[2-9]\d* passed', text, re.MULTILINE), text


def check_row(document, block, desk):
    """check_sample_head pastes it."""
    assert any(other.text.startswith('# mmseg/models') for other in document.blocks)


# How the first words of a block say what it is, unless it is one of commands.
BLOCKS = {
    '_base_ = ': check_own_config,
    'from mmseg.apis import': check_python,
    'data/': check_tree,
    'error: ': check_error,
    'configs/  ': check_architecture,
    '# mmseg/models': check_sample_head,
    "    'MyHead'": check_row,
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


@pytest.mark.skipif('label_map' not in parameters_of(CustomDataset), reason='label_map is to come')
@pytest.mark.parametrize(('label_map', 'written'), [
    ({3: 255}, {0: 0, 1: 1, 2: 2, 255: 3}), ({0: 0, 255: 1}, {0: 0, 1: 255})])
def test_own_masks(label_map, written, desk, tmp_path):
    """Masks in other numbers, and the documented label_map: the classes are those of before."""
    assert f'label_map={label_map}' in NO_SETTINGS
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
    """Masks whose 0 is what is ignored, as VOC's 255 is."""
    options, = [span.text for span in ENGLISH.settings if 'ignore_index=0' in span.text]
    shutil.copytree(desk / 'data/my_data', desk / 'data/ignored')
    for file in (desk / 'data/ignored/masks').rglob('*.png'):
        mask = np.array(Image.open(file))
        Image.fromarray(np.where(mask == 255, 0, mask)).save(file)
    pad = 'data.train.pipeline.7.seg_pad_val=0'  # which small_config sets, and no shipped config
    run(desk, 'python tools/train.py configs/pspnet/my_data.py --work-dir work_dirs/ignored '
              f'--data-root data/ignored --no-validate --cfg-options {options} {pad}')


def test_a_module_of_ones_own(desk):
    """CONTRIBUTING's sample, in the folder of the command, by the documented custom_imports."""
    head, = [block.text for block in FOR_DEVELOPERS.blocks
             if block.text.startswith('# mmseg/models')]
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
    command, = [command for command in ENGLISH.commands if '--format-only' in command.words]
    run(desk, substitute(command.bare))
    assert {file.stem for file in (desk / 'predicted').iterdir()} == images
    for file in (desk / 'predicted').iterdir():
        picture = Image.open(file)
        assert picture.size == (96, 64)
        assert set(np.unique(picture)) <= {0, 1, 2}
        assert picture.getpalette()[:9] == [128, 64, 128, 70, 70, 70, 70, 130, 180]
    assert {file.stem for file in (desk / 'painted').iterdir()} >= images
