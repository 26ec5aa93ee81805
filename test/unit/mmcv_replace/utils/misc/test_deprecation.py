import warnings

import pytest

from mmcv_replace.utils import deprecated_api_warning


@deprecated_api_warning({'old': 'new'})
def function(new=1, other=2):
    return new, other


class Thing:
    @deprecated_api_warning(dict(a='x', b='y'), cls_name='Thing')
    def method(self, x, y=0):
        return x, y


@pytest.mark.parametrize('category', [UserWarning, DeprecationWarning])
def test_old_name_works_with_a_warning_at_the_call(category):
    with pytest.warns(category, match="function: the argument 'old' is 'new' now") as caught:
        assert function(old=3) == (3, 2)
    assert caught[0].filename == __file__


def test_several_names_of_a_method():
    with pytest.warns(UserWarning, match='Thing.method') as caught:
        assert Thing().method(a=1, b=2) == (1, 2)
    assert len(caught) == 2


def test_new_names_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert function(5, other=6) == (5, 6)


def test_both_names():
    with pytest.raises(AssertionError, match="got 'new' twice, also by its old name 'old'"):
        function(old=1, new=2)
