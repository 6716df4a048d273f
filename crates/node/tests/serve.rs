//! The agent's pages, asked over HTTP.

mod harness;

use std::io::{Read, Write};

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

/// A read of a counter may become a question to the device. Here it is a pipe that nobody writes into.
#[test]
fn a_fabric_device_that_never_answers_takes_nothing_else_along() {
    let folder = tempfile::tempdir().unwrap();
    let replay = folder.path().join("replay").display().to_string();
    let write = ["replay", "write", "--profile", "p4d", &replay];
    trainyard_run::Command::new(env!("CARGO_BIN_EXE_trainyard-agent")).args(write).run().unwrap();
    let agent = Server::agent(&["--only", "efa,gpu,loadavg,time", "--replay", &replay]);
    let device = fs_err::read_dir(format!("{replay}/sys/class/infiniband")).unwrap().next().unwrap().unwrap().path();
    let counter = device.join("ports/1/hw_counters/rx_bytes");
    let of =
        |text: &str, name: &str, collector: &str| series(text)[&format!("{name}{{\"collector\": \"{collector}\"}}")];
    let (good, stale) = ("node_scrape_collector_success", "trainyard_agent_collector_stale");
    assert_eq!(of(&agent.get("/metrics?fresh"), good, "efa").to_bits(), 1_f64.to_bits());

    fs_err::remove_file(&counter).unwrap();
    nix::unistd::mkfifo(&counter, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let begun = std::time::Instant::now();
    let text = agent.get("/metrics?fresh");
    assert!(begun.elapsed() < 10 * trainyard_node::conductor::ROUND_DEADLINE, "{:?}", begun.elapsed());
    assert_eq!(of(&text, stale, "efa").to_bits(), 1_f64.to_bits());
    let others = ["gpu", "loadavg", "time"].map(|name| (of(&text, stale, name), of(&text, good, name)));
    assert_eq!(others, [(0.0, 1.0); 3]);
    assert!(agent.get("/healthz").lines().any(|line| line.starts_with("efa: ") && !line.contains("ok")));

    fs_err::write(&counter, "7\n").unwrap(); // whoever waits for it waits no more
    let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
    fs_err::remove_file(&counter).unwrap();
    fs_err::write(&counter, "8\n").unwrap();
    while of(&agent.get("/metrics?fresh"), stale, "efa") > 0.0 {
        assert!(std::time::Instant::now() < until, "it does not come back");
    }
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

/// A file with the user `prom` and the password `s3cret`.
fn web_config(folder: &std::path::Path, has_tls: bool) -> String {
    let hash = bcrypt::hash("s3cret", 5).unwrap();
    let mut text = format!("basic_auth_users:\n  prom: {hash}\n");
    if has_tls {
        let paths = ["cert.pem", "key.pem"].map(|name| folder.join(name).display().to_string());
        let [certificate, key] = &paths;
        trainyard_run::Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
            .args(["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate])
            .run()
            .unwrap();
        text.push_str("tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n");
    }
    let path = folder.join("web.yaml");
    fs_err::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn users_are_asked_for_their_password() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Server::agent(&["--only", "loadavg", "--web-config", &web_config(folder.path(), false)]);
    let status = |credentials: &str| agent.ask("/metrics", &[("Authorization", credentials)]).status;
    assert_eq!(agent.ask("/metrics", &[]).status, 401);
    assert_eq!(agent.ask("/api/v1/snapshot", &[]).headers["www-authenticate"], "Basic realm=\"trainyard-agent\"");
    // prom:s3cret, prom:wrong, root:s3cret
    for (encoded, expected) in [("cHJvbTpzM2NyZXQ=", 200), ("cHJvbTp3cm9uZw==", 401), ("cm9vdDpzM2NyZXQ=", 401)] {
        for _ in 0..2 {
            assert_eq!(status(&format!("Basic {encoded}")), expected, "{encoded}");
        }
    }
}

#[test]
fn curl_reads_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Server::agent(&["--only", "loadavg", "--web-config", &web_config(folder.path(), true)]);
    let ask = |scheme: &str| {
        trainyard_run::Command::new("curl")
            .args(["-sS", "--noproxy", "*", "-u", "prom:s3cret", "--cacert"])
            .arg(folder.path().join("cert.pem"))
            .arg(format!("{scheme}://{}/metrics", agent.address))
            .output()
            .unwrap()
    };
    assert!(ask("https").stdout.contains("node_load1 "), "{}", ask("https").stderr);
    assert_ne!(ask("http").code, 0, "nothing is told in clear text");
}

#[test]
fn an_address_of_strangers_needs_tls_and_users() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        trainyard_run::Command::new(env!("CARGO_BIN_EXE_trainyard-agent"))
            .args(["serve", "--listen", "0.0.0.0:0"])
            .args(arguments)
            .output()
            .unwrap()
    };
    for output in [run(&[]), run(&["--web-config", &web_config(folder.path(), false)])] {
        assert_eq!(output.code, 2);
        assert!(output.stderr.contains("0.0.0.0:0 is not a private address"), "{}", output.stderr);
    }
}

#[test]
fn where_nodes_share_a_machine_one_agent_tells_of_it() {
    let shown = |arguments: &[&str]| {
        let agent = Server::agent(&[&["--only", "loadavg,netdev,process", "--scope"], arguments].concat());
        agent.get("/metrics")
    };
    let has = |text: &str, series: &str| text.lines().any(|line| line.starts_with(&format!("{series} ")));
    let (load, net, own) = ("node_load1", "node_network_receive_bytes_total{device=\"lo\"", "process_threads");
    // Kept apart: each has its own network.
    let node = shown(&["node"]);
    assert!(!node.contains(load) && has(&node, &format!("{net}}}")) && has(&node, own));
    let host = shown(&["host"]);
    assert!(has(&host, "node_load1{scope=\"host\"}") && has(&host, &format!("{net}}}")) && has(&host, own));
    // Not kept apart: the network is the machine's too.
    let node = shown(&["node", "--shares-namespaces"]);
    assert!(!node.contains(load) && !node.contains(net) && has(&node, own));
    let host = shown(&["host", "--shares-namespaces"]);
    assert!(
        has(&host, "node_load1{scope=\"host\"}") && has(&host, &format!("{net},scope=\"host\"}}")) && has(&host, own)
    );
}

#[test]
fn agents_are_asked_what_their_nodes_do_and_one_that_is_gone_hides_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let replay = folder.path().to_str().unwrap();
    let program = env!("CARGO_BIN_EXE_trainyard-agent");
    trainyard_run::Command::new(program).args(["replay", "write", "--profile", "p5", replay]).run().unwrap();
    let agent = Server::agent(&["--replay", replay, "--interval", "1"]);
    let there = agent.address.to_string();
    // Nobody listens at the discard port.
    let asked = || {
        let command = trainyard_run::Command::new(program).args(["ask", &there, "127.0.0.1:9"]);
        let lines = command.run().unwrap().stdout;
        let answers: Vec<trainyard_plan::usage::Answer> =
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(answers.len(), 2);
        assert_eq!((answers[0].agent.as_str(), answers[1].agent.as_str()), (there.as_str(), "127.0.0.1:9"));
        assert!(answers[1].usage.is_none() && answers[1].problem.as_ref().unwrap().contains("not reached"));
        answers[0].usage.clone().unwrap()
    };
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let usage = loop {
        let usage = asked();
        if usage.cpus.is_some() || std::time::Instant::now() > until {
            break usage;
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
    };
    let gpus = usage.gpus.unwrap();
    assert_eq!((gpus.count, usage.replay.as_deref()), (8, Some("p5")));
    assert!(gpus.power_watts.unwrap() > 100.0 && gpus.memory_bytes.unwrap() > 1 << 30);
    assert!(usage.cpus.unwrap() >= 0.0 && usage.memory_bytes.unwrap() > 1 << 20);
    // The folder stands still.
    assert_eq!(usage.fabric.unwrap().received_per_second.to_bits(), 0.0_f64.to_bits());
}

/// Anybody on the node can open connections and say nothing.
#[test]
fn one_machine_holds_only_some_of_the_connections_and_gets_them_back() {
    let agent = Server::agent(&["--only", "loadavg"]);
    let connect = || std::net::TcpStream::connect(agent.address).unwrap();
    let held: Vec<_> = (0..16).map(|_| connect()).collect();
    // It is closed before anything is asked for.
    let mut one_too_many = connect();
    one_too_many.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
    assert_eq!(one_too_many.read(&mut [0]).unwrap(), 0);
    drop(held);
    let until = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while std::time::Instant::now() < until {
        let mut stream = connect();
        let mut answer = String::new();
        let asked = stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n");
        if asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.contains("node_load1 ") {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("no connection came back");
}
