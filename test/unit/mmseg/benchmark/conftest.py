import pytest

from mmseg.apis import load_config
from mmseg.benchmark.options import make_parser

QUICKSTART = 'configs/pspnet/pspnet_r18-d16_128x128_quickstart.py'


@pytest.fixture
def quickstart(repo_dir):
    return load_config(repo_dir / QUICKSTART)


@pytest.fixture
def parse(repo_dir):
    """Arguments of a subcommand, with the small config unless another one is given."""
    def run(command, *arguments, config=QUICKSTART):
        file = [] if command == 'zoo' else [str(repo_dir / config)]
        return make_parser(None).parse_args([command, *file, *map(str, arguments)])
    return run
