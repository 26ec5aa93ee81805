"""Small helpers for sequences, functions and modules."""
from ..lazy_names import lazy_names

__getattr__, __dir__, __all__ = lazy_names(__name__, {
    '.custom_imports': ['import_modules_from_strings'],
    '.deprecation': ['deprecated_api_warning'],
    '.methods': ['has_method', 'is_method_overridden'],
    '.prerequisites': ['check_prerequisites', 'requires_executable', 'requires_package'],
    '.sequences': ['concat_list', 'is_list_of', 'is_seq_of', 'is_str', 'is_tuple_of', 'iter_cast',
                   'list_cast', 'slice_list', 'to_1tuple', 'to_2tuple', 'to_3tuple', 'to_4tuple',
                   'to_ntuple', 'tuple_cast'],
})
