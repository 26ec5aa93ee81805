import pytest

from mmcv_replace.utils import has_method, is_method_overridden


class Base:
    value = 3

    def kept(self):
        pass

    def changed(self):
        pass


class Child(Base):
    def changed(self):
        pass


@pytest.mark.parametrize('derived', [Child, Child()])
def test_overridden(derived):
    assert is_method_overridden('changed', Base, derived)
    assert not is_method_overridden('kept', Base, derived)


def test_base_is_a_class():
    with pytest.raises(AssertionError, match='base_class is a class'):
        is_method_overridden('kept', Base(), Child)


def test_has_method():
    assert has_method(Child(), 'kept')
    assert not has_method(Child(), 'value')
    assert not has_method(Child(), 'missing')
