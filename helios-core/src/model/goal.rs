//! What is wanted of a job on a host.

wire_enum! {
    /// What is wanted of a job on a host.
    Goal, "a goal", "use START, STOP or UNDEPLOY";
    {
        /// It runs.
        Start = "START",
        /// It stays deployed, but does not run.
        Stop = "STOP",
        /// It is stopped, and then forgotten.
        Undeploy = "UNDEPLOY",
    }
}

#[cfg(test)]
mod tests {
    use super::Goal;

    #[test]
    fn is_read_leniently_and_written_in_one_form() {
        for text in ["START", "start", " Start "] {
            assert_eq!(text.parse(), Ok(Goal::Start), "{text:?}");
        }
        assert_eq!(
            serde_json::to_string(&Goal::Undeploy).unwrap(),
            r#""UNDEPLOY""#
        );
        assert_eq!(
            "run".parse::<Goal>().unwrap_err().to_string(),
            r#""run" is not a goal: use START, STOP or UNDEPLOY"#
        );
    }
}
