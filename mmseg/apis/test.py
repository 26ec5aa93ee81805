"""Test runs, under the module name that mmsegmentation 0.x gives them."""
from mmseg.core.evaluation import multi_gpu_test, single_gpu_test

__all__ = ['multi_gpu_test', 'single_gpu_test']


def __getattr__(name: str) -> object:
    if name in ('collect_results_cpu', 'collect_results_gpu'):
        from mmcv_replace import engine
        return getattr(engine, name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
