#!/bin/sh
# Runs on each node of a job. It must be quick and never fail: a failing prolog drains the node.
printf '{"event":"{{ event }}","time":"%s","job":%s,"node":"%s","restarts":%s}\n' \
  "$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)" "${SLURM_JOB_ID:-0}" "${SLURMD_NODENAME:-}" "${SLURM_RESTART_COUNT:-0}" \
  >>"{{ log }}" 2>/dev/null
exit 0
