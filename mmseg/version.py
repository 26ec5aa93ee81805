"""Version of the distribution."""

__version__ = '0.1.0'


def parse_version_info(version_str: str) -> tuple[int | str, ...]:
    """The parts of a version: '1.3.0rc1' is (1, 3, 0, 'rc1')."""
    parts: list[int | str] = []
    for text in version_str.split('.'):
        number, stage, rest = text.partition('rc')
        parts += [int(number), f'{stage}{rest}'] if stage else [int(number)]
    return tuple(parts)


version_info = parse_version_info(__version__)
