"""`mmseg.apis` imports what is asked for, no more."""
import subprocess
import sys

import pytest

import mmseg.apis


def test_all_names_are_there():
    for name in mmseg.apis.__all__:
        assert callable(getattr(mmseg.apis, name))
        assert name in dir(mmseg.apis)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'mmseg.apis' has no attribute 'train_model'"):
        mmseg.apis.train_model  # noqa: B018


def test_a_test_job_does_not_wait_for_other_commands(repo_dir):
    code = ('import sys; sys.path.insert(0, "tools"); import runpy; '
            'runpy.run_path("tools/test.py"); print(*sys.modules)')
    done = subprocess.run([sys.executable, '-c', code], cwd=repo_dir, capture_output=True,
                          text=True, check=True)
    loaded = set(done.stdout.split())
    assert 'mmseg.apis.test_job' in loaded
    unwanted = ('mmseg.apis.train_job', 'mmseg.benchmark', 'mmseg.datasets.doctor', 'scipy',
                'PIL.Image', 'torch.distributed.elastic', 'torch._dynamo')
    assert not loaded.intersection(unwanted)
