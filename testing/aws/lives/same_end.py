"""Whether a life with troubles comes to the same end as one without any."""

from __future__ import annotations

from collections import Counter
from typing import Any

from lives.support import LivesTest, Spec, changed, example

MORE = {"name": "more", "compute": [{"name": "c6i", "instance": "c6i.xlarge", "max": 2}]}
State = tuple[Counter[str], Any]
_undisturbed: dict[str, State] = {}


def first() -> Spec:
    return example("cpu")


def second() -> Spec:
    """With another stack, and with a change of the cluster."""
    spec = first()
    budget = {"usd_per_month": 100, "notify": ["somebody@example.com"]}
    return changed(spec, queues=[*spec["queues"], MORE], budget=budget)


class SameEndTest(LivesTest):
    """Lives of one small cluster: `first`, then `second`, then down."""

    def undisturbed(self, when: str) -> State:
        """What stands after `first`, `second` and `down` where nothing went wrong; found once."""
        if when not in _undisturbed:
            program, spec_file = self.program, self.spec_file
            self.account.reset()
            self.program = self.another_program("undisturbed")
            self._live_undisturbed()
            self.account.reset()
            self.program, self.spec_file = program, spec_file
        return _undisturbed[when]

    def _live_undisturbed(self) -> None:
        self.write(first())
        self.up()
        _undisturbed["first"] = self.state()
        self.write(second())
        self.up()
        _undisturbed["second"] = self.state()
        self.down("--yes")
        _undisturbed["down"] = (self.shape(), None)

    def state(self) -> State:
        """What the account holds, and what `status` says of the cluster."""
        observed = self.status()
        cloud = observed["cloud"]
        queues = [(queue["queue"], queue["asked"], queue["ready"]) for queue in cloud["queues"]]
        nodes = sorted(node["name"] for node in observed["nodes"])
        kinds = Counter(one["tags"]["parallelcluster:node-type"] for one in cloud["instances"])
        return self.shape(), (cloud["fleet"]["status"], queues, nodes, kinds)

    def same(self, when: str, besides: tuple[str, ...] = ()) -> None:
        """Fails unless the end is the one that an undisturbed life has; find that out before."""
        shape, said = _undisturbed[when]
        found = (self.shape(), None) if when == "down" else self.state()
        more = {name: count for name, count in (found[0] - shape).items() if name.split()[0] not in besides}
        self.assertEqual(more, {}, f"more than an undisturbed {when} makes")
        self.assertEqual(dict(shape - found[0]), {}, f"less than an undisturbed {when} makes")
        self.assertEqual(found[1], said)

    def away(self) -> None:
        self.down_with_everything("cpu")
        self.nothing_is_left()
