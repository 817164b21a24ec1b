"""Background: sentences of the label that ask for nothing, and are shown beside the rules and duties they explain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from precaution.engine.answer import Background
from precaution.knowledge.expression import compiled

if TYPE_CHECKING:
    from precaution.knowledge.expression import Answers, Test
    from precaution.knowledge.model import Label


class Backgrounds:
    """The background sentences of a label: those shown to every patient, and those shown to some."""

    def __init__(self, label: Label) -> None:
        """Sort the sentences by what they explain."""
        self._always: dict[str, tuple[Background, ...]] = {}
        self._sometimes: dict[str, list[tuple[Test, Background]]] = {"": []}
        for says in label.says.values():
            shown = Background(says.id, says.means)
            if says.show_when is None:
                for name in says.explains:
                    self._always[name] = (*self._always.get(name, ()), shown)
            else:
                test = compiled(says.show_when)
                for name in ("", *says.explains):
                    self._sometimes.setdefault(name, []).append((test, shown))

    def beside(self, name: str, facts: Answers) -> tuple[Background, ...]:
        """Return the sentences to show beside a rule or duty; under "" those that matter for this patient anyway."""
        some = tuple([shown for test, shown in self._sometimes.get(name, ()) if test(facts) is True])
        return self._always.get(name, ()) + some
