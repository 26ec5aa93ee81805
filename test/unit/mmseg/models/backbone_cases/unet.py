import torch
import torch.nn.functional as F

from ..backbone_plain import plain_block, plain_norm


def plain_unet(state, options, x):
    """U-Net (arXiv:1505.04597): an encoder, and a decoder that sees its maps again."""
    stages = options['num_stages']
    strides = options.get('strides', (1,) * stages)
    downsamples = options.get('downsamples', (True,) * (stages - 1))

    def convs(x, key, stride=1, dilation=1):
        i = 0
        while f'{key}.convs.{i}.conv.weight' in state:
            wide = dilation if i else 1
            x = plain_block(state, x, f'{key}.convs.{i}', stride=1 if i else stride, padding=wide,
                            dilation=wide)
            i += 1
        return x

    def enlarge(x, key):
        if f'{key}.conv.weight' in state:
            return plain_block(state, x, key)
        if f'{key}.deconv_upsamping.0.weight' in state:
            weight, bias = (state[f'{key}.deconv_upsamping.0.{each}'] for each in (
                'weight', 'bias'))
            x = F.conv_transpose2d(x, weight, bias, 2, padding=weight.shape[-1] // 2 - 1)
            return plain_norm(state, x, f'{key}.deconv_upsamping.1').relu()
        if f'{key}.interp_upsample.0.conv.weight' in state:
            x = plain_block(state, x, f'{key}.interp_upsample.0', padding=1)
            return F.interpolate(x, scale_factor=2, mode='nearest')
        x = F.interpolate(x, scale_factor=2, mode='bilinear')
        return plain_block(state, x, f'{key}.interp_upsample.1')

    maps = []
    for i in range(stages):
        pools = i > 0 and strides[i] == 1 and downsamples[i - 1]
        x = convs(F.max_pool2d(x, 2) if pools else x, f'encoder.{i}.{int(pools)}', strides[i],
                  options.get('enc_dilations', (1,) * stages)[i])
        maps.append(x)
    outs = [x]
    for i in reversed(range(stages - 1)):
        x = torch.cat([maps[i], enlarge(x, f'decoder.{i}.upsample')], 1)
        x = convs(x, f'decoder.{i}.conv_block',
                  dilation=options.get('dec_dilations', (1,) * stages)[i])
        outs.append(x)
    return outs


THREE = dict(base_channels=4, num_stages=3, strides=(1, 1, 1), enc_num_convs=(2, 2, 2),
             dec_num_convs=(2, 2), downsamples=(True, True), enc_dilations=(1, 1, 1),
             dec_dilations=(1, 1))
CASES = {
    'UNet': [
        (THREE, plain_unet, 'cddedc6a64fb'),
        (dict(THREE, strides=(2, 1, 2), downsamples=(False, True), enc_num_convs=(1, 3, 2),
              dec_num_convs=(3, 1), enc_dilations=(2, 1, 3), dec_dilations=(2, 1), in_channels=4,
              with_cp=True, upsample_cfg=dict(type='DeconvModule')), plain_unet, '09be1182bd9c'),
        (dict(THREE, fuse_pyramid=False), plain_unet, 'cddedc6a64fb'),
        (dict(THREE, upsample_cfg=dict(
            type='InterpConv', conv_first=True, kernel_size=3, padding=1,
            upsample_cfg=dict(scale_factor=2, mode='nearest'))), plain_unet, '952dec53d3c3'),
    ],
}
