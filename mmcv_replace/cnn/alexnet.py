"""AlexNet, the first deep network that won at ImageNet."""
from torch import Tensor, nn

from .utils.classic import load_pretrained


class AlexNet(nn.Module):
    """AlexNet (Krizhevsky et al., NeurIPS 2012) in the variant of arXiv:1404.5997.

    `num_classes`: with a positive number the network classifies, otherwise it gives its features.
    """

    def __init__(self, num_classes: int = -1) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.features = nn.Sequential(
            *_conv(3, 64, 11, stride=4, padding=2), _pool(),
            *_conv(64, 192, 5, padding=2), _pool(),
            *_conv(192, 384, 3, padding=1),
            *_conv(384, 256, 3, padding=1),
            *_conv(256, 256, 3, padding=1), _pool())
        if num_classes > 0:
            self.classifier = nn.Sequential(
                nn.Dropout(), nn.Linear(256 * 6 * 6, 4096), nn.ReLU(inplace=True),
                nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU(inplace=True),
                nn.Linear(4096, num_classes))

    def init_weights(self, pretrained: str | None = None) -> None:
        """Load a checkpoint; without one torch's random weights stay."""
        load_pretrained(self, pretrained)

    def forward(self, x: Tensor) -> Tensor:
        """Features [N, 256, H / 32 - 1, W / 32 - 1] of images [N, 3, H, W].

        With classes their scores [N, num_classes], of images that are 224 wide and high.
        """
        x = self.features(x)
        return self.classifier(x.flatten(1)) if self.num_classes > 0 else x


def _conv(inplanes: int, planes: int, kernel_size: int, **options: int) -> list[nn.Module]:
    return [nn.Conv2d(inplanes, planes, kernel_size, **options), nn.ReLU(inplace=True)]


def _pool() -> nn.Module:
    return nn.MaxPool2d(kernel_size=3, stride=2)
