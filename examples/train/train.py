#!/usr/bin/env python3
"""Train a small network on the UCI handwritten digits with PyTorch DistributedDataParallel.

The model is a toy. What surrounds it is what a long run on a cluster needs: it finds its place
among the ranks under srun or torchrun, checkpoints so that a crash costs seconds of work, resumes
in the middle of an epoch, answers SIGTERM, never hangs on a dead peer, and never lets two runs of
one job write the same checkpoints."""

import argparse
import collections
import contextlib
import datetime
import fcntl
import hashlib
import io
import json
import math
import os
import re
import signal
import socket
import sys
import time
import traceback
import uuid
from pathlib import Path

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn
from torch.nn.parallel import DistributedDataParallel

EXIT_FAILED, EXIT_USAGE, EXIT_FENCED, EXIT_SIGTERM = 1, 2, 3, 128 + signal.SIGTERM  # 143
SPLIT_SEED = 20240229  # not --seed: every run is judged on the same held-out digits
KEEP_CHECKPOINTS = 2   # the newest, and one to fall back on if the newest is damaged

EPILOG = """\
how ranks find each other
  srun       one task per rank: SLURM_PROCID, SLURM_NTASKS and SLURM_LOCALID say which one this is
  torchrun   RANK, WORLD_SIZE and LOCAL_RANK say so (they win when both sets are there)
  neither    a single rank
  MASTER_ADDR and MASTER_PORT name the place where rank 0 listens; the batch script sets them.

what lands in --out, a folder that every node must see
  metrics/rank<r>.jsonl           what rank r did, one JSON object per line
  checkpoints/step-<n>.<sum>.pt   the last two checkpoints; started again, the run goes on from them
  fence                           which run of which job may write checkpoints

exit codes
  0    trained to the end
  1    the final accuracy is below --min-accuracy, or a rank failed
  2    wrong options
  3    a newer run has taken over --out; this one writes no checkpoint any more
  143  SIGTERM: checkpointed and stopped before the end (128 + 15; not 0, since it did not finish)

environment
  SLURM_RESTART_COUNT    the run number: 0 at first, one more at each requeue
  DDP_TIMEOUT_SECONDS    how long to wait for a silent peer before giving up (default 60)

examples
  python3 train.py --out out --epochs 5                  one rank, here
  srun --ntasks 4 python3 train.py --out /shared/out     in a batch script; see ddp.sbatch
  ... train.py --out out --step-delay 0.2                slow enough to break things by hand
"""


def parse_args(argv=None):
    p = argparse.ArgumentParser(description=__doc__, epilog=EPILOG,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", type=Path, required=True, metavar="DIR",
                   help="folder for metrics and checkpoints; resumes from what is there")
    p.add_argument("--epochs", type=int, default=20, help="passes over the training digits (default 20)")
    p.add_argument("--batch-size", type=int, default=64, metavar="N",
                   help="digits per step over ALL ranks, so that the number of ranks changes the speed "
                        "and not the result (default 64)")
    p.add_argument("--lr", type=float, default=0.003, help="peak learning rate (default 0.003)")
    p.add_argument("--checkpoint-every", type=int, default=20, metavar="STEPS",
                   help="how much work a crash may cost (default 20; the end and SIGTERM checkpoint too)")
    p.add_argument("--min-accuracy", type=float, default=0.0, metavar="A",
                   help="exit 1 if the final held-out accuracy is lower, e.g. 0.95 (default 0)")
    p.add_argument("--step-delay", type=float, default=0.0, metavar="SECONDS",
                   help="sleep this long in each step, to leave time for rehearsing failures")
    p.add_argument("--seed", type=int, default=1, help="of the weights and of the batch order (default 1)")
    args = p.parse_args(argv)
    if min(args.epochs, args.batch_size, args.checkpoint_every) < 1:
        p.error("--epochs, --batch-size and --checkpoint-every must be at least 1")
    return args


# Which rank this process is, and of which run of which job.
Me = collections.namedtuple("Me", "rank world local_rank job run host node")


