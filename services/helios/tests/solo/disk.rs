//! The disk under the state directory is full, or what is on it is torn.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::process::Command;

use crate::orphans::problems;
use crate::process::{IMAGE, Solo};
use crate::serving::within;

/// A small disk of its own for a state directory.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: PathBuf) -> Self {
        fs::create_dir_all(&at).expect("a directory");
        run(Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"])
            .arg(&at));
        Self(at)
    }

    fn fill(&self) {
        let mut filler = File::create(self.0.join("filler")).expect("a file");
        let error = io::copy(&mut io::repeat(1), &mut filler).expect_err("the disk has an end");
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }

    fn free(&self) {
        fs::remove_file(self.0.join("filler")).expect("a removal");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        run(Command::new("umount").arg("--lazy").arg(&self.0));
        if let Some(dir) = self.0.parent() {
            let _ = fs::remove_dir_all(dir);
        }
    }
}

fn run(command: &mut Command) {
    let done = command.status().expect("a command");
    assert!(done.success(), "{command:?}: as root, please");
}

fn deploy(solo: &Solo, job: &str) {
    solo.ask(&["create", "-q", job, IMAGE, "--", "/bin/idle"]);
    solo.ask(&["deploy", job, "n1"]);
    until_running(solo, job);
}

fn until_running(solo: &Solo, job: &str) {
    within(&format!("{job} is RUNNING"), || {
        (solo.state(job) == "RUNNING").then_some(())
    });
}

/// Nothing can be stored, by the master either, whose store is there too. What runs is kept running all the same.
#[test]
fn on_a_full_disk_what_runs_is_kept_running_and_the_rest_waits_for_room() {
    let dir = tempfile::tempdir().expect("a directory");
    let disk = Disk::mount(dir.path().join("state"));
    let solo = Solo::start_in(dir, &[]);
    deploy(&solo, "first:1");
    let first = solo.container_of("first:1");
    disk.fill();
    solo.docker(&["kill", &first]);
    within("another one runs", || {
        solo.running_of("first:1").filter(|id| *id != first)
    });
    disk.free();
    deploy(&solo, "second:1");
    until_running(&solo, "first:1");
}

#[test]
fn a_torn_state_file_is_told_and_what_runs_is_left_alone() {
    let mut solo = Solo::start();
    deploy(&solo, "first:1");
    let first = solo.container_of("first:1");
    solo.kill();
    fs::write(solo.path_of("agent.json"), "{ torn").expect("a file");
    solo.start_again();
    within("it is told", || {
        let told = |problem: &String| problem.contains("agent.unreadable");
        problems(&solo).iter().any(told).then_some(())
    });
    until_running(&solo, "first:1");
    assert_eq!(solo.running_of("first:1"), Some(first));
    deploy(&solo, "second:1");
}
