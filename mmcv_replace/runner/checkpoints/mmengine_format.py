"""What mmengine (mmsegmentation 1.x) writes otherwise than the 0.x line."""
from typing import Any


def in_own_form(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """A checkpoint of mmengine's EMAHook as one here; any other is returned as it is.

    There the averaged weights are the state_dict, and `ema_state_dict` has the trained ones, under
    the names of the averaged model: it swaps the two before it writes. Here the trained weights
    beside averaged ones are `raw_state_dict`.
    """
    swapped = checkpoint.get('ema_state_dict')
    if not isinstance(swapped, dict) or 'steps' not in swapped:
        return checkpoint
    trained = {key.removeprefix('module.'): value for key, value in swapped.items()
               if isinstance(key, str) and key != 'steps'}
    rest = {key: value for key, value in checkpoint.items() if key != 'ema_state_dict'}
    return {**rest, 'raw_state_dict': trained}