def find_my_place(env=os.environ):
    if "RANK" in env:  # torchrun; looked at first, as under `srun torchrun` SLURM_PROCID is the launcher's
        place = int(env["RANK"]), int(env["WORLD_SIZE"]), int(env.get("LOCAL_RANK", 0))
    elif "SLURM_PROCID" in env:
        place = int(env["SLURM_PROCID"]), int(env["SLURM_NTASKS"]), int(env.get("SLURM_LOCALID", 0))
    else:
        place = 0, 1, 0
    host = socket.gethostname()
    return Me(*place, job=env.get("SLURM_JOB_ID", "by-hand"), run=int(env.get("SLURM_RESTART_COUNT") or 0),
              host=host, node=env.get("SLURMD_NODENAME", host))


class Refused(Exception):
    """This process must stop, for a reason that needs no traceback."""
    def __init__(self, code, reason):
        super().__init__(reason)
        self.code = code


def replace_file(path, data, guard=contextlib.nullcontext()):
    """Give `path` new contents so that a reader, or a crash, sees all of the old or all of the new.

    The temporary file is in the same folder because rename is atomic only within a file system. It is
    fsynced before the rename, or the name could outlive the data in a power cut; and the folder after
    it, or the rename itself could be lost. `guard` is held around the rename."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        with open(temporary, "wb") as f:
            f.write(data)
            f.flush()
            os.fsync(f.fileno())
        with guard:
            os.replace(temporary, path)
            folder = os.open(path.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
    finally:
        with contextlib.suppress(FileNotFoundError):  # it is gone once renamed
            temporary.unlink()


class Fence:
    """At most one run may write checkpoints: the one named in the file `fence`.

    Slurm may requeue a job while processes of its last run live on, on a node that lost its network for
    a while. Such a zombie must not write over the new run's checkpoints. So each start of rank 0 leaves
    a fresh token in the fence, and a checkpoint gets its name only while that token is still there,
    looked up and renamed under one lock.

    Within a job, run numbers only grow: a start with a lower one is an old run waking up, and is refused.
    With the same number (started twice by hand) the later start wins. Another job always takes over:
    someone submitted it to go on from here. Job ids are compared only for equality, since a cluster
    that was raised anew counts from 1."""

    def __init__(self, out, me):
        self.path, self.me, self.token = out / "fence", me, uuid.uuid4().hex

    @contextlib.contextmanager
    def locked(self):
        # Rewritten in place, not replaced: a lock belongs to an inode, and over NFS the file that is
        # locked is also the one whose contents are sure to be fresh.
        with open(self.path, "a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # let go when the file is closed, also by a crash
            file.seek(0)
            try:
                holder = json.load(file)
            except ValueError:  # new, or torn by a power cut: nobody's, so no older writer passes either
                holder = {"job": None, "run": None, "token": None}
            yield file, holder

    def enter(self):
        """Refuse to start if a newer run of this job has; on rank 0, take the fence."""
        with self.locked() as (file, holder):
            if holder["job"] == self.me.job and self.me.run < holder["run"]:
                raise Refused(EXIT_FENCED, f"run {self.me.run} of job {self.me.job} may not start: "
                                           f"run {holder['run']} has already taken {self.path}")
            if self.me.rank != 0:
                return
            file.truncate(0)
            file.write(json.dumps({"job": self.me.job, "run": self.me.run, "token": self.token,
                                   "host": self.me.host, "pid": os.getpid(), "time": time.time()}) + "\n")
            file.flush()
            os.fsync(file.fileno())

    @contextlib.contextmanager
    def held(self):
        """Hold the lock, having made sure that the fence is still ours."""
        with self.locked() as (_, holder):
            if holder["token"] != self.token:
                raise Refused(EXIT_FENCED, f"run {self.me.run} of job {self.me.job} stops without writing: "
                                           f"run {holder['run']} of job {holder['job']} has taken {self.path}")
            yield


class Checkpoints:
    """Rank 0's checkpoint files. The name carries a checksum of the contents: a damaged file can be told
    from a complete one, and it stays an ordinary file for torch.load."""

    def __init__(self, out, fence):
        self.folder, self.fence = out / "checkpoints", fence

    def newest_first(self):
        return sorted(self.folder.glob("step-*.pt"), reverse=True)  # the step in the name is zero-padded

    def save(self, state):
        buffer = io.BytesIO()
        torch.save(state, buffer)
        data = buffer.getvalue()
        name = f"step-{state['step']:08}.{hashlib.sha256(data).hexdigest()[:16]}.pt"
        replace_file(self.folder / name, data, guard=self.fence.held())
        with self.fence.held():
            for old in self.newest_first()[KEEP_CHECKPOINTS:]:
                old.unlink()

    def load(self):
        """The newest complete checkpoint, or None."""
        with self.fence.held():  # what is tidied up here must not be a newer run's
            for leftover in self.folder.glob(".*.tmp"):  # of a run that was killed while writing
                leftover.unlink()
            for path in self.newest_first():
                data = path.read_bytes()
                if hashlib.sha256(data).hexdigest()[:16] == path.name.split(".")[1]:
                    return torch.load(io.BytesIO(data), map_location="cpu")
                print(f"warning: {path} is damaged ({len(data)} bytes): set aside, trying the one before", flush=True)
                path.rename(f"{path}.damaged")  # out of the way, or it would count as one of the two kept


def rewind_metrics(path, step, run):
    """Take the lines of steps after `step` out of a metrics file, before going on from there.

    The last run went on past its last checkpoint, and those steps are about to be done again; left in,
    they would count twice. They are put aside in rank<r>.dropped-run<k>.jsonl, k being the run that does
    so (it is work really done and lost: the price of the crash), with what a crash left of a torn line.
    The file is replaced, not edited: a zombie of an earlier run still has the old one open, and what it
    writes goes to that inode, which no longer has a name, and never into the new file."""
    kept, dropped = [], []
    for line in path.read_bytes().splitlines(keepends=True) if path.exists() else []:
        try:
            record = json.loads(line) if line.endswith(b"\n") else None
        except ValueError:
            record = None
        if record is None:
            dropped.append((json.dumps({"torn": line.decode(errors="replace")}) + "\n").encode())
        else:
            (dropped if record.get("step", 0) > step else kept).append(line)
    if dropped:
        with open(path.with_suffix(f".dropped-run{run}.jsonl"), "ab") as aside:
            aside.writelines(dropped)
    replace_file(path, b"".join(kept))
    return len(dropped)


class Metrics:
    """One rank's JSON lines, from `step` on."""

    def __init__(self, folder, me, step):
        path = folder / f"rank{me.rank}.jsonl"
        self.dropped = rewind_metrics(path, step, me.run)
        for other in folder.glob("rank*.jsonl") if me.rank == 0 else []:
            rank = re.fullmatch(r"rank(\d+)", other.stem)
            if rank and int(rank[1]) >= me.world:  # an earlier run had more ranks
                rewind_metrics(other, step, me.run)
        self.file = open(path, "ab", buffering=0)  # unbuffered: a line is one write, so a kill tears none
        self.common = {"run": me.run, "rank": me.rank, "host": me.host, "node": me.node}

    def write(self, **fields):
        self.file.write((json.dumps({"time": time.time(), **self.common, **fields}) + "\n").encode())

    def sync(self):
        os.fsync(self.file.fileno())


