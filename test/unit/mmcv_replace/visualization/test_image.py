import cv2
import numpy as np
import pytest

from mmcv_replace import imread, imshow, imshow_bboxes, imshow_det_bboxes
from mmcv_replace.utils.errors import ConfigError

BOXES = np.array([[2, 3, 10, 12], [20, 5, 30, 15.7]])
LABELS = np.array([0, 1])


@pytest.fixture
def img():
    return np.zeros((40, 60, 3), np.uint8)


@pytest.fixture
def window(monkeypatch):
    """Records what is shown; keys and visibility come from lists."""
    class Window:
        shown, waits, keys, visible = [], [], [-1, -1, 5], [1, 1, 1]

        def show(self, name, img):
            self.shown.append((name, img.copy()))

        def wait(self, time):
            self.waits.append(time)
            return self.keys.pop(0)

    found = Window()
    monkeypatch.setattr(cv2, 'imshow', found.show)
    monkeypatch.setattr(cv2, 'waitKey', found.wait)
    monkeypatch.setattr(cv2, 'getWindowProperty', lambda name, key: found.visible.pop(0))
    return found


def frame(box, color, shape=(40, 60, 3)):
    """An image with the edges of one box."""
    picture = np.zeros(shape, np.uint8)
    x1, y1, x2, y2 = map(int, box)
    for rows, columns in ((slice(y1, y2 + 1), [x1, x2]), ([y1, y2], slice(x1, x2 + 1))):
        picture[rows, columns] = color
    return picture


def test_imshow_until_a_key_is_pressed_or_the_window_is_closed(img, window, tmp_path):
    imshow(img, 'name', 0)
    assert window.waits == [1, 1, 1]
    assert window.shown[0][0] == 'name'
    window.keys[:], window.visible[:] = [-1, -1], [1, -1]
    imshow(img)
    assert not window.keys
    window.keys[:] = [-1]
    imshow(img, wait_time=20)
    assert window.waits[-1] == 20


def test_without_a_screen(img, monkeypatch):
    def fails(*args):
        error = cv2.error('x')
        error.err = 'not implemented'
        raise error

    monkeypatch.setattr(cv2, 'imshow', fails)
    with pytest.raises(ConfigError, match=r'cannot show a window \(not implemented\).*out_file'):
        imshow(img)


def test_boxes(img, window, tmp_path):
    result = imshow_bboxes(img, BOXES, show=False)
    expected = frame(BOXES[0], (0, 255, 0)) + frame(BOXES[1], (0, 255, 0))
    np.testing.assert_array_equal(result, expected)
    assert not window.shown
    first = imshow_bboxes(np.zeros_like(img), BOXES, 'red', top_k=1, win_name='w', wait_time=1,
                          out_file=tmp_path / 'a.png')
    np.testing.assert_array_equal(first, frame(BOXES[0], (0, 0, 255)))
    assert window.shown[0][0] == 'w'
    np.testing.assert_array_equal(imread(tmp_path / 'a.png'), first)
    thick = imshow_bboxes(np.zeros_like(img), BOXES, thickness=3, show=False)
    assert thick.any(axis=2).sum() > expected.any(axis=2).sum()


def test_arrays_of_boxes_have_their_colours(img):
    result = imshow_bboxes(img, [BOXES[:1], BOXES[1:]], ['blue', (1, 2, 3)], show=False)
    np.testing.assert_array_equal(
        result, frame(BOXES[0], (255, 0, 0)) + frame(BOXES[1], (1, 2, 3)))
    with pytest.raises(ConfigError, match='2 arrays of boxes, but 1 colours'):
        imshow_bboxes(img, [BOXES, BOXES], ['red'], show=False)


def test_labels(img, monkeypatch, window):
    texts = []
    monkeypatch.setattr(cv2, 'putText', lambda *args: texts.append(args[1:]))
    result = imshow_det_bboxes(img, BOXES, LABELS, show=False, bbox_color='red')
    np.testing.assert_array_equal(
        result, frame(BOXES[0], (0, 0, 255)) + frame(BOXES[1], (0, 0, 255)))
    font = cv2.FONT_HERSHEY_COMPLEX
    assert texts == [('cls 0', (2, 1), font, 0.5, (0, 255, 0)),
                     ('cls 1', (20, 3), font, 0.5, (0, 255, 0))]
    scored = np.hstack([BOXES, [[0.3], [0.678]]])
    texts.clear()
    result = imshow_det_bboxes(np.zeros_like(img), scored, LABELS, ['cat', 'dog'], 0.5, 'red',
                               'blue', font_scale=0.8, wait_time=1)
    np.testing.assert_array_equal(result, frame(BOXES[1], (0, 0, 255)))
    assert texts == [('dog|0.68', (20, 3), font, 0.8, (255, 0, 0))]
    assert len(window.shown) == 1


def test_texts_are_drawn(img, tmp_path):
    imshow_det_bboxes(img, BOXES, LABELS, show=False, bbox_color='black',
                      out_file=str(tmp_path / 'a.png'))
    assert img.any()
    np.testing.assert_array_equal(imread(tmp_path / 'a.png'), img)


@pytest.mark.parametrize(('boxes', 'labels', 'options'), [
    (BOXES[:, :3], LABELS, {}), (BOXES[0], LABELS, {}), (BOXES, LABELS[:1], {}),
    (BOXES, LABELS[None], {}), (BOXES, LABELS, {'score_thr': 0.5})])
def test_wrong_arguments_are_explained(img, boxes, labels, options):
    with pytest.raises(ConfigError, match=r'\[n, 5\]'):
        imshow_det_bboxes(img, boxes, labels, show=False, **options)
