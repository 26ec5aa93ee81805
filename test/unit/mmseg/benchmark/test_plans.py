"""What the subcommands prepare for their subjects, and what they refuse."""
import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError, DataError, DeviceError
from mmseg.apis import load_config
from mmseg.benchmark import evaluation, infer, pipeline, startup, train
from mmseg.benchmark.conditions import describe_conditions
from mmseg.benchmark.differences import compare
from mmseg.benchmark.frames import FRAMES, Frames, frame_dataset, write_frames
from mmseg.benchmark.inputs import classes_of, flat_labels, write_batch, write_weights
from mmseg.benchmark.options import make_parser
from mmseg.benchmark.plain import plain_options
from mmseg.datasets import build_dataset
from mmseg.datasets.synthetic import SplitSizes, make_devkit
from mmseg.models import build_segmentor

SMALL = ('--cfg-options', 'model.backbone.base_channels=8', 'model.decode_head.in_channels=64',
         'model.auxiliary_head.in_channels=32')


@pytest.fixture(scope='module')
def voc(tmp_path_factory):
    folder = tmp_path_factory.mktemp('voc')
    make_devkit(folder, SplitSizes(3, 2, 0), size=64)
    return folder / 'VOC2012'


def test_training_step_section(parse, tmp_path):
    section, = train.plan(parse('train', '--size', 64, 96, '--batch', 3, '--device', 'cpu',
                                '--steps', 2, '--amp', *SMALL), tmp_path)
    assert (section.unit, section.images, section.case) == ('step', 3, 'train')
    assert section.options['dtype'] == 'bfloat16'
    assert section.options['steps'] == 2
    assert section.title.startswith('training step: 3 x 64 x 96')
    with np.load(section.options['batch']) as arrays:
        assert arrays['img'].shape == (3, 3, 64, 96)
        assert arrays['label'].shape == (3, 64, 96)
    cfg = Config.fromfile(section.options['config'])
    assert cfg.model.backbone.base_channels == 8
    assert cfg.model.pretrained is None
    assert section.plain['network']['width'] == 8
    assert section.plain_variants == {'channels_last': {'channels_last': True}}
    assert not section.variants


def test_training_from_jpegs_is_another_row(parse, tmp_path):
    section, = train.plan(parse('train', '--from-jpegs', '/data', '--workers', 2, '--no-plain',
                                *SMALL), tmp_path)
    assert section.variants == {'fed from JPEGs': {'data_root': '/data', 'workers': 2}}
    assert section.plain is None


def test_amp_chooses_the_type(parse, tmp_path):
    for given, expected in (([], 'float32'), (['--amp', 'float16'], 'float16')):
        section, = infer.plan(parse('infer', '--size', 32, 32, *given, *SMALL), tmp_path)
        assert section.options['dtype'] == expected


def test_slide_sets_the_windows(parse, tmp_path):
    section, = infer.plan(parse('slide', '--size', 64, 64, '--crop', 32, 48, '--stride', 16, 24,
                                *SMALL), tmp_path)
    test_cfg = load_config(section.options['config']).model.test_cfg
    assert test_cfg == {'mode': 'slide', 'crop_size': (32, 48), 'stride': (16, 24)}
    assert section.plain['slide'] == {'crop_size': [32, 48], 'stride': [16, 24]}


def test_evaluation_has_a_table_for_each_number_of_classes(parse, tmp_path):
    sections = evaluation.plan(parse('eval', '--classes', 5, 9, '--images', 2, '--size', 128, 160),
                               tmp_path)
    assert [section.options['classes'] for section in sections] == [5, 9]
    with np.load(sections[1].options['maps']) as arrays:
        assert arrays['pred'].shape == arrays['label'].shape == (2, 128, 160)
        assert arrays['pred'].max() < 9
        assert 0.3 < (arrays['pred'] == arrays['label']).mean() < 1


@pytest.mark.parametrize(('case', 'keys'), [('voc-train', {'img/0', 'gt_semantic_seg/0'}),
                                            ('voc-test', {'img/0'})])
def test_pipeline_case_gives_samples(parse, voc, tmp_path, case, keys):
    section, = pipeline.plan(parse('pipeline', '--case', case, '--data-root', voc, '--images', 2),
                             tmp_path)
    made = pipeline.PipelineCase(**section.options)
    assert keys <= set(made.check())
    assert made.round() > 0
    assert len(section.plain['files']) == (3 if case == 'voc-train' else 2)