def load_data(device):
    """1,437 digits to train on and 360 held out; they ship with scikit-learn, nothing is downloaded."""
    from sklearn.datasets import load_digits
    digits = load_digits()
    shuffled = torch.randperm(len(digits.target), generator=torch.Generator().manual_seed(SPLIT_SEED))
    images = torch.tensor(digits.images, dtype=torch.float32)[shuffled].unsqueeze(1) / 16
    labels = torch.tensor(digits.target, dtype=torch.long)[shuffled]
    cut = int(len(labels) * 0.8)
    return [t.to(device) for t in (images[:cut], labels[:cut], images[cut:], labels[cut:])]


def build_model():
    return nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32 * 4 * 4, 64), nn.ReLU(), nn.Linear(64, 10))


def epoch_order(seed, epoch, count):
    """The order of the digits in an epoch: a function of the seed and the epoch alone. So every rank
    agrees on it, and a resumed run picks it up at any batch from the step number."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed * 1_000_003 + epoch))


def evaluate(network, images, labels):
    network.eval()
    with torch.no_grad():
        scores = network(images)
    network.train()
    return (scores.argmax(1) == labels).double().mean().item(), F.cross_entropy(scores, labels).item()


def join_ranks(me):
    """Meet the other ranks. Returns the device to use, the backend's name, and who the ranks are."""
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    os.environ.setdefault("MASTER_PORT", "29500")
    if torch.cuda.is_available():
        device, backend = torch.device("cuda", me.local_rank % torch.cuda.device_count()), "nccl"
        torch.cuda.set_device(device)
        if tuple(map(int, torch.__version__.split(".")[:2])) < (2, 2):  # from 2.2 on this is the default;
            os.environ.setdefault("NCCL_ASYNC_ERROR_HANDLING", "1")     # without it NCCL ignores the timeout
    else:
        device, backend = torch.device("cpu"), "gloo"
        torch.set_num_threads(1)  # ranks share the cores; more threads than cores slow all of them down
    # By default PyTorch waits 30 minutes for a peer that died in silence.
    timeout = datetime.timedelta(seconds=float(os.environ.get("DDP_TIMEOUT_SECONDS", 60)))
    dist.init_process_group(backend, rank=me.rank, world_size=me.world, timeout=timeout)
    peers = [None] * me.world
    dist.all_gather_object(peers, me)
    runs = sorted({(p.job, p.run) for p in peers})
    if len(runs) > 1:
        raise RuntimeError(f"ranks of different runs (job, run) have met: {runs}")
    return device, backend, peers


