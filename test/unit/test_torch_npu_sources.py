"""What we need of torch_npu, proved from its sources: nothing of it is run.

Skipped where the package is not installed; it need not load:
pip install --no-deps torch_npu==2.13.0 beside torch 2.13.0.
"""
import ast
import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from torch.utils._python_dispatch import TorchDispatchMode

from mmcv_replace import device as device_module
from mmcv_replace import device_start
from mmcv_replace.cnn import revert_sync_batchnorm
from mmcv_replace.ops.kernels import plain_operators
from mmcv_replace.utils.config.syntax import parse_python
from mmseg.apis import load_config
from mmseg.models import build_segmentor

from .mmcv_replace.ops import op_cases

# Not in the list of kernels, for a reason: these are views, which torch makes of as_strided on
# every device, or give back their argument, allocations, which it makes of empty and zero_, and
# what it makes of a form that works in place or fills given outputs.
FROM_OTHERS = {
    **dict.fromkeys(('alias', 'detach', 'expand', 'lift_fresh', 'permute', 'select.int',
                     'slice.Tensor', 'split.Tensor', 'split_with_sizes', 't', 'transpose.int',
                     'unbind.int'), 'as_strided'),
    '_unsafe_view': 'view', 'cummax': '_cummax_helper', 'index_add_': 'index_add.out',
    'masked_fill.Scalar': 'masked_fill_.Scalar', 'new_empty': 'empty.memory_format',
    'new_ones': 'fill_.Scalar', 'new_zeros': 'zero_',
    'scalar_tensor': 'fill_.Scalar'}


TOP = Path(__file__).parents[2]
NPU_KERNELS = TOP / 'mmcv_replace/ops/kernels/npu.py'
SIMULATED = TOP / 'test/simulated_npu/site/torch_npu'


@pytest.fixture(scope='module')
def sources():
    spec = importlib.util.find_spec('torch_npu')
    folder = None if spec is None else Path(spec.submodule_search_locations[0])
    if folder is None or not (folder / 'csrc/aten').is_dir():
        pytest.skip('torch_npu is not installed')
    return folder


@pytest.fixture(scope='module')
def kernels(sources):
    names = set()
    for file in (sources / 'csrc/aten').glob('*.yaml'):
        for entries in yaml.safe_load(file.read_text()).values():
            if isinstance(entries, list):
                funcs = (e if isinstance(e, str) else e.get('func', '') for e in entries)
                names |= {func.split('(')[0].strip() for func in funcs}
    assert len(names) > 1000
    return names


class Recorder(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.names = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        # What is no tensor, such as the common type of two, no device computes.
        if func.namespace == 'aten' and op_cases.tensors(result):
            self.names.add(str(func).removeprefix('aten.').removesuffix('.default'))
        return result


def record(repo_dir, work):
    cfg = load_config(repo_dir / 'configs/pspnet/pspnet_r18-d8_512x512_20k_voc12aug.py')
    model = revert_sync_batchnorm(build_segmentor(cfg.model))
    image, label = torch.randn(2, 3, 64, 64), torch.randint(0, 21, (2, 1, 64, 64))
    recorder = Recorder()
    with recorder:
        work(model, image, label)
    return recorder.names


def train_step(model, image, label, foreach, scaler=None, precision=None):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4,
                                foreach=foreach)
    batch = dict(img=image, img_metas=[{}, {}], gt_semantic_seg=label)
    with torch.autocast('cpu', precision, enabled=precision is not None):
        loss = model.train_step(batch, optimizer)['loss']
    (loss if scaler is None else scaler.scale(loss)).backward()
    if scaler is None:
        optimizer.step()
    else:
        scaler.step(optimizer)
        scaler.update()


@torch.no_grad()
def predict(model, image, label):
    model.eval()
    meta = dict(ori_shape=(50, 60, 3), img_shape=(64, 64, 3), pad_shape=(64, 64, 3), flip=True,
                flip_direction='horizontal', scale_factor=np.ones(4))
    model(return_loss=False, img=[image], img_metas=[[meta, meta]])
    model(return_loss=False, img=[image, image], img_metas=[[meta, meta], [meta, meta]])


WORK = {
    'train': lambda *args: train_step(*args, foreach=False),
    'train, foreach': lambda *args: train_step(*args, foreach=True),
    'train, bfloat16': lambda *args: train_step(*args, True, precision=torch.bfloat16),
    'train, loss scale': lambda *args: train_step(
        *args, True, torch.amp.GradScaler('cpu'), torch.float16),
    'test': predict,
}


def check(used, kernels):
    # A functional operator is made of its out= form.
    missing = {name for name in used if name not in kernels and f'{name}.out' not in kernels}
    assert missing <= set(FROM_OTHERS), missing - set(FROM_OTHERS)
    assert {FROM_OTHERS[name] for name in missing} <= kernels