def test_pipeline_also_hands_over_bytes(parse, voc, tmp_path):
    section, = pipeline.plan(parse('pipeline', '--uint8', '--data-root', voc), tmp_path)
    (label, options), = section.variants.items()
    assert label == 'handing over uint8'
    floats = pipeline.PipelineCase(**section.options)
    handed = pipeline.PipelineCase(**section.options, **options)
    assert handed._dataset[0]['img'].data.dtype is torch.uint8
    assert floats._dataset[0]['img'].data.dtype is torch.float32
    expected = floats.check()
    assert compare(handed.check(), expected) == {'img': pytest.approx(0, abs=1e-6),
                                                 'gt_semantic_seg': 0}


def test_pipeline_keeps_the_settings_of_data(parse, voc, tmp_path):
    section, = pipeline.plan(parse('pipeline', '--data-root', voc, '--cfg-options',
                                   'data.plan_pipeline=False'), tmp_path)
    dataset = pipeline.PipelineCase(**section.options)._dataset
    assert dataset.pipeline._steps() == dataset.pipeline.transforms


def test_bytes_are_for_training(parse, voc, tmp_path):
    with pytest.raises(ConfigError, match='--uint8 is for the training pipelines'):
        pipeline.plan(parse('pipeline', '--case', 'voc-test', '--uint8', '--data-root', voc),
                      tmp_path)


@pytest.mark.parametrize('case', FRAMES)
def test_frames_are_like_those_of_the_data_set(voc, tmp_path, case):
    frames = FRAMES[case]
    write_frames(voc, tmp_path, 2, frames)
    images, masks = (sorted((tmp_path / part).iterdir()) for part in ('img', 'ann'))
    assert [path.name for path in images] == [f'0{frames.suffix}', f'1{frames.suffix}']
    assert [path.name for path in masks] == ['0.png', '1.png']
    assert cv2.imread(str(images[0])).shape == (*frames.size[::-1], 3)
    label = np.array(Image.open(masks[0]))
    assert label.shape == frames.size[::-1]
    dataset = build_dataset(frame_dataset(tmp_path, frames, QUICK_STEPS))
    assert dataset[0]['img'].data.shape == (3, *frames.crop)
    values = set(np.unique(dataset.get_gt_seg_map(0)))
    assert values <= {*range(len(dataset.CLASSES)), 255}
    assert len(values) > 2


QUICK_STEPS = [
    dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'),
    dict(type='Resize', img_scale=(64, 64), ratio_range=(1.0, 1.0)),
    dict(type='RandomCrop', crop_size=(32, 32)), dict(type='Pad', size=(32, 32)),
    dict(type='DefaultFormatBundle'), dict(type='Collect', keys=['img', 'gt_semantic_seg'],
                                           meta_keys=())]


