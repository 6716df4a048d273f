//! The agent's pages, asked over HTTP.

mod harness;

use std::io::Read;

use harness::{Server, series};

#[test]
fn metrics_come_in_both_formats_and_packed() {
    let agent = Server::agent(&["--only", "loadavg,meminfo,uname"]);
    let classic = agent.ask("/metrics", &[]);
    assert!(classic.headers["content-type"].starts_with("text/plain; version=0.0.4"));
    let accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";
    let open = agent.ask("/metrics", &[("Accept", accept)]);
    assert!(open.headers["content-type"].starts_with("application/openmetrics-text; version=1.0.0"));
    let (classic, open) = (String::from_utf8(classic.body).unwrap(), String::from_utf8(open.body).unwrap());
    assert!(open.ends_with("# EOF\n") && !classic.contains("# EOF"));
    let names = |text: &str| series(text).into_keys().collect::<Vec<_>>();
    assert_eq!(names(&classic), names(&open));
    assert!(names(&classic).len() > 40);

    let packed = agent.ask("/metrics", &[("Accept-Encoding", "deflate, gzip;q=1.0")]);
    assert_eq!(packed.headers["content-encoding"], "gzip");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&packed.body[..]).read_to_string(&mut text).unwrap();
    assert_eq!(names(&text), names(&classic));
    assert!(packed.body.len() * 3 < text.len());
}

#[test]
fn a_fresh_scrape_collects_and_another_does_not() {
    let agent = Server::agent(&["--only", "time", "--interval", "3600"]);
    let now = || series(&agent.get("/metrics"))["node_time_seconds{}"];
    let first = now();
    assert_eq!(now().to_bits(), first.to_bits(), "what is young enough is given out again");
    let fresh = series(&agent.get("/metrics?fresh"))["node_time_seconds{}"];
    assert!(fresh > first);
    assert_eq!(now().to_bits(), fresh.to_bits());
}

#[test]
fn health_and_snapshot_say_how_collectors_fare() {
    let folder = tempfile::tempdir().unwrap();
    fs_err::write(folder.path().join("loadavg"), "not a load").unwrap();
    fs_err::write(folder.path().join("vmstat"), "pgfault 12\noom_kill 0\n").unwrap();
    let agent = Server::agent(&["--only", "loadavg,vmstat", "--proc", folder.path().to_str().unwrap()]);
    let health = agent.get("/healthz");
    assert!(health.contains("loadavg: ") && health.contains("has no three load averages"), "{health}");
    assert!(health.contains("vmstat: ok"), "{health}");
    let snapshot: serde_json::Value = serde_json::from_str(&agent.get("/api/v1/snapshot")).unwrap();
    assert_eq!(snapshot["samples"]["node_vmstat_pgfault"][0]["value"], 12.0);
    assert_eq!(snapshot["collectors"][0]["name"], "loadavg");
    assert_eq!(snapshot["collectors"][0]["good"], false);
    assert!(agent.told().contains("collector loadavg: "), "{}", agent.told());
}

#[test]
fn what_is_no_request_of_ours_is_refused() {
    let agent = Server::agent(&["--only", "loadavg"]);
    assert_eq!(agent.ask("/nothing", &[]).status, 404);
    assert_eq!(
        agent.send(b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").status,
        405
    );
    assert_eq!(agent.send(b"\x16\x03\x01 this is no HTTP\r\n\r\n").status, 400);
    let long = format!("GET /metrics HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "y".repeat(100_000));
    assert!(matches!(agent.send(long.as_bytes()).status, 400..500));
    assert!(agent.get("/metrics").contains("node_load1 "), "it goes on");
}

#[test]
fn an_unknown_collector_is_named_beside_those_that_exist() {
    let output = trainyard_run::Command::new(env!("CARGO_BIN_EXE_trainyard-agent"))
        .args(["print", "--only", "cpu,gpus2"])
        .output()
        .unwrap();
    assert_eq!(output.code, 2);
    assert!(output.stderr.contains("there is no collector `gpus2`; there are: arp, "), "{}", output.stderr);
}
