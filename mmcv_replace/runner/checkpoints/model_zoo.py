"""Names of published backbone weights and their URLs."""

# Folder of a scheme, and its files: a name and the first eight digits of the SHA-256.
_FILES = {
    'open-mmlab': ('https://download.openmmlab.com/pretrain/third_party', (
        'resnet18_v1c-b5776b93', 'resnet50_v1c-2cccc1ad', 'resnet101_v1c-e67eebb6')),
    'torchvision': ('https://download.pytorch.org/models', (
        'resnet18-f37072fd', 'resnet34-b627a593', 'resnet50-0676ba61', 'resnet101-63fe2227',
        'resnet152-394f9c45')),
}
# Scheme -> name -> URL.
MODEL_ZOO = {scheme: {file.partition('-')[0]: f'{folder}/{file}.pth' for file in files}
             for scheme, (folder, files) in _FILES.items()}
MODEL_ZOO['openmmlab'] = MODEL_ZOO['open-mmlab']
