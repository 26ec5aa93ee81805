import pytest

from mmcv_replace.utils.misspelling import misspelt

KNOWN = ('checkpoint_config', 'evaluation', 'data', 'model', 'lr_config', 'fp16', 'work_dir', 'cpu')


@pytest.mark.parametrize(('name', 'meant'), [
    ('checkpoint_confg', 'checkpoint_config'), ('chekpiont_confg', 'checkpoint_config'),
    ('checkpointconfg', 'checkpoint_config'), ('Checkpoint-Config', 'checkpoint_config'),
    ('evalution', 'evaluation'), ('evaulation', 'evaluation'), ('evvaluatian', 'evaluation'),
    ('dtaa', 'data'), ('dta', 'data'), ('dataa', 'data'), ('DATA', 'data'), ('modell', 'model'),
    ('modil', 'model'), ('rl_config', 'lr_config'), ('lr_confgi', 'lr_config'), ('fp_16', 'fp16'),
    ('pf16', 'fp16'), ('cup', 'cpu'), ('wrok_dir', 'work_dir'), ('work__dir', 'work_dir'),
    ('checkpointConfg', 'checkpoint_config'), ('model__', 'model'), ('_model', 'model')])
def test_slips(name, meant):
    assert misspelt(name, KNOWN) == meant


@pytest.mark.parametrize('name', [
    *KNOWN, '', '_', '16', 'x', 'dat_a_root', 'date', 'dada', 'datas', 'models', 'mode', 'modal',
    'evaluations', 'evaluator', 'eval', 'checkpoint', 'checkpoint_cfg', 'checkpoint_conf',
    'checkpoints_config_2', 'model_2', 'model2', 'fp32', 'gpu', 'npu', 'hr_config', 'word_dir',
    'config', 'dir', 'model_', 'data_', 'model_s', 'modelA', 'ModelB', 'evaluation_g', 'fp16_x',
    'lr_config_d', 'évaluation_1'])
def test_other_names(name):
    assert misspelt(name, KNOWN) is None


def test_the_known_name_of_the_same_letters_comes_first():
    assert misspelt('Trains', ('train', 'trains')) == 'trains'
