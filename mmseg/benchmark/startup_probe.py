"""What tools/test.py does before it loads weights: its imports, the config, the model."""
import sys

from mmcv_replace.cnn.utils.deferred_init import DeferredInit
from mmseg.apis.cli import load_config, run_command
from mmseg.apis.process import add_common_arguments, start_process
from mmseg.apis.test_job import OutputOptions, evaluate_from_config
from mmseg.models import build_segmentor
from mmseg.zoo import published_weights

# Imported for the time that it takes; a test compares them with those of tools/test.py.
__all__ = ['OutputOptions', 'add_common_arguments', 'evaluate_from_config', 'published_weights',
           'start_process']


def main() -> None:
    cfg = load_config(sys.argv[1])
    # The weights that a checkpoint will replace are not drawn.
    with DeferredInit():
        model = build_segmentor(cfg.model, cfg.get('train_cfg'), cfg.get('test_cfg'))
    sys.stdout.write(str(sum(value.numel() for value in model.state_dict().values())))


if __name__ == '__main__':
    sys.exit(run_command(main))
