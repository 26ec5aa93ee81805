"""Run a model over a data set in one process or several, and bring the results together."""
from mmcv_replace.utils.lazy_names import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    '.test': ['collect_results_cpu', 'collect_results_gpu', 'multi_gpu_test', 'single_gpu_test'],
})
