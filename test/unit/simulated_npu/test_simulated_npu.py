"""The simulated NPU itself. What needs it in the process stands in the files inside_*.py."""
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def test_inside(run_on_npu):
    done = run_on_npu(['-m', 'pytest', '-q', '-p', 'no:cacheprovider', '-o',
                       'python_files=inside_*.py', HERE])
    assert ' passed' in done.stdout


def test_two_processes_with_hccl(run_on_npu):
    done = run_on_npu([HERE / 'hccl_program.py'], nproc=2)
    assert sorted(done.stdout.split('\n')) == ['', 'rank 0 is done', 'rank 1 is done']


def test_importing_torch_brings_the_device(run_on_npu):
    """By its entry point, as an installed torch_npu does, unless the variable says no."""
    code = 'import torch, sys; print(hasattr(torch, "npu"), "torch_npu" in sys.modules)'
    assert run_on_npu(code).stdout == 'True True\n'
    assert run_on_npu(code, TORCH_DEVICE_BACKEND_AUTOLOAD='0').stdout == 'False False\n'


@pytest.mark.parametrize(('variables', 'count'), [
    ({'SIMULATED_NPU_DEVICES': '5', 'ASCEND_RT_VISIBLE_DEVICES': '3,4,5,1'}, 2),
    ({'SIMULATED_NPU_DEVICES': '0'}, 0),
])
def test_devices_by_environment(run_on_npu, variables, count):
    code = 'import torch; print(torch.npu.device_count(), torch.npu.is_available())'
    assert run_on_npu(code, **variables).stdout == f'{count} {count > 0}\n'


def test_a_forked_process_may_not_use_the_device_after_its_parent(run_on_npu):
    before, after, message = run_on_npu('''
import os
import torch

def fork():
    if os.fork() == 0:
        try:
            torch.manual_seed(3)  # as each worker of a DataLoader does
            print(torch.npu._is_in_bad_fork(), torch.ones(1, device='npu').item(), flush=True)
        except RuntimeError as error:
            print(torch.npu._is_in_bad_fork(), error, sep=chr(10), flush=True)
        os._exit(0)
    os.wait()

fork()
torch.ones(1, device='npu')
fork()
''').stdout.splitlines()
    assert (before, after) == ('False 1.0', 'True')
    assert message.startswith('Cannot re-initialize NPU in forked subprocess')


def test_workers_load_for_the_device(run_on_npu):
    code = '''
import torch
from torch.utils.data import DataLoader

torch.npu.set_device(2)
data = torch.arange(8.)
seen = []
for batch in DataLoader(data, batch_size=4, num_workers=2, pin_memory=True):
    assert batch.is_pinned()
    seen += batch.to('npu', non_blocking=True).tolist()
assert seen == data.tolist()
try:
    list(DataLoader(data.to('npu'), num_workers=1))
except RuntimeError as error:
    print('refused' if 'Cannot re-initialize NPU in forked subprocess' in str(error) else error)
'''
    assert run_on_npu(code).stdout == 'refused\n'


def test_a_program_that_fails_shows_what_it_printed(run_on_npu):
    with pytest.raises(AssertionError, match='(?s)exit code 3.*last words'):
        run_on_npu('print("last words"); raise SystemExit(3)')
    assert run_on_npu('raise SystemExit(3)', check=False).returncode == 3


def test_what_is_missing_is_named(simulated_npu, monkeypatch):
    monkeypatch.setenv('CXX', 'a-compiler-that-is-not-there')
    assert simulated_npu.missing() == ('the simulated NPU needs a-compiler-that-is-not-there: '
                                       'install the package g++')
