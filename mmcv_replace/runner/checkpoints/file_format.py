"""Recognises files that are not checkpoints, so that an error can say what they are."""
import re
import tarfile
import zipfile
from pathlib import Path

HEAD = 4096  # bytes at the beginning that are looked at
_SAFETENSORS_LIMIT = 100_000_000  # bytes of a header

_EXPORTED = ('It holds a network of its own: checkpoints are what tools/train.py and torch.save '
             'write; use the one that it was made from')
_CONVERT = 'Load it there and save the weights by their names here: torch.save(dict, FILE.pth)'
_UNPACK = 'Unpack it and give the checkpoint in it'
_AGAIN = 'Download the file itself'

# Pattern of the first bytes, what the file is, and what to do.
_BEGINNINGS = (
    (rb'version https://git-lfs', 'a pointer of git-lfs, not the file it stands for',
     "Run 'git lfs pull' in that repository, or download the file"),
    (rb'(?i)\s*<(!doctype html|html|head|body|!--)', 'a web page (HTML)',
     f'{_AGAIN}: the page is that of a login, an error or a repository'),
    (rb'\s*<(\?xml|[A-Za-z]+>)', 'an XML document', f'{_AGAIN}, or see what it says'),
    (rb'\x89HDF\r\n\x1a\n', 'an HDF5 file (Keras, h5py)', _CONVERT),
    (rb'IMOD', 'an offline model of Ascend (.om)', _EXPORTED),
    (rb'.{4}TFL3', 'a model of TensorFlow Lite', _EXPORTED),
    (rb'GGUF', 'a GGUF file', _CONVERT),
    (rb'\x93NUMPY', 'a NumPy array (.npy)', _CONVERT),
    (rb'\x1f\x8b', 'packed by gzip', _UNPACK),
    (rb'\xfd7zXZ\0', 'packed by xz', _UNPACK),
    (rb'BZh', 'packed by bzip2', _UNPACK),
    (rb'\x28\xb5\x2f\xfd', 'packed by zstd', _UNPACK),
    (rb'7z\xbc\xaf\x27\x1c', 'a 7z archive', _UNPACK),
    (rb'Rar!\x1a\x07', 'a RAR archive', _UNPACK),
    (rb'\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8|%PDF', 'an image or a document',
     f'Give the checkpoint in its place. If this is to be one: {_AGAIN.lower()}'),
)
# Protocol buffers and pickles can be recognised by the suffix only.
_SUFFIXES = {
    '.onnx': ('an ONNX model', _EXPORTED),
    '.om': ('an offline model of Ascend (.om)', _EXPORTED),
    '.pdparams': ('weights of PaddlePaddle', _CONVERT),
    '.pdopt': ("an optimizer's state of PaddlePaddle", 'Give weights of PyTorch'),
    '.pdmodel': ('a model of PaddlePaddle', _EXPORTED),
    '.h5': ('an HDF5 file (Keras, h5py)', _CONVERT),
    '.pb': ('a graph of TensorFlow', _EXPORTED),
    '.caffemodel': ('weights of Caffe', _CONVERT),
    '.mindir': ('a model of MindSpore', _EXPORTED),
    '.ckpt': ('a checkpoint of another framework (MindSpore, TensorFlow)', _CONVERT),
    '.engine': ('an engine of TensorRT', _EXPORTED),
    '.trt': ('an engine of TensorRT', _EXPORTED),
    '.py': ('a Python file', 'The checkpoint stands behind the config on the command line'),
}
# The first bytes of what torch.save wrote before it wrote zip archives.
_LEGACY_MAGIC = b'\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.'
_ONNX = re.compile(rb'\x08[\x01-\x20][\x12\x1a\x22\x28\x32\x3a\x42]')


def is_safetensors(path: Path) -> bool:
    """Whether a file begins with the length of a JSON header, and that header."""
    with path.open('rb') as file:
        head = file.read(10)
    return head[8:9] == b'{' and head[9:10] in (b'"', b'}', b' ') and (
        2 <= int.from_bytes(head[:8], 'little') <= _SAFETENSORS_LIMIT)


