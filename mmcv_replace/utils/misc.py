"""Small helpers, at the place where mmcv has them."""
from .custom_imports import import_modules_from_strings
from .deprecation import deprecated_api_warning
from .methods import has_method, is_method_overridden
from .prerequisites import check_prerequisites, requires_executable, requires_package
from .sequences import (
    concat_list,
    is_list_of,
    is_seq_of,
    is_str,
    is_tuple_of,
    iter_cast,
    list_cast,
    slice_list,
    to_1tuple,
    to_2tuple,
    to_3tuple,
    to_4tuple,
    to_ntuple,
    tuple_cast,
)

__all__ = [
    'check_prerequisites', 'concat_list', 'deprecated_api_warning', 'has_method',
    'import_modules_from_strings', 'is_list_of', 'is_method_overridden', 'is_seq_of', 'is_str',
    'is_tuple_of', 'iter_cast', 'list_cast', 'requires_executable', 'requires_package',
    'slice_list', 'to_1tuple', 'to_2tuple', 'to_3tuple', 'to_4tuple', 'to_ntuple', 'tuple_cast']
