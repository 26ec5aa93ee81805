"""Every command and setting in the documents does what they say, on small data.

`documents.py` says how the documents are read, and how a command that needs a network, an
accelerator or several hosts is marked there: it is listed as skipped.
"""
import re
import shlex
from pathlib import Path

import pytest

from mmcv_replace.utils import Config
from mmcv_replace.utils.config.literal import read_literal
from mmseg.apis.settings import TOP

from . import desk as helper
from . import documents

ROOT = Path(__file__).resolve().parents[2]


# The Chinese README has the code of the English one: test_document_facts.py compares them.
ENGLISH, FOR_DEVELOPERS = DOCUMENTS = [
    documents.Document(ROOT / name) for name in ('README.md', 'CONTRIBUTING.md')]
CONFIG, run, substitute = helper.CONFIG, helper.run, helper.substitute

# Command -> what is added to it, so that it takes seconds. The configs here are small already.
SHORT_JOB = '--device=cpu --nproc=1 --batch_size=2'
SHORT = {
    'python tools/convert_datasets/chase_db1.py': '',
    'python tools/convert_datasets/cityscapes.py': '',
    'python tools/convert_datasets/coco_stuff10k.py': '',
    'python tools/convert_datasets/coco_stuff164k.py': '',
    'python tools/convert_datasets/drive.py': '',
    'python tools/convert_datasets/hrf.py': '',
    'python tools/convert_datasets/isaid.py': '',
    'python tools/convert_datasets/loveda.py': '',
    'python tools/convert_datasets/pascal_context.py': '',
    'python tools/convert_datasets/potsdam.py': '',
    'python tools/convert_datasets/stare.py': '',
    'python tools/convert_datasets/vaihingen.py': '',
    'python tools/convert_datasets/voc_aug.py': '',
    'python tools/train.py': '',
    'python tools/test.py': '',
    'python tools/predict.py': '',
    'python tools/check_dataset.py': '',
    'python tools/import_dataset.py': '',
    'python tools/preflight.py': '',
    'python tools/print_config.py': '',
    'python tools/replay_batch.py': '',
    'python tools/model_zoo.py': '',
    'python tools/get_flops.py': '',
    'python tools/publish_model.py': '',
    'python tools/convert_checkpoint.py': '',
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
    'python -m mmcv_replace': '',
    'ruff check': '.',
}
# Exit codes other than 0: the batch that is replayed is not finite.
CODES = {'python tools/replay_batch.py': 1}

# Where a setting stands that the documents name alone.
OWNERS = {
    'color_type': 'data.train.pipeline.0',
    'imdecode_backend': 'data.train.pipeline.0',
    'file_client_args': 'data.train.pipeline.0',
    'async_save': 'checkpoint_config',
    'verify': 'checkpoint_config',
    'statistics_batches': 'custom_hooks.0',
    'decode_head': 'model',
    'pretrained': 'model',
    'fuse_pyramid': 'model.decode_head',
    'ignore_index': 'data.train',
    'reduce_zero_label': 'data.train',
}
# Settings that are true with others alone.
COMPANIONS = {
    'data.train.ignore_index': [
        f'data.{split}.label_map={{255: -1}}' for split in ('train', 'val', 'test')],
    'custom_hooks.0.statistics_batches': ["custom_hooks=[dict(type='EMAHook')]"],
    'model.decode_head': ['model.auxiliary_head.num_classes=2', *(
        f"data.{split}.classes=['background','aeroplane']" for split in ('train', 'val', 'test'))],
}
# Settings that shut each other out, other than by their names.
CLASHES = {'bf16': 'fp16', 'deterministic': 'compile',
           'data.train.reduce_zero_label': 'data.train.ignore_index'}
# Of the form key=value, and no settings of a config, or run by a test of their own.
NO_SETTINGS = {
    'weights_only=True': 'an argument of torch.load',
    "extra_targets = ('gt_edge',)": 'an attribute of a head, test_head_bases.py',
    'runs_in_order = True': 'an attribute of a module, test_fuse_conv_bn.py',
    'momentum={}': 'an argument of Policy',
    'in_channels = 5': 'test_many_channels.py', 'to_rgb=False': 'an argument of Normalize',
    "npz_key='image'": 'test_loading.py', "seg_map_key='mask'": 'test_many_channels.py',
    'num_classes=1': 'test_binary.py', 'num_classes=2': 'a part of decode_head=dict(...)',
    "evaluation = dict(metric='cityscapes')": 'test_cityscapes_scores.py',
    'a.2.b=1': 'an example of the syntax',
    'fuse_attention=False': 'of some heads, test_every_head.py',
    'fuse_concat=False': 'of some heads, test_every_head.py',
    'label_map={3: 255}': 'test_own_masks', 'label_map={0: 0, 255: 1}': 'test_own_masks',
    "split='train.txt'": 'test_own_lists',
    "seg_map_suffix='_{class}.png'": 'masks/test_form.py',
    "class_files={'road': 1, 'car': 2}": 'masks/test_form.py',
    "colour_map={'128,64,128': 0, '#464646': 1, '*': -1}": 'masks/test_form.py',
    'data.train.ignore_index=0 model.decode_head.ignore_index=0': 'test_an_ignored_class',
    "custom_imports = dict(imports=['my_package.my_head'])": 'test_a_module_of_ones_own',
}
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
        if command.text.startswith('python -m pytest '):
            continue  # of a recipe: test_recipes.py runs it
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
    if expected.pop('_delete_', False):
        assert value == expected, key
    for name, inner in expected.items():
        holds(value[name], inner, f'{key}.{name}')
