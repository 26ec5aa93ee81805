#!/usr/bin/env bash
# Whether Python's tarfile notices that the content of a compressed archive is not what was packed.
#
# Versions: the standard library of Python 3.11.7, GNU tar 1.34 beside it.
# A good engineer would expect the checksum of gzip and xz to be compared, as `tar xzf` does, and all
# the more where `filter='data'` and `errorlevel=2` ask for care. But it stands behind the last byte, and
# tarfile reads no further than the blocks of zeros that end the archive: what is extracted is wrong, and
# nothing says so. Reading the file object of the archive to its end finds it.
# Output seen:
#   gz: extracted without an error, right: False
#   gz, read to the end: BadGzipFile
#   xz: extracted without an error, right: False
#   xz, read to the end: LZMAError
#   tar xzf: fails
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/read.py" <<'PYTHON'
import gzip
import io
import lzma
import pathlib
import sys
import tarfile

random = bytes((i * i * 31 + i // 7) % 251 for i in range(20_000))
file = io.BytesIO()
with tarfile.open(fileobj=file, mode='w') as archive:
    info = tarfile.TarInfo('a')
    info.size = len(random)
    archive.addfile(info, io.BytesIO(random))
tar = file.getvalue()


def damaged(packed):
    """One bit of the content changed: compressed again, with the checksum of what was packed."""
    changed = bytearray(tar)
    changed[1000] ^= 1
    if packed is gzip:
        return gzip.compress(bytes(changed), 1)[:-8] + gzip.compress(tar, 1)[-8:]
    return lzma.compress(bytes(changed), check=lzma.CHECK_CRC32).replace(*(
        lzma.compress(bytes(each), check=lzma.CHECK_CRC32)[-36:-32] for each in (changed, tar)))


for name, packed in (('gz', gzip), ('xz', lzma)):
    content = damaged(packed)
    pathlib.Path(sys.argv[1], f'damaged.{name}').write_bytes(content)
    with tarfile.open(fileobj=io.BytesIO(content), errorlevel=2) as archive:
        archive.extractall(sys.argv[1], filter='data')
        right = pathlib.Path(sys.argv[1], 'a').read_bytes() == random
        print(f'{name}: extracted without an error, right: {right}')
        try:
            while archive.fileobj.read(2**20):
                pass
        except (OSError, lzma.LZMAError) as error:
            print(f'{name}, read to the end: {type(error).__name__}')
PYTHON
{
    "${PYTHON:-python3}" "$folder/read.py" "$folder"
    if tar xzf "$folder/damaged.gz" -C "$folder" 2> /dev/null; then echo 'tar xzf: succeeds'; else echo 'tar xzf: fails'; fi
} | tee "$folder/seen"
diff "$folder/seen" <(sed -n 's/^#   //p' "$0")
