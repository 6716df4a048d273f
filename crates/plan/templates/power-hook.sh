#!/bin/sh
# Called by slurmctld with a list of nodes. It only hands the list on: a daemon started from here
# would inherit slurmctld's blocked signals and hang.
exec "{{ program }}" supervisor ask --socket "{{ socket }}" {{ verb }} "$1" >>"{{ log }}" 2>&1
