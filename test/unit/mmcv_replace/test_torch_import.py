"""The import of torch by this package, in processes of their own."""
import subprocess
import sys

import pytest

REPORT = 'import gc; print(gc.get_freeze_count() > 100_000, gc.isenabled())'


@pytest.mark.parametrize(('code', 'expected'), [
    ('import mmcv_replace', 'True True'),
    ('import gc; gc.disable(); import mmcv_replace', 'True False'),
    ('import torch; import mmcv_replace', 'False True'),
])
def test_torch_is_set_apart_unless_the_program_has_imported_it(repo_dir, code, expected):
    done = subprocess.run([sys.executable, '-c', f'{code}; {REPORT}'], cwd=repo_dir,
                          capture_output=True, text=True, check=True)
    assert done.stdout.strip() == expected
