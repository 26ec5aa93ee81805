"""Words at the place of others on the command line of a prediction."""
import pytest

from mmcv_replace.utils.errors import ConfigError
from mmseg.apis.predict.command_words import check_words


@pytest.mark.parametrize('name', ['in/a.JPG', 'b.tif', 'clip.mp4'])
def test_an_image_in_the_place_of_the_checkpoint(name):
    with pytest.raises(ConfigError, match=rf'{name} is an image or a video, and stands where the '
                                          r'checkpoint belongs: predict\.py CHECKPOINT IMAGES'):
        check_words(name, ['x.pth'])


@pytest.mark.parametrize('name', ['c.py', 'pspnet_r50-d8_512x512_20k_voc12aug'])
def test_weights_behind_a_config(name):
    with pytest.raises(ConfigError, match=rf'x\.pth stands among the images: give the weights for '
                                          rf'{name} by --checkpoint x\.pth'):
        check_words(name, ['x.pth', 'in'])


def test_two_checkpoints():
    with pytest.raises(ConfigError, match=r'y\.ckpt is a checkpoint, and stands among the images; '
                                          r'x\.pth stands where it belongs'):
        check_words('x.pth', ['in', 'y.ckpt'])


@pytest.mark.parametrize('name', ['latest.pth', 'c.py', 'name', 's3://bucket/x.pth', 'folder'])
def test_words_at_their_places(name):
    check_words(name, ['in', 'a.jpg', '-', '**/*.png'])
