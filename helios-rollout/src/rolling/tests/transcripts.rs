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
    an_update_that_is_replaced
    failures_that_are_tolerated
    healthy_for_a_while
    hosts_join_and_leave
    hosts_that_are_down
    nothing_is_started_in_the_step_that_gives_up
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
    those_that_are_right_change_no_order
    tokens
    undeployed_by_hand
    what_cannot_be_asked
    zones_and_shares
}

// What went wrong elsewhere, by the number of the report.
transcripts! {
    nomad_27271_what_is_not_proven_healthy_holds_its_place
    nomad_12503_a_host_that_comes_and_goes_is_started_once
    nomad_3028_a_job_with_a_fixed_port_keeps_the_width
    helios_932_a_host_that_fails_as_it_joins_blocks_nobody
    helios_1042_a_host_that_left_and_is_gone_is_forgotten
}
