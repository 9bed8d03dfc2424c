"""What events say, as entries of the history: the words of a piece as they are sent, a compression, its undoing."""

from __future__ import annotations

from typing import Any

from core.events import (
    ContextCompressed,
    ContextRestored,
    Event,
    GuidanceDelivered,
    MediaShown,
    ModelResponded,
    ModelSwitched,
    SessionOpened,
    ToolFinished,
)
from core.request.pieces import Compression, Entry, Piece, Restoration, Switch, encode_block, text_block
from core.request.quoting import tame, tame_line


def entry_of(event: Event) -> Entry | None:
    """The entry that one event makes; None for a result, which stands beside the others of its reply, and the rest."""
    seq = event.seq
    match event.body:
        case SessionOpened() as body:
            return Piece(seq, "user", "pinned", (text_block(task_text(body)),))
        case GuidanceDelivered() as body:
            return Piece(seq, "user", "pinned" if body.standing else "text", (text_block(guidance_text(body)),))
        case ModelResponded() as body:
            return Piece(seq, "assistant", "text", tuple(map(encode_block, body.content)))
        case ContextCompressed() as body:
            return compression_of(seq, body)
        case ContextRestored() as body:
            return Restoration(seq, body.seq)
        case ModelSwitched():
            return Switch(seq)
        case _:
            return None


def compression_of(seq: int, body: ContextCompressed) -> Compression:
    """A compression event as the history takes it in."""
    return Compression(
        seq=seq,
        held=tuple(Piece(held.seq, "user", "pinned", (text_block(held.text),)) for held in body.held),
        released=frozenset(body.released),
        ledger=_own(seq, "digest", body.ledger),
        digest=_own(seq, "digest", body.digest),
        keep_from=body.keep_from,
        anchors=frozenset(body.anchors),
        stubs={stub.seq: stub.text for stub in body.masked},
    )


def results_of(owners: tuple[int, ...], blocks: tuple[bytes, ...]) -> Piece:
    """The results of one reply, in the order of its calls; they count as said when the last one has come."""
    return Piece(max(owners), "user", "results", blocks, owners)


def _own(seq: int, part: str, text: str) -> Piece | None:
    """A block of the head, None when it would be empty."""
    return Piece(seq, "user", part, (text_block(text),)) if text else None


_TAGS = {
    "user": ("guidance", ""),
    "notice": ("notice", ""),
    "guard": ("nudge", ' automatic="true"'),
    "anchor": ("reminder", ' automatic="true"'),
}


def task_text(opened: SessionOpened) -> str:
    """The first words of the first message."""
    place = f"The workspace is {opened.told_workspace or opened.workspace}; all paths are relative to it."
    tests = opened.settings.get("test_command")
    told = f"{place} Its tests are run with: {tests}" if tests else place
    files = [_file_text(it) for it in opened.settings.get("instructions") or ()]
    return "\n\n".join((f"<task>\n{opened.task.strip()}\n</task>", told, *files))


def _file_text(file: dict[str, str]) -> str:
    """An instruction file of the workspace, which can't pose as anything of ours."""
    return f'<workspace-file path="{tame_line(file["path"], 200)}">\n{tame(file["text"])}\n</workspace-file>'


def guidance_text(body: GuidanceDelivered) -> str:
    """A block that says whose words these are."""
    if body.source == "memory":
        return body.text
    tag, attribute = _TAGS[body.source]
    attribute += ' standing="true"' if body.standing else ""
    return f"<{tag}{attribute}>\n{body.text}\n</{tag}>"


def media_block(media: MediaShown) -> dict[str, Any]:
    """An image or a document by the name of its bytes, for which the wire puts them in (`core.models.illustrated`)."""
    source = {"type": "base64", "media_type": media.media_type, "data": f"blob:{media.blob}"}
    return {"type": media.kind, "source": source}


def result_block(body: ToolFinished) -> bytes:
    """The tool_result of a call."""
    content: Any = body.content
    if body.media:
        content = [{"type": "text", "text": body.content}, *map(media_block, body.media)]
    block: dict[str, Any] = {"type": "tool_result", "tool_use_id": body.use_id, "content": content}
    if not body.ok:
        block["is_error"] = True
    return encode_block(block)
