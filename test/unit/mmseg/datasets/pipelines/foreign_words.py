"""Transforms of albumentations and torchvision that do the same, for tests of both."""

# The same work in the words of each library.
WORDS = {
    'Albu': dict(
        flip=dict(type='HorizontalFlip', p=1.0),
        rotate=dict(type='Rotate', limit=(30, 30), p=1.0),
        turn=dict(type='Rotate', limit=(-40, 40), p=1.0),
        warp=dict(type='ElasticTransform', alpha=40, sigma=4, p=1.0),
        pad=dict(type='PadIfNeeded', min_height=50, min_width=60, position='top_left', p=1.0),
        red=dict(type='PadIfNeeded', min_height=50, min_width=60, position='top_left',
                 fill=(200, 0, 0), p=1.0),
        crop=dict(type='RandomCrop', height=24, width=30, p=1.0),
        huge=dict(type='RandomCrop', height=240, width=300, p=1.0),
        grow=dict(type='Resize', height=80, width=90, p=1.0),
        grey=dict(type='ToGray', p=1.0),
        jitter=dict(type='ColorJitter', p=1.0),
        one_of=lambda *steps: dict(type='OneOf', transforms=list(steps), p=1.0),
        normalize=dict(type='Normalize'),
        module='albumentations', misspelt=('HorizontalFlop', 'HorizontalFlip'),
        unknown=dict(type='Rotate', limits=3), bad=dict(type='Rotate', limit='wide')),
    'TorchvisionTransform': dict(
        flip=dict(type='RandomHorizontalFlip', p=1.0),
        rotate=dict(type='RandomRotation', degrees=(30, 30)),
        turn=dict(type='RandomRotation', degrees=40),
        warp=dict(type='ElasticTransform', alpha=40.0, sigma=4.0),
        pad=dict(type='Pad', padding=[0, 0, 60 - 57, 50 - 41]),
        red=dict(type='Pad', padding=[0, 0, 60 - 57, 50 - 41], fill=(200, 0, 0)),
        crop=dict(type='RandomCrop', size=(24, 30)),
        huge=dict(type='RandomCrop', size=(240, 300)),
        grow=dict(type='Resize', size=(80, 90)),
        grey=dict(type='Grayscale', num_output_channels=3),
        jitter=dict(type='ColorJitter', brightness=0.5, contrast=0.5, saturation=0.5, hue=0.2),
        one_of=lambda *steps: dict(type='RandomChoice', transforms=list(steps)),
        normalize=dict(type='Normalize', mean=[0, 0, 0], std=[1, 1, 1]),
        module='torchvision.transforms.v2', misspelt=('RandomHorizontalFlop',
                                                      'RandomHorizontalFlip'),
        unknown=dict(type='RandomRotation', degree=3), bad=dict(type='Pad', padding='wide')),
}


def in_words(name, transforms):
    """Configs of transforms, which are given by their words, or as dicts."""
    words = WORDS[name]
    return [words.get(each, each) if isinstance(each, str) else each for each in transforms]
