"""The town that the reference rehearsal audits: what is planted in it, and what proves that."""

from collections import Counter

import pytest

from core.rehearsal.proofs import proven, suite_passes
from core.rehearsal.sheets import sheets
from core.rehearsal.town import Sizes, found

EVERY_SHEET = Sizes(lines=7_000, known=25, aside=22, decoys=21)


@pytest.mark.parametrize("variant", ["flawed", "fixed"])
def test_a_proof_fails_on_its_flaw_and_passes_on_the_fix_while_the_towns_tests_hide_both(tmp_path, variant):
    town = found(3, EVERY_SHEET, variant)
    town.write(tmp_path)
    assert {one.sheet for one in town.flaws} >= {sheet.name for sheet in sheets("flaws/aside")}
    assert proven(town.flaws, tmp_path) == dict.fromkeys((flaw.id for flaw in town.flaws), variant == "fixed")
    assert suite_passes(tmp_path)


def test_a_town_is_a_function_of_its_seed():
    sizes = Sizes(lines=2_000, known=3, aside=2, decoys=3)
    assert found(5, sizes) == found(5, sizes)
    assert found(5, sizes).files != found(6, sizes).files


def test_twelve_kinds_are_planted_and_none_can_be_told_by_a_mark():
    town = found(1, EVERY_SHEET)
    kinds = Counter(flaw.kind for flaw in town.flaws if flaw.origin == "known")
    assert len(kinds) == 12 and set(kinds) == {flaw.kind for flaw in town.flaws if flaw.origin == "aside"}
    for one in town.planted:
        text = town.files[one.path]
        assert one.id not in text and "flaw" not in text and "vulnerab" not in text


def test_set_aside_flaws_come_from_templates_of_their_own():
    town = found(1, EVERY_SHEET)
    known, aside = ({one.sheet for one in town.flaws if one.origin == origin} for origin in ("known", "aside"))
    assert not known & aside


def test_a_later_paper_changes_the_code_of_some_departments():
    town = found(2, Sizes(lines=40_000, known=0, aside=0, decoys=0))
    assert town.codes.old
    for area, old in town.codes.old.items():
        assert any(old in text and f"{area} is {old}" in text for text in town.files.values())
        assert town.codes.current[area] in town.files["docs/codes-changed.md"]


def test_too_small_a_town_is_refused_with_a_sentence():
    with pytest.raises(ValueError, match="ask for more lines"):
        found(1, Sizes(lines=1_000))
