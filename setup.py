"""Shim for tools that call setup.py; it also maps configs/ and tools/ into the package.

The metadata are in pyproject.toml, the dependencies in requirements.txt.
"""
from setuptools import find_packages, setup

MAPPED = {
    'mmseg.configs': 'configs',
    'mmseg.tools': 'tools',
    'mmseg.tools.convert_datasets': 'tools/convert_datasets',
}

setup(
    packages=find_packages(include=['mmseg', 'mmseg.*', 'mmcv_replace', 'mmcv_replace.*'])
    + list(MAPPED),
    package_dir=MAPPED,
    package_data={'mmcv_replace': ['COMPATIBILITY.md', 'model_zoo/*.json', 'children/mmcv.py'],
                  'mmseg': ['visualization/page.css'],
                  'mmseg.configs': ['**/*.py', 'results.json']},
)
