"""Scripts on a head node that are really run: by this machine's shell, in a folder of the head's own.

What the machine does not have stands in clusters/stand_ins: runuser, srun, sinfo, squeue, scontrol, hostname. Everything
else is this machine's. It is on only where the server was started with --scripts: who reaches the server can then run
programs here. As root they run as nobody; each has limits of time and size, and ends with its account.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from ..world import world
from .shell import Outcome
from .slurm import Slurm

STAND_INS = Path(__file__).parent / "stand_ins"
# However long a command may take on AWS, no test waits longer.
SECONDS_MAX = 300
FILE_BYTES_MAX = 64 << 20
NOBODY = 65534
HEADS: dict[str, Head] = {}
# The cluster's user, by the beginning of the system's name.
USERS = {"alinux": "ec2-user", "rhel": "ec2-user", "ubuntu": "ubuntu", "rocky": "rocky"}
SINFO, SQUEUE = "%-10R %5D %6t %N", "%8i %9P %8j %8u %9T %9M %5D %R"


@dataclass
class Running:
    """A script that was begun. It is over when the process has ended, for whatever reason."""

    process: subprocess.Popen[bytes]
    out: Path
    err: Path
    end: str = ""  # what ended it, where it did not end by itself: Cancelled or TimedOut

    @property
    def is_over(self) -> bool:
        return self.process.poll() is not None

    def kill(self, why: str) -> None:
        """As the agent does it: the whole process group, at once."""
        if not self.is_over:
            self.end = why
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def outcome(self) -> Outcome:
        text = [path.read_bytes().decode(errors="replace") for path in (self.out, self.err)]
        code = 137 if self.end else self.process.returncode
        return Outcome(code if code >= 0 else 128 - code, *text)


class Head:
    """A head node's folder: the programs of its own, its user's home, what Slurm knows."""

    def __init__(self, system: str):
        self.folder = Path(tempfile.mkdtemp(prefix="emulated-head-"))
        self._begun: list[Running] = []
        shutil.copytree(STAND_INS, self.folder / "bin")
        for name in ("home", "said"):
            (self.folder / name).mkdir()
        user = next((user for begin, user in USERS.items() if system.startswith(begin)), "")
        (self.folder / "user").write_text(user)
        if os.geteuid() == 0:
            self.folder.chmod(0o711)
            for path in (self.folder, self.folder / "home"):
                os.chown(path, NOBODY, NOBODY)

    def begin(self, script: str, seconds: float, slurm: Slurm) -> Running:
        self._tell(slurm)
        said = self.folder / "said" / str(len(self._begun))
        file, out, err = (said.with_suffix(end) for end in (".sh", ".out", ".err"))
        file.write_text(script + "\n")
        identity = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        with out.open("wb") as out_file, err.open("wb") as err_file:
            process = subprocess.Popen(
                ["/bin/sh", file], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out_file, stderr=err_file,
                process_group=0, preexec_fn=_limit,
                env={"PATH": f"{self.folder}/bin:/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}, **identity,
            )  # fmt: skip
        running = Running(process, out, err)
        self._begun.append(running)
        late = threading.Timer(min(seconds, SECONDS_MAX), running.kill, ["TimedOut"])
        late.daemon = True
        late.start()
        return running

    def _tell(self, slurm: Slurm) -> None:
        """What the stand-ins read of the cluster as it is now."""
        lines = []
        for node in slurm.nodes.values():
            state = node.state(world.options.boot, slurm.is_stopped)
            come = {"idle": "0", "idle~": "1", "idle#": "1"}.get(state, "-")
            gpus = node.shape.gres.rpartition(":")[2]
            lines.append(f"{node.name} {node.shape.queue} {node.shape.cpus} {gpus if gpus.isdigit() else 0} {come}\n")
        (self.folder / "nodes").write_text("".join(lines))
        (self.folder / "head").write_text(slurm.head_name + "\n")
        (self.folder / "sinfo").write_text("PARTITION  NODES  STATE NODELIST\n" + _listing(slurm))
        (self.folder / "squeue").write_text("JOBID PARTITION NAME USER STATE TIME NODES NODELIST(REASON)\n"
                                            + slurm.squeue("%i %P %j %u %T %M %D %R"))  # fmt: skip
        up = self.folder / "up"
        up.touch() if slurm.is_up else up.unlink(missing_ok=True)

    def forget(self) -> None:
        for running in self._begun:
            running.kill("Cancelled")
        shutil.rmtree(self.folder, ignore_errors=True)


def _listing(slurm: Slurm) -> str:
    rows = [line.split("|") for line in slurm.sinfo("%P|%t|%N", by_node=False).splitlines()]
    return "".join(f"{queue:10} {names.count(',') + 1:5} {state:>6} {names}\n" for queue, state, names in rows)


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS_MAX, SECONDS_MAX))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES_MAX, FILE_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def of(instance: str, system: str) -> Head:
    if instance not in HEADS:
        HEADS[instance] = Head(system)
    return HEADS[instance]


def forget_all() -> None:
    """Nothing of the heads is left: the account is emptied, or the server ends."""
    while HEADS:
        HEADS.popitem()[1].forget()
