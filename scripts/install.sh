#!/bin/sh
# Installs trainyard, a static program, and trainyard-agent beside it, checked against its SHA-256 before anything is unpacked.
# Plain POSIX sh. All of it is in functions: of a script that was cut off in transfer, nothing runs.
set -u

releases=https://github.com/trainyard/trainyard/releases

usage() {
  cat <<TEXT
Usage: sh install.sh [--version VERSION] [--from URL|FOLDER] [--to FOLDER]

Installs trainyard, one static program for Linux on x86_64 or aarch64, and trainyard-agent beside it where that runs
(it needs glibc 2.26 or newer; rehearsals have metrics with it). The installer needs tar, gzip, one of sha256sum, shasum
and openssl, and for a URL curl or GNU wget. Nothing is unpacked before its SHA-256 is right.

  --version VERSION   this version, for example 0.1.0; without it, the newest one
  --from URL|FOLDER   where SHA256SUMS and the archives lie; without it, $releases
  --to FOLDER         where the programs go; without it, ~/.local/bin

A program that is there is replaced in one step, and its old and new versions are named. An older trainyard-agent for
which the release has none that runs here is removed. Nothing else is written.

  sh install.sh                                        the newest release
  sh install.sh --version 0.1.0 --to /usr/local/bin    one release, for everybody (as root)
  sh install.sh --from ./packages                      from a folder, without the internet

Exit codes: 0 installed, 1 the files are not what they should be, 2 usage, 3 this machine refused, 4 interrupted.
To remove it: rm ~/.local/bin/trainyard ~/.local/bin/trainyard-agent
TEXT
}

say() { printf '%s\n' "$*" >&2; }

# die CODE SENTENCE [HINT]...
die() {
  code=$1
  say "error: $2"
  shift 2
  for hint in "$@"; do say "  hint: $hint"; done
  exit "$code"
}

has() { command -v "$1" >/dev/null 2>&1; }

main() {
  version='' from='' to=''
  while [ $# -gt 0 ]; do
    case $1 in
      -h | --help) usage; exit 0 ;;
      --version | --from | --to)
        [ -n "${2:-}" ] || die 2 "\`$1\` needs a value" "sh install.sh --help"
        case $1 in
          --version) version=${2#v} ;;
          --from) from=$2 ;;
          --to) to=$2 ;;
        esac
        shift 2
        ;;
      *) die 2 "\`$1\` is not understood" "sh install.sh --help" ;;
    esac
  done
  case $version in
    *[!0-9A-Za-z.+-]*) die 2 "\`$version\` is no version" "for example: --version 0.1.0" ;;
  esac

  find_machine
  find_place
  work=$to/.trainyard-install-$$
  (umask 077 && mkdir "$work") 2>/dev/null ||
    die 3 "nothing can be written in $to" "choose another folder with --to, or run this as who may write there"
  trap 'rm -rf "$work"' EXIT
  trap 'exit 4' HUP INT TERM

  find_archive
  say "fetching $archive from $from"
  fetch "$archive" || die 3 "$archive could not be fetched from $from" "SHA256SUMS names it; it must lie beside it" \
    "it goes to $to first: df -h $to shows what is free there"
  check_archive
  unpack
  install_programs
  advise
}

# Sets target: Rust's name of this machine.
find_machine() {
  system=$(uname -s)
  machine=$(uname -m)
  [ "$system" = Linux ] ||
    die 3 "trainyard runs on Linux, and this is $system" "use a container, a virtual machine or a Linux host"
  case $machine in
    x86_64 | amd64) target=x86_64-unknown-linux-musl ;;
    aarch64 | arm64) target=aarch64-unknown-linux-musl ;;
    *) die 3 "there is no trainyard for $machine, only for x86_64 and aarch64" "build it: CONTRIBUTING.md says how" ;;
  esac
}

# Sets to, as a whole path, and makes the folder.
find_place() {
  if [ -z "$to" ]; then
    [ -n "${HOME:-}" ] || die 2 "HOME is not set, so there is no ~/.local/bin" "name a folder with --to"
    to=$HOME/.local/bin
  fi
  mkdir -p "$to" 2>/dev/null ||
    die 3 "the folder $to cannot be made" "choose another folder with --to, or run this as who may write there"
  to=$(cd "$to" && pwd) || die 3 "the folder $to cannot be entered"
  for program in trainyard trainyard-agent; do
    [ ! -d "$to/$program" ] || die 3 "$to/$program is a folder" "choose another folder with --to"
  done
}

