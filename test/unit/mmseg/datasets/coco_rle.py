"""COCO's run lengths of a mask by their definition, pixel by pixel, as a list and as text."""


def runs_of(mask):
    """Run lengths down the columns."""
    runs, inside, length = [], False, 0
    for pixel in mask.T.ravel().tolist():
        if pixel != inside:
            runs.append(length)
            inside, length = pixel, 0
        length += 1
    return [*runs, length]


def pack(runs):
    """The text: five bits a character, low ones first."""
    text = ''
    for position, run in enumerate(runs):
        number = run - runs[position - 2] if position > 2 else run
        more = True
        while more:
            bits, number = number & 31, number >> 5
            more = number != (-1 if bits & 16 else 0)
            text += chr(48 + bits + 32 * more)
    return text


def rle_of(mask, packed=True):
    """A mask as a file of COCO holds it."""
    runs = runs_of(mask)
    return dict(size=list(mask.shape), counts=pack(runs) if packed else runs)
