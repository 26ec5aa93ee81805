import torch

from ..head_plain import TANH, TWO_MAPS, Row, block, classify, conv


def plain_pam(pam, x):
    query, key, value = (conv(layer, x).flatten(2) for layer in (
        pam.query_project, pam.key_project, pam.value_project))
    out = torch.zeros_like(value)
    for i in range(x[0, 0].numel()):
        similar = torch.einsum('nc,nck->nk', query[:, :, i], key).exp()
        out[:, :, i] = torch.einsum('nck,nk->nc', value, similar / similar.sum(1, keepdim=True))
    return x + pam.gamma.scale * out.view_as(x)


def plain_cam(cam, x):
    out = torch.zeros_like(x)
    for n in range(len(x)):
        for channel in range(x.shape[1]):
            energy = (x[n] * x[n, channel]).sum((1, 2))
            weight = (energy.max() - energy).softmax(0)
            out[n, channel] = (weight.view(-1, 1, 1) * x[n]).sum(0)
    return x + cam.gamma.scale * out


def plain_da(head, x, pam_channels, **options):
    pam = plain_pam(head.pam, block(head.pam_in_conv, x, 3, options))
    cam = plain_cam(head.cam, block(head.cam_in_conv, x, 3, options))
    return classify(head, block(head.pam_out_conv, pam, 3, options)
                    + block(head.cam_out_conv, cam, 3, options))


ROWS = {
    'DAHead': Row(plain_da, [
        dict(pam_channels=2),
        dict(pam_channels=9, **TANH),
        dict(pam_channels=1, out_channels=1, num_classes=2, **TWO_MAPS,
             loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True))],
        losses_of_logits='pam_cam.'),
}
