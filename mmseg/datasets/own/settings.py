"""`own_data` of a config: where the images and masks are, and what they do not say themselves."""
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from mmcv_replace.utils.errors import ConfigError
from mmcv_replace.utils.section import Range, Section

FOLDERS = ('images', 'masks', 'val_images', 'val_masks')


@dataclass(frozen=True)
class OwnDataSettings(Section):
    """`own_data`. What is left out is decided by the files."""

    images: Annotated[str, 'the folder of the images']
    masks: Annotated[str, 'the folder of their masks']
    val_images: Annotated[str | None, 'the folder of images to validate on'] = None
    val_masks: Annotated[str | None, 'the folder of the masks of these'] = None
    val_fraction: Annotated[float, Range(above=0, most=0.9), 'the share to validate on'] = 0.1
    classes: Annotated[str | Sequence[str] | None, 'the names, or a file of them'] = None
    image_suffix: Annotated[str | None, 'how the files of images end, such as _rgb.png'] = None
    mask_suffix: Annotated[str | None, 'how the files of masks end, such as _labelIds.png'] = None
    ignore: Annotated[Sequence[int | str], 'mask values, or colours, that do not count'] = ()
    unknown_colours: Annotated[Literal['refuse', 'ignore'], 'colours of no class'] = 'refuse'
    unpaired: Annotated[Literal['refuse', 'skip'], 'images or masks that stand alone'] = 'refuse'
    group: Annotated[bool, 'keep images that are nearly the same on one side of the split'] = True
    seed: Annotated[int, Range(0), 'of the split'] = 0

    def located(self) -> 'OwnDataSettings':
        """The same with absolute folders; ConfigError for one that is missing or has no partner."""
        if (self.val_images is None) != (self.val_masks is None):
            given = 'val_images' if self.val_masks is None else 'val_masks'
            raise ConfigError(f'own_data.{given} needs the other of val_images and val_masks: give '
                              'both, or neither, which takes a part of the images')
        places = {name: getattr(self, name) for name in FOLDERS if getattr(self, name) is not None}
        for name, folder in places.items():
            if not Path(folder).is_dir():
                raise ConfigError(f'own_data.{name}: {folder} is not a folder; correct '
                                  f'own_data.{name} (--{name.replace("_", "-")})')
        return replace(self, **{name: str(Path(folder).resolve())
                                for name, folder in places.items()})

    def to_json(self) -> dict[str, Any]:
        """All settings as JSON holds them, to compare."""
        return {name: list(value) if isinstance(value, tuple) else value
                for name, value in asdict(self).items()}
