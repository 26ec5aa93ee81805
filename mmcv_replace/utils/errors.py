"""Errors meant for the user: each says the value, the place and the remedy.

The command line prints them without a traceback; everything else is a defect of ours and keeps one.
"""


class UserError(Exception):
    """Base of every error that the user can mend."""

    def __str__(self) -> str:
        # KeyError would show the repr of its message: quotes around it and newlines escaped.
        return ' '.join(str(arg) for arg in self.args)


class ConfigError(UserError, ValueError):
    """A config file, option string or setting that cannot be used."""


class RegistryError(UserError, KeyError):
    """A name that a registry does not know, or knows already."""


class ArgumentError(UserError, TypeError):
    """A component got an argument that it does not take, or lacks one that it needs."""


class DataError(UserError, ValueError):
    """An image, mask, split file or dataset folder that cannot be used."""


class UnsupportedImageError(DataError):
    """A sound image that the installed libraries, their limits or the settings do not cover."""


class EmptyDatasetError(DataError):
    """A dataset without a single image."""


class CheckpointError(UserError, ValueError):
    """A checkpoint that is missing, damaged, unsafe or does not fit the model."""


class DeviceError(UserError, ValueError):
    """A device that is unknown or not usable on this machine."""


class LostPeerError(UserError, RuntimeError):
    """Another process of a distributed job failed, hangs or cannot be reached."""


class NonFiniteLossError(UserError, FloatingPointError):
    """The training loss became infinite or not a number."""


# What a component of ours raises where a value is wrong in a way that it does not check. Any other
# error from inside of it may be a fault of ours, which needs its traceback.
BAD_VALUES = (ValueError, ArithmeticError)


def add_note(error: BaseException, note: str) -> None:
    """Append a line to what the error shows, keeping its type."""
    if hasattr(error, 'add_note'):  # Python 3.11 and later
        error.add_note(note)
    elif error.args and isinstance(error.args[0], str):
        error.args = (f'{error.args[0]}\n{note}', *error.args[1:])


def has_note(error: BaseException, part: str) -> bool:
    """Whether `add_note` has appended a line that contains `part`."""
    return any(part in str(text) for text in (*error.args[:1], *getattr(error, '__notes__', ())))
