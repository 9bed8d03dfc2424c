"""The smaller rehearsals: papers that contradict each other, and an old code base that is to be ported."""

from core.rehearsal import port as old_code
from core.rehearsal.proofs import proven
from core.rehearsal.stage import Wanted, play, prepare
from core.rehearsal.table import small_rows
from core.simulator.policies.librarian import contradictions
from core.simulator.policies.porter import READINGS, ported


def test_only_pairs_that_the_guide_means_contradict_each_other():
    notes = "\n".join(
        [
            "- guide: 5 % may differ",
            *("- p001: density | oak | 4 °C | 100", "- p002: density | oak | 4 °C | 104"),
            *("- p003: density | oak | 20 °C | 900", "- p004: density | elm | 4 °C | 300"),
            *("- p005: density | elm | 4 °C | 900", "- p006 withdraws p005"),
        ]
    )
    assert contradictions(notes) == []
    assert [pair[:2] for pair in contradictions(notes + "\n- p007: 2 % may differ")] == [("p001", "p002")]


def test_each_old_module_has_one_reading_with_which_its_hidden_proof_passes(tmp_path):
    made = old_code.port(3, 8)
    made.write(tmp_path)
    assert not any(proven(made.proofs, tmp_path).values())
    for proof in made.proofs:
        old = made.texts[proof.path.replace("new/", "old/")]
        (tmp_path / proof.path).write_text(ported(old, READINGS[3][1]))
    passed = proven(made.proofs, tmp_path)
    assert sum(passed.values()) >= len(passed) - 1


async def test_old_modules_are_ported_to_the_end_without_a_false_claim(tmp_path):
    wanted = Wanted(piece="migration", size=4, calls=30, hours=1.0, disturbed=False)
    staged = await prepare(tmp_path / "home", tmp_path / "stage", wanted)
    assert await play(staged) == 0
    rows = dict(small_rows(staged))
    assert rows["false claims"] == "0" and rows["modules ported"] == "4 of 4"
