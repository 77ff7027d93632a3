//! The processes of this machine, as `/proc` shows them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::IpAddr;
use std::path::Path;

use helios_core::orphans::{Process, ProcessId, Role, Route, ShimHome};
use helios_core::runtime::{ContainerId, Protocol};

/// The commands whose arguments tell something.
const SHIM: &str = "containerd-shim";
const PROXY: &str = "docker-proxy";
const DAEMON: &str = "dockerd";
const CONTAINERD: &str = "containerd";

/// The namespace in containerd that an engine uses unless told otherwise.
const NAMESPACE: &str = "moby";
/// Where an engine looks for containerd before it starts one of its own.
const CONTAINERD_SOCKET: &str = "/run/containerd/containerd.sock";

/// All processes at one time, without those that only wait to be buried.
#[derive(Debug, Default)]
pub(super) struct Processes {
    pub(super) boot: String,
    all: BTreeMap<u32, Seen>,
}

/// One process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    started: u64,
    parent: u32,
    command: String,
    /// Its arguments, where its command is one that matters.
    arguments: Vec<String>,
    /// The containers whose control groups it is in, the outermost first.
    containers: Vec<ContainerId>,
}

impl Processes {
    pub(super) fn read() -> Self {
        let boot = read("/proc/sys/kernel/random/boot_id").trim().to_owned();
        let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let all = pids.filter_map(|pid| Some((pid, Seen::read(pid)?)));
        Self {
            boot,
            all: all.collect(),
        }
    }

    /// The engine's own process: the one that listens on its socket or, where the init system does that, the only
    /// engine there is.
    pub(super) fn daemon(&self, peer: Option<u32>) -> Option<u32> {
        let daemons = self.daemons();
        match peer.filter(|pid| daemons.contains(pid)) {
            Some(pid) => Some(pid),
            None if daemons.len() == 1 => daemons.first().copied(),
            None => None,
        }
    }

    /// Every engine. One that runs inside of a container keeps its processes in there.
    pub(super) fn daemons(&self) -> BTreeSet<u32> {
        let daemons = self.all.iter().filter(|(_, seen)| seen.command == DAEMON);
        let outermost = daemons.clone().map(|(_, seen)| seen.containers.len()).min();
        let depth = outermost.unwrap_or_default();
        daemons
            .filter(|(_, seen)| seen.containers.len() == depth)
            .map(|(pid, _)| *pid)
            .collect()
    }

    /// Where the shims of that engine belong.
    pub(super) fn homes_of(&self, daemon: u32) -> BTreeSet<ShimHome> {
        let Some(engine) = self.all.get(&daemon) else {
            return BTreeSet::new();
        };
        let namespace = flag(&engine.arguments, "containerd-namespace").unwrap_or(NAMESPACE);
        let managed = self.all.values().find_map(|seen| {
            let is_its = seen.parent == daemon && seen.command == CONTAINERD;
            let config = Path::new(flag(&seen.arguments, "config").filter(|_| is_its)?);
            Some(
                config
                    .with_file_name("containerd.sock")
                    .display()
                    .to_string(),
            )
        });
        let given = flag(&engine.arguments, "containerd").map(ToOwned::to_owned);
        let address = given.or(managed);
        [ShimHome {
            address: address.unwrap_or_else(|| CONTAINERD_SOCKET.to_owned()),
            namespace: namespace.to_owned(),
        }]
        .into()
    }

    /// The processes that have to do with containers of that engine, and of any beside it.
    pub(super) fn around_containers(&self, daemon: Option<u32>) -> Vec<Process> {
        let inside = daemon.and_then(|pid| self.all.get(&pid));
        let inside = inside.map(|seen| &*seen.containers).unwrap_or_default();
        let process = |(pid, seen): (&u32, &Seen)| {
            Some(Process {
                role: seen.role(inside)?,
                id: seen.id(*pid),
                parent: seen.parent,
                command: seen.command.clone(),
            })
        };
        self.all.iter().filter_map(process).collect()
    }
}

impl Seen {
    /// The process of that number; `None` if there is none, or it has ended.
    pub(super) fn read(pid: u32) -> Option<Self> {
        let file = |name: &str| read(format!("/proc/{pid}/{name}"));
        let (command, parent, started) = parse_stat(&file("stat"))?;
        let matters =
            command.starts_with(SHIM) || [PROXY, DAEMON, CONTAINERD].contains(&command.as_str());
        let arguments = if matters {
            file("cmdline")
        } else {
            String::new()
        };
        Some(Self {
            started,
            parent,
            command,
            arguments: arguments.split('\0').map(ToOwned::to_owned).collect(),
            containers: parse_cgroup(&file("cgroup")),
        })
    }

