"""The built wheel, not the checkout, has what a user needs."""
import subprocess
import sys
import zipfile

import pytest

LOAD_ALL = '''
import sys
sys.path.insert(0, sys.argv[1])
from mmseg.apis import load_config
for name in sys.argv[2:]:
    print(load_config(name.removeprefix("mmseg/")).filename)
'''


@pytest.mark.slow
def test_the_wheel_carries_configs_and_tools_and_no_tests(repo_dir, tmp_path):
    command = [sys.executable, '-m', 'pip', 'wheel', '--quiet', '--no-deps', '--wheel-dir',
               str(tmp_path / 'wheel'), str(repo_dir)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    wheel = next((tmp_path / 'wheel').glob('mmseg_ascend-*-py3-none-any.whl'))
    names = set(zipfile.ZipFile(wheel).namelist())
    configs = {f'mmseg/{file.relative_to(repo_dir)}'
               for file in (repo_dir / 'configs').rglob('*.*') if file.suffix != '.pyc'}
    assert configs <= names
    assert {'mmseg/tools/train.py', 'mmseg/tools/test.py',
            'mmseg/tools/convert_datasets/voc_aug.py'} <= names
    assert {'mmcv_replace/children/mmcv.py', 'mmseg/visualization/page.css',
            'mmseg/apis/browse/browse.css'} <= names
    assert {f'mmcv_replace/model_zoo/{table}.json' for table in (
        'deprecated', 'mmcls', 'open_mmlab', 'torchvision')} <= names
    assert not any(name.startswith(('test/', 'tests/')) for name in names)
    site = tmp_path / 'site'
    zipfile.ZipFile(wheel).extractall(site)
    done = subprocess.run([sys.executable, '-c', LOAD_ALL, str(site), *sorted(
        name for name in configs if name.endswith('.py') and '_base_' not in name)],
        cwd=tmp_path, capture_output=True, text=True, timeout=300)
    files = done.stdout.split()
    assert len(files) >= 375, done.stderr
    assert all(file.startswith(str(site)) for file in files)
