"""SIGKILL at random moments, half of them in the writing of a checkpoint."""
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize('kills', [4, pytest.param(50, marks=pytest.mark.slow)])
def test_killed_trainings_end_with_the_same_weights(small_config, tmp_path, kills):
    config = tmp_path / 'config.py'
    config.write_text(f'_base_ = {str(small_config)!r}\n'
                      'runner = dict(max_iters=16)\n'
                      'checkpoint_config = dict(interval=1, max_keep_ckpts=3)\n'
                      'evaluation = dict(interval=8)\n')
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name('kill_training.py'), config, tmp_path / 'runs',
         '--kills', str(kills)],
        env={**os.environ, 'OMP_NUM_THREADS': '1'}, capture_output=True, text=True, timeout=3000)
    assert done.returncode == 0, done.stdout + done.stderr
    said = re.search(r'(\d+) runs: (\d+) ended with the same weights, bit for bit; (\d+) were',
                     done.stdout)
    assert said, done.stdout
    assert said[1] == said[2] == str(kills)
    assert int(said[3]) > kills / 2
