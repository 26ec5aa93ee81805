import logging

import cv2
import pytest
import torch
from torch import nn

from mmcv_replace.runner import save_checkpoint
from mmseg.apis.image_library import warn_of_other_opencv
from mmseg.utils import collect_env


@pytest.fixture
def warnings_of(tmp_path, caplog):
    """What is said about a checkpoint with that meta data."""
    def resume(**meta):
        model = nn.Linear(2, 2)
        save_checkpoint(model, str(tmp_path / 'a.pth'),
                        torch.optim.SGD(model.parameters(), lr=0.1), dict(iter=1, epoch=1, **meta))
        caplog.clear()
        with caplog.at_level(logging.WARNING, logger='mmseg'):
            warn_of_other_opencv(tmp_path / 'a.pth')
        return [record.getMessage() for record in caplog.records]
    return resume


def env_info():
    return '\n'.join(f'{key}: {value}' for key, value in collect_env().items())


def test_a_run_of_the_same_opencv_goes_on_silently(warnings_of):
    assert f'\nOpenCV: {cv2.__version__}\n' in env_info()
    assert warnings_of(env_info=env_info()) == []


def test_another_opencv_is_told_with_the_remedy(warnings_of):
    older = env_info().replace(f'OpenCV: {cv2.__version__}', 'OpenCV: 4.5.1')

    [told] = warnings_of(env_info=older)

    assert f'a.pth was written with OpenCV 4.5.1, this is {cv2.__version__}' in told
    assert 'RandomRotate' in told
    assert 'install opencv-python-headless==4.5.1.*' in told


@pytest.mark.parametrize('meta', [{}, dict(env_info=None), dict(env_info='Python: 3.11')])
def test_checkpoints_that_do_not_tell_it_are_left_alone(warnings_of, meta):
    assert warnings_of(**meta) == []


def test_a_checkpoint_that_is_not_a_file_is_not_read(caplog):
    warn_of_other_opencv('https://host.invalid/a.pth')
    assert not caplog.records
