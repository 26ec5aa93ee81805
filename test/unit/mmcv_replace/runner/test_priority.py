import pytest

from mmcv_replace.runner import Priority, get_priority
from mmcv_replace.utils.errors import ConfigError


def test_numbers_names_and_members_agree():
    assert get_priority('very_high') == get_priority('VERY_HIGH') == get_priority(10) == 10
    assert get_priority(Priority.VERY_LOW) == 90
    assert [get_priority(name) for name in ('HIGHEST', 'HIGH', 'ABOVE_NORMAL', 'NORMAL',
                                            'BELOW_NORMAL', 'LOW', 'LOWEST')] == [
        0, 30, 40, 50, 60, 70, 100]


@pytest.mark.parametrize(('bad', 'of_mmcv'), [
    (-1, ValueError), (101, ValueError), ('URGENT', KeyError), (None, TypeError), (1.5, TypeError)])
def test_refuses(bad, of_mmcv):
    with pytest.raises(ConfigError, match='VERY_HIGH') as error:
        get_priority(bad)
    assert isinstance(error.value, of_mmcv)