@pytest.mark.parametrize('work', WORK)
def test_every_operator_has_a_kernel(kernels, repo_dir, work):
    used = record(repo_dir, WORK[work])
    assert {'convolution', 'cat'} <= used
    check(used, kernels)


@pytest.mark.parametrize('case', op_cases.load(), ids=lambda case: case.name)
def test_every_part_of_an_operator_has_a_kernel(kernels, case):
    inputs, recorder = op_cases.place(case, dtype=torch.float32), Recorder()
    with plain_operators(), recorder:
        results = op_cases.tensors(case.run(*inputs))
    with plain_operators():
        op_cases.gradients(inputs, results, recorder)
    check(recorder.names, kernels)


def test_the_deformable_convolution_is_called_as_it_is_declared(sources):
    """Names, order and defaults of its parameters; and it has a backward pass of its own."""
    text = (sources / 'csrc/aten/npu_native_functions_by_codegen.yaml').read_text()
    declared = re.search(r'func: (npu_deformable_conv2d\(.*)', text)[1]
    parameters = {each.name: each for each in torch._C.parse_schema(declared).arguments}
    tree = parse_python(NPU_KERNELS.read_text())
    call, = (node for node in ast.walk(tree) if isinstance(node, ast.Call)
             and getattr(node.func, 'attr', '') == 'npu_deformable_conv2d')
    given = [*list(parameters)[:len(call.args)], *(word.arg for word in call.keywords)]
    assert given == list(parameters)
    assert [node.id if isinstance(node, ast.Name) else '' for node in call.args] == [
        'x', 'weight', '', 'bias']
    assert list(parameters)[:4] == ['input', 'weight', 'offset', 'bias']
    simulated = parse_python((SIMULATED / 'deformable.py').read_text())
    function, = (node for node in ast.walk(simulated) if isinstance(node, ast.FunctionDef)
                 and node.name == 'npu_deformable_conv2d')
    assert [each.arg for each in function.args.args] == list(parameters)
    assert b'NpuDeformableConv2DBackward0' in (sources / 'lib/libtorch_npu.so').read_bytes()


def defined_names(file):
    """Names that a Python file defines, imports or lists."""
    names = set()
    for node in ast.walk(parse_python(file.read_text())):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign):
            names |= {t.id for t in node.targets if isinstance(t, ast.Name)}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.add(node.value)
    return names


def test_every_name_of_torch_npu_exists(sources):
    kind = device_module.find_kind('npu')
    module, scaler = kind.scaler.split(':')
    assert module == 'torch_npu.npu.amp'
    assert scaler in defined_names(sources / 'npu/amp/__init__.py')
    assert kind.optimizers == 'torch_npu.optim'
    assert set(device_module.FUSED_OPTIMIZERS) <= defined_names(sources / 'optim/__init__.py')
    assert kind.profiler == 'torch_npu.profiler'
    profiler = defined_names(sources / 'profiler/__init__.py')
    assert {'profile', 'ProfilerActivity', 'tensorboard_trace_handler'} <= profiler


def test_every_function_of_the_device_module_exists(sources):
    text = ''.join(Path(module.__file__).read_text() for module in (device_module, device_start))
    used = set(re.findall(r"_call\(device, '(\w+)'\)", text))
    used |= set(re.findall(r'\bmodule\.(\w+)\(', text)) - {'__getattr__'}
    used |= {'is_available', 'device_count'}
    assert {'synchronize', 'max_memory_allocated', 'set_device', 'set_compile_mode'} <= used
    assert used <= defined_names(sources / 'npu/__init__.py')


def test_every_start_up_setting_exists(sources):
    settings = set(device_module.find_kind('npu').settings) - {'jit_compile'}
    assert settings <= defined_names(sources / 'npu/npu_config.py')
    assert 'config' in defined_names(sources / 'npu/__init__.py')


def test_every_variable_is_read(sources):
    """A name that the library does not hold would be set for nobody."""
    library = (sources / 'lib/libtorch_npu.so').read_bytes()
    kind = device_module.find_kind('npu')
    for name in (kind.strict, *kind.time_limits, *device_module.ALLOCATOR, 'CPU_AFFINITY_CONF',
                 'TORCH_NPU_COMPACT_ERROR_OUTPUT', 'TASK_QUEUE_ENABLE'):
        assert name.encode() + b'\0' in library, name
    assert b'Both PYTORCH_NPU_ALLOC_CONF and PYTORCH_ALLOC_CONF have been set' in library
    assert b'force:(' in library


def test_fused_optimizers_clear_gradients_in_place_by_default(sources):
    """OptimizerHook calls zero_grad() without arguments."""
    tree = parse_python((sources / 'optim/npu_fused_optim_base.py').read_text())
    zero_grad = next(node for node in ast.walk(tree)
                     if isinstance(node, ast.FunctionDef) and node.name == 'zero_grad')
    assert [ast.literal_eval(default) for default in zero_grad.args.defaults] == [False]
