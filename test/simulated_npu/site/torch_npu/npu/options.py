"""Start-up settings. The simulation acts on none; it keeps them for `simulation.settings()`."""
SETTINGS = {}


def set_compile_mode(jit_compile=False):
    SETTINGS['jit_compile'] = bool(jit_compile)


def is_jit_compile_false():
    return SETTINGS.get('jit_compile') is False


class _Options:
    """Attributes that may be set, under a prefix of their own."""

    def __init__(self, prefix, names):
        object.__setattr__(self, '_prefix', prefix)
        object.__setattr__(self, '_names', names)

    def __setattr__(self, name, value):
        if name not in self._names:
            raise AttributeError(f'torch.npu.{self._prefix} has no option {name!r}')
        if not isinstance(value, bool):
            raise TypeError(f'{name} must be a bool, but got {type(value).__name__}')
        SETTINGS[f'{self._prefix}.{name}'] = value

    def __getattr__(self, name):
        if name not in self._names:
            raise AttributeError(f'torch.npu.{self._prefix} has no option {name!r}')
        return SETTINGS.get(f'{self._prefix}.{name}')


config = _Options('config', ('allow_internal_format',))
conv = _Options('conv', ('allow_hf32',))
matmul = _Options('matmul', ('allow_hf32',))
