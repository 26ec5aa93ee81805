"""Pairs of images and masks, or a refusal that says which files do not fit."""
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from mmcv_replace.utils.errors import DataError, EmptyDatasetError
from mmcv_replace.utils.suggest import printable

from ..listing.file_list import ImgInfo, paired_info
from ..masks.annotation import listing
from ..masks.class_files import PLACE
from .image_files import list_images, tell_apart
from .names import Affix, match
from .settings import OwnDataSettings

MOST_CLASSES = 255
SHOWN = 3

Found = dict[str, dict[Affix, str]]  # image -> the masks that have its name, by what else they have


@dataclass(frozen=True)
class Pair:
    """An image and its mask, relative to their folders. Of one file a class, `mask` has a place."""

    image: str
    mask: str

    @property
    def name(self) -> str:
        """The image without the suffix of its format."""
        return self.image.rpartition('.')[0]

    @property
    def info(self) -> ImgInfo:
        """The pair as a sample of a data set."""
        return paired_info(self.image, self.mask)


@dataclass(frozen=True)
class Pairs:
    """The pairs of two folders. `class_names`: those in the files, where each shows one class."""

    images: str
    masks: str
    pairs: list[Pair]
    class_names: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)


def find_pairs(settings: OwnDataSettings, split: str = '') -> Pairs:
    """The pairs of the folders `images` and `masks`, or of those to validate on (split 'val_').

    Raises DataError for names that do not say what belongs together, EmptyDatasetError for a folder
    without images.
    """
    folders = getattr(settings, f'{split}images'), getattr(settings, f'{split}masks')
    image_suffix, mask_suffix = settings.image_suffix, settings.mask_suffix
    if folders[0] == folders[1]:
        image_suffix, mask_suffix = tell_apart(folders[0], image_suffix, mask_suffix)
    images = list_images(folders[0], f'{split}images', image_suffix, folders[1], mask_suffix)
    masks = list_images(folders[1], f'{split}masks', mask_suffix, folders[0])
    found, end = match(images, masks)
    if not found:
        raise EmptyDatasetError(
            f'no mask of {folders[1]} has the name of an image of {folders[0]}: images such as '
            f'{listing([*images.values()][:SHOWN])}, masks such as '
            f'{listing([*masks.values()][:SHOWN])}; correct the folders, or name both alike: '
            'street_1.jpg with street_1.png or street_1_mask.png')
    chosen, class_names = _choose(found, folders[1])
    if class_names:
        pairs = [Pair(images[name], _place(masks_of, masks)) for name, masks_of in found.items()]
        used = {mask for masks_of in found.values() for mask in masks_of.values()}
    else:
        pairs = [Pair(images[name], masks[masks_of[chosen]])
                 for name, masks_of in found.items() if chosen in masks_of]
        used = {masks_of[chosen] for masks_of in found.values() if chosen in masks_of}
    pairs.sort(key=lambda pair: pair.name)
    notes = [f'{len(pairs):,} pairs: ' + ('one file a class, ' if class_names else '')
             + f'{pairs[0].mask} belongs to {pairs[0].image}']
    if end:
        notes.append(f'{end!r} at the end of the names of images does not count')
    notes += _tell_the_rest(settings, folders, images, masks, pairs, used, found)
    return Pairs(*folders, pairs, class_names, notes)


def _choose(found: Found, folder: str) -> tuple[Affix | None, tuple[str, ...]]:
    """The form of the masks' names, or else the classes that have a file each."""
    affixes = Counter(affix for masks_of in found.values() for affix in masks_of)
    if len(affixes) == 1:
        return next(iter(affixes)), ()
    if affixes[Affix()] == len(found):
        return Affix(), ()
    names = sorted({affix.core for affix in affixes})
    sides = {(bool(affix.before), bool(affix.after)) for affix in affixes}
    if len(names) == len(affixes) <= MOST_CLASSES and sides in ({(True, False)}, {(False, True)}):
        return None, tuple(names)
    name, masks_of = max(found.items(), key=lambda item: len(item[1]))
    forms = listing([str(affix) for affix, _ in affixes.most_common()])
    raise DataError(
        f'{folder}: the names of masks have several forms, {forms}, such as '
        f'{listing([*masks_of.values()])} for the image {name}, and which is meant is not known: '
        "set own_data.mask_suffix to the end of the files that count, such as '_labelIds.png'")


def _place(masks_of: dict[Affix, str], files: dict[str, str]) -> str:
    """The name of the files of one image, with a place for that of the class."""
    forms = set()
    for affix, mask in masks_of.items():
        before, after = (part.replace(affix.core, PLACE) if part else ''
                         for part in (affix.before, affix.after))
        name = mask[len(affix.before):len(mask) - len(affix.after)]
        forms.add(before + name + after + files[mask][len(mask):])
    if len(forms) > 1:
        raise DataError('the files of one image, one a class, have names of several forms: '
                        f'{listing(sorted(forms))}; give them one form and one suffix')
    return forms.pop()


def _tell_the_rest(settings: OwnDataSettings, folders: Sequence[str], images: dict[str, str],
                   masks: dict[str, str], pairs: list[Pair], used: set[str],
                   found: Found) -> list[str]:
    """Notes on the files that are not used; DataError for those that lack a partner."""
    paired = {pair.image for pair in pairs}
    belong = {mask for masks_of in found.values() for mask in masks_of.values()}
    others = [masks[mask] for mask in masks if mask in belong - used]
    alone = (([file for file in images.values() if file not in paired], 'without a mask'),
             ([masks[mask] for mask in masks if mask not in belong], 'without an image'))
    told = [_count(files, kind, what, folder) for (files, what), kind, folder in zip(
        alone, ('image', 'mask'), folders, strict=True) if files]
    if told and settings.unpaired == 'refuse':
        raise DataError(f'{"; ".join(told)}. Add or rename what is missing, or leave them out with '
                        "own_data.unpaired='skip'")
    notes = [f'left out: {text}' for text in told]
    if others:
        notes.append('not used: ' + _count(others, 'file', 'of the same images', folders[1]))
    return notes


def _count(files: Sequence[str], kind: str, what: str, folder: str) -> str:
    names = ', '.join(map(printable, files[:SHOWN])) + (', ...' if len(files) > SHOWN else '')
    return f'{len(files):,} {kind}{"s" * (len(files) != 1)} {what}: {names} ({folder})'
