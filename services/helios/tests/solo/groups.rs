//! What can be said to a deployment group, and what it answers.

use crate::process::{Solo, WEB_IMAGE};
use crate::serving::within;

/// A group of one host, which runs `site:1`; `site:2` never gets healthy.
fn group() -> Solo {
    let solo = Solo::start_with(&["--labels", "role=web"]);
    for (job, check) in [("site:1", "http:/"), ("site:2", "http:/missing")] {
        solo.ask(&[
            "create",
            "-q",
            job,
            WEB_IMAGE,
            "-p",
            "http=80",
            "--http-check",
            check,
        ]);
    }
    solo.ask(&["create-deployment-group", "front", "role=web"]);
    let said = solo.ask(&["rolling-update", "site:1", "front"]);
    assert!(said.contains("n1 -> RUNNING (1/1)"), "{said}");
    assert!(said.contains("Done."), "{said}");
    assert!(!said.contains('\x1b'), "plain lines in a pipe: {said:?}");
    solo
}

fn status(solo: &Solo) -> String {
    solo.ask(&["deployment-group-status", "front"])
}

fn until_status(solo: &Solo, words: &str) {
    within(words, || status(solo).contains(words).then_some(()));
}

#[test]
fn an_update_is_planned_paused_resumed_and_taken_back() {
    let solo = group();
    let planned = solo.ask(&["rolling-update", "site:2", "front", "--plan"]);
    assert!(
        planned.contains("1 host in 1 batch; nothing was changed"),
        "{planned}"
    );
    assert!(planned.contains("    1  n1\n"), "{planned}");
    assert!(
        status(&solo).contains("Job Id: site:1"),
        "nothing was changed"
    );

    solo.ask(&["rolling-update", "site:2", "front", "--async"]);
    until_status(&solo, "1 in flight (n1)");
    solo.ask(&["pause-deployment-group", "front"]);
    until_status(&solo, "paused (paused by ");
    let resumed = solo.ask(&["resume-deployment-group", "front", "--stop-after", "3"]);
    assert_eq!(resumed, "Deployment-group front resumed\n");
    assert!(!status(&solo).contains("paused ("));

    solo.ask(&["rollback-deployment-group", "front"]);
    until_status(&solo, "Status: ACTIVE");
    let back = status(&solo);
    assert!(back.contains("Job Id: site:1"), "{back}");
    assert!(
        back.contains("site:2"),
        "it says what was taken back: {back}"
    );
}

#[test]
fn an_edit_tells_who_would_come_and_go_before_it_is_made() {
    let solo = group();
    let edit = ["edit-deployment-group", "front", "role=db"];
    let planned = solo.ask(&[&edit[..], &["--plan"]].concat());
    assert_eq!(
        planned,
        "front: joining: nobody; leaving: 1 (n1); staying: 0\n"
    );
    assert_eq!(solo.state("site:1"), "RUNNING", "nothing was changed");
    let edited = solo.ask(&[&edit[..], &["--yes"]].concat());
    assert_eq!(
        edited,
        "EDITED: front: joining: nobody; leaving: 1 (n1); staying: 0\n"
    );
    within("its job is gone", || {
        solo.state("site:1").is_empty().then_some(())
    });
    solo.ask(&["edit-deployment-group", "front", "role=web", "--yes"]);
    within("its job is back", || {
        (solo.state("site:1") == "RUNNING").then_some(())
    });
    solo.ask(&["remove-deployment-group", "front"]);
    assert_eq!(solo.state("site:1"), "RUNNING", "what it deployed stays");
}
