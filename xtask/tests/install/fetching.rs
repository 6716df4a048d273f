//! A release that lies at an address.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use crate::{Place, Told, command, files, installer, path_with};

/// Serves a folder's files until the test ends.
fn serve(folder: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}/", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut lines = BufReader::new(stream.try_clone().expect("a copy")).lines();
            let asked = lines.next().and_then(Result::ok).unwrap_or_default();
            while lines.next().and_then(Result::ok).is_some_and(|line| !line.is_empty()) {}
            let name = asked.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
            let (status, body) =
                fs::read(folder.join(name)).map_or(("404 Not Found", Vec::new()), |body| ("200 OK", body));
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        }
    });
    address
}

#[test]
fn an_address_is_fetched_with_curl_or_with_wget_and_without_both_a_folder_does() {
    let place = Place::new();
    place.release("0.1.0", "trainyard 0.1.0");
    let address = serve(place.packages());
    for fetcher in ["curl", "wget", ""] {
        let path = place.folder.path().join(format!("path-{fetcher}"));
        fs::create_dir(&path).expect("a folder");
        let mut needed = "sh uname mkdir sed awk grep mv wc tr tail cp cat gzip tar chmod rm cmp sha256sum"
            .split(' ')
            .collect::<Vec<_>>();
        needed.push(fetcher);
        let mut is_there = true;
        for program in needed.iter().filter(|program| !program.is_empty()) {
            let found =
                ["/usr/bin", "/bin"].iter().map(|folder| Path::new(folder).join(program)).find(|file| file.exists());
            is_there &= found.is_some();
            if let Some(found) = found {
                symlink(found, path.join(program)).expect("a link");
            }
        }
        if !is_there {
            // No finding about the installer: this machine lacks a program.
            continue;
        }
        let to = place.to();
        let _ = fs::remove_dir_all(&to);
        let arguments = |from: &str| ["--from", from, "--to", to.to_str().expect("text")].map(str::to_owned);
        let told = Told::of(installer().env("PATH", &path).args(arguments(&address)));
        if fetcher.is_empty() {
            told.is(3, "neither curl nor wget is there");
            let packages = place.packages();
            let told = Told::of(installer().env("PATH", &path).args(arguments(packages.to_str().expect("text"))));
            told.is(0, "is trainyard 0.1.0");
        } else {
            told.is(0, "is trainyard 0.1.0");
            let missing = Told::of(installer().env("PATH", &path).args(arguments(&format!("{address}nowhere"))));
            missing.is(3, "SHA256SUMS could not be fetched");
        }
        assert_eq!(place.left(), ["trainyard"]);
    }
}

/// Says over TLS that what is asked for is somewhere else: at an address, or in its own folder `moved`.
struct Elsewhere {
    server: Child,
    address: String,
    certificate: PathBuf,
}

impl Elsewhere {
    /// None where there is no openssl.
    fn new(folder: &Path, packages: &Path, location: Option<&str>) -> Option<Self> {
        fs::create_dir_all(folder.join("moved")).expect("a folder");
        let words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key -out certificate -days 2 \
                     -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1";
        let made = command("openssl").args(words.split(' ')).current_dir(folder).output().ok()?;
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let at = format!("127.0.0.1:{port}");
        let location = location.map_or_else(|| format!("https://{at}/moved/"), str::to_owned);
        // It sends files as they are, so each begins with the head of an answer.
        for name in files(packages) {
            let body = fs::read(packages.join(&name)).expect("a file");
            let told = format!("HTTP/1.0 302 Found\r\nLocation: {location}{name}\r\nContent-Length: 0\r\n\r\n");
            let found = format!("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            fs::write(folder.join(&name), told).expect("a file");
            fs::write(folder.join("moved").join(&name), [found.into_bytes(), body].concat()).expect("a file");
        }
        let server = command("openssl")
            .args(["s_server", "-HTTP", "-quiet", "-cert", "certificate", "-key", "key", "-accept", &at])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let certificate = folder.join("certificate");
        let elsewhere = Self { server, address: format!("https://{at}"), certificate };
        for _ in 0..200 {
            if TcpStream::connect(&at).is_ok() {
                return Some(elsewhere);
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("openssl s_server does not answer at {at}");
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
fn a_redirection_is_followed_to_https_and_never_to_http() {
    let place = Place::new();
    place.release("0.1.0", "trainyard 0.1.0");
    let plain = serve(place.packages());
    for (fetcher, other, refusal) in
        [("curl", "wget", "not supported or disabled"), ("wget", "curl", "only https is followed")]
    {
        // The other one is not there.
        let path = place.folder.path().join(format!("without-{other}"));
        fs::create_dir(&path).expect("a folder");
        for folder in ["/bin", "/usr/bin"] {
            for name in files(Path::new(folder)).iter().filter(|name| *name != other) {
                let _ = symlink(Path::new(folder).join(name), path.join(name));
            }
        }
        for (folder, location) in [("http", Some(plain.as_str())), ("https", None), ("path", Some("/moved/"))] {
            let folder = place.folder.path().join(format!("{fetcher}-{folder}"));
            let elsewhere = Elsewhere::new(&folder, &place.packages(), location);
            let (Some(elsewhere), true) = (elsewhere, path.join(fetcher).exists()) else {
                // No finding about the installer: this machine lacks a program.
                continue;
            };
            let settings = folder.join("wgetrc");
            fs::write(&settings, format!("ca_certificate={}\n", elsewhere.certificate.display())).expect("a file");
            let mut asked = installer();
            asked.env("PATH", &path).env("CURL_CA_BUNDLE", &elsewhere.certificate).env("WGETRC", &settings);
            let told = Told::of(asked.args(["--from", &elsewhere.address, "--to", place.to().to_str().expect("text")]));
            if location.is_some_and(|location| location.starts_with("http:")) {
                told.is(3, "SHA256SUMS could not be fetched");
                told.is(3, refusal);
                assert!(place.left().is_empty());
            } else {
                told.is(0, "is trainyard 0.1.0");
                fs::remove_dir_all(place.to()).expect("it is there");
            }
        }
    }
}

#[test]
fn a_wget_that_cannot_be_kept_to_https_fetches_nothing() {
    let place = Place::new();
    let without_curl = "case $1 in --version) echo 'BusyBox v1.36' ;; *) echo fetched ;; esac";
    let bin = place.folder.path().join("bin");
    path_with(&bin, "wget", without_curl);
    for program in "sh uname mkdir rm".split(' ') {
        symlink(Path::new("/bin").join(program), bin.join(program)).expect("a link");
    }
    let words = ["--from", "https://example.com/x", "--to", place.to().to_str().expect("text")].map(str::to_owned);
    let told = Told::of(installer().env("PATH", &bin).args(words));
    told.is(3, "cannot be kept to https");
    assert!(!told.text.contains("fetched\n"), "{}", told.text);
}
