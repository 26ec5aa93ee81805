"""Decode heads."""
from .decode_head import BaseDecodeHead
from .fcn_head import FCNHead
from .psp_head import PSPHead

__all__ = ['BaseDecodeHead', 'FCNHead', 'PSPHead']
