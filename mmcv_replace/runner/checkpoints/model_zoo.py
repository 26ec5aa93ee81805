"""Names of published backbone weights and their URLs."""

OPENMMLAB = 'https://download.openmmlab.com/pretrain/third_party/'
TORCHVISION = 'https://download.pytorch.org/models/'

# Scheme -> name -> URL. The last eight digits of a file's name are the start of its SHA-256.
MODEL_ZOO = {
    'open-mmlab': {
        'resnet18_v1c': OPENMMLAB + 'resnet18_v1c-b5776b93.pth',
        'resnet50_v1c': OPENMMLAB + 'resnet50_v1c-2cccc1ad.pth',
        'resnet101_v1c': OPENMMLAB + 'resnet101_v1c-e67eebb6.pth',
    },
    'torchvision': {
        'resnet18': TORCHVISION + 'resnet18-f37072fd.pth',
        'resnet34': TORCHVISION + 'resnet34-b627a593.pth',
        'resnet50': TORCHVISION + 'resnet50-0676ba61.pth',
        'resnet101': TORCHVISION + 'resnet101-63fe2227.pth',
        'resnet152': TORCHVISION + 'resnet152-394f9c45.pth',
    },
}
MODEL_ZOO['openmmlab'] = MODEL_ZOO['open-mmlab']
