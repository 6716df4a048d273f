"""A server of metrics that runs beside a script, and what the kernel and its own pages say of it."""

import os
import re
import select
import subprocess
import threading
import time
import urllib.request

TICKS = os.sysconf("SC_CLK_TCK")

# No proxy: all addresses are loopback.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


# For the address that a server prints once it listens, and for its first answer.
START_SECONDS = 20


def write_replay(agent, folder, profile, seconds=3600, faults=()):
    wrong = [word for fault in faults for word in ("--fault", fault)]
    argv = [agent, "replay", "write", "--profile", profile, "--seconds", str(seconds), *wrong, folder]
    try:
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SystemExit(f"no replay was written: {error}") from None


class Server:
    """Started on a port that it chose itself, and answering. `address` is what it prints before the port."""

    def __init__(self, name, argv, address):
        self.name, self.port = name, None
        try:
            self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        except OSError as error:
            raise SystemExit(f"{name} cannot be started: {error}") from None
        try:
            self.port = self.printed_port(address)
            threading.Thread(target=self.hear, daemon=True).start()
            self.fetch("/metrics")
        except (OSError, ValueError) as error:
            self.end()
            raise SystemExit(f"{name} does not answer: {error}") from None

    @classmethod
    def agent(cls, program, *more):
        """`more` goes onto the command line of `agent serve`."""
        return cls("agent", [program, "serve", "--listen", "127.0.0.1:0", *more], rb"http://127\.0\.0\.1:(\d+)/metrics")

    def printed_port(self, address):
        said, until = b"", time.monotonic() + START_SECONDS
        while not (found := re.search(address, said)):
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, until - time.monotonic()))
            more = os.read(self.process.stdout.fileno(), 1 << 16) if ready else b""
            if not more:
                raise ValueError(f"it printed no address, but: {said.decode(errors='replace').strip()[-500:] or 'nothing'}")
            said += more
        return int(found[1])

    def hear(self):
        """What it prints later, so that it never waits for a reader."""
        while os.read(self.process.stdout.fileno(), 1 << 16):
            pass

    def fetch(self, path, **headers):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        return OPENER.open(request, timeout=20).read()

    def end(self):
        self.process.kill()
        self.process.wait()

    def processor_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def status(self, field):
        """A number of /proc/PID/status: kB, or a count."""
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(field + ":"))

    def open_files(self):
        """What its descriptors lead to, in order."""
        found = []
        for entry in os.scandir(f"/proc/{self.process.pid}/fd"):
            try:
                found.append(os.readlink(entry.path))
            except OSError:
                pass  # closed meanwhile
        return sorted(found)


def samples(text, name):
    """The samples of one metric: labels as they are written, and values."""
    found = re.finditer(rf"^{name}(?:\{{(.*)\}})? (\S+)$", text, re.MULTILINE)
    return {match[1] or "": float(match[2]) for match in found}


class Checks:
    """What must hold, and what did not."""

    def __init__(self):
        self.failed = 0

    def holds(self, what, is_so, found=""):
        print(f"{'holds ' if is_so else 'FAILED'}  {what}" + (f": {found}" if found != "" else ""), flush=True)
        self.failed += not is_so

    def end(self):
        if self.failed:
            raise SystemExit(f"{self.failed} did not hold")
        print("all held")
