"""Before the context is compressed: its price, what it saves, what leaves, what stays; and the digest, to be edited."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Static, TextArea

from core.folds.view import Changes
from core.protocols import Preview
from core.request.fidelity import Fact
from tui.docks.compress_lines import LABEL, as_edited, change_note, check_line, compact, roomy
from tui.docks.dock import Keys, title_line
from tui.docks.previewing import Ask, Previewed, PreviewFailed, Previewing
from tui.frame import FramePump, stands
from tui.messages import ControlGiven, DockClosed
from tui.panes import figures
from tui.safe import safe_text
from tui.widgets.line import Line
from tui.widgets.live_label import LiveLabel
from tui.widgets.writing import Writing

WIDE = 110
"""Cells of the terminal from which the digest stands beside the facts."""
USUAL, TALL = 24, 32
"""Rows of the terminal from which the dock has its usual height, and from which it has more."""

Surviving = Callable[[Sequence[Fact], str], tuple[Sequence[Fact], Sequence[Fact]]]
"""Which facts a text still holds, and which it has lost."""


class PreviewSheet(Static):
    """The facts of a preview, as wide and, where there is room, as high as its place."""

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self._shown: tuple[Preview, Sequence[Fact]] | None = None

    def show(self, preview: Preview, lost: Sequence[Fact]) -> None:
        """Show this preview, whose digest, as it is edited, has `lost` so much."""
        self._shown = (preview, lost)
        self.on_resize()

    def on_resize(self) -> None:
        width, rows = self.size
        if self._shown is not None and width:
            preview, lost = self._shown
            wide = self.app.size.width >= WIDE
            lines = roomy(preview, lost, width, rows) if wide else compact(preview, width)
            self.update(Content("\n").join(lines), layout=not wide)


class CompressDock(Previewing, can_focus=True):
    """Opens at once, is filled when the preview is there, and does nothing before `a` is pressed."""

    TITLE = "Compress the context"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "apply", show=False),
        Binding("e", "edit", show=False),
        Binding("i", "instruct", show=False),
        Binding("l", "add_lost", show=False),
        Binding("up,k", "scroll_digest(-1)", show=False),
        Binding("down,j", "scroll_digest(1)", show=False),
        Binding("pageup", "scroll_digest(-8)", show=False),
        Binding("pagedown", "scroll_digest(8)", show=False),
    ]

    DEFAULT_CSS = """
    CompressDock { max-height: 67vh; }
    CompressDock.-ready { height: 16; }
    CompressDock.-ready.-tall { height: 54vh; }
    CompressDock.-ready.-short { height: 66vh; }
    CompressDock #preview, CompressDock #instruction { display: none; }
    CompressDock.-ready #preview { display: block; }
    CompressDock.-ready #instruction { display: block; }
    CompressDock.-ready #waiting { display: none; }
    CompressDock #preview { height: 1fr; layout: vertical; }
    CompressDock PreviewSheet { height: auto; }
    CompressDock.-editing PreviewSheet { display: none; }
    CompressDock #digest { height: 1fr; }
    CompressDock Writing {
        padding: 0 0 0 1; scrollbar-size-vertical: 1; scrollbar-color: $faint; scrollbar-color-hover: $muted;
        scrollbar-background: $surface;
    }
    CompressDock #instruction { height: 1; }
    CompressDock #instruction LiveLabel { width: 12; }
    CompressDock.-wide #preview { layout: horizontal; }
    CompressDock.-wide PreviewSheet { display: block; width: 2fr; height: 1fr; margin-right: 3; }
    CompressDock.-wide #digest { width: 3fr; }
    """

    def __init__(self, ask: Ask, surviving: Surviving, looking_at: int | None = None) -> None:
        """`looking_at`: the event that the screen shows, where that is not now."""
        super().__init__()
        self._heading = f"Compress as it is now, not as of #{looking_at:,}" if looking_at else self.TITLE
        self._ask, self._surviving = ask, surviving
        self._preview: Preview | None = None
        self._asked = self._instruction = ""
        self._unedited = ""
        self._lost: Sequence[Fact] = ()
        self._warned = False

    def body(self) -> ComposeResult:
        yield LiveLabel(Content.styled("computing what it would do…", "$muted"), id="waiting")
        with Container(id="preview"):
            yield PreviewSheet()
            with Vertical(id="digest"):
                yield LiveLabel(classes="digest--check")
                yield LiveLabel(classes="digest--title")
                yield Writing()
        with Horizontal(id="instruction"):
            yield LiveLabel(Content.styled("instruction", "$muted"))
            yield Line(placeholder="e.g. keep everything on auth")

    def on_mount(self) -> None:
        self._pump: FramePump[Changes] = FramePump(lambda _changes: self._check(), here=lambda: stands(self))
        self._title("")
        self.compute(self._ask)

    def on_unmount(self) -> None:
        self._pump.stop()

    def on_resize(self) -> None:
        self.set_class(self.app.size.width >= WIDE, "-wide")
        self.set_class(self.app.size.height >= TALL, "-tall")
        self.set_class(self.app.size.height < USUAL, "-short")

    # The preview

    def on_previewed(self, message: Previewed) -> None:
        message.stop()
        if message.instruction != self._asked:
            return
        preview = message.preview
        if preview.problem:
            self._say_instead(preview.problem)
            return
        self._preview, self._instruction = preview, message.instruction
        area = self.query_one(Writing)
        area.load_text(safe_text(preview.digest))
        self._unedited, self._warned = area.text, False
        self.add_class("-ready")
        self.shown_anew()
        self._check()

    def on_preview_failed(self, message: PreviewFailed) -> None:
        message.stop()
        self._say_instead(message.reason)

    def _say_instead(self, sentence: str) -> None:
        """In place of a preview; where there was one, it is not to be applied any more."""
        self._preview = None
        self.remove_class("-ready")
        self.query_one("#waiting", LiveLabel).update(Content.styled(safe_text(sentence), "$warning"))
        self.show_keys()
        self.focus()

    @on(TextArea.Changed)
    def _digest_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self._warned = False
        self._pump.mark(Changes.CONTEXT)

    def _check(self) -> None:
        """Look the facts up in what would be sent with the digest as it is now."""
        if self._preview is None:
            return
        digest = self.query_one(Writing).text
        shown = as_edited(self._preview, self._unedited, digest)
        self._lost = self._surviving(shown.facts, f"{shown.rest}\n{digest}")[1]
        self._title(change_note(shown))
        self.query_one(PreviewSheet).show(shown, self._lost)
        self.query_one(".digest--check", LiveLabel).update(check_line(shown, self._lost))
        self.query_one(".digest--title", LiveLabel).update(self._digest_title())
        self.show_keys()

    # What it says

    @property
    def edited(self) -> bool:
        """Whether the digest is no longer the one that was computed."""
        return self._preview is not None and self.query_one(Writing).text != self._unedited

    def _title(self, note: str, style: str = "$muted") -> None:
        title = title_line(self._heading) + Content.styled(f"   {safe_text(note)}", style)
        self.query_one(".dock--title", LiveLabel).update(title)

    def _digest_title(self) -> Content:
        lines = figures.plural(self.query_one(Writing).document.line_count, "line")
        edited = ("  edited", "bold $accent") if self.edited else ""
        return Content.assemble(("digest".ljust(LABEL), "$muted"), f"takes the place of what leaves · {lines}", edited)

    def keys(self) -> Keys:
        if not self.is_mounted:
            return self.KEYS
        if self.query_one(Writing).has_focus:
            return [("esc", "done editing"), ("^z", "take back"), ("^y", "do again")]
        if self.query_one(Line).has_focus:
            return [("enter", "compute it so"), ("esc", "back")]
        if self._preview is None:
            return [("esc", "close")]
        lost = [("l", "add the lost")] if self._lost else []
        return [("a", "apply"), ("e", "edit"), *lost, ("i", "instruct"), ("esc", "close")]

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self._focus_moved()

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        self._focus_moved()

    def _focus_moved(self) -> None:
        self.set_class(self.query_one(Writing).has_focus, "-editing")
        if self._preview is not None:
            self._title(change_note(as_edited(self._preview, self._unedited, self.query_one(Writing).text)))
        self.show_keys()

    # What the keys do

    def key_enter(self) -> None:
        """Enter is deliberately nothing here: a costly action needs its own key."""

    def action_edit(self) -> None:
        """Into the digest."""
        if self._preview is not None:
            self.query_one(Writing).focus()

    def action_instruct(self) -> None:
        """Into the line that says what the digest is to mind."""
        if self._preview is not None:
            self.query_one(Line).focus()

    def action_add_lost(self) -> None:
        """Write what the digest lacks at its end."""
        area = self.query_one(Writing)
        if self._preview is not None and self._lost:
            added = "".join(f"\n{fact.name}: {safe_text(fact.text)}" for fact in self._lost)
            area.insert(added, area.document.end)
            area.scroll_end(animate=False)
            self._check()

    def action_scroll_digest(self, lines: int) -> None:
        self.query_one(Writing).scroll_relative(y=lines, animate=False)

    @on(Input.Submitted)
    def _instructed(self, event: Input.Submitted) -> None:
        """Enter in the line of the instruction: compute anew."""
        event.stop()
        if self._would_lose_edits("enter again makes the digest anew without your edits"):
            return
        self._asked, self._preview = event.value.strip(), None
        self._title("computing…")
        self.focus()
        self.compute(self._ask, self._asked)

    def _would_lose_edits(self, warning: str) -> bool:
        """Warn, once, where edits would be lost."""
        warn = self.edited and not self._warned
        if warn:
            self._warned = True
            self._title(warning, "$warning")
        return warn

    def action_close(self) -> None:
        """Out of the digest or the instruction; from there out of the dock."""
        if self.has_focus_within and not self.has_focus:
            self.focus()
        elif not self._would_lose_edits("esc again throws your edits away"):
            super().action_close()

    def action_apply(self) -> None:
        """Compress as it is shown."""
        preview = self._preview
        if preview is None or self.too_early():
            return
        if self.query_one(Line).value.strip() != self._instruction:
            self._title("the instruction is not in it yet: i, then enter computes it", "$warning")
            return
        args: dict[str, Any] = {"instruction": self._instruction}
        if self.edited:
            args |= {"digest": self.query_one(Writing).text, "keep_from": preview.keep_from}
        self.post_message(ControlGiven("compress", args, preview.head))
        self.post_message(DockClosed())
