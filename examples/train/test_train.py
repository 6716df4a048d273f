#!/usr/bin/env python3
"""Tests of train.py: real ranks over gloo on this machine, killed, frozen and started again.

    python3 -m unittest -v examples/train/test_train.py

They need PyTorch and scikit-learn, and no Slurm: the tests set the variables that srun would."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import train  # noqa: E402

EPOCHS, STEPS = 8, 8 * 22  # 1,437 digits in batches of 64
CLEARED = ("SLURM_", "SLURMD_", "MASTER_", "RANK", "LOCAL_RANK", "WORLD_SIZE", "GLOO_", "DDP_")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def records(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def steps(path):
    return [r["step"] for r in records(path) if "event" not in r]


def events(path, kind):
    return [r for r in records(path) if r.get("event") == kind]


def wait_until(condition, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.05)


class Ranks:
    """A run of train.py: one process per rank, with the environment that srun gives them."""

    def __init__(self, out, world, *options, job="7", run=0, only=None, timeout=30):
        environment = {k: v for k, v in os.environ.items() if not k.startswith(CLEARED)}
        port = free_port()
        self.processes = []
        for rank in range(world) if only is None else only:
            environment |= {"SLURM_JOB_ID": job, "SLURM_RESTART_COUNT": str(run), "SLURM_NTASKS": str(world),
                            "SLURM_PROCID": str(rank), "SLURM_LOCALID": "0", "SLURMD_NODENAME": f"node{rank}",
                            "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "GLOO_SOCKET_IFNAME": "lo",
                            "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1", "DDP_TIMEOUT_SECONDS": str(timeout)}
            command = [sys.executable, str(HERE / "train.py"), "--out", str(out), "--epochs", str(EPOCHS),
                       "--checkpoint-every", "10", *options]
            self.processes.append(subprocess.Popen(command, env=environment, text=True,
                                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT))

    def finish(self, seconds=90):
        """Wait for all ranks; returns their exit codes and what they printed."""
        deadline = time.monotonic() + seconds
        printed = [p.communicate(timeout=max(1, deadline - time.monotonic()))[0] for p in self.processes]
        return [p.returncode for p in self.processes], "".join(printed)

    def signal(self, number, *ranks):
        for rank in ranks or range(len(self.processes)):
            self.processes[rank].send_signal(number)

    def end(self):
        for p in self.processes:
            with contextlib.suppress(ProcessLookupError):
                p.kill()  # reaches a stopped process too
            p.wait()
            p.stdout.close()


class WithRanks(unittest.TestCase):
    def setUp(self):
        self.started = []
        self.out = Path(tempfile.mkdtemp(prefix="train-test-"))

    def tearDown(self):
        for ranks in self.started:
            ranks.end()
        shutil.rmtree(self.out)

    def start(self, *args, **kwargs):
        self.started.append(Ranks(*args, **kwargs))
        return self.started[-1]

    def metrics(self, rank):
        return self.out / f"metrics/rank{rank}.jsonl"

    def checkpoints(self):
        return sorted(p.name for p in (self.out / "checkpoints").glob("step-*.pt"))

    def wait_for_step(self, step):
        wait_until(lambda: self.metrics(0).exists() and f'"step": {step},' in self.metrics(0).read_text(),
                   f"step {step}")

    def assert_every_step_once(self, world, last):
        for rank in range(world):
            self.assertEqual(steps(self.metrics(rank)), list(range(1, last + 1)), f"rank {rank}")


class TrainingTest(WithRanks):
    def test_crash_and_restart_repeat_the_undisturbed_run(self):
        """Two ranks learn; killed in the middle and started again, they take each step once, with the
        same losses as if nothing had happened. Then a damaged checkpoint, and a run with fewer ranks."""
        whole = self.out
        codes, printed = self.start(whole, 2, "--min-accuracy", "0.95").finish()
        self.assertEqual(codes, [0, 0], printed)
        self.assertRegex(printed.splitlines()[-1], r"^held-out accuracy 0\.9\d\d after 8 epochs on 2 nodes$")
        self.assertRegex(printed, r"epoch 3/8  loss \d\.\d+  held-out accuracy 0\.\d+  2 ranks on 2 nodes  [\d,]+ samp")
        self.assert_every_step_once(2, STEPS)
        start, end = events(self.metrics(0), "start")[0], events(self.metrics(0), "end")[0]
        self.assertEqual((start["world_size"], start["backend"], start["nodes"]), (2, "gloo", ["node0", "node1"]))
        self.assertEqual(end["steps"], STEPS)
        self.assertEqual(len(events(self.metrics(0), "eval")), EPOCHS)
        first = records(self.metrics(1))[0]
        self.assertLessEqual({"time", "run", "rank", "host", "node", "epoch", "step", "loss", "step_time_seconds",
                              "samples_per_second"}, set(first))
        undisturbed = {r["step"]: r["loss"] for r in records(self.metrics(0)) if "event" not in r}

        # Killed after step 45, which is in the third epoch and past the checkpoint at step 40.
        self.out = whole / "crashed"
        ranks = self.start(self.out, 2, "--step-delay", "0.02")
        self.wait_for_step(45)
        ranks.signal(signal.SIGKILL)
        ranks.finish()
        with open(self.metrics(1), "a") as f:
            f.write('{"time": 1.0, "run": 0, "ra')  # what a crash may leave of a line
        before = len(steps(self.metrics(0)))

        codes, printed = self.start(self.out, 2, run=1).finish()
        self.assertEqual(codes, [0, 0], printed)
        self.assert_every_step_once(2, STEPS)
        resume = events(self.metrics(0), "resume")[0]
        self.assertEqual((resume["run"], resume["from_step"] % 10), (1, 0))
        self.assertGreaterEqual(resume["from_step"], 40)
        dropped = steps(self.metrics(0).with_name("rank0.dropped-run1.jsonl"))
        self.assertEqual(dropped, list(range(resume["from_step"] + 1, before + 1)))
        self.assertIn("torn", records(self.metrics(1).with_name("rank1.dropped-run1.jsonl"))[-1])
        for r in records(self.metrics(0)):
            if "event" not in r:
                self.assertAlmostEqual(r["loss"], undisturbed[r["step"]], places=3, msg=f"step {r['step']}")
        self.assertAlmostEqual(events(self.metrics(0), "end")[0]["accuracy"], end["accuracy"], delta=0.006)

        # The newest checkpoint loses its tail; one rank goes on from the one before it.
        newest = self.out / "checkpoints" / self.checkpoints()[-1]
        os.truncate(newest, newest.stat().st_size // 2)
        codes, printed = self.start(self.out, 1, run=2).finish()
        self.assertEqual(codes, [0], printed)
        self.assertIn("is damaged", printed)
        self.assertEqual(events(self.metrics(0), "resume")[-1]["from_step"], 170)
        self.assert_every_step_once(1, STEPS)
        self.assertEqual(steps(self.metrics(1))[-1], 170)  # the rank that is no more was rewound as well

    def test_sigterm_to_one_rank_stops_all_at_the_same_step(self):
        ranks = self.start(self.out, 2, "--step-delay", "0.02")
        self.wait_for_step(25)
        ranks.signal(signal.SIGTERM, 1)
        codes, printed = ranks.finish()
        self.assertEqual(codes, [143, 143], printed)
        stopped = events(self.metrics(0), "stop")[0]["step"]
        self.assert_every_step_once(2, stopped)
        self.assertTrue(self.checkpoints()[-1].startswith(f"step-{stopped:08}."), self.checkpoints())

    def test_a_peer_that_never_comes_ends_the_run(self):
        codes, printed = self.start(self.out, 2, only=[0], timeout=3).finish()
        self.assertEqual(codes, [1], printed)

    def test_a_frozen_peer_ends_the_run(self):
        ranks = self.start(self.out, 2, "--step-delay", "0.02", timeout=6)
        self.wait_for_step(5)
        ranks.signal(signal.SIGSTOP, 1)
        self.assertEqual(ranks.processes[0].wait(timeout=60), 1)


class FenceTest(WithRanks):
    def test_a_zombie_of_an_older_run_writes_no_checkpoint(self):
        old = self.start(self.out, 1, "--step-delay", "0.02")
        self.wait_for_step(15)
        old.signal(signal.SIGSTOP)  # the node has lost its network, or its VM is paused
        codes, printed = self.start(self.out, 1, run=1).finish()
        self.assertEqual(codes, [0], printed)
        files, lines = self.checkpoints(), self.metrics(0).read_bytes()

        old.signal(signal.SIGCONT)
        codes, printed = old.finish()
        self.assertEqual(codes, [train.EXIT_FENCED], printed)
        self.assertIn("run 0 of job 7 stops without writing: run 1 of job 7 has taken", printed)
        self.assertEqual(self.checkpoints(), files)
        self.assertEqual(self.metrics(0).read_bytes(), lines)
        self.assertEqual(list(self.out.glob("checkpoints/.*")), [])
        self.assert_every_step_once(1, STEPS)

        codes, printed = self.start(self.out, 1, run=0).finish()
        self.assertEqual(codes, [train.EXIT_FENCED], printed)
        self.assertIn("run 0 of job 7 may not start: run 1 has already taken", printed)
        self.assertEqual(self.metrics(0).read_bytes(), lines)

    def fence(self, job, run, rank=0):
        return train.Fence(self.out, train.Me(rank, 1, 0, job, run, "host", "node"))

    def assert_fenced(self, call):
        with self.assertRaises(train.Refused) as caught:
            call()
        self.assertEqual(caught.exception.code, train.EXIT_FENCED)

    def test_who_may_take_the_fence_from_whom(self):
        def use(fence):
            with fence.held():
                pass

        first, second, twin, other = (self.fence(*who) for who in (("7", 0), ("7", 1), ("7", 1), ("3", 0)))
        first.enter()
        use(first)
        for newer, older in ((second, first), (twin, second), (other, twin)):
            newer.enter()
            use(newer)
            self.assert_fenced(lambda: use(older))
        second.enter()                                                # back from another job: run 1 again
        self.assert_fenced(first.enter)                               # a lower run of the same job
        self.assert_fenced(self.fence("7", 0, rank=3).enter)          # on the other ranks as well
        self.fence("7", 2, rank=3).enter()                            # which take nothing themselves
        use(second)
        (self.out / "fence").write_text('{"job": "7", "ru')           # torn: nobody's
        self.assert_fenced(lambda: use(second))
        first.enter()
        use(first)

    def test_no_checkpoint_gets_its_name_while_another_holds_the_lock(self):
        fence = self.fence("7", 0)
        fence.enter()
        saver = threading.Thread(target=lambda: train.replace_file(self.out / "named", b"x", guard=fence.held()))
        with open(self.out / "fence") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            saver.start()
            time.sleep(0.3)
            early = (self.out / "named").exists()
        saver.join()
        self.assertFalse(early)
        self.assertTrue((self.out / "named").exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)
