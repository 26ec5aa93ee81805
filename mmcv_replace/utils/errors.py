"""Errors caused by the user's input; their messages name the value, the place and the remedy.

Command lines print them without a traceback. Any other error is a defect and keeps its traceback.
"""


class UserError(Exception):
    """Base of all errors that the user can correct."""

    def __str__(self) -> str:
        # The str of a KeyError is the repr of its message, with quotes and escaped newlines.
        return ' '.join(str(arg) for arg in self.args)


# An error is also of the type that mmcv and mmsegmentation raise in its place, so that `except` in
# user code holds: they assert what values are, and distinguish the cases below.
class ConfigError(UserError, ValueError, AssertionError):
    """A config file, option string or setting that cannot be used."""


class ConfigTypeError(ConfigError, TypeError):
    """A setting or argument of a wrong type."""


class ConfigKeyError(ConfigError, KeyError):
    """A setting that is missing, or whose name is unknown."""


class ConfigSyntaxError(ConfigError, SyntaxError):
    """A config file that is not Python."""


class ConfigFormatError(ConfigError, TypeError, OSError):
    """A file whose name has the ending of no format that is known."""


class UsageError(ConfigError, RuntimeError):
    """A call that does not fit what it meets, such as a learning rate without an optimizer."""


class MissingFileError(ConfigError, FileNotFoundError):
    """A file or folder that does not exist."""


class MissingModuleError(ConfigError, ImportError):
    """A module that a config names, or an optional package, that cannot be imported."""


class RegistryError(UserError, KeyError, AssertionError):
    """A name that a registry does not contain, or contains already."""


class RegistryTypeError(RegistryError, TypeError):
    """What is no class or function, or no name, in a registry."""


class ArgumentError(UserError, TypeError, AssertionError):
    """An unknown, missing or unsuitable argument of a component."""


class DataError(UserError, ValueError):
    """An image, mask, list of samples or data set folder that cannot be used."""


class MissingDataError(DataError, FileNotFoundError):
    """A file or folder with data that does not exist."""


class UnsupportedImageError(DataError):
    """An intact image that the installed libraries, their limits or the settings do not support."""


class EmptyDatasetError(DataError):
    """A dataset without a single image."""


class CheckpointError(UserError, ValueError, RuntimeError):
    """A checkpoint that is missing, damaged, unsafe or does not fit the model."""


class MissingCheckpointError(CheckpointError, FileNotFoundError):
    """A checkpoint whose file does not exist."""


class UnknownWeightsError(CheckpointError, KeyError):
    """A name of published weights that no table has."""


class DeviceError(UserError, ValueError):
    """A device that is unknown or not usable on this machine."""


class LostPeerError(UserError, RuntimeError):
    """Another process of a distributed job failed, hangs or is unreachable."""


class NonFiniteLossError(UserError, FloatingPointError):
    """The training loss became infinite or NaN."""


# Errors of a component for a wrong value that it does not check itself. Any other error in it may
# be a defect, which needs its traceback.
BAD_VALUES = (ValueError, ArithmeticError)


def add_note(error: BaseException, note: str) -> None:
    """Append a line to the text that is shown for the error."""
    if hasattr(error, 'add_note'):  # Python 3.11 and later
        error.add_note(note)
    elif error.args and isinstance(error.args[0], str):
        error.args = (f'{error.args[0]}\n{note}', *error.args[1:])


def has_note(error: BaseException, part: str) -> bool:
    """Whether the text of the error or a note added to it contains `part`."""
    return any(part in str(text) for text in (*error.args[:1], *getattr(error, '__notes__', ())))
