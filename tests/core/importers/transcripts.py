"""Small transcripts in the shapes in which other tools write them; every name and word in them is made up."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

DAY = "2026-03-04T10:"


def jsonl(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def document(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value, indent=1))
    return path


# Claude Code


def claude_row(kind: str, at: str, uuid: str, **more: Any) -> dict[str, Any]:
    base = {"parentUuid": None, "isSidechain": False, "userType": "external", "cwd": "/home/dev/shop"}
    base |= {"sessionId": "s-1", "version": "2.1.12", "gitBranch": "main", "type": kind, "uuid": uuid}
    return base | {"timestamp": f"{DAY}{at}.000Z"} | more


def claude_says(
    at: str, uuid: str, id: str, block: dict[str, Any], usage: dict[str, Any], **more: Any
) -> dict[str, Any]:
    message = {"model": "claude-sonnet-4-5-20250929", "id": id, "type": "message", "role": "assistant"}
    message |= {"content": [block], "stop_reason": None, "usage": usage}
    return claude_row("assistant", at, uuid, message=message, requestId=f"req-{id}", **more)


def claude_result(at: str, uuid: str, use_id: str, text: str, extra: Any = None, **more: Any) -> dict[str, Any]:
    block: dict[str, Any] = {"tool_use_id": use_id, "type": "tool_result", "content": text}
    block |= {"is_error": True} if more.pop("error", False) else {}
    message = {"role": "user", "content": [block]}
    return claude_row("user", at, uuid, message=message, toolUseResult=extra or text, **more)


def usage(fresh: int, read: int, written: int, output: int) -> dict[str, Any]:
    return {
        "input_tokens": fresh,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
        "cache_creation": {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": output,
        "service_tier": "standard",
    }


def tool(id: str, name: str, **given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": id, "name": name, "input": given}


def claude_rows() -> list[dict[str, Any]]:
    """Two replies of three rows (results between them), an edit, a failed command, a subagent, a compaction."""
    first, second = usage(10, 0, 9_000, 120), usage(4, 9_000, 600, 80)
    patch = {
        "oldStart": 3,
        "oldLines": 2,
        "newStart": 3,
        "newLines": 3,
        "lines": [" def total():", "-    pass", "+    x = 1", "+    return x"],
    }
    edit = {"filePath": "/home/dev/shop/cart.py", "oldString": "pass", "newString": "x = 1", "structuredPatch": [patch]}
    side = {"isSidechain": True, "agentId": "a1b2"}
    return [
        {"type": "summary", "summary": "Mending the cart", "leafUuid": "u9"},
        claude_row("file-history-snapshot", "00:00", "f1", messageId="m", snapshot={}),
        claude_row("user", "00:01", "u1", message={"role": "user", "content": "Mend the cart's total"}),
        claude_says("00:05", "a1", "m1", {"type": "thinking", "thinking": "Where is it?", "signature": "x"}, first),
        claude_says("00:06", "a2", "m1", tool("t1", "Read", file_path="/home/dev/shop/cart.py"), first),
        claude_result(
            "00:07", "r1", "t1", "1\tdef total():", {"type": "text", "file": {"filePath": "/home/dev/shop/cart.py"}}
        ),
        claude_says("00:08", "a3", "m1", tool("t2", "Bash", command="pytest -q", description="Run"), first),
        claude_result("00:12", "r2", "t2", "Exit code 2\n1 failed", "Error: Exit code 2", error=True),
        claude_row("progress", "00:12", "p1", data={"type": "hook_progress"}),
        claude_says("00:15", "a4", "m2", {"type": "text", "text": "I will mend it."}, second),
        claude_says(
            "00:16",
            "a5",
            "m2",
            tool("t3", "Edit", file_path="/home/dev/shop/cart.py", old_string="pass", new_string="x = 1"),
            second,
        ),
        claude_result("00:17", "r3", "t3", "The file has been updated.", edit),
        claude_says(
            "00:20", "a6", "m3", tool("t4", "Task", description="look", prompt="Look around"), usage(2, 9_600, 90, 30)
        ),
        claude_row("user", "00:21", "s1", message={"role": "user", "content": "Look around"}, **side),
        claude_says("00:22", "s2", "sm1", tool("st1", "Grep", pattern="total"), usage(3, 0, 2_000, 15), **side),
        claude_result("00:23", "s3", "st1", "cart.py:3", **side),
        claude_says("00:24", "s4", "sm2", {"type": "text", "text": "It is in cart.py"}, usage(3, 2_000, 40, 9), **side),
        claude_result("00:25", "r4", "t4", "It is in cart.py", {"totalDurationMs": 4_000}),
        claude_row(
            "system",
            "00:30",
            "c1",
            subtype="compact_boundary",
            content="Conversation compacted",
            compactMetadata={"trigger": "auto", "preTokens": 9_812},
        ),
        claude_row(
            "user",
            "00:31",
            "c2",
            isCompactSummary=True,
            message={"role": "user", "content": "Until now the cart was mended."},
        ),
        claude_says("00:40", "a7", "m4", {"type": "text", "text": "Done."}, usage(5, 0, 3_000, 6)),
    ]


# Codex


def codex_row(at: str, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {"timestamp": f"{DAY}{at}.000Z", "type": kind, "payload": payload}


def codex_counted(at: str, total: int, last: tuple[int, int, int]) -> dict[str, Any]:
    sent, cached, output = last
    told = {"input_tokens": sent, "cached_input_tokens": cached, "output_tokens": output, "total_tokens": sent + output}
    info = {
        "total_token_usage": told | {"total_tokens": total},
        "last_token_usage": told,
        "model_context_window": 272_000,
    }
    return codex_row(at, "event_msg", {"type": "token_count", "info": info, "rate_limits": None})


PATCH = """*** Begin Patch
*** Update File: cart.py
@@
-    pass
+    return 1
*** Add File: new.py
+one
+two
*** End Patch"""


def codex_rows() -> list[dict[str, Any]]:
    call = {"type": "function_call", "name": "exec_command", "call_id": "c1", "arguments": '{"cmd":"pytest -q"}'}
    answer = "Chunk ID: 1\nWall time: 0.5 seconds\nProcess exited with code 1\nOutput:\n1 failed\n"
    plan = {"plan": [{"step": "look", "status": "completed"}, {"step": "mend", "status": "in_progress"}]}
    return [
        codex_row(
            "00:00",
            "session_meta",
            {"id": "cx-1", "cwd": "/home/dev/shop", "cli_version": "0.99", "model_provider": "openai"},
        ),
        codex_row("00:01", "turn_context", {"cwd": "/home/dev/shop", "model": "gpt-5-codex"}),
        codex_row(
            "00:01",
            "response_item",
            {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "<environment_context>x</environment_context>"}],
            },
        ),
        codex_row(
            "00:02",
            "response_item",
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Mend the cart"}]},
        ),
        codex_row("00:02", "event_msg", {"type": "user_message", "message": "Mend the cart"}),
        codex_row(
            "00:04",
            "response_item",
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Looking"}], "encrypted_content": "zz"},
        ),
        codex_row("00:05", "response_item", call),
        codex_counted("00:05", 1_100, (1_000, 200, 100)),
        codex_row("00:06", "response_item", {"type": "function_call_output", "call_id": "c1", "output": answer}),
        codex_row(
            "00:08",
            "response_item",
            {"type": "custom_tool_call", "name": "apply_patch", "call_id": "c2", "input": PATCH},
        ),
        codex_row(
            "00:08",
            "response_item",
            {"type": "function_call", "name": "update_plan", "call_id": "c3", "arguments": json.dumps(plan)},
        ),
        codex_row(
            "00:09",
            "response_item",
            {
                "type": "custom_tool_call_output",
                "call_id": "c2",
                "output": '{"output":"Success","metadata":{"exit_code":0,"duration_seconds":0.1}}',
            },
        ),
        codex_row(
            "00:09", "response_item", {"type": "function_call_output", "call_id": "c3", "output": "Plan updated"}
        ),
        codex_counted("00:09", 2_500, (1_300, 1_000, 100)),
        codex_row("00:10", "compacted", {"message": "Until now: mended."}),
        codex_row("00:11", "response_item", {"type": "ghost_snapshot", "ghost_commit": {"id": "1"}}),
        codex_row(
            "00:12",
            "response_item",
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Done."}]},
        ),
        codex_counted("00:12", 2_900, (350, 0, 50)),
    ]


# mini-swe-agent and SWE-agent


def mini_document(*, priced: bool = True) -> dict[str, Any]:
    def says(text: str, command: str, at: float) -> dict[str, Any]:
        response = {
            "id": f"r{at}",
            "model": "claude-sonnet-4-5-20250929",
            "usage": {"prompt_tokens": 900, "completion_tokens": 40, "prompt_tokens_details": {"cached_tokens": 500}},
        }
        extra = (
            {"actions": [{"command": command}], "response": response, "cost": 0.0125, "timestamp": at} if priced else {}
        )
        return {
            "role": "assistant",
            "content": f"THOUGHT: {text}\n```mswea_bash_command\n{command}\n```",
            "extra": extra,
        }

    def saw(code: int, output: str, at: float) -> dict[str, Any]:
        extra = {"returncode": code, "raw_output": output, "timestamp": at} if priced else {}
        return {
            "role": "user",
            "content": f"<returncode>{code}</returncode>\n<output>\n{output}\n</output>",
            "extra": extra,
        }

    return {
        "trajectory_format": "mini-swe-agent-1.1",
        "info": {
            "mini_version": "2.0.0",
            "exit_status": "Submitted",
            "submission": "diff --git a b\n+x\n",
            "model_stats": {"instance_cost": 0.025, "api_calls": 2},
            "config": {
                "model": {"model_name": "anthropic/claude-sonnet-4-5-20250929"},
                "environment": {"cwd": "/testbed"},
            },
        },
        "messages": [
            {"role": "system", "content": "You are helpful."},
            {"role": "user", "content": "Mend the cart"},
            says("look", "ls", 1_772_618_400.0),
            saw(0, "cart.py", 1_772_618_401.5),
            says("run", "pytest", 1_772_618_410.0),
            saw(1, "1 failed", 1_772_618_412.0),
            {"role": "exit", "content": "", "extra": {"exit_status": "Submitted"}},
        ],
    }


def swe_document() -> dict[str, Any]:
    steps = [
        {
            "action": "ls",
            "observation": "cart.py",
            "response": "Let me look.\nls",
            "thought": "Let me look.",
            "execution_time": 0.25,
            "state": {},
        },
        {
            "action": "submit",
            "observation": "",
            "response": "submit",
            "thought": "Done.",
            "execution_time": 1.5,
            "state": {},
        },
    ]
    return {
        "trajectory": steps,
        "history": [
            {"role": "system", "content": "You are an agent.", "agent": "main"},
            {"role": "user", "content": "A demonstration", "is_demo": True, "agent": "main"},
            {"role": "user", "content": [{"type": "text", "text": "Mend the cart"}], "agent": "main"},
        ],
        "info": {
            "exit_status": "submitted",
            "submission": "diff",
            "model_stats": {"instance_cost": 0.75, "tokens_sent": 12_000, "tokens_received": 300, "api_calls": 2},
        },
        "environment": "shop__cart-12",
        "replay_config": '{"agent": {"model": {"name": "gpt-4o", "temperature": 0.0}}}',
    }


# OpenHands


def openhands_sdk() -> list[dict[str, Any]]:
    def event(kind: str, at: str, source: str, **more: Any) -> dict[str, Any]:
        return {"kind": kind, "id": f"e{at}", "timestamp": f"{DAY}{at}.000000", "source": source} | more

    words = [{"type": "text", "text": "Let me look"}]
    call = {"id": "c1", "name": "terminal", "arguments": '{"command": "pytest"}', "origin": "completion"}
    edit = {
        "id": "c2",
        "name": "file_editor",
        "arguments": '{"command":"str_replace","path":"/w/cart.py","old_str":"a\\n","new_str":"b\\nc\\n"}',
    }
    return [
        event("SystemPromptEvent", "00:00", "agent", system_prompt={"type": "text", "text": "x"}, tools=[]),
        event(
            "MessageEvent",
            "00:01",
            "user",
            llm_message={"role": "user", "content": [{"type": "text", "text": "Mend the cart"}]},
        ),
        event(
            "ActionEvent",
            "00:03",
            "agent",
            thought=words,
            reasoning_content="hm",
            action={"kind": "TerminalAction", "command": "pytest"},
            tool_name="terminal",
            tool_call_id="c1",
            tool_call=call,
            llm_response_id="resp-1",
        ),
        event(
            "ActionEvent",
            "00:04",
            "agent",
            thought=[],
            action={"kind": "FileEditorAction"},
            tool_name="file_editor",
            tool_call_id="c2",
            tool_call=edit,
            llm_response_id="resp-1",
        ),
        event(
            "ObservationEvent",
            "00:05",
            "environment",
            observation={
                "kind": "TerminalObservation",
                "content": [{"type": "text", "text": "1 failed"}],
                "exit_code": 1,
                "is_error": False,
            },
            action_id="e00:03",
            tool_name="terminal",
            tool_call_id="c1",
        ),
        event(
            "ObservationEvent",
            "00:06",
            "environment",
            observation={
                "kind": "FileEditorObservation",
                "content": [{"type": "text", "text": "edited"}],
                "is_error": False,
            },
            action_id="e00:04",
            tool_name="file_editor",
            tool_call_id="c2",
        ),
        event(
            "Condensation",
            "00:07",
            "environment",
            forgotten_event_ids=["e00:03"],
            summary="Looked.",
            llm_response_id="resp-2",
        ),
        event("PauseEvent", "00:08", "user"),
        event(
            "MessageEvent",
            "00:09",
            "agent",
            llm_message={"role": "assistant", "content": [{"type": "text", "text": "Done."}]},
            llm_response_id="resp-3",
        ),
    ]


def openhands_legacy() -> list[dict[str, Any]]:
    response = {
        "id": "resp-1",
        "model": "gpt-4o-2024-08-06",
        "usage": {"prompt_tokens": 800, "completion_tokens": 20, "prompt_tokens_details": {"cached_tokens": 300}},
    }
    called = {
        "function_name": "execute_bash",
        "tool_call_id": "c1",
        "model_response": response,
        "total_calls_in_response": 1,
    }
    at = f"{DAY}00:0"
    return [
        {"id": 0, "timestamp": f"{at}0.1", "source": "agent", "action": "system", "args": {"content": "prompt"}},
        {
            "id": 1,
            "timestamp": f"{at}1.1",
            "source": "user",
            "message": "Mend",
            "action": "message",
            "args": {"content": "Mend the cart"},
        },
        {
            "id": 2,
            "timestamp": f"{at}3.1",
            "source": "agent",
            "message": "Running",
            "action": "run",
            "args": {"command": "pytest", "thought": "Let me run", "is_confirmed": "confirmed"},
            "tool_call_metadata": called,
            "llm_metrics": {"accumulated_cost": 0.02},
        },
        {
            "id": 3,
            "timestamp": f"{at}5.1",
            "source": "agent",
            "cause": 2,
            "observation": "run",
            "content": "1 failed",
            "extras": {"command": "pytest", "metadata": {"exit_code": 1}},
            "success": False,
        },
        {
            "id": 4,
            "timestamp": f"{at}6.1",
            "source": "agent",
            "action": "finish",
            "args": {"final_thought": "Done.", "outputs": {}},
            "llm_metrics": {"accumulated_cost": 0.05},
        },
        {
            "id": 5,
            "timestamp": f"{at}7.1",
            "source": "environment",
            "observation": "agent_state_changed",
            "content": "",
            "extras": {"agent_state": "finished"},
        },
    ]


# Inspect


def inspect_sample(id: int = 1) -> dict[str, Any]:
    def says(text: str, calls: list[dict[str, Any]]) -> dict[str, Any]:
        message = {
            "role": "assistant",
            "content": text,
            "tool_calls": calls or None,
            "source": "generate",
            "model": "claude-sonnet-4-5-20250929",
        }
        used = {
            "input_tokens": 12,
            "output_tokens": 30,
            "total_tokens": 1_042,
            "input_tokens_cache_read": 1_000,
            "input_tokens_cache_write": 0,
        }
        return {
            "model": "claude-sonnet-4-5-20250929",
            "choices": [{"message": message, "stop_reason": "tool_calls" if calls else "stop"}],
            "usage": used,
        }

    call = {"id": "c1", "function": "bash", "arguments": {"cmd": "ls"}, "type": "function"}
    return {
        "id": id,
        "epoch": 1,
        "uuid": f"uu{id}",
        "input": "Mend the cart",
        "target": "x",
        "messages": [],
        "attachments": {"abc": "a long output"},
        "scores": {"includes": {"value": "C", "answer": "x"}},
        "events": [
            {"event": "sample_init", "timestamp": f"{DAY}00:00+00:00", "sample": {}},
            {
                "event": "model",
                "timestamp": f"{DAY}00:01+00:00",
                "completed": f"{DAY}00:03+00:00",
                "model": "anthropic/claude-sonnet-4-5-20250929",
                "input": [],
                "output": says("Let me look", [call]),
                "working_time": 2.0,
            },
            {
                "event": "tool",
                "type": "function",
                "timestamp": f"{DAY}00:03+00:00",
                "completed": f"{DAY}00:04+00:00",
                "id": "c1",
                "function": "bash",
                "arguments": {"cmd": "ls"},
                "result": "attachment://abc",
                "error": None,
                "working_time": 0.5,
            },
            {"event": "info", "timestamp": f"{DAY}00:05+00:00", "data": "noted"},
            {
                "event": "model",
                "timestamp": f"{DAY}00:05+00:00",
                "completed": f"{DAY}00:06+00:00",
                "model": "anthropic/claude-sonnet-4-5-20250929",
                "input": [],
                "output": says("Done.", []),
            },
        ],
    }


def inspect_log() -> dict[str, Any]:
    head = {
        "task": "shop",
        "task_id": "t",
        "run_id": "r",
        "created": f"{DAY}00:00+00:00",
        "model": "anthropic/claude-sonnet-4-5-20250929",
        "packages": {"inspect_ai": "0.3.100"},
    }
    return {
        "version": 2,
        "status": "success",
        "eval": head,
        "plan": {},
        "results": {},
        "stats": {},
        "samples": [inspect_sample(1), inspect_sample(2)],
    }


def inspect_archive(path: Path) -> Path:
    log = inspect_log()
    samples = log.pop("samples")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", json.dumps(log))
        for sample in samples:
            archive.writestr(f"samples/{sample['id']}_epoch_1.json", json.dumps(sample))
        archive.writestr("../../outside.json", "{}")
    return path


def every_kind(folder: Path) -> dict[str, Path]:
    """One file of each kind."""
    return {
        "claude-code": jsonl(folder / "claude.jsonl", claude_rows()),
        "codex": jsonl(folder / "rollout.jsonl", codex_rows()),
        "mini-swe-agent": document(folder / "mini.traj.json", mini_document()),
        "swe-agent": document(folder / "swe.traj", swe_document()),
        "openhands": jsonl(folder / "events.jsonl", openhands_sdk()),
        "openhands-legacy": document(folder / "trajectory.json", openhands_legacy()),
        "inspect": document(folder / "log.json", inspect_log()),
        "inspect-zip": inspect_archive(folder / "log.eval"),
    }