    pub(super) fn id(&self, pid: u32) -> ProcessId {
        ProcessId {
            pid,
            started: self.started,
        }
    }

    /// What it has to do with containers, seen from a process that is in the groups `inside` itself. A shim or a
    /// proxy in a container's group is that of an engine within, and a mere member here.
    pub(super) fn role(&self, inside: &[ContainerId]) -> Option<Role> {
        let container = self.containers.iter().find(|id| !inside.contains(id));
        if let Some(container) = container {
            let container = container.clone();
            return Some(Role::Member { container });
        }
        if self.command.starts_with(SHIM) {
            let text = |name| flag(&self.arguments, name).map(ToOwned::to_owned);
            let container = ContainerId::new(text("id").filter(|id| is_container_id(id))?);
            let (address, namespace) = (text("address")?, text("namespace")?);
            let home = ShimHome { address, namespace };
            return Some(Role::Shim { container, home });
        }
        if self.command == PROXY {
            return parse_route(&self.arguments).map(Role::Proxy);
        }
        None
    }

    pub(super) fn containers(&self) -> &[ContainerId] {
        &self.containers
    }
}

fn read(path: impl AsRef<Path>) -> String {
    // What cannot be read has ended meanwhile, or is not for us to see. Arguments may be any bytes.
    let bytes = fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Command, parent and start of a process that lives, from the line that proc(5) describes. The command may hold
/// blanks and parentheses.
fn parse_stat(line: &str) -> Option<(String, u32, u64)> {
    let (head, tail) = line.rsplit_once(')')?;
    let (_, command) = head.split_once('(')?;
    let mut columns = tail.split_whitespace();
    let state = columns.next()?;
    let parent = columns.next()?.parse().ok()?;
    let started = columns.nth(17)?.parse().ok()?;
    (!matches!(state, "Z" | "X" | "x")).then(|| (command.to_owned(), parent, started))
}

/// The containers whose groups are on the way to the process, the outermost first: `/docker/<id>` where the engine
/// keeps the groups, `docker-<id>.scope` where systemd does.
fn parse_cgroup(text: &str) -> Vec<ContainerId> {
    let in_path = |line: &str| {
        let path = line.splitn(3, ':').nth(2)?;
        let mut ids = Vec::new();
        let mut before = "";
        for segment in path.split('/') {
            let scope = segment.strip_prefix("docker-");
            let scope = scope.and_then(|rest| rest.strip_suffix(".scope"));
            let plain = Some(segment).filter(|_| before == "docker");
            ids.extend(scope.or(plain).filter(|id| is_container_id(id)));
            before = segment;
        }
        let ids = ids.into_iter().map(ContainerId::new);
        Some(ids.collect::<Vec<_>>()).filter(|ids| !ids.is_empty())
    };
    text.lines().find_map(in_path).unwrap_or_default()
}

fn is_container_id(text: &str) -> bool {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == 64 && text.bytes().all(hex)
}

/// The route of a `docker-proxy`.
fn parse_route(arguments: &[String]) -> Option<Route> {
    let port = |name| flag(arguments, name)?.parse().ok();
    let container_ip: IpAddr = flag(arguments, "container-ip")?.parse().ok()?;
    Some(Route {
        protocol: match flag(arguments, "proto")? {
            "tcp" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            _ => return None,
        },
        host_port: port("host-port")?,
        container_ip,
        container_port: port("container-port")?,
    })
}

/// The value of a flag, as Go programs take it: one dash or two, `=` or a blank.
fn flag<'a>(arguments: &'a [String], name: &str) -> Option<&'a str> {
    let named = |argument: &'a String| {
        let rest = argument.strip_prefix('-')?;
        let rest = rest.strip_prefix('-').unwrap_or(rest).strip_prefix(name)?;
        match rest.strip_prefix('=') {
            Some(value) => Some(Some(value)),
            None => rest.is_empty().then_some(None),
        }
    };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match named(argument) {
            Some(Some(value)) => return Some(value),
            Some(None) => return rest.next().map(String::as_str),
            None => {}
        }
    }
    None
}

#[cfg(test)]
mod tests;