def agree_on_state(args, me, checkpoints, fence):
    """Rank 0 reads the checkpoint and hands it round, so that all ranks resume from the same one."""
    shared = [checkpoints.load(), fence.token] if me.rank == 0 else [None, None]
    dist.broadcast_object_list(shared, src=0)
    fence.token = shared[1]  # rank 0's, by which the other ranks can tell whether the fence is still ours
    state = shared[0] or {"step": 0, "train_seconds": 0.0, "seed": args.seed, "batch_size": args.batch_size}
    for name in ("seed", "batch_size"):
        if state[name] != getattr(args, name):
            raise Refused(EXIT_USAGE, f"the checkpoint in {args.out} was made with {name} {state[name]}, not "
                                      f"{getattr(args, name)}: the steps would not line up. Take another --out.")
    return state


def train_step(args, me, model, optimizer, images, labels, step, total, stop_asked):
    """One step: returns this rank's number of digits, the mean loss of the batch, and whether to stop."""
    epoch, batch = divmod(step, len(labels) // args.batch_size)
    order = epoch_order(args.seed, epoch, len(labels))
    mine = order[batch * args.batch_size:(batch + 1) * args.batch_size][me.rank::me.world]
    for group in optimizer.param_groups:  # cosine decay, from the step number alone: nothing to save
        group["lr"] = args.lr * (1 + math.cos(math.pi * step / total)) / 2
    loss_sum = F.cross_entropy(model(images[mine]), labels[mine], reduction="sum")
    optimizer.zero_grad()
    # DDP averages gradients over ranks; scaled like this, that is the mean over the batch even when the
    # ranks' shares are uneven.
    (loss_sum * me.world / args.batch_size).backward()
    optimizer.step()
    # SIGTERM may reach some ranks a step before the others; summed over all, they stop at the same step.
    totals = torch.tensor([loss_sum.item(), float(bool(stop_asked))], device=labels.device)
    dist.all_reduce(totals)
    time.sleep(args.step_delay)
    return len(mine), totals[0].item() / args.batch_size, totals[1].item() > 0


def train(args, me):
    for folder in ("checkpoints", "metrics"):
        (args.out / folder).mkdir(parents=True, exist_ok=True)
    fence = Fence(args.out, me)
    # Before anything is read: from here on an older run cannot add a checkpoint. On every rank, so that
    # none waits in vain for a rank 0 that was refused.
    fence.enter()
    checkpoints = Checkpoints(args.out, fence)
    stop_asked = []
    signal.signal(signal.SIGTERM, lambda *_: stop_asked.append(True))  # only noted; the loop acts on it

    device, backend, peers = join_ranks(me)
    nodes = list(dict.fromkeys(p.node for p in peers))
    on_nodes = f"{len(nodes)} node{'s' * (len(nodes) > 1)}"
    where = f"{me.world} rank{'s' * (me.world > 1)} on {on_nodes}"
    images, labels, held_images, held_labels = load_data(device)
    if not me.world <= args.batch_size <= len(labels):
        raise Refused(EXIT_USAGE, f"--batch-size must be from {me.world} (one per rank) to {len(labels)}")
    steps_per_epoch = len(labels) // args.batch_size  # the few digits left over sit out this epoch
    total = args.epochs * steps_per_epoch

    state = agree_on_state(args, me, checkpoints, fence)
    step = state["step"]
    with fence.held():  # a run that was overtaken while it started must not rewind the newer one's files
        metrics = Metrics(args.out / "metrics", me, step)
    torch.manual_seed(args.seed)
    network = build_model().to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=args.lr)
    if step:
        network.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["rng"])
    model = DistributedDataParallel(network, device_ids=[device.index] if device.type == "cuda" else None)
    if me.rank == 0:
        metrics.write(event="start", job=me.job, world_size=me.world, backend=backend, nodes=nodes,
                      ranks=[{"rank": p.rank, "host": p.host, "node": p.node} for p in peers],
                      torch=torch.__version__, epochs=args.epochs, total_steps=total, batch_size=args.batch_size)
        print(f"run {me.run} of job {me.job}: {where}, {backend}, {total} steps", flush=True)
        if step:
            metrics.write(event="resume", from_step=step, dropped_lines=metrics.dropped)
            print(f"resuming from step {step}", flush=True)

    began = time.time()

    def train_seconds():
        return state["train_seconds"] + time.time() - began  # over all runs

    def checkpoint():
        # Every rank's lines reach the disk before the checkpoint that says those steps are done, so that
        # a power cut cannot take the line of a step that will not be done again.
        metrics.sync()
        dist.barrier()
        if me.rank == 0:
            checkpoints.save({"step": step, "epoch": step // steps_per_epoch, "seed": args.seed,
                              "batch_size": args.batch_size, "train_seconds": train_seconds(),
                              "model": network.state_dict(), "optimizer": optimizer.state_dict(),
                              "rng": torch.get_rng_state()})
            metrics.write(event="checkpoint", step=step)

    losses, epoch_began = [], began
    while step < total:
        step_began = time.perf_counter()
        samples, loss, stopping = train_step(args, me, model, optimizer, images, labels, step, total, stop_asked)
        seconds = time.perf_counter() - step_began
        epoch, step = step // steps_per_epoch + 1, step + 1
        metrics.write(epoch=epoch, step=step, loss=loss, samples=samples,
                      step_time_seconds=seconds, samples_per_second=samples / seconds)
        losses.append(loss)
        if step % steps_per_epoch == 0:
            if me.rank == 0:  # not through DDP, which would wait for the other ranks
                accuracy, held_loss = evaluate(network, held_images, held_labels)
                metrics.write(event="eval", epoch=epoch, step=step, accuracy=accuracy, loss=held_loss)
                speed = len(losses) * args.batch_size / (time.time() - epoch_began)
                print(f"epoch {epoch}/{args.epochs}  loss {sum(losses) / len(losses):.3f}  "
                      f"held-out accuracy {accuracy:.3f}  {where}  {speed:,.0f} samples/s", flush=True)
            losses, epoch_began = [], time.time()
        if step % args.checkpoint_every == 0 or step == total or stopping:
            checkpoint()
        if stopping and step < total:
            if me.rank == 0:
                metrics.write(event="stop", step=step, reason="SIGTERM")
                print(f"SIGTERM: checkpointed at step {step} of {total}, stopping", flush=True)
            return EXIT_SIGTERM

    accuracy = torch.zeros(1, dtype=torch.float64, device=device)
    if me.rank == 0:
        accuracy[0] = evaluate(network, held_images, held_labels)[0]
        metrics.write(event="end", accuracy=accuracy.item(), steps=step, train_seconds=train_seconds())
        print(f"held-out accuracy {accuracy.item():.3f} after {args.epochs} epochs on {on_nodes}", flush=True)
    dist.broadcast(accuracy, src=0)  # all ranks end with the same exit code
    metrics.sync()
    return EXIT_FAILED if accuracy.item() < args.min_accuracy else 0


def main():
    args, me = parse_args(), find_my_place()
    try:
        code = train(args, me)
        dist.barrier()  # no rank leaves while another still needs it
    except Refused as reason:
        print(f"rank {me.rank} on node {me.node}: {reason}", file=sys.stderr, flush=True)
        code = reason.code
    except Exception as error:  # whatever it is, this rank must end, and not with 0, so that the job does too
        if re.search("peer|timed? ?out|NCCL", str(error), re.IGNORECASE):  # a traceback per rank would drown
            reason = f"lost another rank: {str(error).strip()}"            # the message of the one that failed
        else:
            reason = f"failed:\n{traceback.format_exc()}"
        print(f"rank {me.rank} on node {me.node} {reason}", file=sys.stderr, flush=True)
        code = EXIT_FAILED
    os._exit(code)  # not sys.exit: after a failure PyTorch's clean-up may wait for peers that are gone


if __name__ == "__main__":
    main()