def test_tiles_fill_a_frame_with_classes_of_their_own(voc, tmp_path):
    write_frames(voc, tmp_path, 1, Frames((60, 40), 'ade20k', (60, 40), (40, 60), tiles=(3, 2),
                                          settings=dict(reduce_zero_label=True)))
    label = np.array(Image.open(tmp_path / 'ann/0.png')).astype(int)
    for tile in range(6):
        top, left = tile // 3 * 20, tile % 3 * 20
        found = np.unique(label[top:top + 20, left:left + 20])
        assert set((found[found != 255] - 1) // 21) == {tile}


def test_pipeline_with_a_disk_cache(parse, voc, tmp_path):
    section, = pipeline.plan(parse('pipeline', '--uint8', '--disk-cache', '--data-root', voc,
                                   '--images', 5), tmp_path)
    assert list(section.variants) == ['handing over uint8', 'first pass of a disk cache',
                                      'second pass', 'second pass, uint8']
    plain = pipeline.PipelineCase(**section.options)
    for label, number in (('first pass of a disk cache', 3), ('second pass', 5)):
        options = section.variants[label]
        made = pipeline.PipelineCase(**section.options, **options)
        assert made.timed_steps()[0].__class__.__name__ == 'StoredCrop'
        assert made._images == number  # of the three files, or of five rounds over them
        assert compare(made.check(), plain.check()) == {'img': 0, 'gt_semantic_seg': 0}
        kept = {path: path.stat().st_mtime_ns for path in tmp_path.joinpath(options['cache']).glob(
            '*/*')}
        assert len(kept) == 3
        made.round()
        again = {path: path.stat().st_mtime_ns for path in kept}
        assert (again == kept) == (label == 'second pass')


def test_pipeline_with_a_decoder_of_its_own(parse, voc, tmp_path):
    """Which the other subjects do not have."""
    section, = pipeline.plan(parse('pipeline', '--imdecode-backend', 'pillow', '--data-root', voc),
                             tmp_path)
    assert 'decoder' not in section.options
    made = pipeline.PipelineCase(**section.options, **section.own)
    assert made._dataset.pipeline.transforms[0].imdecode_backend == 'pillow'
    assert pipeline.PipelineCase(**section.options).timed_steps()[0].imdecode_backend == 'cv2'


def test_a_disk_cache_is_for_training(parse, voc, tmp_path):
    with pytest.raises(ConfigError, match='--disk-cache is for the training pipelines'):
        pipeline.plan(parse('pipeline', '--case', 'voc-test', '--disk-cache', '--data-root', voc),
                      tmp_path)


def test_training_fed_from_files(parse, voc, tmp_path):
    data = ('--cfg-options', 'data.train.img_dir=JPEGImages',
            'data.train.ann_dir=SegmentationClass',
            'data.train.split=ImageSets/Segmentation/train.txt')
    section, = train.plan(parse('train', '--size', 128, 128, '--no-plain', *data, *SMALL[1:]),
                          tmp_path)
    fed = {**section.options, **section.own, 'data_root': str(voc), 'workers': 0}
    made = train.TrainCase(**fed)
    before = made.runner.iter
    assert made.check() == {}
    assert made.round() > 0
    assert made.runner.iter == before + 3
    small = {**fed, 'batch': write_batch(tmp_path, 2, (64, 64), 21)}
    with pytest.raises(ConfigError, match=r'--from-jpegs: data.train gives batches of '
                       r'\(2, 3, 128, 128\).*--size 128 128'):
        train.TrainCase(**small)


def test_check_leaves_dropout_as_it_was(parse, tmp_path):
    section, = train.plan(parse('train', '--size', 64, 64, '--no-plain', *SMALL), tmp_path)
    made = train.TrainCase(**section.options, **section.own)
    first, second = made.check()['loss']
    assert first != second
    shares = {module.p for module in made.runner.model.modules()
              if isinstance(module, torch.nn.Dropout2d)}
    assert shares == {0.1}


def test_calibrated_norms_have_the_statistics_of_images(quickstart, tmp_path):
    plain = torch.load(write_weights(quickstart, tmp_path))
    calibrated = torch.load(write_weights(quickstart, tmp_path, calibrate=True))
    name = 'backbone.layer4.1.bn2.running_var'
    assert (plain[name] == 1).all()
    assert (calibrated[name] != 1).all()
    build_segmentor(quickstart.model).load_state_dict(calibrated)


def test_flat_labels_are_flat():
    label = flat_labels(np.random.default_rng(0), (90, 120), 7)
    assert label.shape == (90, 120)
    assert set(np.unique(label)) <= {*range(7), 255}
    assert (label[:, 1:] == label[:, :-1]).mean() > 0.9


def test_startup_names_the_config_file(parse, tmp_path, repo_dir):
    section, = startup.plan(parse('startup'), tmp_path)
    assert section.options['config'].startswith(str(repo_dir))
    assert (section.images, section.resident) == (0, False)


def test_conditions_name_the_machine():
    conditions = describe_conditions('cpu')
    assert conditions['torch'] == torch.__version__
    assert conditions['device'] == 'cpu (CPU)'
    assert len(conditions['load_before'].split(', ')) == 3


@pytest.mark.parametrize(('arguments', 'error', 'message'), [
    (('--data-root', '/none'), DataError, '--data-root /none: there is no folder JPEGImages'),
])
def test_data_that_is_absent(parse, tmp_path, arguments, error, message):
    with pytest.raises(error, match=message):
        pipeline.plan(parse('pipeline', *arguments), tmp_path)


def test_device_that_is_absent(parse, tmp_path):
    with pytest.raises(DeviceError, match="'--device cpu' works everywhere"):
        train.plan(parse('train', '--device', 'npu'), tmp_path)


def test_model_without_a_plain_form(repo_dir):
    cfg = load_config(repo_dir / 'configs/fcn/fcn_r50-d8_512x512_20k_voc12aug.py')
    with pytest.raises(ConfigError, match='no plain form of a model of ResNetV1c, FCNHead.*'
                       '--no-plain'):
        plain_options(cfg)


def test_a_cascade_of_heads(repo_dir):
    cfg = load_config(repo_dir / 'configs/pspnet/pspnet_r50-d8_512x512_20k_voc12aug.py')
    assert classes_of(cfg) == 21
    cfg.model.decode_head = [cfg.model.decode_head, dict(type='OCRHead', num_classes=7)]
    assert classes_of(cfg) == 7
    with pytest.raises(ConfigError, match='of ResNetV1c, PSPHead, OCRHead, FCNHead: choose'):
        plain_options(cfg)


@pytest.mark.parametrize('arguments', [['train', '--rounds', '0'], ['train', '--amp', 'int8'],
                                       ['pipeline', '--case', 'ade'], []])
def test_wrong_arguments_are_refused(arguments, capsys):
    with pytest.raises(SystemExit):
        make_parser(None).parse_args(arguments)
    assert 'usage' in capsys.readouterr().err
