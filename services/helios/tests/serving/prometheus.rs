//! Debian's Prometheus as a process, and something for it to scrape.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A server with a directory of its own, that scrapes one address every second.
pub(crate) struct Prometheus {
    pub(crate) url: String,
    process: Child,
    _dir: tempfile::TempDir,
}

impl Prometheus {
    pub(crate) fn scraping(target: &str) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/prometheus");
        let installed = Command::new(script).status().expect("the script runs");
        assert!(installed.success(), "scripts/prometheus");
        let dir = tempfile::tempdir().expect("a directory");
        let config = dir.path().join("prometheus.yml");
        let text = format!(
            "global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: hosts\n  honor_labels: true\n  \
             static_configs: [{{targets: ['{target}']}}]\n"
        );
        std::fs::write(&config, text).expect("a file");
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("an address").to_string();
        drop(free);
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", dir.path().display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=error")
            .stdin(Stdio::null())
            .spawn()
            .expect("prometheus starts");
        let server = Self {
            url: format!("http://{address}"),
            process,
            _dir: dir,
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(&address).is_err() {
            assert!(Instant::now() < deadline, "prometheus does not serve");
            thread::sleep(Duration::from_millis(100));
        }
        server
    }

    /// As kill -9 does.
    pub(crate) fn crash(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.crash();
    }
}

/// What part of a host's requests fails, by the host's name.
type Failing = Box<dyn Fn() -> Vec<(String, f64)> + Send>;

/// Serves counters as hosts would: a hundred requests a second on each, of which that part fails. Returns its address.
pub(crate) fn exporter(failing: impl Fn() -> Vec<(String, f64)> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    thread::spawn(move || {
        let mut counters = Counters {
            failing: Box::new(failing),
            last: Instant::now(),
            of: BTreeMap::new(),
        };
        for connection in listener.incoming().flatten() {
            // A scrape that breaks off is made again.
            let _ = serve(connection, &mut counters);
        }
    });
    address
}

struct Counters {
    failing: Failing,
    last: Instant,
    of: BTreeMap<String, (f64, f64)>,
}

impl Counters {
    fn text(&mut self) -> String {
        let requests = self.last.elapsed().as_secs_f64() * 100.0;
        self.last = Instant::now();
        let mut text = String::new();
        for (host, share) in (self.failing)() {
            let (all, bad) = self.of.entry(host.clone()).or_default();
            (*all, *bad) = (*all + requests, *bad + requests * share);
            text += &format!("requests_total{{instance=\"{host}:80\"}} {all}\n");
            text += &format!("errors_total{{instance=\"{host}:80\"}} {bad}\n");
        }
        text
    }
}

fn serve(mut connection: TcpStream, counters: &mut Counters) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        connection.read_exact(&mut byte)?;
        request.push(byte[0]);
    }
    let text = counters.text();
    write!(
        connection,
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
        text.len()
    )
}
