"""A server of metrics that runs beside a script, and what the kernel and its own pages say of it."""

import os
import re
import socket
import subprocess
import time
import urllib.request

TICKS = os.sysconf("SC_CLK_TCK")

# No proxy: all addresses are loopback.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def write_replay(agent, folder, profile, seconds=3600, faults=()):
    wrong = [word for fault in faults for word in ("--fault", fault)]
    subprocess.run([agent, "replay", "write", "--profile", profile, "--seconds", str(seconds), *wrong, folder],
                   check=True, stdout=subprocess.DEVNULL)


class Server:
    """Started, and answering. `more` goes onto the command line of `agent serve`."""

    def __init__(self, name, argv, port):
        self.name, self.port = name, port
        self.process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while True:
            try:
                self.fetch("/metrics")
                return
            except OSError:
                if time.monotonic() > until or self.process.poll() is not None:
                    self.end()
                    raise SystemExit(f"{name} does not answer: {' '.join(argv)}") from None
                time.sleep(0.05)

    @classmethod
    def agent(cls, program, *more):
        port = free_port()
        return cls("agent", [program, "serve", "--listen", f"127.0.0.1:{port}", *more], port)

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

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


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
