"""Commands on the head of a cluster, and its logs: nothing but Systems Manager and CloudWatch, and codes of their own."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lives.program import Run
from lives.support import LivesTest, example

AWKWARD = ["a  b", "it's", '"', "$HOME", "`id`", "x\ny", "", "\\", "*", "{{ssm:x}}", "ä", "-n"]
OURS = 125


class Head(LivesTest):
    """One life of the CPU example, with commands and logs in it."""

    def test_commands_and_logs_of_a_cluster_on_aws(self) -> None:
        self.write(example("cpu"))
        self.up()
        with self.subTest("on nodes, and on the head"):
            self.assertEqual(self.run_there("-N", "1", "--", "hostname").out, "cpu-st-c5-1\n")
            self.assertEqual(len(set(self.run_there("-N", "3", "--", "hostname").out.splitlines())), 3)
            tasks = self.run_there("-n", "4", "-q", "cpu", "--", "sh", "-c", "echo $SLURM_PROCID of $SLURM_NTASKS")
            self.assertEqual(sorted(tasks.out.splitlines()), [f"{number} of 4" for number in range(4)])
            head = self.status()["cloud"]["instances"]
            name = next(one["private_dns"].split(".")[0] for one in head if "HeadNode" in one["tags"].values())
            self.assertEqual(self.run_there("--", "hostname").out, f"{name}\n")
            # The example's system is Ubuntu.
            self.assertEqual(self.run_there("--", "sh", "-c", "echo $USER").out, "ubuntu\n")
            self.assertIn("cpu-st-c5-1", self.run_there("--", "sinfo").out)
        with self.subTest("words arrive as they are"):
            said = self.run_there("--", "printf", "[%s]\\n", *AWKWARD).out
            self.assertEqual(said, "".join(f"[{word}]\n" for word in AWKWARD))
            said = self.run_there("-N", "1", "--", "printf", "[%s]\\n", *AWKWARD).out
            self.assertEqual(said, "".join(f"[{word}]\n" for word in AWKWARD))
        with self.subTest("codes, output and errors are the command's own"):
            both = self.run_there("--", "sh", "-c", "echo out; echo err >&2; exit 7", code=7)
            self.assertEqual((both.out, both.err), ("out\n", "err\n"))
            failed = self.run_there("-N", "1", "--", "sh", "-c", "exit 5", code=5)
            self.assertIn("srun: error: cpu-st-c5-1", failed.err)
            self.assertIn("Invalid partition", self.run_there("-q", "none", "-N", "1", "--", "true", code=1).err)
            self.run_there("--", "no-such-program", code=127)
            late = self.run_there("--timeout", "1", "-N", "1", "--", "sleep", "60", code=124)
            self.assertIn("ended after 1 s", late.err)
        self.long_output()
        self.failures_of_ours()
        self.ctrl_c()
        self.logs()
        self.down("--yes")
        with self.subTest("the logs of a cluster that is down"):
            self.assertIn("slurmctld is ready", self.tail("slurmctld", "--node", self.host).out)
            self.run_there("--", "hostname", code=OURS)
        self.down_with_everything("cpu")
        self.nothing_is_left()

    def run_there(self, *arguments: str, code: int = 0) -> Run:
        return self.tell("run", "--file", self.spec_file, *arguments, code=code)

    def long_output(self) -> None:
        """What Systems Manager does not hand on is said, and is on the head."""
        text = "i=0; while [ $i -lt 6000 ]; do echo line-$i; i=$((i+1)); done"
        run = self.run_there("--", "sh", "-c", text)
        self.assertEqual(len(run.out), 23_000)
        whole = "".join(f"line-{number}\n" for number in range(6000))
        self.assertEqual(run.out, whole[:23_000])
        path = next(word for word in run.err.split() if word.endswith("/stdout*"))
        self.assertEqual(self.run_there("--", "sh", "-c", f"cat {path} | tail -n 2").out, "line-5998\nline-5999\n")
        self.run_there("--", "rm", "-r", path.removesuffix("/stdout*"))
        self.assertEqual(self.run_there("--", "ls", "-A").out.count("\n"), 1, "more than its own folder")

    def failures_of_ours(self) -> None:
        call = {"service": "ssm", "operation": "SendCommand", "kind": "denied"}
        for rule, word in (
            ({**call, "code": "InvalidInstanceId"}, "does not reach the head"),
            (call, "docs/iam.md"),
            ({**call, "operation": "GetCommandInvocation", "after": 1}, "goes on on the head"),
        ):
            with self.subTest(word):
                self.account.faults({**rule, "times": 9})
                self.assertIn(word, self.run_there("--", "sleep", "1", code=OURS).err)
                self.account.no_faults()

    def ctrl_c(self) -> None:
        """The command is cancelled, and the job gets the signal."""
        # The script runs as another user, who may not reach the test's own folder.
        folder = Path(tempfile.mkdtemp(prefix="life-seen-"))
        self.addCleanup(shutil.rmtree, folder)
        folder.chmod(0o755)
        seen = folder / "seen"
        seen.touch()
        seen.chmod(0o666)
        script = f"trap 'echo ended >{seen}; exit 1' TERM; echo begun >{seen}; sleep 60 & wait"
        begun = time.monotonic()

        def interrupt(process: subprocess.Popen[str]) -> None:
            self.until(lambda: seen.read_text() == "begun\n")
            process.send_signal(signal.SIGINT)

        run = self.program.run("run", "--file", str(self.spec_file), "-N", "1", "--", "sh", "-c", script, until=interrupt)
        self.assertEqual(run.code, OURS, run.said)
        self.assertIn("cancelled", run.err, run.said)
        self.until(lambda: seen.read_text() == "ended\n")
        self.assertLess(time.monotonic() - begun, 30)
        self.assertIn("CancelCommand", {call["operation"] for call in self.account.calls()})

    def logs(self) -> None:
        with self.subTest("logs"):
            streams = self.read("logs list", "--file", self.spec_file)["streams"]
            self.host = streams[0]["name"].split(".")[0]
            self.assertEqual(streams[0]["node"], "head")
            self.assertEqual({one["node"] for one in streams}, {"head", "cpu-st-c5-1"})
            one = self.tail("slurmctld", "--lines", "2")
            # What colours the text of a log is shown, and does nothing.
            wanted = "slurmctld: step 28 of 28 is done\n\\u{1b}[32mslurmctld is ready\\u{1b}[0m\n"
            self.assertEqual(one.out, wanted)
            of_node = self.tail("--node", "cpu-st-c5-1", "--lines", "1", "--format", "json").data
            self.assertEqual({(tail["node"], len(tail["lines"])) for tail in of_node}, {("cpu-st-c5-1", 1)})
            self.assertIn("slurmd", {tail["log"] for tail in of_node})
            both = self.tail("cloud-init", "--lines", "3").out
            self.assertEqual([line for line in both.splitlines() if line.startswith("==>")],
                             ["==> head cloud-init <==", "==> cpu-st-c5-1 cloud-init <=="])  # fmt: skip
            self.assertIn("there is: cfn-init", self.tail("nonsense", code=2).err)
            self.assertIn("cpu-st-c5-1, head", self.tail("--node", "nobody", code=2).err)

        with self.subTest("streams of hundreds of nodes"):
            # Those of nodes that are gone stay: several pages of them.
            logs = self.account.client("logs")
            group = logs.describe_log_groups(logGroupNamePrefix="/aws/parallelcluster/cpu-")["logGroups"][0]["logGroupName"]
            for number in range(120):
                logs.create_log_stream(logGroupName=group, logStreamName=f"ip-10-9-9-{number}.i-{number:017x}.slurmd")
            listed = self.read("logs list", "--file", self.spec_file)
            self.assertEqual((len(listed["streams"]), listed["is_cut"]), (len(streams) + 120, False))
            self.assertIn("121 log streams are meant", self.tail("slurmd", code=2).err)
            self.assertEqual(self.tail("slurmd", "--node", "ip-10-9-9-7").out, "")
            self.assertEqual(len(self.tail("slurmd", "--node", "cpu-st-c5-1").out.splitlines()), 20)

    def tail(self, *arguments: str, code: int = 0) -> Run:
        return self.tell("logs", "tail", "--file", self.spec_file, *arguments, code=code)

    def until(self, is_so: Callable[[], bool]) -> None:
        end = time.monotonic() + 20
        while not is_so():
            self.assertLess(time.monotonic(), end, "it did not come")
            time.sleep(0.05)
