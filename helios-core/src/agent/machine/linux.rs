//! Linux, as `/proc` shows it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::model::HostInfo;
use crate::runtime::Protocol;
use crate::time::Timestamp;

use super::{Machine, PortHolder};

/// What Debian's and Ubuntu's packages leave behind when only a reboot makes them take effect.
const REBOOT_REQUIRED: [&str; 2] = ["/run/reboot-required", "/var/run/reboot-required"];

/// This machine, seen through its `/proc`.
#[derive(Clone, Copy, Debug, Default)]
pub struct LinuxMachine;

impl Machine for LinuxMachine {
    fn info(&self) -> HostInfo {
        let kernel = read("/proc/sys/kernel/osrelease");
        let hostname = read("/proc/sys/kernel/hostname");
        let meminfo_text = read("/proc/meminfo").unwrap_or_default();
        let memory = meminfo(&meminfo_text);
        let kib = |name: &str| memory.get(name).copied().unwrap_or_default() * 1024;
        let load = read("/proc/loadavg").and_then(|text| text.split(' ').next()?.parse().ok());
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        HostInfo {
            uname: Some(format!(
                "Linux {} {}",
                hostname.as_deref().unwrap_or_default(),
                kernel.as_deref().unwrap_or_default()
            )),
            hostname,
            architecture: Some(std::env::consts::ARCH.to_owned()),
            os_name: Some("Linux".to_owned()),
            os_version: kernel,
            cpus: i32::try_from(cpus).unwrap_or(i32::MAX),
            load_avg: load.unwrap_or_default(),
            memory_total_bytes: kib("MemTotal"),
            memory_free_bytes: kib("MemAvailable"),
            swap_total_bytes: kib("SwapTotal"),
            swap_free_bytes: kib("SwapFree"),
            boot_id: read("/proc/sys/kernel/random/boot_id"),
            up_since: read("/proc/stat").as_deref().and_then(boot_time),
            reboot_required: Some(REBOOT_REQUIRED.iter().any(|file| Path::new(file).exists())),
            ..HostInfo::default()
        }
    }

    fn ports_in_use(&self) -> BTreeMap<(Protocol, u16), Option<PortHolder>> {
        let mut sockets = BTreeMap::new();
        for (table, protocol) in [
            ("/proc/net/tcp", Protocol::Tcp),
            ("/proc/net/tcp6", Protocol::Tcp),
            ("/proc/net/udp", Protocol::Udp),
            ("/proc/net/udp6", Protocol::Udp),
        ] {
            for (port, inode) in listening(&read(table).unwrap_or_default(), protocol) {
                sockets.insert((protocol, port), inode);
            }
        }
        let holders = holders();
        sockets
            .into_iter()
            .map(|(place, inode)| (place, holders.get(&inode).cloned()))
            .collect()
    }
}

fn read(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path)
        .ok()
        .map(|text| text.trim_end().to_owned())
}

/// The numbers of `/proc/meminfo`, in KiB.
fn meminfo(text: &str) -> BTreeMap<&str, i64> {
    let number = |line: &'_ str| -> Option<(usize, i64)> {
        let (name, rest) = line.split_once(':')?;
        Some((name.len(), rest.split_whitespace().next()?.parse().ok()?))
    };
    text.lines()
        .filter_map(|line| number(line).and_then(|(end, kib)| Some((line.get(..end)?, kib))))
        .collect()
}

/// When the machine booted, as `/proc/stat` tells it.
fn boot_time(stat: &str) -> Option<Timestamp> {
    let seconds: i64 = stat
        .lines()
        .find_map(|line| line.strip_prefix("btime "))?
        .trim()
        .parse()
        .ok()?;
    Some(Timestamp::from_millis(seconds.saturating_mul(1000)))
}

/// The ports of a socket table that somebody can be reached at, each with the inode of its socket.
///
/// The format is that of proc(5): local address as `HEX:PORT`, then the state, 0A for a listening TCP
/// socket, 07 for an unconnected UDP one.
fn listening(table: &str, protocol: Protocol) -> Vec<(u16, u64)> {
    let wanted = match protocol {
        Protocol::Tcp => "0A",
        Protocol::Udp => "07",
    };
    let socket = |line: &str| {
        let mut columns = line.split_whitespace().skip(1);
        let (_, port) = columns.next()?.rsplit_once(':')?;
        let state = columns.nth(1)?;
        let inode = columns.nth(5)?.parse().ok()?;
        (state == wanted).then_some((u16::from_str_radix(port, 16).ok()?, inode))
    };
    table.lines().skip(1).filter_map(socket).collect()
}

/// Which process has which socket; only those this user may see.
fn holders() -> BTreeMap<u64, PortHolder> {
    let mut holders = BTreeMap::new();
    let Ok(processes) = fs::read_dir("/proc") else {
        return holders;
    };
    for process in processes.flatten() {
        let Some(pid) = process
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let Ok(files) = fs::read_dir(process.path().join("fd")) else {
            continue;
        };
        for file in files.flatten() {
            let Ok(target) = fs::read_link(file.path()) else {
                continue;
            };
            let inode = target.to_str().and_then(|target| {
                target
                    .strip_prefix("socket:[")?
                    .strip_suffix(']')?
                    .parse()
                    .ok()
            });
            if let Some(inode) = inode {
                let command = read(process.path().join("comm")).unwrap_or_default();
                holders.insert(inode, PortHolder { pid, command });
            }
        }
    }
    holders
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, SystemClock};
    use std::net::TcpListener;

    #[test]
    fn sees_who_listens() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let ports = LinuxMachine.ports_in_use();
        let holder = ports
            .get(&(Protocol::Tcp, port))
            .expect("the port is listed")
            .clone();
        assert_eq!(holder.expect("the holder is ours").pid, std::process::id());
    }

    #[test]
    fn tells_one_boot_from_another() {
        let info = LinuxMachine.info();
        assert_eq!(info.boot_id, LinuxMachine.info().boot_id);
        assert_eq!(info.boot_id.expect("a boot has an id").len(), 36);
        let booted = info.up_since.expect("a machine knows since when it is up");
        assert!(booted > Timestamp::from_millis(0) && booted < SystemClock::new().now());
        assert_eq!(boot_time("cpu 1 2\n"), None);
        let stat = "cpu 1\nbtime 1700000000\nprocesses 3\n";
        assert_eq!(
            boot_time(stat),
            Some(Timestamp::from_millis(1_700_000_000_000))
        );
    }

    #[test]
    fn reads_the_size_of_the_machine() {
        let info = LinuxMachine.info();
        let kib = info.memory_total_bytes / 1024;
        let text = read("/proc/meminfo").unwrap();
        assert_eq!(meminfo(&text).get("MemTotal"), Some(&kib));
        assert!(info.memory_free_bytes > 0 && info.cpus > 0, "{info:?}");
        assert_eq!(info.memory_total_bytes % 1024, 0);
        assert!(info.swap_free_bytes <= info.swap_total_bytes);
    }

    #[test]
    fn says_what_machine_it_is() {
        let info = LinuxMachine.info();
        let (name, kernel) = (info.hostname.unwrap(), info.os_version.unwrap());
        assert_eq!(info.uname, Some(format!("Linux {name} {kernel}")));
        assert_eq!(info.os_name.as_deref(), Some("Linux"));
        assert_eq!(info.architecture.as_deref(), Some(std::env::consts::ARCH));
        assert!(info.reboot_required.is_some());
    }
}
