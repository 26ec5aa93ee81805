from types import SimpleNamespace

from mmseg.datasets.listing.sample_lists import describe_list, sample_list


class Data(SimpleNamespace):
    def __len__(self):
        return 2


def make(*names, suffix='.png'):
    return Data(img_infos=[dict(filename=f'{name}.jpg', ann=dict(seg_map=name + suffix))
                           for name in names])


def test_the_names_and_their_order_count():
    lists = [sample_list(data) for data in (
        make('a', 'b'), make('b', 'a'), make('a', 'c'), make('a', 'b', suffix='.bmp'))]
    assert [each['number'] for each in lists] == [2] * 4
    assert len({each['digest'] for each in lists}) == 4
    assert lists[0] == sample_list(make('a', 'b'))


def test_wrappers_are_looked_into():
    both = Data(datasets=[make('a'), make('b')])
    assert sample_list(both)['digest'] == sample_list(make('a', 'b'))['digest']
    assert sample_list(Data(dataset=make('a')))['digest'] == sample_list(make('a'))['digest']


def test_of_a_data_set_that_lists_no_files_the_number_is_known():
    assert sample_list(Data()) == dict(number=2)
    assert sample_list(Data(datasets=[make('a'), Data()])) == dict(number=2)
    assert describe_list(dict(number=2)) == '2'
