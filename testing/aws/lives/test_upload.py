"""The nodes' files: two thousand of them go up once, and quicker than the aws command line sends them."""

from __future__ import annotations

import os
import random
import subprocess
import time
from pathlib import Path

from lives.support import FULL, LivesTest, changed, example, note

# Files, and bytes of all of them.
SIZES = {True: (2000, 200_000_000), False: (200, 2_000_000)}
BUCKET = "for-the-aws-command-line"
RUN_SECONDS = 300


class Uploads(LivesTest):
    """`up` of a spec with a folder of files, beside `aws s3 sync` of the same folder, on the same emulator."""

    def test_files_go_up_once(self) -> None:
        folder = self.some_files(*SIZES[FULL])
        self.write(changed(example("cpu"), setup={"files": f"./{folder.name}"}))
        first, sent = self.counted()
        count = SIZES[FULL][0]
        self.assertGreaterEqual(sent, count)
        self.assertLess(sent, count + 20, "some files were sent twice")
        again, sent = self.counted()
        self.assertEqual(sent, 0, "files were sent that are there")
        (folder / "00" / "one more").write_text("new")
        _, sent = self.counted()
        self.assertGreater(sent, 0)
        self.assertLess(sent, 6, "one file is new, with it the list of all, and the template that names the list")
        (folder / "00" / "one more").unlink()
        self.compare(folder, first, again)
        self.down_with_everything("cpu")

    def counted(self) -> tuple[float, int]:
        """The seconds of the step that uploads, or of all where it had nothing to do; and how many objects were sent."""
        before = len(self.account.calls())
        run = self.up("--yes")
        calls = [f"{call['service']}:{call['operation']}" for call in self.account.calls()[before:]]
        steps = {event["step"]: event["seconds"] for event in run.events if event["event"] == "done"}
        return steps.get("files", run.seconds), calls.count("s3:PutObject")

    def compare(self, folder: Path, first: float, again: float) -> None:
        aws = os.environ.get("AWS_CLI")
        if not aws:
            note("upload: not compared with aws s3 sync: AWS_CLI names no aws")
            return
        self.account.client("s3").create_bucket(Bucket=BUCKET)
        command = [aws, "s3", "sync", "--only-show-errors", str(folder), f"s3://{BUCKET}"]
        seconds = []
        for _ in range(2):
            begun = time.monotonic()
            done = subprocess.run(
                command, env=self.program.environment | {"AWS_REGION": "us-east-1"}, text=True, capture_output=True,
                timeout=RUN_SECONDS,
            )  # fmt: skip
            seconds.append(time.monotonic() - begun)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        held = self.account.client("s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        self.assertEqual(sum(page["KeyCount"] for page in held), SIZES[FULL][0])
        count, size = SIZES[FULL]
        for name, mine, other in zip(("first", "again"), (first, again), seconds, strict=True):
            note(
                f"upload of {count} files, {size // 1_000_000} MB, {name}: {mine:.2f} s, aws s3 sync: {other:.2f} s, "
                f"{other / mine:.1f} times as long"
            )

    def some_files(self, count: int, size: int) -> Path:
        """As training code looks: folders of small files and some larger ones, each with another content."""
        folder, draw = self.spec_file.parent / "code", random.Random(20261126)
        for number in range(count):
            below = folder / f"{number % 40:02}"
            below.mkdir(parents=True, exist_ok=True)
            (below / f"file {number}.bin").write_bytes(draw.randbytes(size // count))
        return folder
