"""PSPNet on ResNet-V1c in plain PyTorch: no config, no registry, no hooks.

An independent form of the model to compare with: what a user would write by hand. Its state_dict
lists the same tensors in the same order as the toolkit's, under other names.
"""
import torch
import torch.nn.functional as F
from torch import nn


def conv_bn(cin, cout, kernel, stride=1, dilation=1, relu=True):
    padding = dilation * (kernel // 2)
    layers = [nn.Conv2d(cin, cout, kernel, stride, padding, dilation, bias=False),
              nn.BatchNorm2d(cout)]
    return nn.Sequential(*layers, nn.ReLU(inplace=True)) if relu else nn.Sequential(*layers)


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, cin, width, stride, dilation, downsample):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, width, 3, stride, dilation, dilation, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.down = conv_bn(cin, width, 1, stride, relu=False) if downsample else None

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = self.bn2(self.conv2(out))
        out += x if self.down is None else self.down(x)
        return F.relu(out, inplace=True)


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, cin, width, stride, dilation, downsample):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, dilation, dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.down = conv_bn(cin, 4 * width, 1, stride, relu=False) if downsample else None

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = F.relu(self.bn2(self.conv2(out)), inplace=True)
        out = self.bn3(self.conv3(out))
        out += x if self.down is None else self.down(x)
        return F.relu(out, inplace=True)


def stage(block, cin, width, blocks, stride, dilation):
    # The first block of a dilated stage keeps the dilation of the stage before (contract_dilation).
    first = dilation // 2 if dilation > 1 else 1
    cout = block.expansion * width
    layers = [block(cin, width, stride, first, stride > 1 or cin != cout)]
    layers += [block(cout, width, 1, dilation, False) for _ in range(1, blocks)]
    return nn.Sequential(*layers)


BLOCKS = {18: (BasicBlock, (2, 2, 2, 2)), 34: (BasicBlock, (3, 4, 6, 3)),
          50: (Bottleneck, (3, 4, 6, 3)), 101: (Bottleneck, (3, 4, 23, 3)),
          152: (Bottleneck, (3, 8, 36, 3))}


class PlainPSPNet(nn.Module):
    """x: [N, 3, H, W] -> logits [N, classes, H, W], and in training the auxiliary logits too."""

    def __init__(self, num_classes=21, depth=50, strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4),
                 channels=512, aux_channels=256, bins=(1, 2, 3, 6), dropout=0.1, width=64, stem=64):
        super().__init__()
        half = stem // 2
        self.stem = nn.Sequential(conv_bn(3, half, 3, 2), conv_bn(half, half, 3),
                                  conv_bn(half, stem, 3))
        block, counts = BLOCKS[depth]
        cin, mid = stem, None
        for number in range(4):
            layer = stage(block, cin, width * 2**number, counts[number], strides[number],
                          dilations[number])
            setattr(self, f'layer{number + 1}', layer)
            cin, mid = block.expansion * width * 2**number, cin
        self.bins = bins
        self.classify = nn.Conv2d(channels, num_classes, 1)
        self.branches = nn.ModuleList(conv_bn(cin, channels, 1) for _ in bins)
        self.fuse = conv_bn(cin + channels * len(bins), channels, 3)
        self.aux_classify = nn.Conv2d(aux_channels, num_classes, 1)
        self.aux_conv = conv_bn(mid, aux_channels, 3)
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, x):
        size = x.shape[2:]
        x = F.max_pool2d(self.stem(x), 3, 2, 1)
        mid = self.layer3(self.layer2(self.layer1(x)))
        top = self.layer4(mid)
        parts = [top]
        for grid, branch in zip(self.bins, self.branches, strict=True):
            pooled = branch(F.adaptive_avg_pool2d(top, grid))
            parts.append(F.interpolate(pooled, top.shape[2:], mode='bilinear'))
        logits = self.classify(self.dropout(self.fuse(torch.cat(parts, 1))))
        logits = F.interpolate(logits, size, mode='bilinear')
        if not self.training:
            return logits
        aux = self.aux_classify(self.dropout(self.aux_conv(mid)))
        return logits, F.interpolate(aux, size, mode='bilinear')


def plain_loss(model, image, label, ignore=255):
    """Loss of one training step: mean over all pixels, the auxiliary head weighted 0.4."""
    logits, aux = model(image)
    pixels = label.numel()
    main = F.cross_entropy(logits, label, ignore_index=ignore, reduction='sum') / pixels
    return main + 0.4 * F.cross_entropy(aux, label, ignore_index=ignore, reduction='sum') / pixels
