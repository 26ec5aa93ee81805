import pytest

from mmcv_replace.utils import check_prerequisites, requires_executable, requires_package


def work(value=1):
    return value


@pytest.mark.parametrize('there', [requires_package('json'), requires_package(['json', 'os.path']),
                                   requires_executable('sh')])
def test_what_is_there(there):
    assert there(work)(3) == 3
    assert there(work).__name__ == 'work'


@pytest.mark.parametrize(('missing', 'names'), [
    (requires_package('no_such_package'), 'no_such_package'),
    (requires_package(['json', 'no_a', 'no_b']), 'no_a, no_b'),
    (requires_executable(['sh', 'no-such-program']), 'no-such-program'),
])
def test_what_lacks_is_named_at_the_call(missing, names, capsys):
    function = missing(work)
    with pytest.raises(RuntimeError, match=names):
        function()
    assert capsys.readouterr().out == (f'Prerequisites "{names}" are required in method "work" but '
                                       'not found, please install them first.\n')


def test_own_check_and_message(capsys):
    asked = []

    def checker(name):
        asked.append(name)
        return name == 'a'

    with pytest.raises(RuntimeError):
        check_prerequisites(['a', 'b'], checker, '{1} needs {0}')(work)()
    assert asked == ['a', 'b']
    assert capsys.readouterr().out == 'work needs b\n'
