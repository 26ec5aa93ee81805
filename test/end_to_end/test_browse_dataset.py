"""tools/browse_dataset.py as a user types it."""
import json
import re
import shutil
import subprocess

import pytest
import torch

from mmseg.apis.cli import load_config, run_command
from mmseg.apis.datasets import build_split
from mmseg.apis.loaders import training_loader
from mmseg.datasets.tracing import trace_sample


@pytest.fixture
def browse(tool, small_config, tmp_path, capsys):
    """Browse the small config in this process: exit code and output."""
    def run(*argv, config=(small_config,)):
        code = tool('browse_dataset')([*map(str, config), '--output-dir', str(tmp_path / 'out'),
                                       *map(str, argv)])
        return code, capsys.readouterr().out
    return run


def test_it_shows_the_samples_that_the_training_loads(small_config):
    """Bit for bit, through the loader of a training, whose steps are fused."""
    cfg = load_config(small_config, dict(seed=11))
    loader = training_loader(build_split(cfg, 'train'), cfg, False, torch.device('cpu'), 'train')
    traced = build_split(cfg, 'train')
    loader.sampler.set_epoch(1)
    order = list(map(int, loader.sampler))
    batch = next(iter(loader))
    for place, index in enumerate(order[:4]):
        sample = trace_sample(traced, cfg.seed, 1, index).sample
        assert torch.equal(sample['img'].data, batch['img'].data[0][place])
        assert torch.equal(sample['gt_semantic_seg'].data, batch['gt_semantic_seg'].data[0][place])


def test_a_page(browse, tmp_path):
    code, text = browse('--number', 3, '--seed', 1, '--epoch', '0-1', '--opacity', 0.8,
                        '--max-side', 90, '--skip-type', 'PhotoMetricDistortion')
    assert code == 0
    assert 'train.html: 3 samples' in text
    page = (tmp_path / 'out/train.html').read_text(encoding='utf-8')
    assert page.count('<h2>') == 3
    assert '--opacity: 0.8' in page
    assert '--side: 90px' in page
    assert 'aeroplane' in page
    assert 'RandomCrop' in page
    assert 'PhotoMetricDistortion: the draws of later steps' in page
    assert page.count('step by step') == 6


def test_pngs_of_named_samples(browse, devkit, tmp_path):
    name = (devkit / 'VOC2012/ImageSets/Segmentation/val.txt').read_text().split()[1]
    code, text = browse('--split', 'val', '--name', name, '--index', '0', '--png', '--not-show',
                        '--show-interval', 0)
    assert code == 0
    assert 'out/val: 2 pictures' in text
    assert {file.name.partition('_')[0] for file in (tmp_path / 'out/val').iterdir()} == {
        '000000', '000001'}


def test_bands_and_options_of_the_config(browse, tmp_path, devkit, small_config):
    shutil.copytree(devkit / 'VOC2012', tmp_path / 'copy')
    browse('--index', 0, '--bands', 2, '--data-root', tmp_path / 'copy', '--cfg-options',
           'data.train.pipeline.0.to_float32=True', 'data.train.pipeline.5.type=AdjustGamma')
    page = (tmp_path / 'out/train.html').read_text(encoding='utf-8')
    assert str(tmp_path / 'copy') in page
    assert 'LoadImageFromFile(to_float32=True' in page
    assert 'AdjustGamma' in page


def test_own_data(browse, devkit, tmp_path):
    folder = devkit / 'VOC2012'
    code, _ = browse('--images', folder / 'JPEGImages', '--masks', folder / 'SegmentationClass',
                     '--number', 2, '--cfg-options', 'own_data.unpaired=skip', config=())
    assert code == 0
    assert 'CustomDataset' in (tmp_path / 'out/train.html').read_text(encoding='utf-8')


def test_the_default_folder_is_in_the_work_dir(tool, small_config, tmp_path):
    tool('browse_dataset')([str(small_config), '--index', '1', '--work-dir', str(tmp_path / 'w')])
    assert (tmp_path / 'w/browse/train.html').is_file()


def test_a_damaged_image(browse, devkit, tmp_path):
    shutil.copytree(devkit / 'VOC2012', tmp_path / 'copy')
    name = (tmp_path / 'copy/ImageSets/Segmentation/train.txt').read_text().split()[0]
    (tmp_path / f'copy/JPEGImages/{name}.jpg').write_bytes(b'none')
    code, text = browse('--data-root', tmp_path / 'copy', '--number', 0)
    assert code == 1
    assert f'{name}.jpg (epoch 0)' in text
    assert 'cannot decode' in (tmp_path / 'out/train.html').read_text(encoding='utf-8')


@pytest.mark.parametrize(('argv', 'message'), [
    (['--index', '1-x'], '--index 1-x'), (['--index', '999'], '--index 999'),
    (['--epoch', 'a'], '--epoch a'), (['--opacity', '2'], '--opacity 2'),
    (['--name', 'zebra'], "called 'zebra'"), (['--show', '--number', '1'], 'leave --show out'),
    (['--skip-type', 'X'], '--skip-type X')])
def test_what_cannot_be_shown(tool, small_config, tmp_path, argv, message, capsys):
    code = run_command(lambda: tool('browse_dataset')(
        [str(small_config), '--output-dir', str(tmp_path), *argv]))
    assert code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize('argv', [[], ['x.py', '--show', '--not-show']])
def test_options_that_contradict_each_other(tool, argv, capsys):
    with pytest.raises(SystemExit) as ended:
        tool('browse_dataset')(argv)
    assert ended.value.code == 2
    assert 'usage' in capsys.readouterr().err


def test_the_page_in_a_browser(browse, tmp_path):
    """Its pictures are shown, its slider works, and nothing is asked of the network."""
    chromium = shutil.which('chromium') or shutil.which('chromium-browser')
    if chromium is None:
        pytest.skip('no chromium is installed')
    browse('--index', 0)
    page = tmp_path / 'out/train.html'
    probe = '''
<script>
addEventListener('load', () => {
  const slider = document.getElementById('opacity');
  slider.value = 20;
  slider.dispatchEvent(new Event('input'));
  const label = document.querySelector('img.label');
  const images = [...document.images];
  document.title = JSON.stringify({
    opacity: getComputedStyle(label).opacity, images: images.length,
    loaded: images.filter(image => image.naturalWidth > 0).length,
    covered: label.getBoundingClientRect().width
      === label.parentElement.querySelector('img').getBoundingClientRect().width});
});
</script>'''
    page.write_text(page.read_text(encoding='utf-8').replace('</body>', f'{probe}</body>'),
                    encoding='utf-8')
    done = subprocess.run([chromium, '--headless', '--no-sandbox', '--disable-gpu', '--dump-dom',
                           page.as_uri()], capture_output=True, text=True, timeout=120)
    found = json.loads(re.search(r'<title>(.*?)</title>', done.stdout)[1].replace('&quot;', '"'))
    assert found['opacity'] == '0.2'
    assert found['loaded'] == found['images'] > 5
    assert found['covered'] is True
