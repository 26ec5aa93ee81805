"""All that was found out about data sets."""
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from .findings import KINDS, SEVERITIES, Finding, Sample
from .label_tally import FORMULA, ClassTally, ValueTally
from .source import Source
from .statistics import Statistics


@dataclass
class Report:
    """Findings and figures of the checked splits.

    `samples`: how many of each split were examined. `same`: split -> the split with the same
    files, which was examined instead. `values`: by the number of the source. `statistics`: of the
    training images, where they were asked for.
    """

    sources: list[Source]
    samples: Counter[str] = field(default_factory=Counter)
    same: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    classes: dict[str, ClassTally] = field(default_factory=dict)
    values: dict[int, ValueTally] = field(default_factory=dict)
    seconds: float = 0.0
    statistics: Statistics | None = None

    def of_kind(self, kind: str) -> list[Finding]:
        return [finding for finding in self.findings if finding.kind == kind]

    def of_severity(self, severity: str) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity == severity]

    @property
    def exit_code(self) -> int:
        """0 without errors, 1 with them, or with images that the statistics leave out."""
        lacking = self.statistics is not None and bool(self.statistics.left_out)
        return int(lacking or bool(self.of_severity('error')))

    def remedy(self, kind: str) -> str:
        """What to do about the findings of a kind; empty where there is nothing to do."""
        if kind == 'label-range':
            return '; '.join(dict.fromkeys(
                tally.remedy() for tally in self.values.values() if tally.wrong()))
        return KINDS[kind].remedy

    def bad_samples(self) -> set[Sample]:
        """The samples that have an error."""
        return {finding.sample for finding in self.of_severity('error')
                if finding.sample is not None}

    def weights(self) -> list[float] | None:
        """Class weights for the training data, None without their labels."""
        return self.classes['train'].weights() if 'train' in self.classes else None

    def to_json(self) -> dict[str, Any]:
        """The whole report in values that JSON can hold."""
        counts = Counter(finding.kind for finding in self.findings)
        weights = self.weights()
        return {
            'exit_code': self.exit_code,
            'seconds': round(self.seconds, 3),
            'splits': {split: self._split(split) for split in self.samples},
            'same': self.same,
            'summary': {severity: len(self.of_severity(severity)) for severity in SEVERITIES},
            'kinds': {name: dict(severity=kind.severity, title=kind.title, count=counts[name],
                                 remedy=self.remedy(name))
                      for name, kind in KINDS.items() if counts[name]},
            'findings': [{key: getattr(finding, key)
                          for key in ('kind', 'severity', 'split', 'file', 'detail')}
                         for finding in self.findings],
            'statistics': self.statistics and self.statistics.to_json(),
            'class_weight': weights and dict(formula=FORMULA, values=weights),
        }

    def _split(self, split: str) -> dict[str, Any]:
        own = {number: source for number, source in enumerate(self.sources)
               if source.split == split}
        tally = self.classes.get(split)
        return {
            'samples': self.samples[split],
            'sources': [dict(type=source.owner, img_dir=source.dataset.img_dir,
                             ann_dir=source.dataset.ann_dir, list=source.dataset.split,
                             samples=len(source)) for source in own.values()],
            'classes': [] if tally is None else [
                dict(name=name, pixels=int(pixels), images=int(images)) for name, pixels, images
                in zip(tally.classes, tally.pixels, tally.images, strict=True)],
            'wrong_values': [
                dict(value=value, pixels=tally.pixels[value], masks=tally.masks[value])
                for number, tally in self.values.items() if number in own
                for value in tally.wrong()],
        }
