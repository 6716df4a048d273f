# Shared by ./quickstart and ./test: what they need on this machine, and where they build.
# shellcheck shell=bash

# The oldest Rust that builds this workspace (rust-version in Cargo.toml).
rust_needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$root/Cargo.toml")

say() { printf '%s\n' "$*" >&2; }
die() {
  say "error: $1"
  shift
  for hint in "$@"; do say "  hint: $hint"; done
  exit 3
}

# Needs: a Rust that is new enough.
check_rust() {
  local found
  command -v cargo >/dev/null 2>&1 || die "Rust is not installed; $rust_needed or newer is needed" \
    "get it with: curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh" "then open a new shell and run this again"
  found=$(rustc --version | awk '{print $2}')
  if [ "$(printf '%s\n%s\n' "$rust_needed" "${found%%-*}" | sort -V | head -n 1)" != "$rust_needed" ]; then
    die "Rust $found is too old; $rust_needed or newer is needed" "upgrade it with: rustup update stable"
  fi
}

# Installs Debian or Ubuntu packages that are missing. $1: 0 to only name them.
need_packages() {
  local install=$1 missing=() package sudo=()
  shift
  if ! command -v dpkg-query >/dev/null 2>&1; then
    say "this machine has no Debian packages; make sure that it has the counterparts of: $*"
    return 0
  fi
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$install" = 0 ]; then
    die "these packages are missing: ${missing[*]}" "install them with: sudo apt-get install --no-install-recommends ${missing[*]}"
  fi
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 || die "installing packages needs root: ${missing[*]}" "run as root: apt-get install ${missing[*]}"
    sudo=(sudo)
  fi
  say "installing ${#missing[@]} packages: ${missing[*]}"
  # Another apt may hold the lock for minutes on a fresh machine; wait for it instead of failing.
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600)
  "${sudo[@]}" "${apt[@]}" update >/dev/null || die "apt-get update failed" "is this machine online? with --no-install nothing is installed"
  "${sudo[@]}" "${apt[@]}" install --no-install-recommends "${missing[@]}" >/dev/null ||
    die "apt-get could not install: ${missing[*]}" "install them yourself, then run this with --no-install"
}

# Programs of Debian's packages that only tests run, unpacked beside the build folder: installing these packages would
# start their services. $1: 0 to only name what is missing; then PACKAGE PROGRAM pairs. Puts them on PATH.
unpack_packages() {
  local install=$1 base=${XDG_CACHE_HOME:-$HOME/.cache}/trainyard/packages
  shift
  while [ $# -gt 0 ]; do
    local package=$1 program=$2 folder=$base/$1
    shift 2
    if [ -x "$folder/usr/bin/$program" ]; then
      PATH=$folder/usr/bin:$PATH
      continue
    fi
    ! command -v "$program" >/dev/null 2>&1 || continue
    [ "$install" = 1 ] || die "$program is missing" "get it with: apt-get download $package, and put it on the search path"
    say "unpacking $package"
    rm -rf "$folder.part"
    mkdir -p "$folder.part/download"
    (cd "$folder.part/download" && apt-get -q download "$package" >/dev/null && dpkg -x ./*.deb "$folder.part") ||
      die "$package could not be downloaded" "is this machine online? as root, apt-get update may help"
    rm -rf "$folder.part/download" "$folder"
    mv "$folder.part" "$folder"
    PATH=$folder/usr/bin:$PATH
  done
  export PATH
}

slurm_packages=(munge slurmctld slurmd slurm-client libpmix-dev iproute2 util-linux procps)
# The judges of AWS plans come from PyPI, by lock files with hashes (python_env).
judge_packages=(python3-venv openssl curl)
torch_packages=(python3-torch python3-sklearn python3-numpy)
case $(uname -m) in aarch64) qemu_package=qemu-system-arm ;; *) qemu_package=qemu-system-x86 ;; esac

# One build folder for all clones of this machine, outside of them: a fresh clone builds in seconds.
use_build_folder() {
  export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/trainyard/target}
  mkdir -p "$CARGO_TARGET_DIR" 2>/dev/null || unset CARGO_TARGET_DIR
  build_folder=${CARGO_TARGET_DIR:-$root/target}
}

# A Python environment from a lock file with hashes, made once for each content of the lock. $1: name of NAME.txt in
# testing/aws/requirements, or in the folder $2. Sets python_env to its folder.
python_env() {
  local lock=${2:-$root/testing/aws/requirements}/$1.txt base=${XDG_CACHE_HOME:-$HOME/.cache}/trainyard/python uv
  python_env=$base/$1-$(sha256sum "$lock" | cut -c1-12)
  [ ! -f "$python_env/.complete" ] || return 0
  uv=$base/uv-$(sha256sum "$root/testing/aws/requirements/uv.txt" | cut -c1-12)
  if [ ! -f "$uv/.complete" ]; then
    /usr/bin/python3 -m venv "$uv" || die "this machine's Python makes no environments" "install it with: sudo apt-get install python3-venv"
    "$uv/bin/pip" -q --disable-pip-version-check install --require-hashes -r "$root/testing/aws/requirements/uv.txt"
    touch "$uv/.complete"
  fi
  say "installing Python packages for: $1"
  rm -rf "$python_env"
  "$uv/bin/uv" -q venv --python /usr/bin/python3 "$python_env"
  VIRTUAL_ENV=$python_env "$uv/bin/uv" -q pip install --require-hashes -r "$lock"
  touch "$python_env/.complete"
}
