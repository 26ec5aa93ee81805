"""What a Markdown document tells its readers to type: blocks of code, commands, settings.

Marks that a reader does not see say what a command cannot do without: `needs-network`, or
`needs-device` (an accelerator, or several hosts).

    ```bash needs-device=2,4         after the language: commands 2 and 4 of the block, or all
    `pip install x`<!-- needs-network -->                                after a piece of code
"""
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

FENCE = re.compile(r'^( *)```(\S*)([^\n]*)\n(.*?)^\1```$', re.MULTILINE | re.DOTALL)
SPAN = re.compile(r'`([^`]+)`(?:<!-- (needs-\w+) -->)?')
HEADING = re.compile(r'^(#+) (.*)', re.MULTILINE)
COMMAND = re.compile(r'(\w+=\S+ )*((python|pip|bash|source|export|ruff|git|torchrun|srun|mpirun) '
                     r'|(tools|test)/\S+ )')
SETTING = re.compile(r'[a-z_][\w.]*( ?)=\1(?=[^\s=])')


@dataclass(frozen=True)
class Code:
    """A piece of code, the line on which it stands, and what it needs."""

    text: str
    line: int
    needs: str | None = None

    @property
    def words(self) -> list[str]:
        """Those of a command, without its comment."""
        return shlex.split(self.text, comments=True)

    @property
    def bare(self) -> str:
        """A command without its comment."""
        return re.sub(r'\s+# .*', '', self.text)


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    language: str
    text: str
    line: int
    commands: list[Code] = field(default_factory=list)  # of a block of bash


@dataclass(frozen=True)
class Section:
    """What stands between a heading and the next one."""

    level: int
    title: str
    blocks: list[Block]
    commands: list[Code]


class Document:
    """The code of a document, in its order."""

    def __init__(self, file: Path) -> None:
        self.name = file.name
        text = file.read_text(encoding='utf-8')
        self.blocks = [_block(found, text) for found in FENCE.finditer(text)]
        prose = FENCE.sub(lambda found: '\n' * found[0].count('\n'), text)
        self._headings = [(len(found[1]), found[2], _line(found, prose))
                          for found in HEADING.finditer(prose)]
        self.headings = [level for level, _, _ in self._headings]
        self.spans = [Code(' '.join(found[1].split()), _line(found, prose), found[2])
                      for found in SPAN.finditer(prose)]
        self.links = re.findall(r'\]\(([^)#]+)\)', prose)

    @property
    def commands(self) -> list[Code]:
        """Those of blocks and of prose, in the order of the document."""
        blocks = [command for block in self.blocks for command in block.commands]
        prose = [span for span in self.spans if COMMAND.match(span.text)]
        return sorted(blocks + prose, key=lambda code: code.line)

    @property
    def sections(self) -> list[Section]:
        """One for each heading, of whatever level."""
        starts = [line for _, _, line in self._headings]
        ends = [*starts[1:], float('inf')]
        return [Section(level, title, *([code for code in codes if start < code.line < end]
                                        for codes in (self.blocks, self.commands)))
                for (level, title, start), end in zip(self._headings, ends, strict=True)]

    @property
    def settings(self) -> list[Code]:
        """Settings in prose: `key=value` as on a command line, `key = value` as in a config."""
        return [span for span in self.spans
                if SETTING.match(span.text) and not COMMAND.match(span.text)]


def _line(found: re.Match, text: str) -> int:
    return text.count('\n', 0, found.start()) + 1


def _block(found: re.Match, text: str) -> Block:
    indent, language, marks, code = found.groups()
    code = re.sub(f'^{indent}', '', code, flags=re.MULTILINE)
    line = _line(found, text) + 1
    if language != 'bash':
        return Block(language, code, line)
    needs, _, numbers = marks.strip().partition('=')
    commands = []
    for command in re.finditer(r'(?:.*\\\n)*.*\n', code):
        if Code(command[0], line).words:
            marked = needs and (not numbers or str(len(commands) + 1) in numbers.split(','))
            commands.append(Code(command[0].replace('\\\n', ' ').strip(),
                                 line + code.count('\n', 0, command.start()),
                                 needs if marked else None))
    return Block(language, code, line, commands)
