"""What the data sets of vessels in the retina share."""
from .custom import CustomDataset


class RetinaDataset(CustomDataset):
    """Vessels and what is around them; the data sets differ in the names of their files."""

    CLASSES = ('background', 'vessel')
    PALETTE = [[120, 120, 120], [6, 230, 230]]
    img_suffix = '.png'
