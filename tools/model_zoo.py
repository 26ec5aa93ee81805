"""The published models: list them with their scores, and download their weights.

python tools/model_zoo.py list deeplabv3 voc12aug
python tools/model_zoo.py download pspnet_r50-d8_512x512_20k_voc12aug
MMSEG_MIRROR, an address or a folder, takes the place of the host that publishes them.
"""
import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from mmcv_replace.utils.errors import ConfigError
from mmseg.apis.cli import run_command
from mmseg.zoo import find_model, published_models
from mmseg.zoo.listing import format_models
from mmseg.zoo.models import LICENCE, matching
from mmseg.zoo.progress import watch_download


def list_models(words: Sequence[str], as_json: bool) -> None:
    models = matching(published_models().values(), words)
    if not models:
        raise ConfigError(f'no model has {" and ".join(map(repr, words))} in its name or data set; '
                          'python tools/model_zoo.py list shows all')
    print(json.dumps([asdict(model) for model in models], indent=1) if as_json
          else format_models(models))


def download_models(names: Sequence[str], folder: str | None) -> None:
    models = [find_model(name) for name in names]
    for name, model in zip(names, models, strict=True):
        if model is None:
            raise ConfigError(f'{name} is a path, not the name of a model: give it as in '
                              f'python tools/model_zoo.py list, such as {Path(name).stem}')
    for model in models:
        with watch_download() as watch:
            file = model.fetch(folder, watch)
        print(f'{model.name}\n  config: {model.config}\n  weights: {file}')
        if model.score:
            print(f'  published score: {model.score}'
                  + (f', as {model.published_as}' if model.published_as else ''))
    print(LICENCE)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest='command', required=True)
    listing = commands.add_parser('list', help='models, published scores and weights')
    listing.add_argument('words', nargs='*', metavar='FILTER',
                         help='only models with all of these in their names or data set')
    listing.add_argument('--json', action='store_true', help='print all that is known as JSON')
    download = commands.add_parser('download', help='get the weights, checked by their hash')
    download.add_argument('names', nargs='+', metavar='NAME', help='as listed')
    download.add_argument('--folder', help='where to put them (the cache, where other commands '
                          'find them)')
    args = parser.parse_args(argv)
    if args.command == 'list':
        list_models(args.words, args.json)
    else:
        download_models(args.names, args.folder)


if __name__ == '__main__':
    sys.exit(run_command(main))
