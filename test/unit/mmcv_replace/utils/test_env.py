import sys

import cv2
import torch

import mmcv_replace
from mmcv_replace.utils import collect_env


def test_collect_env():
    found = collect_env()
    assert list(found)[:3] == ['sys.platform', 'Platform', 'Python']
    assert found['sys.platform'] == sys.platform
    assert found['PyTorch'] == torch.__version__
    assert found['OpenCV'] == cv2.__version__
    assert found['Devices of type cpu'] == '1'
    assert found['MMCV'] == mmcv_replace.__version__


def test_names_that_user_code_reads():
    assert {'CUDA available', 'PyTorch compiling details', 'GCC', 'MMCV Compiler',
            'MMCV CUDA Compiler'} <= set(collect_env())
    assert collect_env()['CUDA available'] == torch.cuda.is_available()
