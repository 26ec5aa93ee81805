"""Work directories as trainings leave them, written by hand, and a browser that reads pages."""
import json
import re
import shutil
import subprocess
import tempfile

import numpy as np
import pytest

from mmseg.core.evaluation.evidence import Evaluation, FixedPicture, PackedMap, SampleScore

VOC = ('background', 'aeroplane', 'bicycle')
PALETTE = [[0, 0, 0], [128, 0, 0], [0, 128, 0]]


def train_record(iteration, loss=1.0, epoch=1, **numbers):
    return {'mode': 'train', 'epoch': epoch, 'iter': iteration, 'lr': 0.01, 'data_time': 0.1,
            'time': 0.5, 'fps': 8.0, 'memory': 6084, 'decode.loss_seg': loss,
            'decode.acc_seg': 50.0, 'loss': loss, **numbers}


def val_record(iteration, miou, epoch=1, **numbers):
    return {'mode': 'val', 'epoch': epoch, 'iter': iteration, 'lr': 0.01, 'mIoU': miou,
            'mAcc': miou, 'aAcc': 0.9, **numbers}


def write_log(folder, *records, stamp='20260102_000000', **meta):
    """A log; records that are texts are written as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f'{stamp}.log.json'
    lines = [line if isinstance(line, str) else json.dumps(line) for line in (meta, *records)]
    file.write_text('\n'.join(lines) + '\n', encoding='utf-8')
    return file


def write_record(folder, done, scores, classes=VOC, palette=PALETTE, confusion=None, run_id=None,
                 by_epoch=False, averaged=False):
    """The record of an evaluation."""
    path = folder / 'evaluations'
    path.mkdir(parents=True, exist_ok=True)
    record = dict(done=done, by_epoch=by_epoch, averaged=averaged, scores=scores, earlier=[],
                  classes=list(classes), palette=palette, time=done, run_id=run_id)
    arrays = {} if confusion is None else {'confusion': np.asarray(confusion, np.int64)}
    name = f'{"epoch" if by_epoch else "iter"}_{done}{"_ema" if averaged else ""}'
    np.savez_compressed(path / f'{name}.npz', record=np.array(json.dumps(record)), **arrays)


def picture(index, name=None, size=(24, 32), classes=3, load=None):
    """A validation image of noise, two thirds of which are predicted right."""
    rng = np.random.default_rng(index)
    truth = rng.integers(0, classes, size).astype(np.uint8)
    seg_map = np.where(rng.random(size) < 2 / 3, truth, 0).astype(np.int64)
    truth[:2] = 255
    img = rng.integers(0, 256, (*size, 3)).astype(np.uint8)
    sample = SampleScore(index, name or f'image_{index}.jpg', f'/data/image_{index}.jpg',
                         0.1 + index / 100, 0.5)
    return FixedPicture(sample, PackedMap.of(seg_map), PackedMap.of(truth), 255, palette=PALETTE,
                        load=load or (lambda: img))


def evaluation(done, pictures=(), worst=(), **options):
    return Evaluation(done, False, False, {}, VOC, PALETTE,
                      pictures={each.sample.name: each for each in pictures}, worst=list(worst),
                      **options)


@pytest.fixture(scope='session')
def chromium():
    program = shutil.which('chromium') or shutil.which('chromium-browser') or shutil.which(
        'google-chrome')
    if program is None:
        pytest.skip('no chromium: apt-get install chromium')
    return program


PROBE = '''
<script>
(async () => {
  while (!document.body.dataset.drawn && !document.getElementById('trouble')?.textContent.includes(
      'cannot')) await new Promise(done => setTimeout(done, 20));
  const found = {};
  for (const place of document.querySelectorAll('.chart')) found[place.dataset.chart] = {
    traces: (place._fullData || []).map(trace => ({name: trace.name, x: trace.x, y: trace.y,
      z: trace.z, type: trace.type, visible: trace.visible})),
    lines: place.querySelectorAll('.js-line').length,
    shapes: place.querySelectorAll('.shapelayer path').length,
    cells: place.querySelectorAll('.hm image').length,
    bars: place.querySelectorAll('.point').length, width: place.getBoundingClientRect().width,
  };
  %s
  const probe = document.createElement('pre');
  probe.id = 'probe';
  probe.textContent = JSON.stringify(found);
  document.body.append(probe);
})();
</script>
'''


@pytest.fixture
def browse(chromium, tmp_path):
    """Opens a page from the disk; returns what its charts hold, and its text."""
    def open_page(page, code='', width=1300):
        probed = tmp_path / 'probed.html'
        text = page.read_text(encoding='utf-8')
        probed.write_text(text.replace('</body>', f'{PROBE % code}</body>'), encoding='utf-8')
        with tempfile.TemporaryDirectory() as profile:
            done = subprocess.run(
                [chromium, '--headless', '--no-sandbox', '--disable-gpu', '--no-first-run',
                 '--disable-background-networking', '--disable-component-update', '--disable-sync',
                 f'--user-data-dir={profile}', f'--window-size={width},2000',
                 '--virtual-time-budget=30000', '--dump-dom', probed.as_uri()],
                capture_output=True, text=True, timeout=120, encoding='utf-8')
        found = re.search(r'<pre id="probe">(.*?)</pre>', done.stdout, re.DOTALL)
        assert found, done.stdout[-2000:] + done.stderr[-2000:]
        text = found[1].replace('&lt;', '<').replace('&gt;', '>').replace('&amp;', '&')
        return json.loads(text)
    return open_page
