"""What travels: whole whatever its pieces, and refused when it is not of the protocol, too long, or too much."""

import json
import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.boxes import wire
from core.boxes.line import Cut, Line, _greeting
from core.boxes.ssh import Box, problem
from core.boxes.wire import Answer, Begin, Deflating, Delta, Garbled, Hello, Inflating, Seat, Standing
from core.journal import rows
from core.journal.errors import JournalError
from core.journal.mirror import Mirror
from core.journal.reader import Reader
from core.version import app_version
from tui.elsewhere import Elsewhere

bodies = st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=60) | st.none(), max_size=4)


def row(seq, body, kind="tool.started", key=None):
    text = msgspec.json.encode(body).decode()
    return rows.Row(seq, seq - 1 or None, None, kind, key, 1_700_000_000_000_000 + seq, "agent", text)


@given(st.lists(bodies, max_size=12), st.integers(1, 40), st.integers(1, 5))
def test_rows_arrive_as_they_were_whatever_pieces_the_line_makes(found, piece, together):
    sent = [row(seq, body) for seq, body in enumerate(found, 1)]
    packing, data = Deflating(), b""
    for start in range(0, len(sent), together):
        data += packing.pack([wire.sent_row(one) for one in sent[start : start + together]])
    unpacking = Inflating()
    came = [one for at in range(0, len(data), piece) for one in unpacking.unpack(data[at : at + piece])]
    assert [wire.stored_row(one) for one in came] == sent


def test_a_reply_that_came_as_live_text_costs_little_as_an_event():
    text, packing = " ".join(str(n * n) for n in range(1_000)), Deflating()
    live = len(packing.pack([Delta("text", 0, text)]))
    again = len(packing.pack([wire.sent_row(row(1, {"content": [{"type": "text", "text": text}]}))]))
    assert again < live / 10


def deflated(*lines):
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return b"".join(packer.compress(line) for line in lines) + packer.flush(zlib.Z_SYNC_FLUSH)


@pytest.mark.parametrize(
    "line",
    [
        b"hello\n",
        b"[]\n",
        b'["e",0,null,null,"k",null,1,"a",{}]\n',
        b'["e",1,null,null,"k",null,99999999999999999999,"a",{}]\n',
        b'["e",1,null,null,"' + b"k" * 300 + b'",null,1,"a",{}]\n',
        b'["x",1]\n',
        b"\xff\xfe\n",
        b"[" * 100_000 + b"\n",
    ],
)
def test_what_is_no_message_is_refused(line):
    with pytest.raises(Garbled):
        list(Inflating().unpack(deflated(line)))


def test_a_body_that_is_no_object_is_refused():
    (came,) = Inflating().unpack(deflated(b'["e",1,null,null,"k",null,1,"a",[1]]\n'))
    with pytest.raises(Garbled):
        wire.stored_row(came)


def test_a_line_without_end_is_given_up_before_it_fills_the_memory(monkeypatch):
    monkeypatch.setattr(wire, "LONGEST_LINE", 1_000_000)
    with pytest.raises(Garbled, match="too long"):
        list(Inflating().unpack(deflated(b" " * 10_000_000)))


def test_bytes_that_are_not_deflated_and_a_stream_that_ends_are_refused():
    with pytest.raises(Garbled):
        list(Inflating().unpack(b"\xff" * 100))
    with pytest.raises(Garbled):
        list(Inflating().unpack(zlib.compress(b"", wbits=-zlib.MAX_WBITS)))


def test_what_a_shell_says_first_is_passed_over():
    hello = Hello(longwatch="1", protocol=1, session="01a", seat=Seat("v", "anna", 5))
    data = b"Welcome!\nno LONGWATCH-BOX here\n" + wire.hello_line(hello) + b"rest"
    assert _greeting(data[:60]) is None
    assert _greeting(data) == (hello, b"rest")
    with pytest.raises(Cut, match="not understood"):
        _greeting(wire.MARK + json.dumps({"longwatch": "1", "protocol": 1, "session": "../../x"}).encode() + b"\n")


def test_another_version_there_is_said_in_a_sentence(tmp_path):
    line = Line(Box("one", "one"), "", tmp_path, "anna")
    line.hello = Hello(longwatch="9.9", protocol=1, session="01a")
    assert "Longwatch 9.9 is on one" in Elsewhere.by(line).notice
    line.hello = Hello(longwatch=app_version(), protocol=1, session="01a")
    assert Elsewhere.by(line).notice == ""
    assert "is older than this one" in problem(
        Box("one", "one"), 2, b"longwatch: There is no command 'box'. There are: x"
    )


def test_why_a_box_ends_a_line_is_told_as_its_cut(tmp_path):
    line = Line(Box("one", "one"), "", tmp_path, "anna")
    asked = [*Inflating().unpack(Deflating().pack([Answer(0, msgspec.Raw(b"null"), "Event 7 is damaged.")]))]
    with pytest.raises(Cut, match="Event 7 is damaged"):
        line._take_all(asked)


def test_of_the_others_so_many_are_told_and_no_more():
    packing = Deflating()
    (came,) = Inflating().unpack(packing.pack([Standing(True, [Seat("v", "w" * 200, 1)])]))
    assert came.others[0].viewer.who == "w" * 200
    with pytest.raises(Garbled):
        list(Inflating().unpack(Deflating().pack([Standing(True, [Seat("v", "w", 1)] * 101), Begin(1)])))


def test_a_copy_has_the_numbers_and_the_chain_of_the_log_and_goes_on_where_it_ended(tmp_path):
    made = [row(seq, {"name": "n" * seq}) for seq in range(1, 8)]
    with Mirror(tmp_path / "a", {"session": "a"}) as first, Mirror(tmp_path / "a", {"session": "a"}) as second:
        first.append(made[:3])
        second.append(made[:5])
        first.append(made[3:])
        assert (first.seq, second.seq) == (7, 5)
        for wrong in ([row(9, {})], [row(7, {})]):
            with pytest.raises(JournalError, match="did not come"):
                first.append(wrong)
    with Mirror(tmp_path / "a", {}) as again, Reader(tmp_path / "a") as reader:
        assert again.seq == 7 and again.chain == reader.raw(6)[0].chain
        assert [one._replace(chain=rows.GENESIS) for one in reader.raw()] == made and reader.verify() is None


def test_a_copy_of_a_log_in_which_two_events_have_one_name_is_refused_and_what_is_no_copy_made_anew(tmp_path):
    with Mirror(tmp_path / "a", {}) as mirror:
        mirror.append([row(1, {}, key="c1")])
        with pytest.raises(JournalError):
            mirror.append([row(2, {}, key="c1")])
        assert mirror.seq == 1
    (tmp_path / "a" / "session.db").write_text("junk")
    with Mirror(tmp_path / "a", {}) as mirror:
        assert mirror.seq == 0
        mirror.append([row(1, {})])
        mirror.start_over()
        assert mirror.seq == 0 and mirror.chain == rows.GENESIS
