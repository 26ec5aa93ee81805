"""The main job from the command line: train, evaluate, resume, test, paint; and bad input."""
import json
import pickle
import re

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from mmseg.apis import inference_segmentor, init_segmentor

LOG_LINE = re.compile(
    r'^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - mmseg - INFO - Iter \[\d+/4\]\tlr: \d\.\d{3}e-\d\d, '
    r'eta: \d+:\d\d:\d\d, time: [\d.]+, data_time: [\d.]+, (memory: \d+, )?fps: [\d.]+, '
    r'decode\.loss_seg: [\d.]+, decode\.acc_seg: [\d.]+, '
    r'aux\.loss_seg: [\d.]+, aux\.acc_seg: [\d.]+, loss: [\d.]+$', re.MULTILINE)


def json_lines(work_dir, mode='train'):
    log = max(work_dir.glob('*.log.json'))
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [line for line in lines if line.get('mode') == mode]


def losses(work_dir):
    return [line['loss'] for line in json_lines(work_dir)]


@pytest.fixture
def train(tool, small_config, tmp_path):
    """Train in this process; returns the work dir."""
    def run(name='run', *argv):
        work_dir = tmp_path / name
        tool('train')([str(small_config), '--device', 'cpu', '--work-dir', str(work_dir),
                       '--seed', '3', *map(str, argv)])
        return work_dir
    return run


@pytest.fixture(scope='module')
def trained(run_tool, small_config, tmp_path_factory):
    """The run of a user: four iterations and an evaluation."""
    work_dir = tmp_path_factory.mktemp('trained')
    done = run_tool('train', small_config, '--device', 'cpu', '--work-dir', work_dir, '--seed', 3)
    assert done.returncode == 0, done.stderr
    return work_dir, done


def test_log_lines_have_the_known_format(trained):
    work_dir, done = trained
    text = next(work_dir.glob('*.log')).read_text()
    assert len(LOG_LINE.findall(text)) == 4
    assert len(LOG_LINE.findall(done.stderr + done.stdout)) == 4
    assert re.search(r'mmseg - INFO - Iter\(val\) \[\d+\]\t.*aAcc: [\d.]+, mIoU: [\d.]+', text)


def test_origins_of_the_config_are_kept(trained, small_config):
    file, = trained[0].glob('*.origins.json')
    rows = {key: (value, origin) for key, value, origin in json.loads(file.read_text())}
    assert rows['seed'] == ('3', 'set by program code')
    assert rows['model.backbone.base_channels'] == ('8', f'set by {small_config}')
    assert (trained[0] / 'data_check.json').exists()


def test_json_log(trained):
    work_dir, _ = trained
    lines = json_lines(work_dir)
    assert [line['iter'] for line in lines] == [1, 2, 3, 4]
    assert {'mode', 'epoch', 'iter', 'lr', 'data_time', 'time', 'decode.loss_seg', 'aux.loss_seg',
            'loss'} <= set(lines[0])
    val, = json_lines(work_dir, 'val')
    assert {'aAcc', 'mIoU', 'mAcc'} <= set(val)


def test_learning_rate_is_poly(trained):
    lines = json_lines(trained[0])
    expected = [1e-4 + (0.01 - 1e-4) * (1 - i / 4) ** 0.9 for i in range(4)]
    np.testing.assert_allclose([line['lr'] for line in lines], expected, atol=5e-6)


def test_files_of_a_run(trained):
    work_dir, _ = trained
    names = {file.name for file in work_dir.iterdir()}
    assert {'iter_2.pth', 'iter_4.pth', 'latest.pth', 'small.py', 'best_mIoU_iter_4.pth'} <= names
    assert (work_dir / 'latest.pth').resolve() == (work_dir / 'iter_4.pth').resolve()


def test_a_checkpoint_is_plain_and_complete(trained):
    checkpoint = torch.load(trained[0] / 'latest.pth', weights_only=True)
    assert set(checkpoint) == {'meta', 'state_dict', 'optimizer', 'run_state'}
    meta = checkpoint['meta']
    assert meta['iter'] == 4
    assert meta['CLASSES'][1] == 'aeroplane'
    assert meta['PALETTE'][1] == [128, 0, 0]
    assert {'epoch', 'config', 'mmseg_version', 'env_info', 'seed', 'exp_name', 'time'} <= set(meta)


def test_the_saved_config_trains_the_same(trained, run_tool, tmp_path):
    saved = trained[0] / 'small.py'
    done = run_tool('train', saved, '--device', 'cpu', '--work-dir', tmp_path, '--seed', 3,
                    '--no-validate')
    assert done.returncode == 0, done.stderr
    assert losses(tmp_path) == losses(trained[0])
    assert json_lines(tmp_path, 'val') == []


