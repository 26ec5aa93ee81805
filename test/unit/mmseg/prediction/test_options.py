"""Options of a prediction that do not fit."""
import pytest

from mmcv_replace.utils.errors import ConfigError
from mmseg.prediction.options import PredictOptions


@pytest.mark.parametrize(('options', 'told'), [
    (dict(opacity=0), '--opacity 0 must be above 0 and at most 1'),
    (dict(threshold=1.5), '--threshold 1.5 is a probability, from 0 to 1'),
    (dict(scores='logits'), '--scores logits: choose one of probabilities, confidence'),
    (dict(legend=True, overlays=False), '--legend is a part of painted pictures: leave out --no-o'),
    (dict(video_format='gif'), '--video-format gif: choose one of webm, mp4, avi'),
    (dict(batch=0), '--batch 0 must be at least 1'),
    (dict(max_pixels=0), '--max-pixels 0 must be at least 1'),
    (dict(scale=0), '--scale 0 must be from 0.01 to 100: 1 keeps the size'),
    (dict(scale=0.001), '--scale 0.001 must be from 0.01 to 100'),
    (dict(crop=[1, 2, 3]), '--crop 1 2 3: give height and width in pixels, or one number'),
    (dict(stride=[0]), '--stride 0: give height and width')])
def test_values_that_do_not_fit(options, told):
    with pytest.raises(ConfigError, match=told):
        PredictOptions(out='x', **options)


def test_scores_that_a_prediction_needs():
    assert PredictOptions('x').needed_scores is None
    assert PredictOptions('x', threshold=0.5).needed_scores == 'confidence'
    assert PredictOptions('x', threshold=0.5, scores='probabilities').needed_scores == (
        'probabilities')
