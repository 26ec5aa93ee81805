from types import SimpleNamespace

from mmcv_replace.runner import DistSamplerSeedHook


def test_tells_the_sampler_the_epoch():
    told = []
    loader = SimpleNamespace(sampler=SimpleNamespace(set_epoch=told.append))
    DistSamplerSeedHook().before_train_epoch(SimpleNamespace(data_loader=loader, epoch=3))
    DistSamplerSeedHook().before_train_epoch(SimpleNamespace(data_loader=[1], epoch=4))
    assert told == [3]


def test_epoch_runner_tells_it_without_the_hook(make_runner, make_loader):
    told = []
    loader = make_loader()
    loader.sampler.set_epoch = told.append
    runner = make_runner(by_epoch=True, max_epochs=3)
    runner.run([loader], [('train', 1)])
    assert told == [0, 1, 2]
