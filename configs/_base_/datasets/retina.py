"""The data sets of vessels in the retina, which only differ in names and sizes.

Their files import the function, which does not become part of a config.
"""


def repeated(train_pipeline: list[dict], test_pipeline: list[dict], **files: str) -> dict:
    """`data` of a set of few images: one pass over them is 40,000 times each."""
    train = dict(img_dir='images/training', ann_dir='annotations/training', **files)
    val = dict(img_dir='images/validation', ann_dir='annotations/validation', **files)
    return dict(
        samples_per_gpu=4,
        workers_per_gpu=4,
        train=dict(type='RepeatDataset', times=40000,
                   dataset=dict(train, pipeline=train_pipeline)),
        val=dict(val, pipeline=test_pipeline),
        test=dict(val, pipeline=test_pipeline))
