#!/bin/sh
# Runs beside slurmctld when a job gets its nodes, and ends when they are up. slurmctld looks at a
# starting job only every 30 seconds; when this program ends it looks at once. It never fails: a
# failure would requeue the job.
export SLURM_CONF="{{ conf }}"
for _ in $(seq {{ tries }}); do
  states=$("{{ sinfo }}" -a -h -N -n "$SLURM_JOB_NODELIST" -o %t 2>/dev/null) || break
  case $states in *[#~%]*) sleep 0.2 ;; *) break ;; esac
done
exit 0
