//! What the planner does in stories that people know, and why it says it does.
//!
//! A transcript holds commands, and below each what it said. The commands are run again, and have to say
//! the same.

use super::script::run_again;

fn check(transcript: &str) {
    let again = run_again(transcript);
    assert!(again == transcript, "it says now:\n{again}");
}

macro_rules! transcripts {
    ($($name:ident)+) => {
        $(#[test]
        fn $name() {
            check(include_str!(concat!("transcripts/", stringify!($name), ".txt")));
        })+
    };
}

transcripts! {
    a_host_that_never_gets_healthy
    a_join_that_fails
    a_member_leaves_in_the_middle
    an_earlier_deployment_is_not_taken_for_the_new_one
    failures_that_are_tolerated
    healthy_for_a_while
    hosts_join_and_leave
    hosts_that_are_down
    nothing_to_go_back_to
    one_host_after_the_other
    other_selectors
    overlap
    pauses
    ports
    stopped
    taken_back_by_hand
    taken_back_by_itself
    taking_over
    things_that_are_removed
    tokens
    undeployed_by_hand
    what_cannot_be_asked
    zones_and_shares
}
