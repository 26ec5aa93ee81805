"""The plan for data of one's own as it is kept."""
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Plan:
    """All that JSON need hold to use the data again.

    `lists`: the lines of each list. `datasets`: for each split the settings of its data set, with
    the name of its list as `split`. `text` tells all decisions.
    """

    settings: dict[str, Any]
    classes: list[str]
    datasets: dict[str, dict[str, Any]]
    lists: dict[str, list[str]]
    text: str

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> 'Plan':
        """The plan of such values; JSON has made texts of the mask values in a label_map."""
        plan = cls(**values)
        for dataset in plan.datasets.values():
            if 'label_map' in dataset:
                dataset['label_map'] = {int(value): number for value, number
                                        in dataset['label_map'].items()}
        return plan

    def to_json(self) -> dict[str, Any]:
        """The plan in values that JSON can hold."""
        return asdict(self)
