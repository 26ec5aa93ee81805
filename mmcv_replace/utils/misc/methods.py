"""Which methods an object has, and which of them its class overrides."""
from ..errors import ArgumentError


def is_method_overridden(method: str, base_class: type, derived_class: object) -> bool:
    """Whether `derived_class`, a class or an object of it, has another `method` than the base."""
    if not isinstance(base_class, type):
        raise ArgumentError(f'base_class is a class, not {base_class!r}')
    derived = derived_class if isinstance(derived_class, type) else type(derived_class)
    return getattr(derived, method) != getattr(base_class, method)


def has_method(obj: object, method: str) -> bool:
    """Whether the object has a method, or another callable attribute, of this name."""
    return callable(getattr(obj, method, None))
