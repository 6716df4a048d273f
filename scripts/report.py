"""The short report at the end of ./quickstart, from the job's own metrics."""

import json
import os
import time

folder = os.environ["FOLDER"]
trainyard = os.environ["TRAINYARD"]
begun = float(os.environ["BEGUN"])
submitted = float(os.environ["SUBMITTED"])
installed, built = float(os.environ["INSTALLED"]), float(os.environ["BUILT"])
off = os.environ["OFF"]
cluster = folder.split("/shared/fsx/")[0]

with open(os.path.join(folder, "out", "metrics", "rank0.jsonl"), encoding="utf-8") as lines:
    events = [json.loads(line) for line in lines]
start = next(event for event in events if event.get("event") == "start")
end = next(event for event in events if event.get("event") == "end")
nodes = sorted(set(start["nodes"]))

# The prolog wrote when the job reached its nodes: the last lines of this job in the cluster's log.
with open(os.path.join(cluster, "log", "jobs.jsonl"), encoding="utf-8") as lines:
    prologs = [line for line in map(json.loads, lines) if line["event"] == "start" and str(line["job"]) == str(start["job"])]
started = max(calendar for calendar in (
    time.mktime(time.strptime(line["time"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone + float(line["time"][19:-1])
    for line in prologs
))

total = time.time() - begun
waited = started - submitted
print(f"""
trainyard quickstart is done.

  cluster    rehearsal: {len(nodes)} nodes of real Slurm on this machine
  job        {start["job"]}, on {", ".join(nodes)}
  accuracy   {end["accuracy"]:.3f} on held-out digits, after {end["steps"]} steps
  time       {started - begun:.1f} s from zero to the job's start, {started - begun - installed - built:.1f} s without packages ({installed:.1f} s) and build ({built:.1f} s)
             {waited:.1f} s from submitting to the job's start, with {off} of its nodes powered down; {total:.1f} s in all
  logs       {cluster}/log
  job files  {folder}

  try next   export PATH="$PATH:{os.path.dirname(trainyard)}"
             trainyard status
             trainyard run -N 4 -- hostname
             trainyard nodes crash train-st-node-1      # lose a node; jobs are requeued
             trainyard init my.yaml && trainyard up my.yaml
             trainyard up --rehearse --max-nodes 2 examples/p5en-capacity-block.yaml
  take down  trainyard down --cluster rehearsal""")
