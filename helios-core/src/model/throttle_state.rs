//! Why an agent waits before it tries again.

wire_enum! {
    /// Why an agent waits longer than usual before it starts a job again.
    ThrottleState, "a throttle state", "use NO, FLAPPING, IMAGE_MISSING or IMAGE_PULL_FAILED";
    {
        /// It does not.
        No = "NO",
        /// The container keeps ending shortly after its start.
        Flapping = "FLAPPING",
        /// The registry does not have the image.
        ImageMissing = "IMAGE_MISSING",
        /// The image could not be fetched.
        ImagePullFailed = "IMAGE_PULL_FAILED",
    }
}

#[cfg(test)]
mod tests {
    use super::ThrottleState;

    #[test]
    fn deployed_clients_know_these_names_and_no_others() {
        assert_eq!(
            serde_json::to_string(ThrottleState::ALL).unwrap(),
            r#"["NO","FLAPPING","IMAGE_MISSING","IMAGE_PULL_FAILED"]"#
        );
    }
}
