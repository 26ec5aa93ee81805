"""Where hooks put their files: a folder, or a place that a file client reaches, such as s3://."""
import shutil
from pathlib import Path
from typing import Any

from ...fileio import FileClient, is_remote
from ...utils.errors import ConfigError, ConfigTypeError
from ..base_runner import BaseRunner
from ..dist_utils import from_first_rank

ClientArgs = dict[str, Any] | None


def check_out_dir(name: str, out_dir: object, file_client_args: ClientArgs) -> None:
    """Raise an error unless the options of the hook `name` say where to write."""
    if out_dir is not None and not isinstance(out_dir, str | Path):
        raise ConfigTypeError(f'{name}: out_dir is a path, not {out_dir!r}')
    if out_dir is None and file_client_args is not None:
        raise ConfigError(f'{name}: file_client_args={file_client_args!r} are for out_dir, which '
                          'is not given')


def place_for(folder: str | Path, *parts: str) -> str:
    """The path of a file or folder within `folder`."""
    return '/'.join([str(folder).rstrip('/'), *parts])


def put_file(source: Path, target: str, file_client_args: ClientArgs = None) -> None:
    """Copy a file of this machine to a place."""
    if is_remote(target, file_client_args):
        FileClient.infer_client(file_client_args, target).put(source.read_bytes(), target)
    else:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def delete_file(target: str, file_client_args: ClientArgs = None) -> None:
    """Delete a file that may be gone already."""
    if is_remote(target, file_client_args):
        client = FileClient.infer_client(file_client_args, target)
        if client.isfile(target):
            client.remove(target)
    else:
        Path(target).unlink(missing_ok=True)


def save_iteration(runner: BaseRunner) -> Path | None:
    """Write iter_N.pth of now, in the middle of an epoch too; None where there is no folder for it.

    Every process has to call it, and gets the path when the file is written.
    """
    saved = None
    if runner.rank == 0 and runner.checkpoint_dir is not None:
        file = runner.free_path(Path(runner.checkpoint_dir, f'iter_{runner.finished_iters}.pth'))
        saved = runner.save_checkpoint(file.parent, file.name)
    # The others wait, since launchers end the whole job once one process has exited.
    return from_first_rank(saved)
