import logging

import pytest

from mmcv_replace.utils import Config
from mmcv_replace.utils.errors import ConfigError


@pytest.fixture
def cfg():
    return Config(dict(
        model=dict(depth=50, neck=None, strides=[1, 2, 2, 2], scale=(512, 512)),
        data=dict(train=dict(pipeline=[dict(type='Load'), dict(type='Resize', img_scale=(1, 2))])),
        optimizer=dict(custom_keys={'backbone.layer1': dict(lr_mult=1), 'backbone': dict(x=1)})))


@pytest.mark.parametrize(('key', 'value', 'get'), [
    ('model.depth', 18, lambda cfg: cfg.model.depth),
    ('data.train.pipeline.1.img_scale', (5, 6), lambda cfg: cfg.data.train.pipeline[1].img_scale),
    ('data.train.pipeline', [], lambda cfg: cfg.data.train.pipeline),
    ('data.train.pipeline.0', {'type': 'Other'}, lambda cfg: cfg.data.train.pipeline[0]),
    ('model.strides.3', 1, lambda cfg: cfg.model.strides[3]),
    ('model.neck.type', 'FPN', lambda cfg: cfg.model.neck.type),
    ('model.new.sub.key', 1, lambda cfg: cfg.model.new['sub'].key),
    ('fresh', None, lambda cfg: cfg.fresh),
    ('optimizer.custom_keys.backbone.layer1.lr_mult', 9,
     lambda cfg: cfg.optimizer.custom_keys['backbone.layer1'].lr_mult),
    ('optimizer.custom_keys.backbone.x', 9, lambda cfg: cfg.optimizer.custom_keys.backbone.x),
])
def test_dotted_key_finds_its_place(cfg, key, value, get):
    cfg.merge_from_dict({key: value})
    assert get(cfg) == value


def test_neighbours_of_a_changed_entry_stay(cfg):
    cfg.merge_from_dict({'data.train.pipeline.1.img_scale': (5, 6), 'model.strides.0': 4})
    assert cfg.data.train.pipeline == [{'type': 'Load'}, {'type': 'Resize', 'img_scale': (5, 6)}]
    assert cfg.model.strides == [4, 2, 2, 2]


def test_dict_value_merges_unless_it_deletes(cfg):
    cfg.merge_from_dict({'model': {'depth': 18}})
    assert cfg.model.scale == (512, 512)
    cfg.merge_from_dict({'data.train.pipeline.1': {'ratio': 2}})
    assert cfg.data.train.pipeline[1] == {'type': 'Resize', 'img_scale': (1, 2), 'ratio': 2}
    cfg.merge_from_dict({'data.train.pipeline.1': {'_delete_': True, 'type': 'Pad'}})
    assert cfg.data.train.pipeline[1] == {'type': 'Pad'}
    cfg.merge_from_dict({'model': {'_delete_': True, 'depth': 18}})
    assert cfg.model == {'depth': 18}


def test_delete_as_an_option_empties_the_dict(cfg):
    cfg.merge_from_dict({'model._delete_': False, 'model.depth': 18})
    assert cfg.model.scale == (512, 512)
    cfg.merge_from_dict({'model._delete_': True, 'model.depth': 34})
    assert cfg.model == {'depth': 34}


def test_nested_dict_with_indices_changes_list_entries(cfg):
    cfg.merge_from_dict({'data': {'train': {'pipeline': {'1': {'type': 'Pad'}}}}})
    assert cfg.data.train.pipeline[1] == {'type': 'Pad', 'img_scale': (1, 2)}


def test_the_given_options_are_not_changed(cfg):
    options = {'model.new': {'_delete_': True, 'a': {'b': 1}}}
    cfg.merge_from_dict(options)
    cfg.model.new.a.b = 2
    assert options == {'model.new': {'_delete_': True, 'a': {'b': 1}}}


def test_plain_dict_appended_to_a_list_can_be_changed(cfg):
    cfg.data.train.pipeline.append(dict(type='Pad'))
    cfg.merge_from_dict({'data.train.pipeline.2.size': 3})
    assert cfg.data.train.pipeline[2] == {'type': 'Pad', 'size': 3}


@pytest.mark.parametrize(('options', 'message'), [
    ({'model.depth.x': 1}, "key 'model.depth.x': 'model.depth' is 50, which has no parts"),
    ({'model.scale.0': 1}, r"'model.scale' is \(512, 512\), which has no parts"),
    ({'data.train.pipeline.2.x': 1}, "'data.train.pipeline' is a list of 2, so the next step is an "
                                     "index from 0 to 1, not '2'"),
    ({'data.train.pipeline.x': 1}, "from 0 to 1, not 'x'"),
    ({'data.train.pipeline.-1': 1}, "from 0 to 1, not '-1'"),
    ({'model.strides.9999999999999': 1}, 'from 0 to 3'),
    ({'model.': 1}, "key 'model.': an empty name"),
    ({'': 1}, 'an empty name'),
    ({'data.train.pipeline': {'a': 1}}, "'data.train.pipeline' is a dict in command line"),
    ({'data.train.pipeline': {'7': 1}}, "from 0 to 1, not '7'"),
    ({'model.x': object()}, "command line: 'model.x' is a object"),
    ({'filename': 'x'}, "'filename' cannot be a key"),
    ({'_x.y': 1}, "'_x' cannot be a key"),
])
def test_bad_option(cfg, options, message):
    with pytest.raises(ConfigError, match=message):
        cfg.merge_from_dict(options)


def test_indices_can_be_turned_off(cfg):
    with pytest.raises(ConfigError, match='has no parts'):
        cfg.merge_from_dict({'model.strides.0': 1}, allow_list_keys=False)
    with pytest.raises(ConfigError, match='a list is replaced as a whole here'):
        cfg.merge_from_dict({'model': {'strides': {'0': 1}}}, allow_list_keys=False)
    with pytest.raises(ConfigError, match='_delete_=True'):
        cfg.merge_from_dict({'model': {'strides': {'a': 1}}}, allow_list_keys=False)
    cfg.merge_from_dict({'model': {'strides': {'0': 7}}})
    assert cfg.model.strides[0] == 7


def test_empty_list_has_no_index():
    with pytest.raises(ConfigError, match='a list of 0, so the next step is nothing: it is empty'):
        Config(dict(a=[])).merge_from_dict({'a.0': 1})


def test_origin_is_the_command_line_or_what_is_given(cfg):
    cfg.merge_from_dict({'model.depth': 18, 'model.new.sub': 1, 'model.strides.0': 3,
                         'data.train.pipeline.1.img_scale': (5, 6)})
    assert cfg.model.origin('depth') == 'command line'
    assert cfg.model.new.origin('sub') == 'command line'
    assert cfg.model.origin('strides') == 'command line'
    assert cfg.data.train.pipeline[1].origin('img_scale') == 'command line'
    assert cfg.data.train.origin('pipeline') is None
    cfg.merge_from_dict({'model.depth': 18}, origin='the device')
    assert cfg.model.origin('depth') == 'the device'


def test_new_key_that_resembles_another_is_warned_about(cfg, caplog):
    with caplog.at_level(logging.WARNING):
        cfg.merge_from_dict({'model.stridse': 1, 'model.entirely_new': 2, 'modle.depth': 3})
    assert [record.getMessage() for record in caplog.records] == [
        "option 'model.stridse' is a new key; did you mean 'model.strides'?",
        "option 'modle' is a new key; did you mean 'model'?"]
    assert cfg.model.stridse == 1
