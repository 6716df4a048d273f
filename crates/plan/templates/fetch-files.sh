#!/bin/bash
# Puts the files that the spec's `setup.files` names on this node, whole or not at all.
# Arguments: the bucket, and the key of the list. Safe to run again: what is there is not fetched twice.
set -euo pipefail

bucket=$1 list=$2
target={{ target }}
store=$target.store
mkdir -p "$store"
work=$(mktemp -d "$target.XXXXXX")
trap 'rm -rf "$work"' EXIT

aws s3 cp --only-show-errors "s3://$bucket/$list" "$work/list"
# Only what the list names, a thousand at a time: the bucket also has what was named before.
cut -f1 "$work/list" | sort -u >"$work/wanted"
while mapfile -t -n 1000 sums && [ -n "${sums[*]}" ]; do
  aws s3 sync --only-show-errors --exclude '*' "${sums[@]/#/--include=}" "s3://$bucket/files/" "$store"
done <"$work/wanted"
awk '{ print $1 "  " $1 }' "$work/wanted" >"$work/sums"
(cd "$store" && sha256sum --quiet --check "$work/sums")

mkdir "$work/new"
while IFS=$'\t' read -r sum mode path; do
  install -D -m "$mode" "$store/$sum" "$work/new/$path"
done <"$work/list"
rm -rf "$target.old"
[ ! -e "$target" ] || mv -T "$target" "$target.old"
mv -T "$work/new" "$target"
rm -rf "$target.old"
