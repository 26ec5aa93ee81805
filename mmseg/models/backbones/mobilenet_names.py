"""Names that torchvision and timm give the weights of MobileNets, and ours for them.

Each constant is a list of (pattern, replacement), applied one after the other, as
`BaseBackbone.foreign_keys` describes. Layers behind the last map of a backbone become `head.`,
which is not loaded.
"""
Renames = tuple[tuple[str, str], ...]

# Number of blocks in layer1, layer2, ... of MobileNetV2.
V2_BLOCKS = (1, 2, 3, 4, 3, 3, 1)
# Number of blocks in the stages of timm's MobileNetV3, whose last is a convolution.
V3_STAGES = {'large': (1, 2, 3, 4, 2, 3), 'small': (1, 2, 3, 2, 3)}


def _numbered(numbers: tuple[int, ...], old: str, new: str) -> Renames:
    """Counted through in the old names, and by layers in the new ones."""
    places = [(layer, j) for layer, count in enumerate(numbers, 1) for j in range(count)]
    return tuple((old.format(i), new.format(layer, j))
                 for i, (layer, j) in enumerate(places, 1))


TORCHVISION_V2: Renames = (
    (r'^features\.18\.|^classifier\.', 'head.'),
    (r'^features\.0\.0\.', 'conv1.conv.'),
    (r'^features\.0\.1\.', 'conv1.bn.'),
    *_numbered(V2_BLOCKS, r'^features\.{}\.', 'layer{}.{}.'),
    # The first layer has no expansion; its second convolution, as the last of each, has no list.
    (r'^(layer1\.0\.conv\.1)\.(\w+)$', r'\1.conv.\2'),
    (r'^(layer1\.0\.conv)\.2\.(\w+)$', r'\1.1.bn.\2'),
    (r'^(layer\d\.\d\.conv\.2)\.(\w+)$', r'\1.conv.\2'),
    (r'^(layer\d\.\d\.conv)\.3\.(\w+)$', r'\1.2.bn.\2'),
    (r'^(layer\d\.\d\.conv\.\d)\.0\.', r'\1.conv.'),
    (r'^(layer\d\.\d\.conv\.\d)\.1\.', r'\1.bn.'),
)
TIMM_V2: Renames = (
    (r'^conv_head\.|^bn2\.|^classifier\.', 'head.'),
    (r'^conv_stem\.', 'conv1.conv.'),
    (r'^bn1\.', 'conv1.bn.'),
    (r'^blocks\.0\.0\.conv_dw\.', 'layer1.0.conv.0.conv.'),
    (r'^blocks\.0\.0\.bn1\.', 'layer1.0.conv.0.bn.'),
    (r'^blocks\.0\.0\.conv_pw\.', 'layer1.0.conv.1.conv.'),
    (r'^blocks\.0\.0\.bn2\.', 'layer1.0.conv.1.bn.'),
    *((rf'^blocks\.{i}\.', f'layer{i + 1}.') for i in range(1, len(V2_BLOCKS))),
    *((rf'^(layer\d\.\d)\.{old}\.', rf'\1.conv.{new}.') for old, new in (
        ('conv_pw', '0.conv'), ('bn1', '0.bn'), ('conv_dw', '1.conv'), ('bn2', '1.bn'),
        ('conv_pwl', '2.conv'), ('bn3', '2.bn'))),
)


def torchvision_v3(arch: str) -> Renames:
    """Names of torchvision's mobilenet_v3_large and mobilenet_v3_small."""
    last = sum(V3_STAGES[arch]) + 1
    # The first block expands only what it had: nothing; in the small network it has weights.
    first = (('0', 'depthwise_conv'), ('1', 'linear_conv')) if arch == 'large' else (
        ('0', 'depthwise_conv'), ('2', 'linear_conv'))
    return (
        (r'^classifier\.', 'head.'),
        *_pairs((r'^features\.0\.', 'layer0.'), (rf'^features\.{last}\.', f'layer{last}.')),
        *_pairs(*((rf'^features\.1\.block\.{old}\.', f'layer1.{new}.') for old, new in first)),
        (r'^features\.(\d+)\.block\.\d\.fc([12])\.', r'layer\1.se.conv\2.conv.'),
        # What is left has an expansion; weights of channels stand before the last convolution.
        *_pairs((r'^features\.(\d+)\.block\.0\.', r'layer\1.expand_conv.'),
                (r'^features\.(\d+)\.block\.1\.', r'layer\1.depthwise_conv.'),
                (r'^features\.(\d+)\.block\.[23]\.', r'layer\1.linear_conv.')),
    )


def _pairs(*renames: tuple[str, str]) -> Renames:
    """A list of convolution and norm, 0 and 1, for ours, which have names."""
    return tuple((rf'{old}{number}\.', f'{new}{name}.') for old, new in renames
                 for number, name in enumerate(('conv', 'bn')))


def timm_v3(arch: str) -> Renames:
    """Names of timm's mobilenetv3_large_100 and mobilenetv3_small_100."""
    stages = V3_STAGES[arch]
    places = [(i, j) for i, count in enumerate((*stages, 1)) for j in range(count)]
    return (
        (r'^conv_head\.|^norm_head\.|^classifier\.', 'head.'),
        (r'^conv_stem\.', 'layer0.conv.'),
        (r'^bn1\.', 'layer0.bn.'),
        *((rf'^blocks\.{i}\.{j}\.', f'layer{number}.') for number, (i, j) in enumerate(places, 1)),
        (rf'^layer{len(places)}\.bn1\.', f'layer{len(places)}.bn.'),
        # The first block has no expansion, and its names are counted without it.
        *((rf'^layer1\.{old}\.', f'layer1.{new}.') for old, new in (
            ('bn1', 'depthwise_conv.bn'), ('conv_pw', 'linear_conv.conv'),
            ('bn2', 'linear_conv.bn'))),
        *((rf'^(layer\d+)\.{old}\.', rf'\1.{new}.') for old, new in (
            ('conv_pw', 'expand_conv.conv'), ('bn1', 'expand_conv.bn'),
            ('conv_dw', 'depthwise_conv.conv'), ('bn2', 'depthwise_conv.bn'),
            ('conv_pwl', 'linear_conv.conv'), ('bn3', 'linear_conv.bn'),
            (r'se\.conv_reduce', 'se.conv1.conv'), (r'se\.conv_expand', 'se.conv2.conv'))),
    )
