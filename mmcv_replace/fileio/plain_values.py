"""Plain values as JSON and back, tuples and arrays included; nothing in it runs, as in pickles."""
import base64
from typing import Any

import numpy as np

NUMBERS = 'biufc'  # kinds of NumPy's types
PLAIN = (type(None), bool, int, float, str)
# Marks what JSON has no form of; a dict with other keys than texts, or with this one, is listed.
TAG = '!'


def encode(value: Any) -> Any:
    """A form of the value for `json.dumps`, from which `decode` makes an equal one.

    Values are None, numbers, texts, and lists, tuples, dicts, scalars of NumPy and arrays of such.
    Raises TypeError for any other.
    """
    if type(value) in PLAIN:
        return value
    if type(value) is list:
        return [encode(item) for item in value]
    if type(value) is tuple:
        return {TAG: 'tuple', 'of': [encode(item) for item in value]}
    if isinstance(value, dict):
        if TAG not in value and all(type(key) is str for key in value):
            return {key: encode(item) for key, item in value.items()}
        return {TAG: 'dict', 'of': [[encode(key), encode(item)] for key, item in value.items()]}
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in NUMBERS:
        kind = 'array' if isinstance(value, np.ndarray) else 'scalar'
        content = base64.b64encode(np.ascontiguousarray(value)).decode('ascii')
        return {TAG: kind, 'dtype': value.dtype.str, 'shape': list(value.shape), 'of': content}
    raise TypeError(f'{type(value).__name__} is no number, text, list, tuple, dict or array')


def decode(form: Any) -> Any:
    """The value of which `encode` made the form."""
    if type(form) is list:
        return [decode(item) for item in form]
    if type(form) is not dict:
        return form
    kind = form.get(TAG)
    if kind is None:
        return {key: decode(item) for key, item in form.items()}
    if kind == 'tuple':
        return tuple(map(decode, form['of']))
    if kind == 'dict':
        return {decode(key): decode(item) for key, item in form['of']}
    content = bytearray(base64.b64decode(form['of']))  # which can be written to
    array = np.frombuffer(content, form['dtype']).reshape(form['shape'])
    return array[()] if kind == 'scalar' else array
