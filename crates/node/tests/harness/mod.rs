//! Starts agents and their peers on loopback, and asks them.

#![allow(dead_code, reason = "each test uses its part")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use trainyard_run::Command;

/// A program that serves HTTP; it ends with this.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    log: PathBuf,
    _folder: tempfile::TempDir,
}

impl Server {
    /// The agent, at a free port of loopback.
    pub fn agent(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let command = Command::new(env!("CARGO_BIN_EXE_trainyard-agent")).args(["serve", "--listen", "127.0.0.1:0"]);
        let child = command.args(arguments).daemon(&log).unwrap();
        let mut server = Self { child, address: ([127, 0, 0, 1], 0).into(), log, _folder: folder };
        server.address = server.await_line(|line| {
            line.strip_prefix("metrics are at ")?.split_once("://")?.1.strip_suffix("/metrics")?.parse().ok()
        });
        server
    }

    /// The distribution's node_exporter.
    pub fn node_exporter() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let address = free_address();
        // As upstream has it; Debian's leaves out more.
        let left_out = "^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)";
        let command = Command::new("prometheus-node-exporter")
            .arg(format!("--web.listen-address={address}"))
            .arg(format!("--collector.filesystem.mount-points-exclude={left_out}"));
        let child = command
            .args(["--collector.tcpstat", "--collector.processes", "--collector.meminfo_numa"])
            .daemon(&log)
            .unwrap();
        let server = Self { child, address, log, _folder: folder };
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < until, "node_exporter does not listen: {}", server.told());
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// What it has printed.
    pub fn told(&self) -> String {
        fs_err::read_to_string(&self.log).unwrap_or_default()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    fn await_line<T>(&mut self, find: impl Fn(&str) -> Option<T>) -> T {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(found) = self.told().lines().find_map(&find) {
                return found;
            }
            assert!(Instant::now() < until && self.child.try_wait().unwrap().is_none(), "it ended: {}", self.told());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The answer's body to a GET.
    pub fn get(&self, path: &str) -> String {
        let answer = self.ask(path, &[]);
        assert_eq!(answer.status, 200, "{path}");
        String::from_utf8(answer.body).unwrap()
    }

    pub fn ask(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
        for (name, value) in headers {
            let _ = write!(request, "{name}: {value}\r\n");
        }
        request.push_str("\r\n");
        self.send(request.as_bytes())
    }

    pub fn send(&self, request: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(request).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        Answer::read(&bytes)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody listens at now.
fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Answer {
    fn read(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(bytes.len().saturating_sub(4));
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
        let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let headers: BTreeMap<String, String> = lines.filter_map(header).collect();
        let body = bytes[(end + 4).min(bytes.len())..].to_vec();
        let is_chunked = headers.get("transfer-encoding").is_some_and(|value| value == "chunked");
        Self { status, body: if is_chunked { unchunked(&body) } else { body }, headers }
    }
}

fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = body.windows(2).position(|two| two == b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&body[..end]).unwrap().trim(), 16).unwrap();
        whole.extend_from_slice(&body[end + 2..end + 2 + length]);
        body = &body[(end + length + 4).min(body.len())..];
    }
    whole
}

/// An exposition as values by series.
pub fn series(text: &str) -> BTreeMap<String, f64> {
    let line = |line: &str| {
        let (name, labels, value) = trainyard_node::exposition::read_line(line)?;
        Some((format!("{name}{labels:?}"), value))
    };
    text.lines().filter(|line| !line.starts_with('#')).filter_map(line).collect()
}

/// A value of `/proc/PID/status` in KiB.
pub fn memory_kib(pid: u32, field: &str) -> u64 {
    let status = fs_err::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