def describe_file(path: Path) -> tuple[str, str] | None:
    """What a file is that torch cannot read, and what to do; None if it is not recognised."""
    with path.open('rb') as file:
        head = file.read(HEAD)
    if not head:
        return 'empty (0 bytes)', f'{_AGAIN} again, or use an older one'
    for beginning, what, remedy in _BEGINNINGS:
        if re.match(beginning, head, re.DOTALL):
            return what, remedy
    if zipfile.is_zipfile(path):
        try:
            return _describe_zip(path)
        except Exception:  # of any class: damaged archives hold anything
            return None
    if head[257:262] == b'ustar':
        return _describe_tar(path)
    if _ONNX.match(head):
        return _SUFFIXES['.onnx']
    if head[:2] == b'PK':  # an archive without its end
        return None
    suffix = path.suffix.lower()
    if head[:1] == b'\x80':
        if suffix in ('.pdparams', '.pdopt'):
            return _SUFFIXES[suffix]
        if head.startswith(_LEGACY_MAGIC):
            return None
        return _describe_protocol(head) or (
            'a Python pickle that torch.save did not write', _CONVERT)
    if suffix == '.py':
        return _SUFFIXES[suffix]
    return _describe_text(head) or _SUFFIXES.get(suffix)


def describe_folder(path: Path) -> str:
    """What is in a folder that was given as a checkpoint, and what to do."""
    names = sorted(entry.name for entry in path.iterdir())
    inside = [name for name in names if name.endswith(('.pth', '.pt', '.ckpt', '.safetensors'))]
    if '.metadata' in names or any(name.endswith('.distcp') for name in names):
        return ('of torch.distributed.checkpoint: make one file of it, python -m '
                'torch.distributed.checkpoint.format_utils dcp_to_torch FOLDER FILE.pth')
    if 'saved_model.pb' in names:
        return f'with a SavedModel of TensorFlow. {_CONVERT}'
    if 'data.pkl' in names or any((path / name / 'data.pkl').is_file() for name in names):
        return 'that a checkpoint was unpacked into: give the .pth file itself'
    if inside:
        chosen = 'latest.pth' if 'latest.pth' in inside else inside[-1]
        return f'with {len(inside)} checkpoints: give one of them, such as {path / chosen}'
    return 'without a checkpoint: give a .pth file'


def _describe_zip(path: Path) -> tuple[str, str] | None:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    inner = [name.split('/', 1)[-1] for name in names]
    if 'constants.pkl' in inner:
        return ('a TorchScript program', "Save its weights: torch.save({'state_dict': "
                'torch.jit.load(FILE).state_dict()}, NEW)')
    if 'data.pkl' in inner:
        with zipfile.ZipFile(path) as archive, archive.open(names[inner.index('data.pkl')]) as file:
            return _describe_protocol(file.read(2))
    if any(name.endswith(('model.json', 'serialized_exported_program.json')) for name in inner):
        return 'a program of torch.export (.pt2)', _EXPORTED
    if 'model.weights.h5' in names:
        return 'a model of Keras', _CONVERT
    if names and all(name.endswith('.npy') for name in names):
        return 'an archive of NumPy arrays (.npz)', _CONVERT
    if 'version' in inner or any(name.startswith('data/') for name in inner):
        return None  # a damaged file of torch
    files = [name for name in names if not name.endswith('/')]
    return (f'a zip archive of something else ({", ".join(files[:3]) or "nothing"})', _UNPACK)


def _describe_tar(path: Path) -> tuple[str, str]:
    try:
        with tarfile.open(path) as archive:
            names = {Path(name).name for name in archive.getnames()}
    except (tarfile.TarError, OSError):
        names = set()
    if {'storages', 'tensors', 'pickle'} <= names:
        return ('a checkpoint in the form of PyTorch 0.1, which cannot be read without running '
                'what is in it', 'If you trust whoever wrote it, save it again: torch.save('
                'torch.load(old, weights_only=False), new)')
    return 'a tar archive', _UNPACK


def _describe_protocol(head: bytes) -> tuple[str, str] | None:
    if head[:1] != b'\x80' or head[1:2] <= b'\x02':
        return None
    return (f'a pickle of protocol {head[1]}, which PyTorch cannot read without running what is '
            'in it', 'If you trust whoever wrote it, save it again where it loads, by torch.save '
            'without a pickle_protocol')


def _describe_text(head: bytes) -> tuple[str, str] | None:
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # not just the last character, cut through
            return None
        text = head[:error.start].decode()
    if all(char.isprintable() or char.isspace() for char in text):
        first = ' '.join(text.split())[:80]
        return f'a text, which begins with {first!r}', _AGAIN
    return None
