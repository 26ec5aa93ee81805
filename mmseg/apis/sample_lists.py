"""Which samples a data set has, in few characters for the meta data of checkpoints."""
import hashlib
from typing import Any

from torch.utils.data import Dataset

SHOWN = 8  # characters of a digest, in messages


def sample_list(dataset: Dataset) -> dict[str, Any]:
    """Number of samples and, where the data set lists its files, a digest of their names.

    The names are those within its folders, so that data may move; their order counts.
    """
    described = dict(number=len(dataset))
    digest = hashlib.sha256()
    if _add(dataset, digest):
        described['digest'] = digest.hexdigest()
    return described


def describe_list(described: Any) -> str:
    """A list of samples in words."""
    number, digest = (described.get(key) if isinstance(described, dict) else None
                      for key in ('number', 'digest'))
    return f'{number} (list {str(digest)[:SHOWN]})' if digest else str(number)


def _add(dataset: Any, digest: Any) -> bool:
    """Add the names of a data set or of those in a wrapper; False where there are none."""
    parts = getattr(dataset, 'datasets', None)
    inner = getattr(dataset, 'dataset', None)
    if isinstance(parts, list | tuple) or inner is not None:
        return all(_add(part, digest) for part in (parts if inner is None else [inner]))
    infos = getattr(dataset, 'img_infos', None)
    if not isinstance(infos, list | tuple) or not all(isinstance(info, dict) for info in infos):
        return False
    for info in infos:
        names = info.get('filename'), (info.get('ann') or {}).get('seg_map')
        digest.update(f'{names!r}\n'.encode())
    return True