# Sets archive, sum and version; from becomes the folder or address in which the archive lies.
find_archive() {
  pages=0
  if [ -z "$from" ]; then
    pages=1
    from=$releases/latest/download
    [ -z "$version" ] || from=$releases/download/v$version
  fi
  from=${from%/}
  # Who can change what is fetched can change SHA256SUMS too, so the way must be safe. This machine is.
  case $from in
    *://*@*) die 2 "an address with a user's name is not fetched" "fetch the files yourself and name their folder" ;;
    http://127.0.0.1[:/]* | http://localhost[:/]* | https://*) ;;
    *://*) die 2 "$from is not fetched: only https and folders are" "fetch the files yourself and name their folder" ;;
    *)
      [ -d "$from" ] || die 2 "there is no folder $from" "name a folder with SHA256SUMS in it, or an https address"
      from=$(cd "$from" && pwd)
      ;;
  esac
  fetch SHA256SUMS || die 3 "SHA256SUMS could not be fetched from $from" \
    "is this the right address, and is there a release?" "from a folder: sh install.sh --from FOLDER"
  # Of lines as sha256sum writes them, those about archives for this machine.
  sed -n "s/^\([0-9a-f]\{64\}\) [ *]\(trainyard-[0-9A-Za-z.+-]*-$target\.tar\.gz\)\$/\1 \2/p" "$work/SHA256SUMS" >"$work/found"
  if [ -n "$version" ]; then
    archive=trainyard-$version-$target.tar.gz
    awk -v name="$archive" '$2 == name' "$work/found" >"$work/one"
    mv "$work/one" "$work/found"
    [ -s "$work/found" ] || die 1 "SHA256SUMS of $from does not name $archive" "it names: $(names)"
  fi
  case $(wc -l <"$work/found" | tr -d ' ') in
    0) die 1 "SHA256SUMS of $from names no archive for $target" "it names: $(names)" ;;
    1) ;;
    *) die 2 "there is more than one version in $from" "choose one with --version: $(names)" ;;
  esac
  read -r sum archive <"$work/found"
  version=${archive#trainyard-}
  version=${version%"-$target.tar.gz"}
  # "latest" may be another release a moment later.
  [ "$pages" = 0 ] || from=$releases/download/v$version
}

names() { awk '{ printf "%s%s", separator, $2; separator = ", " }' "$work/SHA256SUMS"; }

# Puts one file of $from into the work folder. Talks only if it fails.
fetch() {
  case $from in
    *://*) ;;
    *)
      [ -f "$from/$1" ] && cp "$from/$1" "$work/$1"
      return
      ;;
  esac
  if has curl; then
    # A redirection must not leave https either.
    case $from in
      https://*) curl -fsSL --proto '=https' --proto-redir '=https' --retry 2 -o "$work/$1" "$from/$1" >&2 ;;
      *) curl -fsS -o "$work/$1" "$from/$1" >&2 ;;
    esac
  elif has wget; then
    fetch_with_wget "$1"
  else
    die 3 "neither curl nor wget is there" "install one, or fetch the files yourself: --from FOLDER"
  fi
}

