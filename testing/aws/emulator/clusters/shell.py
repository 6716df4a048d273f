"""The commands on a head node that a script may use, one line after the other.

It is no shell: it knows echo, the few commands of Slurm that are asked over SSM, and how they are
chained with newlines, `;`, `&&` and `||`. Other scripts are the business of head_shell.py.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Any

from .slurm import Slurm

NOT_FOUND = 127
CHAIN = ("&&", "||", ";", "&")
IGNORED = ("set", "export", "true", ":", "cd", "sync")
REDIRECTIONS = re.compile(r"\s*(?:[12]?>>?\s*(?:/dev/null|&[12]))")
# Answers that a test has registered: a pattern of the whole script or of one command, and what comes of it.
ANSWERS: list[dict[str, Any]] = []


@dataclass
class Outcome:
    code: int = 0
    output: str = ""
    error: str = ""


def run(script: str, slurm: Slurm) -> Outcome:
    """What a script prints, and its exit code: that of the last command that ran."""
    registered = _registered(script)
    if registered:
        return registered
    outcome = Outcome()
    stops_at_failure = False
    for line in script.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        for chained, command in _commands(line):
            if (chained == "&&" and outcome.code) or (chained == "||" and not outcome.code):
                continue
            if command[:1] == ["set"] and any("e" in flag for flag in command[1:] if flag.startswith("-")):
                stops_at_failure = True
            if command[:1] == ["exit"]:
                outcome.code = int(command[1]) if len(command) > 1 else outcome.code
                return outcome
            part = one(command, slurm)
            outcome.code = part.code
            outcome.output += part.output
            outcome.error += part.error
        if stops_at_failure and outcome.code:
            break
    return outcome


def knows(script: str) -> bool:
    """Whether every command of a script is one of these, or has an answer that a test has registered."""
    if _answer(script):
        return True
    try:
        lines = [line for line in script.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        return all(_is_known(words) for line in lines for _, words in _commands(line))
    except ValueError:  # a quote that another line closes
        return False


def _is_known(words: list[str]) -> bool:
    name = words[0].rsplit("/", 1)[-1]
    known = (*IGNORED, "echo", "exit", "sinfo", "squeue")
    return name in known or words[1:] == ["ping"] and name == "scontrol" or _answer(" ".join(words)) is not None


def _commands(line: str) -> list[tuple[str, list[str]]]:
    lexer = shlex.shlex(REDIRECTIONS.sub("", line), posix=True, punctuation_chars=";&|")
    lexer.whitespace_split = True
    found: list[tuple[str, list[str]]] = [("", [])]
    for word in lexer:
        if word in CHAIN:
            found.append((word, []))
        else:
            found[-1][1].append(word)
    return [(chained, words) for chained, words in found if words]


def one(words: list[str], slurm: Slurm) -> Outcome:
    if registered := _registered(" ".join(words)):
        return registered
    if words[0] in ("sudo", "exec", "env", "command"):
        return one(words[1:], slurm)
    name, rest = words[0].rsplit("/", 1)[-1], words[1:]
    if name == "echo":
        end = "" if rest[:1] == ["-n"] else "\n"
        return Outcome(output=" ".join(rest[1:] if end == "" else rest) + end)
    if name in IGNORED:
        return Outcome()
    if name == "scontrol" and rest == ["ping"]:
        code, text = slurm.ping()
        return Outcome(code, text)
    if name in ("sinfo", "squeue"):
        return _listing(name, rest, slurm)
    return Outcome(NOT_FOUND, error=f"sh: 1: {words[0]}: not found\n")


def _listing(name: str, rest: list[str], slurm: Slurm) -> Outcome:
    if not slurm.is_up:
        return Outcome(1, error="slurm_load_partitions: Unable to contact slurm controller (connect failure)\n")
    flags = [word for word in rest if word.startswith("-") and word != "-o"]
    by_node = name == "sinfo" and "-N" in flags
    if "-o" not in rest or set(flags) - ({"-N"} if by_node else set()) != {"-a", "-h"}:
        return Outcome(1, error=f"{name}: this emulator knows only -a -h [-N] -o LAYOUT\n")
    layout = rest[rest.index("-o") + 1]
    return Outcome(output=slurm.sinfo(layout, by_node) if name == "sinfo" else slurm.squeue(layout))


def _registered(text: str) -> Outcome | None:
    rule = _answer(text)
    if rule is None:
        return None
    if rule.get("times"):
        rule["times"] -= 1
    return Outcome(int(rule.get("code", 0)), rule.get("output", ""), rule.get("error", ""))


def _answer(text: str) -> dict[str, Any] | None:
    return next((rule for rule in ANSWERS if rule.get("times") != 0 and re.search(rule["pattern"], text)), None)
