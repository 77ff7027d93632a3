//! Real ZooKeeper servers on loopback, each with its own directory, for one test.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use helios_store::zookeeper::{ZooKeeperOptions, ZooKeeperStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::proxy::{Link, Proxy};

const JAR: &str = "/usr/share/java/zookeeper.jar";

/// The last two are missing from the manifest of Debian's jar: a logger, and what TLS needs.
const CLASSES: &str = "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar:\
                       /usr/share/java/netty-codec.jar";

/// Starting a server takes a second; on a machine that does other things, much more.
const START_LIMIT: Duration = Duration::from_secs(90);

/// The session timeout of the handles in these tests. Sessions must end soon, but not because the
/// machine is busy.
pub(crate) const SESSION: Duration = Duration::from_secs(4);

/// Servers that end with the value, whatever happens to the test.
#[derive(Debug)]
pub(crate) struct Ensemble {
    dir: TempDir,
    servers: Vec<Server>,
    extra: String,
    /// Proxies through which the first server reaches the others, if it does.
    detours: Vec<Proxy>,
}

#[derive(Debug)]
struct Server {
    client: u16,
    secure: u16,
    quorum: u16,
    election: u16,
    process: Option<Process>,
}

/// A Java process and the shell that ends it when this process is gone.
#[derive(Debug)]
struct Process {
    pid: String,
    shell: Child,
}

impl Ensemble {
    /// Starts that many servers and waits until they serve.
    pub(crate) async fn start(servers: usize) -> Self {
        Self::start_with(servers, "").await
    }

    /// With more lines in each server's configuration; `@SECURE@` stands for a port for TLS.
    pub(crate) async fn start_with(servers: usize, extra: &str) -> Self {
        let mut ensemble = Self::new(servers);
        ensemble.extra = extra.to_owned();
        ensemble.run().await;
        ensemble
    }

    /// With the first server following the others through proxies, which can make it lag. It has the
    /// lowest number and is not elected while the others live.
    pub(crate) async fn start_with_detours(servers: usize) -> Self {
        let mut ensemble = Self::new(servers);
        for server in &ensemble.servers[1..] {
            let detour = Proxy::to(format!("127.0.0.1:{}", server.quorum)).await;
            ensemble.detours.push(detour);
        }
        ensemble.run().await;
        ensemble
    }

    /// How far the first server is behind.
    pub(crate) fn detour(&self, link: Link) {
        self.detours.iter().for_each(|detour| detour.set(link));
    }

    fn new(servers: usize) -> Self {
        assert!(
            Path::new(JAR).exists() && runs("java"),
            "ZooKeeper or Java is missing: run `scripts/zookeeper install`"
        );
        Self {
            dir: TempDir::new().unwrap(),
            servers: (0..servers).map(|_| Server::new()).collect(),
            extra: String::new(),
            detours: Vec::new(),
        }
    }

    async fn run(&mut self) {
        for index in 0..self.len() {
            self.spawn(index);
        }
        self.until_all_serve().await;
    }

    pub(crate) fn len(&self) -> usize {
        self.servers.len()
    }

    /// `127.0.0.1:PORT` of one server.
    pub(crate) fn server(&self, index: usize) -> String {
        format!("127.0.0.1:{}", self.servers[index].client)
    }

    /// `127.0.0.1:PORT` of one server, for TLS.
    pub(crate) fn secure_server(&self, index: usize) -> String {
        format!("127.0.0.1:{}", self.servers[index].secure)
    }

    /// The process of one server that runs.
    pub(crate) fn pid(&self, index: usize) -> Option<&str> {
        let process = self.servers[index].process.as_ref()?;
        Some(&process.pid)
    }

    /// Options for a handle that knows all servers and works in `/chroot`.
    pub(crate) fn options(&self, chroot: &str) -> ZooKeeperOptions {
        let servers: Vec<_> = (0..self.len()).map(|index| self.server(index)).collect();
        options(&servers.join(","), chroot)
    }

    /// A handle that knows all servers and works in `/chroot`.
    pub(crate) async fn store(&self, chroot: &str) -> ZooKeeperStore {
        ZooKeeperStore::connect(self.options(chroot)).await.unwrap()
    }

    /// kill -9.
    pub(crate) fn kill(&mut self, index: usize) {
        self.servers[index].process = None;
    }

    /// SIGSTOP: the server is there, and silent.
    pub(crate) fn freeze(&self, index: usize) {
        self.signal(index, "STOP");
    }

    /// SIGCONT.
    pub(crate) fn thaw(&self, index: usize) {
        self.signal(index, "CONT");
    }

    /// Removes what a killed server stored.
    pub(crate) fn wipe(&self, index: usize) {
        assert!(self.servers[index].process.is_none(), "kill it first");
        fs::remove_dir_all(self.data(index)).unwrap();
    }

    /// Starts a killed server again; it serves a little later.
    pub(crate) fn restart(&mut self, index: usize) {
        self.spawn(index);
    }