def test_the_same_seed_gives_the_same_losses_with_any_number_of_workers(trained, train):
    expected = losses(trained[0])
    assert len(set(expected)) > 1
    for workers in (0, 2, 4):
        work_dir = train(f'w{workers}', '--no-validate', '--cfg-options',
                         f'data.workers_per_gpu={workers}')
        assert losses(work_dir) == expected, f'{workers} workers'


def test_another_seed_gives_other_losses(trained, tool, small_config, tmp_path):
    tool('train')([str(small_config), '--device', 'cpu', '--work-dir', str(tmp_path), '--seed', '4',
                   '--no-validate'])
    assert losses(tmp_path) != losses(trained[0])


def test_resume_goes_on_at_the_saved_iteration(trained, train):
    work_dir = train('more', '--resume-from', trained[0] / 'iter_2.pth', '--no-validate')
    assert [line['iter'] for line in json_lines(work_dir)] == [3, 4]
    lr = [line['lr'] for line in json_lines(work_dir)]
    assert lr == [line['lr'] for line in json_lines(trained[0])][2:]


def test_load_from_starts_with_the_weights(trained, train):
    work_dir = train('warm', '--load-from', trained[0] / 'iter_4.pth', '--no-validate',
                     '--cfg-options', 'optimizer.lr=0', 'lr_config.min_lr=0',
                     'optimizer.weight_decay=0')
    expected = torch.load(trained[0] / 'iter_4.pth', weights_only=True)['state_dict']
    loaded = torch.load(work_dir / 'iter_4.pth', weights_only=True)['state_dict']
    assert [line['iter'] for line in json_lines(work_dir)] == [1, 2, 3, 4]
    for key, value in expected.items():
        if not key.endswith(('running_mean', 'running_var', 'num_batches_tracked')):
            assert torch.equal(loaded[key], value), key


def test_test_prints_the_table_and_writes_everything(trained, run_tool, small_config, devkit,
                                                     tmp_path):
    done = run_tool('test', small_config, trained[0] / 'latest.pth', '--device', 'cpu', '--eval',
                    'mIoU', 'mDice', '--show-dir', tmp_path / 'painted', '--out',
                    tmp_path / 'out.pkl', '--work-dir', tmp_path / 'scores')
    assert done.returncode == 0, done.stderr
    printed = done.stdout + done.stderr
    assert re.search(r'\| background +\|', printed)
    assert len(re.findall(r'mIoU: ', printed)) == 1
    names = (devkit / 'VOC2012/ImageSets/Segmentation/val.txt').read_text().split()
    with open(tmp_path / 'out.pkl', 'rb') as file:
        label_maps = pickle.load(file)
    scores = json.loads(next((tmp_path / 'scores').glob('eval_*.json')).read_text())
    assert len(label_maps) == len(names) == 4
    # Score the written label maps by hand.
    hit = np.zeros(21)
    union = np.zeros(21)
    for name, label_map in zip(names, label_maps, strict=True):
        painted = cv2.imread(str(tmp_path / 'painted' / f'{name}.jpg'))
        truth = np.array(Image.open(devkit / 'VOC2012/SegmentationClass' / f'{name}.png'))
        assert painted.shape == (*truth.shape, 3)
        assert label_map.shape == truth.shape
        for c in range(21):
            a, b = (label_map == c) & (truth != 255), truth == c
            hit[c] += (a & b).sum()
            union[c] += (a | b).sum()
    with np.errstate(invalid='ignore'):
        assert scores['mIoU'] == pytest.approx(np.nanmean(hit / union), abs=1e-4)
    assert 'mDice' in scores


def test_evaluation_in_training_and_the_test_command_agree(trained, tool, small_config, tmp_path):
    tool('test')([str(small_config), str(trained[0] / 'iter_4.pth'), '--device', 'cpu',
                  '--eval', 'mIoU', '--work-dir', str(tmp_path)])
    scores = json.loads(next(tmp_path.glob('eval_*.json')).read_text())
    val, = json_lines(trained[0], 'val')
    assert scores['mIoU'] == pytest.approx(val['mIoU'], abs=1e-4)


def test_aug_test_and_format_only(trained, tool, small_config, devkit, tmp_path):
    arguments = [str(small_config), str(trained[0] / 'latest.pth'), '--device', 'cpu']
    tool('test')([*arguments, '--aug-test', '--format-only', '--eval-options',
                  f'out_dir={tmp_path}'])
    names = (devkit / 'VOC2012/ImageSets/Segmentation/val.txt').read_text().split()
    for name in names:
        image = Image.open(tmp_path / f'results/VOC2012/Segmentation/comp6_val_cls/{name}.png')
        assert image.mode == 'P'
        assert np.array(image).max() <= 20


