"""Which samples a data set has, in few characters for the meta data of checkpoints."""
import hashlib
from typing import Any

from torch.utils.data import Dataset

from mmseg.core.utils import leaf_datasets

SHOWN = 8  # characters of a digest, in messages


def sample_list(dataset: Dataset) -> dict[str, Any]:
    """Number of samples and, where the data set lists its files, a digest of their names.

    The names are those within its folders, so that data may move; their order counts.
    """
    described = dict(number=len(dataset))
    digest = hashlib.sha256()
    if all(_add(part, digest) for part in leaf_datasets(dataset)):
        described['digest'] = digest.hexdigest()
    return described


def describe_list(described: Any) -> str:
    """A list of samples in words."""
    number, digest = (described.get(key) if isinstance(described, dict) else None
                      for key in ('number', 'digest'))
    return f'{number} (list {str(digest)[:SHOWN]})' if digest else str(number)


def _add(dataset: Any, digest: Any) -> bool:
    """Add the file names of a data set that is no wrapper; False where it does not list them."""
    infos = getattr(dataset, 'img_infos', None)
    if not isinstance(infos, list | tuple) or not all(isinstance(info, dict) for info in infos):
        return False
    for info in infos:
        names = info.get('filename'), (info.get('ann') or {}).get('seg_map')
        digest.update(f'{names!r}\n'.encode())
    return True