    /// Waits until every server that runs has a quorum.
    pub(crate) async fn until_all_serve(&self) {
        let start = Instant::now();
        for index in 0..self.len() {
            while self.servers[index].process.is_some() && !self.serves(index).await {
                assert!(
                    start.elapsed() < START_LIMIT,
                    "server {index} does not serve: {}",
                    fs::read_to_string(self.log(index)).unwrap_or_default()
                );
                sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// Whether it has a quorum, and all its ports: that for TLS is opened after the other one.
    async fn serves(&self, index: usize) -> bool {
        let wants_tls = self.extra.contains("@SECURE@");
        self.mode(index).await.is_some()
            && (!wants_tls || TcpStream::connect(self.secure_server(index)).await.is_ok())
    }

    /// The server that leads now, if one does.
    pub(crate) async fn leader(&self) -> Option<usize> {
        for index in 0..self.len() {
            if self.mode(index).await.as_deref() == Some("leader") {
                return Some(index);
            }
        }
        None
    }

    /// `leader`, `follower` or `standalone`, if the server serves.
    async fn mode(&self, index: usize) -> Option<String> {
        let answer = self.ask(index, "srvr").await?;
        let mode = answer
            .lines()
            .find_map(|line| line.strip_prefix("Mode: "))?;
        Some(mode.to_owned())
    }

    /// The answer to one of the four-letter commands.
    pub(crate) async fn ask(&self, index: usize, command: &str) -> Option<String> {
        let address = self.server(index);
        let answer = async {
            let mut stream = TcpStream::connect(address).await.ok()?;
            stream.write_all(command.as_bytes()).await.ok()?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.ok()?;
            Some(answer)
        };
        timeout(Duration::from_secs(1), answer).await.ok().flatten()
    }

    fn spawn(&mut self, index: usize) {
        let data = self.data(index);
        fs::create_dir_all(&data).unwrap();
        fs::write(data.join("myid"), (index + 1).to_string()).unwrap();
        let config = self.dir.path().join(format!("{index}.cfg"));
        fs::write(&config, self.config(index)).unwrap();
        // The shell waits for a word of this process, and cleans up if it dies without one.
        let script = format!(
            "\"$@\" >>{} 2>&1 </dev/null & echo $!; read _ || {{ kill -9 $!; rm -rf {}; }}",
            self.log(index).display(),
            self.dir.path().display()
        );
        let mut shell = Command::new("sh")
            .args(["-c", &script, "sh", "java"])
            .args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
            .args(["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"])
            .args(["-cp", CLASSES])
            .arg("org.apache.zookeeper.server.quorum.QuorumPeerMain")
            .arg(&config)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pid = String::new();
        BufReader::new(shell.stdout.take().unwrap())
            .read_line(&mut pid)
            .unwrap();
        self.servers[index].process = Some(Process {
            pid: pid.trim().to_owned(),
            shell,
        });
    }

    fn config(&self, index: usize) -> String {
        let mut config = format!(
            "tickTime=200\ninitLimit=100\nsyncLimit=25\nmaxSessionTimeout=60000\n\
             maxClientCnxns=0\n4lw.commands.whitelist=*\nadmin.enableServer=false\n\
             znode.container.checkIntervalMs=1000\nclientPortAddress=127.0.0.1\n\
             dataDir={}\nclientPort={}\n{}\n",
            self.data(index).display(),
            self.servers[index].client,
            self.extra
                .replace("@SECURE@", &self.servers[index].secure.to_string()),
        );
        if self.len() == 1 {
            return config;
        }
        for (other, server) in self.servers.iter().enumerate() {
            let quorum = match (index, other) {
                (0, 1..) if !self.detours.is_empty() => self.detours[other - 1].port(),
                _ => server.quorum,
            };
            let (number, election) = (other + 1, server.election);
            writeln!(config, "server.{number}=127.0.0.1:{quorum}:{election}").unwrap();
        }
        config
    }

    fn data(&self, index: usize) -> PathBuf {
        self.dir.path().join(format!("data{index}"))
    }

    fn log(&self, index: usize) -> PathBuf {
        self.dir.path().join(format!("{index}.log"))
    }

    fn signal(&self, index: usize, name: &str) {
        signal(self.pid(index).unwrap(), name);
    }
}

/// Options for a handle of those servers that works in `/chroot`.
pub(crate) fn options(servers: &str, chroot: &str) -> ZooKeeperOptions {
    let address = format!("zk://{servers}/{chroot}").parse().unwrap();
    ZooKeeperOptions::new(address).session_timeout(SESSION)
}

impl Server {
    fn new() -> Self {
        Self {
            client: free_port(),
            secure: free_port(),
            quorum: free_port(),
            election: free_port(),
            process: None,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        signal(&self.pid, "KILL");
        let mut stdin = self.shell.stdin.take().unwrap();
        stdin.write_all(b"killed\n").unwrap();
        self.shell.wait().unwrap();
    }
}

fn signal(pid: &str, name: &str) {
    // Of a process that has ended by itself there is nothing left to signal.
    let _ = Command::new("kill")
        .args([&format!("-{name}"), pid])
        .stderr(Stdio::null())
        .status()
        .unwrap();
}

/// A port below those that the kernel gives to connections: one of these would be taken by somebody's before the
/// server has it, or while it is down.
fn free_port() -> u16 {
    static TRIED: AtomicU16 = AtomicU16::new(0);
    // Far from those of the next process, whose servers start at the same time.
    let own = u16::try_from(std::process::id() * 97 % 1000).unwrap() * 12;
    let ports = std::iter::repeat_with(|| {
        let tried = TRIED.fetch_add(1, Ordering::Relaxed);
        10_000 + (own + tried) % 12_000
    });
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    ports.take(12_000).find(is_free).unwrap()
}

fn runs(program: &str) -> bool {
    let found = Command::new(program).arg("-version").output();
    found.is_ok_and(|output| output.status.success())
}
