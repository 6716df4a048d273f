//! A DCGM exporter of this machine, asked for what GPUs before Hopper do not tell by themselves. The collector of GPUs shows
//! it; this one only asks, so that an exporter that hangs delays no GPU.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use hyper::Uri;
use trainyard_plan::metrics::dcgm as m;

use super::{Collector, Kind, Lane, Problem, Scope};
use crate::fetch::{Page, fetch, waited};
use crate::gpus::dcgm::{Profiles, Told};
use crate::sheet::Sheet;

pub(super) static COLLECTOR: Kind = Kind {
    name: "dcgm",
    about: "A DCGM exporter, for GPUs before Hopper",
    lane: Lane::Own,
    scope: Scope::Node,
    make: |setting| {
        // A replay's GPUs are not the exporter's.
        let exporter = setting.dcgm_exporter.clone().filter(|_| setting.replay.is_none())?;
        Some(Box::new(Dcgm { exporter, profiles: setting.profiles.clone(), unread: 0 }))
    },
};

/// For all of it. The round waits somewhat longer.
const DEADLINE: Duration = Duration::from_secs(1);

/// Sixteen GPUs with sixty values each have 600 KiB.
const BYTES_MAX: usize = 4 << 20;

/// Where an exporter is: a plain http URL of this machine's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exporter {
    address: SocketAddr,
    host: String,
    path: String,
}

impl FromStr for Exporter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let uri: Uri = text.parse().map_err(|error| format!("it is no URL: {error}"))?;
        if uri.scheme_str() != Some("http") {
            return Err("only http:// is asked, on loopback".to_owned());
        }
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'));
        let authority = authority.ok_or("it has no plain address")?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let ip = if host == "localhost" { Ok(IpAddr::V4(Ipv4Addr::LOCALHOST)) } else { host.parse() };
        let ip = ip.ok().filter(IpAddr::is_loopback).ok_or("only an address of loopback is asked")?;
        let address = SocketAddr::new(ip, authority.port_u16().unwrap_or(80));
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { address, host: authority.as_str().to_owned(), path })
    }
}

struct Dcgm {
    exporter: Exporter,
    profiles: Profiles,
    unread: u64,
}

impl Collector for Dcgm {
    fn collect(&mut self, sheet: &mut Sheet) -> Result<(), Problem> {
        let exporter = &self.exporter;
        let Exporter { address, host, path } = exporter;
        let page = Page { address: *address, host, path, accept: "text/plain;version=0.0.4" };
        let late = |_| Err(Problem::new(format!("no answer in {} s", DEADLINE.as_secs())));
        let fetched = waited(async { tokio::time::timeout(DEADLINE, fetch(page, BYTES_MAX)).await });
        let text = fetched.and_then(|answer| answer.unwrap_or_else(late));
        let told = text.map(|text| Told::read(&text));
        let result = match &told {
            Ok(told) => {
                self.unread = self.unread.saturating_add(told.unread);
                sheet.put(&m::trainyard_dcgm_exporter_gpus, &[], told.count());
                Ok(())
            }
            Err(problem) => {
                let sentence = format!("the DCGM exporter at {} does not answer as it should", exporter.address);
                Err(Problem::new(sentence).because(problem.clone()))
            }
        };
        // What it told before is not the GPUs' any more.
        self.profiles.set(told.unwrap_or_default());
        sheet.put(&m::trainyard_dcgm_exporter_lines_unread_total, &[], self.unread);
        result
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::time::Instant;

    use super::*;

    #[test]
    fn only_this_machine_is_asked_and_only_plainly() {
        let read = |text: &str| text.parse::<Exporter>();
        let exporter = read("http://127.0.0.1:9401/metrics").unwrap();
        assert_eq!((exporter.address.to_string().as_str(), exporter.path.as_str()), ("127.0.0.1:9401", "/metrics"));
        assert_eq!(read("http://[::1]:9401").unwrap().address.to_string(), "[::1]:9401");
        assert_eq!(read("http://localhost/m?x=1").unwrap().path, "/m?x=1");
        for bad in [
            "https://127.0.0.1/metrics",
            "http://10.0.0.1/metrics",
            "http://169.254.169.254/latest",
            "http://localhost.example.com/",
            "http://root:x@127.0.0.1/",
            "127.0.0.1:9401",
            "/metrics",
            "file:///etc/passwd",
            "http://127.0.0.1\r\nX: y/",
            "",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    /// Asks an exporter that answers so: what it told, how it went, and how long it took.
    fn ask(answer: impl FnOnce(&mut std::net::TcpStream) + Send + 'static) -> (usize, Result<(), String>, Duration) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/metrics", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 1024];
            let length = stream.read(&mut asked).unwrap();
            assert!(asked[..length].starts_with(b"GET /metrics HTTP/1.1\r\n"));
            answer(&mut stream);
        });
        let profiles = Profiles::default();
        let exporter = url.parse().unwrap();
        let mut dcgm = Dcgm { exporter, profiles: profiles.clone(), unread: 0 };
        profiles.set(Told::read("DCGM_FI_PROF_SM_ACTIVE{UUID=\"GPU-old\"} 1\n"));
        let begun = Instant::now();
        let result = dcgm.collect(&mut Sheet::default()).map_err(|problem| problem.told());
        let took = begun.elapsed();
        drop(dcgm);
        server.join().unwrap();
        (profiles.told().count(), result, took)
    }

    #[test]
    fn an_exporter_is_read_plain_or_in_chunks() {
        let text = "DCGM_FI_PROF_SM_ACTIVE{gpu=\"0\",UUID=\"GPU-a\"} 0.5\nDCGM_FI_PROF_SM_ACTIVE{gpu=\"1\",UUID=\"GPU-b\"} 0.5\n";
        let plain = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len());
        let chunked =
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{text}\r\n0\r\n\r\n", text.len());
        let until_closed = format!("HTTP/1.0 200 OK\r\n\r\n{text}");
        for answer in [plain, chunked, until_closed] {
            let (gpus, result, _) = ask(move |stream| stream.write_all(answer.as_bytes()).unwrap());
            assert_eq!((gpus, result), (2, Ok(())));
        }
    }

    #[test]
    fn an_exporter_that_fails_hangs_or_floods_leaves_nothing_and_says_so() {
        let (gpus, result, _) =
            ask(|stream| stream.write_all(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n").unwrap());
        assert!(gpus == 0 && result.clone().unwrap_err().contains("it says 503"), "{result:?}");
        let (gpus, result, took) = ask(|stream| {
            let _ = stream.read(&mut [0; 16]); // until the asker gives up
        });
        assert!(gpus == 0 && result.unwrap_err().contains("no answer in 1 s") && took < DEADLINE * 2, "{took:?}");
        let (gpus, result, _) = ask(|stream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            let line = b"DCGM_FI_PROF_SM_ACTIVE{UUID=\"GPU-a\"} 1\n".repeat(1000);
            while stream.write_all(&line).is_ok() {}
        });
        assert!(gpus == 0 && result.clone().unwrap_err().contains("too long"), "{result:?}");
        for garbage in ["\0\0\0\0\r\n\r\n", "SSH-2.0-x\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx", ""] {
            let (gpus, result, _) = ask(|stream| stream.write_all(garbage.as_bytes()).unwrap());
            assert!(gpus == 0 && result.is_err(), "{garbage}");
        }
    }
}
