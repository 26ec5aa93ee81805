"""The script that draws the charts: plotly's, from its Python package."""
import base64
import gzip
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from mmcv_replace.utils.errors import MissingModuleError

SCRIPT = 'package_data/plotly.min.js'


def plotly_file(user: str) -> Path:
    """The script in the installed package; MissingModuleError for its `user` without one."""
    # The package itself is not imported: it takes half a second, and only its file is wanted.
    spec = find_spec('plotly')
    file = Path(spec.origin).parent / SCRIPT if spec is not None and spec.origin else None
    if file is None or not file.is_file():
        raise MissingModuleError(f'{user} draws its charts with plotly, which '
                                 + ('is not installed' if file is None else f'lacks {file}')
                                 + ": pip install 'plotly>=6', or pip install -e .[report]")
    return file


@lru_cache(maxsize=1)
def packed_plotly(file: Path) -> str:
    """The script compressed by gzip, in base64: 2 MB in place of 5."""
    return base64.b64encode(gzip.compress(file.read_bytes(), mtime=0)).decode()
