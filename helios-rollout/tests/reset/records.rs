//! How a reset is stored.

use helios_rollout::reset::{Because, HostHashes, Mishap, Phase, Progress, Reset};

use crate::fleet::*;

fn golden(found: &str, golden: &str) {
    assert_eq!(found.trim_end(), golden.trim_end());
}

#[test]
fn a_reset_and_its_progress_are_stored_as_the_golden_files_say() {
    let mut reset = reset();
    reset.hosts = vec!["role=web".parse().unwrap()];
    reset.limits.calendar.windows = vec!["Mon-Fri 09:00-16:00 Europe/Stockholm".parse().unwrap()];
    reset.limits.waived = ["sql".to_owned()].into();
    let text = serde_json::to_string_pretty(&reset).unwrap();
    golden(&text, include_str!("golden/reset.json"));
    assert_eq!(serde_json::from_str::<Reset>(&text).unwrap(), reset);

    let mut world = World::new(reset, web(3));
    world.reset.hosts.clear();
    world.reset.limits.calendar.windows.clear();
    world.until(|world| world.progress.done.len() == 1);
    world.drive();
    let mishap = Mishap {
        at: at(START),
        phase: Phase::Resetting,
        lost: true,
        because: Because::NotBack,
    };
    world.progress.mishaps.insert(name("web-9"), mishap);
    let text = serde_json::to_string_pretty(&world.progress).unwrap();
    golden(&text, include_str!("golden/progress.json"));
    assert_eq!(
        serde_json::from_str::<Progress>(&text).unwrap(),
        world.progress
    );
}

#[test]
fn a_reset_of_ten_thousand_hosts_fits_one_entry_with_room() {
    let mut reset = reset();
    reset.limits.at_once = helios_rollout::reset::AWAY_MAX;
    let mut world = World::new(reset, web(600));
    for _ in 0..5 {
        world.step(Until::End);
    }
    assert_eq!(world.progress.away.len(), 500);
    for host in 0..10_000 {
        world.progress.done.insert(&name(&format!(
            "a-quite-long-name-of-a-host-{host}.region.example.net"
        )));
    }
    let bytes = serde_json::to_vec(&world.progress).unwrap().len();
    assert!(bytes < 340 * 1024, "{bytes} bytes");
}

#[test]
fn what_is_done_is_read_back_and_torn_text_is_refused() {
    let mut done = HostHashes::default();
    for host in ["web-2", "web-1", "web-2"] {
        done.insert(&name(host));
    }
    assert_eq!(done.len(), 2);
    let text = serde_json::to_string(&done).unwrap();
    assert_eq!(serde_json::from_str::<HostHashes>(&text).unwrap(), done);
    assert!(done.contains(&name("web-1")) && !done.contains(&name("web-3")));
    for torn in ["\"12\"", "\"zzzzzzzzzzzzzzzz\""] {
        assert!(serde_json::from_str::<HostHashes>(torn).is_err());
    }
}