# wget has no word for "a redirection must not leave https" (--https-only is about links in pages), so each is followed here.
fetch_with_wget() {
  address=$from/$1
  case $from in
    https://*) ;;
    *)
      wget -q -O "$work/$1" "$address" >&2
      return
      ;;
  esac
  # Others follow redirections whereto they like, and BusyBox's does not look at certificates.
  case $(wget --version 2>/dev/null) in
    "GNU Wget"*) ;;
    *) die 3 "this wget is not GNU's and cannot be kept to https" "install curl, or fetch the files yourself: --from FOLDER" ;;
  esac
  for hop in 1 2 3 4 5 6; do
    wget -nv -S --max-redirect=0 -O "$work/$1" "$address" 2>"$work/said" && return
    next=$(sed -n 's/^ *[Ll]ocation: *\([^ ]*\).*/\1/p' "$work/said" | tr -d '\r' | tail -n 1)
    case $next in
      https://*) address=$next ;;
      //*) address=https:$next ;;
      /*)
        host=${address#https://}
        address=https://${host%%/*}$next
        ;;
      '')
        # Without the lines of the answer's head.
        grep -v '^  ' "$work/said" >&2
        return 1
        ;;
      *)
        say "$address leads to $next, and only https is followed"
        return 1
        ;;
    esac
  done
  say "$from/$1 is redirected more than $hop times"
  return 1
}

check_archive() {
  if has sha256sum; then
    found=$(sha256sum "$work/$archive")
  elif has shasum; then
    found=$(shasum -a 256 "$work/$archive")
  elif has openssl; then
    found=$(openssl dgst -sha256 -r "$work/$archive")
  else
    die 3 "nothing here can make a SHA-256" "install one of: sha256sum (coreutils), shasum, openssl"
  fi
  found=${found%% *}
  # Some write a backslash before a line whose name has one.
  [ "${found#\\}" = "$sum" ] || die 1 "$archive is not what SHA256SUMS says; nothing was installed" \
    "wanted $sum" "found  $found" "it was cut off, or somebody changed it: fetch it again, from another place"
}

# Takes the programs out of the archive, and nothing else; they must run here and be the version that was asked for.
unpack() {
  folder=${archive%.tar.gz}
  # Apart from tar: of two in a pipe, sh tells only how the last one ended. gzip takes the packed one away.
  (cd "$work" && gzip -d "$archive") >&2 || die_unpacking "$archive"
  tar -tf "$work/$folder.tar" >"$work/listed" || die_unpacking "$archive"
  is_listed "$folder/trainyard" || die 1 "$archive has no $folder/trainyard in it"
  take trainyard
  new=$work/$folder/trainyard
  told=$("$new" --version 2>/dev/null) || die 3 "the program of $archive does not run on this machine" \
    "may programs be started in $to? a file system that is mounted noexec refuses it"
  [ "$told" = "trainyard $version" ] || die 1 "the program of $archive calls itself \`$told\`"
  unpack_agent
}

# Rehearsals have metrics with it, and do without. It is not static, so it may not run where trainyard does.
unpack_agent() {
  new_agent=''
  if ! is_listed "$folder/trainyard-agent"; then
    say "left out: $archive has no trainyard-agent"
    return
  fi
  take trainyard-agent
  told=$("$work/$folder/trainyard-agent" --version 2>/dev/null) || told=''
  if [ "$told" = "trainyard-agent $version" ]; then
    new_agent=$work/$folder/trainyard-agent
  else
    say "left out: trainyard-agent $version does not run here (it needs glibc 2.26 or newer)"
  fi
}

is_listed() { grep -qxF "$1" "$work/listed"; }

take() {
  (cd "$work" && tar -xf "$folder.tar" "$folder/$1") >&2 || die_unpacking "$1 of $archive"
  chmod 755 "$work/$folder/$1"
}

die_unpacking() {
  die 3 "$1 could not be unpacked in $to; nothing was installed" "is there space? see: df -h $to" \
    "then type the same command again, or choose another folder with --to"
}

# What stands at $1 is a program of ours called $2, or nothing.
is_ours() {
  [ -e "$1" ] || [ -h "$1" ] || return 0
  old=$("$1" --version 2>/dev/null) || old=''
  case $old in
    "$2 "*) ;;
    *) die 3 "$1 is there, and is no $2 that runs" "move it away, or choose another folder with --to" ;;
  esac
}

install_programs() {
  there=$to/trainyard
  # Both are looked at before one is changed.
  if [ -n "$new_agent" ]; then
    cmp -s "$new_agent" "$there-agent" || is_ours "$there-agent" trainyard-agent
  fi
  cmp -s "$new" "$there" || is_ours "$there" trainyard
  if [ -n "$new_agent" ]; then put trainyard-agent "$new_agent"; fi
  put trainyard "$new"
  if [ -z "$new_agent" ]; then remove_old_agent; fi
}

# trainyard starts what lies beside it under that name, so an agent of another version must not stay there.
remove_old_agent() {
  at=$there-agent
  if [ -e "$at" ] || [ -h "$at" ]; then
    old=$("$at" --version 2>/dev/null) || old=''
    case $old in
      "trainyard-agent $version") return ;;
      "trainyard-agent "*)
        rm -f "$at" || die 3 "$at is $old, does not fit trainyard $version, and could not be removed" "rm $at"
        say "removed: $at was $old, which does not fit trainyard $version"
        ;;
      *) say "  note: $at is no trainyard-agent that runs; trainyard would start it: move it away" ;;
    esac
  fi
  say "  note: rehearsals have no metrics without trainyard-agent"
}

# Puts program $1 from file $2. One rename: at every moment there is the old program or the new one.
put() {
  at=$to/$1
  if [ ! -e "$at" ] && [ ! -h "$at" ]; then
    mv "$2" "$at" || die 3 "$at could not be written"
    say "installed: $at is $1 $version"
    return
  fi
  if cmp -s "$2" "$at"; then
    say "nothing to do: $at is $1 $version already"
    return
  fi
  old=$("$at" --version 2>/dev/null) || old=''
  if [ -h "$at" ]; then say "$at was a link; what it led to stays as it is"; fi
  mv -f "$2" "$at" || die 3 "$at could not be replaced"
  say "replaced: $at was $old and is $1 $version"
}

advise() {
  case :${PATH:-}: in
    *":$to:"*)
      first=$(command -v trainyard) || first=''
      [ "$first" = "$there" ] || say "  note: another one comes first in your PATH: $first"
      ;;
    *)
      say "  note: $to is not in your PATH; put it there, in ~/.profile or what your shell reads:"
      say "    export PATH=\"$to:\$PATH\""
      ;;
  esac
  say "  next: trainyard init"
}

main "$@"
