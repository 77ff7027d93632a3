//! How far a job has come on a host.

wire_enum! {
    /// How far a job has come on a host, as its agent reports it.
    TaskState, "a task state", "use a state such as RUNNING, EXITED or STOPPED";
    {
        /// The image is being fetched.
        PullingImage = "PULLING_IMAGE",
        /// The container is being created.
        Creating = "CREATING",
        /// The container is being started.
        Starting = "STARTING",
        /// The container runs; its health check has not passed yet.
        Healthchecking = "HEALTHCHECKING",
        /// The container runs and is healthy as far as anybody knows.
        Running = "RUNNING",
        /// The container ended by itself; it will be started again.
        Exited = "EXITED",
        /// The container is being stopped.
        Stopping = "STOPPING",
        /// Nothing runs, as wanted.
        Stopped = "STOPPED",
        /// Nothing runs, because something went wrong; it will be tried again.
        Failed = "FAILED",
        /// The agent does not know.
        Unknown = "UNKNOWN",
    }
}

#[cfg(test)]
mod tests {
    use super::TaskState;

    #[test]
    fn deployed_clients_know_these_names_and_no_others() {
        assert_eq!(
            serde_json::to_string(TaskState::ALL).unwrap(),
            r#"["PULLING_IMAGE","CREATING","STARTING","HEALTHCHECKING","RUNNING","EXITED","STOPPING","STOPPED","FAILED","UNKNOWN"]"#
        );
        assert!(serde_json::from_str::<TaskState>(r#""PAUSED""#).is_err());
    }
}