def test_inference_from_python_sees_what_the_test_command_sees(trained, tool, small_config, devkit,
                                                               tmp_path):
    checkpoint = str(trained[0] / 'latest.pth')
    tool('test')([str(small_config), checkpoint, '--device', 'cpu', '--out',
                  str(tmp_path / 'out.pkl')])
    with open(tmp_path / 'out.pkl', 'rb') as file:
        expected = pickle.load(file)
    model = init_segmentor(small_config, checkpoint, 'cpu')
    names = (devkit / 'VOC2012/ImageSets/Segmentation/val.txt').read_text().split()
    files = [str(devkit / 'VOC2012/JPEGImages' / f'{name}.jpg') for name in names]
    from_files = inference_segmentor(model, files)
    from_arrays = inference_segmentor(model, [cv2.imread(file) for file in files])
    for want, one, other in zip(expected, from_files, from_arrays, strict=True):
        assert np.array_equal(one, want)
        assert np.array_equal(other, want)
    assert model.CLASSES[20] == 'tvmonitor'


@pytest.mark.parametrize(('options', 'message'), [
    (['data.train.split=ImageSets/Segmentation/no.txt',
      'data.train.ann_dir=SegmentationClass'], r'no\.txt'),
    (['data.train.img_dir=Nowhere'], 'Nowhere'),
    (['data.train.img_suffix=.tif'], r'\.tif'),
    (['model.decode_head.pool_scale=(1,2)'],
     r"PSPHead.*'pool_scale' \(set by command line.*did you mean 'pool_scales'"),
    (['model.decode_head.type=PSPHaed'], "'PSPHaed' is not in .*did you mean 'PSPHead'"),
    (['model.decode_head.num_classes=19'],
     r'model\.decode_head has num_classes=19 but .* 21 classes'),
    (['data.samples_per_gpu=100'], 'has 12 images, fewer than one batch'),
    (['model.pretrained=missing.pth'], r'missing\.pth'),
    (['load_from=missing.pth'], r'missing\.pth'),
    (['resume_from=missing.pth'], r'missing\.pth'),
])
def test_bad_input_is_one_clear_error(tool, small_config, tmp_path, options, message):
    from mmcv_replace.utils.errors import UserError
    with pytest.raises(UserError) as raised:
        tool('train')([str(small_config), '--device', 'cpu', '--work-dir', str(tmp_path),
                       '--cfg-options', *options])
    assert re.search(message, str(raised.value), re.DOTALL), raised.value


def test_a_missing_config_is_one_line_and_exit_code_2(run_tool):
    done = run_tool('train', 'configs/pspnet/pspnet_r50-d8_512x512_20k_voc12agu.py')
    assert done.returncode == 2
    assert 'Traceback' not in done.stderr
    assert 'pspnet_r50-d8_512x512_20k_voc12aug.py' in done.stderr


def test_a_loss_that_is_not_finite_stops_the_run(train):
    from mmcv_replace.utils.errors import NonFiniteLossError
    with pytest.raises(NonFiniteLossError, match=r'iteration 2.*decode\.loss_seg: .*iter_1\.pth'):
        train('nan', '--no-validate', '--cfg-options', 'optimizer.lr=1e30',
              'checkpoint_config.interval=1')


@pytest.mark.parametrize('options', [[], ['--opt-level', 'O2'], ['--opt-level', 'O0']])
def test_mixed_precision_from_the_command_line(trained, train, tool, small_config, options,
                                               tmp_path):
    work_dir = train('amp', '--amp', '--no-validate', *options)
    expected = losses(trained[0])
    np.testing.assert_allclose(losses(work_dir), expected, rtol=0.1)
    assert (losses(work_dir) == expected) == ('O0' in options)
    checkpoint = torch.load(work_dir / 'latest.pth', weights_only=True)
    assert not {v.dtype for v in checkpoint['state_dict'].values()} & {torch.bfloat16,
                                                                       torch.float16}
    tool('test')([str(small_config), str(work_dir / 'latest.pth'), '--device', 'cpu',
                  '--eval', 'mIoU', '--work-dir', str(tmp_path / 'scores'),
                  '--cfg-options', 'bf16.opt_level=O1'])


def test_prof_writes_a_trace_and_a_table(train):
    work_dir = train('prof', '--prof', '--no-validate', '--cfg-options', 'runner.max_iters=12')
    assert list((work_dir / 'prof').glob('*.pt.trace.json'))
    assert 'aten::' in (work_dir / 'prof/table.txt').read_text()


def test_syncbn_becomes_bn_in_one_process_with_one_log_line(trained):
    text = next(trained[0].glob('*.log')).read_text()
    assert len(re.findall(r'SyncBN layers run as BN', text)) == 1


def test_print_config_explains(run_tool, small_config):
    done = run_tool('print_config', small_config, '--explain', 'runner.max_iters',
                    '--cfg-options', 'runner.max_iters=9')
    assert done.returncode == 0, done.stderr
    assert '9' in done.stdout
    assert 'command line' in done.stdout
    assert 'small.py' in done.stdout
    assert 'schedule_20k.py' in done.stdout
