"""mmsegmentation, 0.x or 1.x, doing the benchmark's work in its own environment.

Run by mmseg/benchmark/harness.py, whose docstring says what a case has. Only the peer's public
functions are called. As a script, `peer_worker.py startup CONFIG`, it does what the peer's
tools/test.py does before it loads weights.
"""
import importlib.util
import subprocess
import sys
import time
import types
import warnings

import numpy as np

REMEDY = ('install one in the environment of --peer-python: pip install "setuptools<81" wheel '
          'torch, then pip install --no-build-isolation mmcv==1.7.2 mmsegmentation==0.30.0')


class Stub(types.ModuleType):
    """A package that is absent; its names can be imported, and are never called here."""

    __path__ = ()
    __version__ = '0.0.0'

    def __getattr__(self, name):
        if name.startswith('__'):
            raise AttributeError(name)
        return type(name, (), {})


def stub_absent():
    """PSPNet needs neither torchvision nor mmcv's compiled operators, but the peers import both."""
    if importlib.util.find_spec('torchvision') is None:
        sys.modules['torchvision'] = Stub('torchvision')
    if importlib.util.find_spec('mmcv._ext') is None:
        sys.modules['mmcv.ops'] = Stub('mmcv.ops')


def import_peer():
    """The peer's form of the work: the module peer_v0 or peer_v1."""
    warnings.simplefilter('ignore')
    for name in ('mmcv', 'mmseg'):
        if importlib.util.find_spec(name) is None:
            sys.exit(f'error: {sys.executable} finds no {name}: {REMEDY}')
    stub_absent()
    try:
        import mmseg
    except (ImportError, AssertionError) as error:
        sys.exit(f'error: mmseg of {sys.executable} cannot be imported ({error}): {REMEDY}')
    version = getattr(mmseg, '__version__', 'unknown')
    if not hasattr(mmseg, 'digit_version'):
        sys.exit(f'error: {mmseg.__file__} is not mmsegmentation: {REMEDY}')
    if version.startswith('0.'):
        import peer_v0 as peer
    else:
        import peer_v1 as peer
    return peer, f'mmsegmentation {version}'


class Startup:
    def __init__(self, config):
        self.command = [sys.executable, __file__, 'startup', config]

    def check(self):
        done = subprocess.run(self.command, check=True, stdout=subprocess.PIPE, text=True)
        return {'values': np.array(int(done.stdout.split()[-1]))}

    def round(self):
        start = time.perf_counter()
        subprocess.run(self.command, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start


if sys.argv[1:2] == ['startup']:
    model = import_peer()[0].build_as_test_does(sys.argv[2])
    print(sum(value.numel() for value in model.state_dict().values()))
else:
    peer, peer_name = import_peer()
    CASES = {**peer.CASES, 'startup': Startup}
    for case in CASES.values():
        case.about = {**getattr(case, 'about', {}), 'name': peer_name}
