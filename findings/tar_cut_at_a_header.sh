#!/usr/bin/env bash
# What Python's tarfile says of an archive that a download has cut off, or damaged.
#
# Versions: the standard library of Python 3.11.7.
# A good engineer would expect an error of one kind or another. There is one where the cut lies in
# the content of a file. Where it lies in the header of a file, or that header is damaged, the archive
# ends there without a word: all files from there on are missing. `ignore_zeros` and `errorlevel=2`
# change nothing. What tells is the block at `TarFile.offset` after the last member: a whole archive
# has zeros there, which are the mark of its end.
# Output seen:
#   whole: ['a', 'b', 'c'], zeros at the end: True
#   cut in the content of b: ReadError
#   cut in the header of b: ['a'], zeros at the end: False
#   a damaged header of b: ['a'], zeros at the end: False
#   a damaged header of b, errorlevel=2: ['a'], zeros at the end: False
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/read.py" <<'PYTHON'
import io
import tarfile

file = io.BytesIO()
with tarfile.open(fileobj=file, mode='w') as archive:
    for name in 'abc':
        info = tarfile.TarInfo(name)
        info.size = 1000
        archive.addfile(info, io.BytesIO(bytes(range(250)) * 4))
whole = file.getvalue()
second = 512 + 1024  # a header, and 1000 bytes in blocks of 512
damaged = bytearray(whole)
damaged[second + 150] ^= 255  # in its checksum


def read(what, content, **options):
    try:
        with tarfile.open(fileobj=io.BytesIO(content), **options) as archive:
            names = archive.getnames()
            archive.fileobj.seek(archive.offset)
            zeros = archive.fileobj.read(512) == bytes(512)
            print(f'{what}: {names}, zeros at the end: {zeros}')
    except tarfile.TarError as error:
        print(f'{what}: {type(error).__name__}')


read('whole', whole)
read('cut in the content of b', whole[:second + 700])
read('cut in the header of b', whole[:second + 300])
read('a damaged header of b', bytes(damaged))
read('a damaged header of b, errorlevel=2', bytes(damaged), errorlevel=2)
PYTHON
"${PYTHON:-python3}" "$folder/read.py" | tee "$folder/seen"
diff "$folder/seen" <(sed -n 's/^#   //p' "$0")
