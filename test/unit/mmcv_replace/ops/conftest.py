"""Fixtures of the tests of operators."""
import pytest

from mmcv_replace.ops import kernels


@pytest.fixture(params=[True, False], ids=['kernels', 'plain'])
def either_form(request):
    """The device's kernels, and the plain form, which other devices take."""
    if request.param:
        yield
    else:
        with kernels.plain_operators():
            yield
