"""Where the files stood as they were at a moment: read from the log as the fold over all checkpoints has it."""

from hypothesis import given
from hypothesis import strategies as st
from logbook import Logbook

from core.agent.trees import Trees
from core.events import CheckpointMade, HeadMoved, ToolStarted
from core.folds.branches import Branches
from core.folds.checkpoints import Checkpoints
from core.folds.fold import Dispatcher
from core.folds.state import RunState
from core.request.archive import Remembered


@given(st.lists(st.tuples(st.sampled_from(["checkpoint", "command", "read", "say", "back"]), st.integers(0, 99))))
def test_trees_and_commands_since_any_node_are_those_of_all_checkpoints(steps):
    log, nodes = Logbook(), [1]
    for number, (step, chance) in enumerate(steps):
        if step == "checkpoint":
            log.add(CheckpointMade(tree=f"{number:040x}", backend="git", label=f"before {number}"), key=f"c{number}")
        elif step == "back":
            log.add(HeadMoved(to=nodes[chance % len(nodes)], origin=log.head, reason="rewind"))
        elif step == "say":
            log.reply()
        else:
            effect = "command" if step == "command" else "read"
            started = ToolStarted(
                name="run_command", use_id="u", arguments={"command": f"make {number}"}, effect=effect
            )
            log.add(started, key=f"k{number}")
        nodes.append(log.head)
    branches, state, archive = Branches(), RunState(), Remembered()
    trees, checkpoints = Trees(branches, archive.read), Checkpoints(branches, state)
    feed = Dispatcher([archive, branches, state, trees, checkpoints])
    for event in log.events:
        feed.apply(event)
    for node in set(nodes):
        after = checkpoints.after(node)
        assert (trees.after(node) and trees.after(node)[:2]) == (after and (after.seq, after.tree))
        assert trees.commands_since(node) == checkpoints.commands_since(node)
    last = checkpoints.column.items[-1] if len(checkpoints.column.items) else None
    assert trees.last == (last and (last.seq, last.tree, last.label))
