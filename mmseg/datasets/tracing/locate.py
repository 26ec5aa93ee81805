"""Which data set inside of others a sample comes from, and from which file."""
import fnmatch
from pathlib import PurePath

from torch.utils.data import Dataset, Subset

from mmcv_replace.utils.errors import DataError
from mmcv_replace.utils.suggest import near_names
from mmseg.core.utils import inner_datasets


def leaf_of(dataset: Dataset, index: int) -> tuple[Dataset, int] | None:
    """The data set that loads a sample, and the sample's index there; None for unknown wrappers."""
    inner = inner_datasets(dataset)
    if not inner:
        return dataset, index
    if hasattr(dataset, 'get_dataset_idx_and_sample_idx'):
        place, index = dataset.get_dataset_idx_and_sample_idx(index)
        return leaf_of(inner[place], index)
    if isinstance(dataset, Subset):
        return leaf_of(inner[0], int(dataset.indices[index]))
    # One that repeats, or changes, the samples of another.
    return leaf_of(inner[0], index % len(inner[0])) if len(inner) == 1 else None


def file_of(dataset: Dataset, index: int) -> str | None:
    """File name of a sample's image within its data set; None where it is not known."""
    found = leaf_of(dataset, index)
    infos = None if found is None else getattr(found[0], 'img_infos', None)
    info = infos[found[1]] if infos else {}
    return info.get('filename') if isinstance(info, dict) else None


def find_samples(dataset: Dataset, pattern: str) -> list[int]:
    """Indices of the samples whose image is called so: a file name, with or without folders and
    suffix, or a pattern such as '2007_*'.

    Raises DataError, with similar names, where there is none.
    """
    names = {index: name for index in range(len(dataset))
             if (name := file_of(dataset, index)) is not None}
    found = [index for index, name in names.items() if _matches(name, pattern)]
    if not found:
        known = [PurePath(name).stem for name in names.values()]
        near = near_names(pattern, known)
        hint = ': its samples have no names, choose by number'
        if near:
            hint = f'; similar are {", ".join(near)}'
        elif known:
            hint = f' (the first one is {known[0]!r})'
        raise DataError(f'no sample of the data set is called {pattern!r}{hint}')
    return found


def _matches(name: str, pattern: str) -> bool:
    path = PurePath(name)
    forms = {name, path.name, path.stem, str(path.with_suffix(''))}
    return any(fnmatch.fnmatchcase(form, pattern) for form in forms) or pattern in forms
