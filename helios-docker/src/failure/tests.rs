use super::*;

fn answer(status_code: u16, message: &str) -> DockerError {
    DockerError::DockerResponseServerError {
        status_code,
        message: message.to_owned(),
    }
}

fn check(call: Call, status: u16, message: &str, wanted: Kind) {
    let kind = super::kind(call, &answer(status, message));
    assert_eq!(kind, wanted, "{call:?}: {status} {message}");
}

#[test]
fn a_create_is_refused_for_its_image_its_name_or_its_spec() {
    let check = |status, message, kind| check(Call::Create, status, message, kind);
    check(404, "No such image: x:1", Kind::ImageUnknown);
    check(
        409,
        "Conflict. The container name \"/x\" is already in use by container \"ab\".",
        Kind::NameInUse,
    );
    check(400, "invalid CapAdd: unknown capability", Kind::BadSpec);
    check(500, "no space left on device", Kind::Failed);
}

#[test]
fn a_start_fails_for_its_port_its_command_or_because_the_container_left() {
    let check = |status, message, kind| check(Call::Start, status, message, kind);
    check(404, "No such container: ab", Kind::NotFound);
    check(404, "network x not found", Kind::BadSpec);
    check(
        409,
        "container is marked for removal and cannot be started",
        Kind::NotFound,
    );
    for status in [400, 500] {
        check(
            status,
            "exec: \"x\": executable file not found in $PATH: unknown",
            Kind::BadSpec,
        );
        check(
            status,
            "Bind for 0.0.0.0:80 failed: port is already allocated",
            Kind::PortInUse,
        );
    }
    check(
        500,
        "driver failed programming external connectivity on endpoint x: Error starting userland \
         proxy: listen tcp4 0.0.0.0:80: bind: address already in use",
        Kind::PortInUse,
    );
    check(500, "cannot allocate memory", Kind::Failed);
}

#[test]
fn a_pull_fails_for_its_image_or_its_registry() {
    let check = |status, message, kind| check(Call::Pull, status, message, kind);
    check(
        404,
        "manifest for x:1 not found: manifest unknown",
        Kind::ImageUnknown,
    );
    check(400, "invalid reference format", Kind::ImageUnknown);
    check(
        404,
        "pull access denied for a/b, repository does not exist or may require 'docker login': \
         denied: requested access to the resource is denied",
        Kind::ImageUnknown,
    );
    check(
        500,
        "Get \"http://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused",
        Kind::RegistryUnreachable,
    );
    check(
        500,
        "Get \"https://x.invalid/v2/\": dial tcp: lookup x.invalid: no such host",
        Kind::RegistryUnreachable,
    );
    check(
        500,
        "Head \"http://r/v2/a/manifests/1\": no basic auth credentials",
        Kind::RegistryDenied,
    );
}

#[test]
fn other_calls_fail_for_a_container_that_does_not_run_or_an_engine_that_leaves() {
    check(
        Call::Exec,
        409,
        "Container ab is not running",
        Kind::NotFound,
    );
    check(Call::Logs, 404, "No such container: ab", Kind::NotFound);
    check(Call::List, 503, "shutting down", Kind::Unavailable);
}

#[test]
fn a_pull_may_fail_in_the_middle_of_its_stream() {
    let error = DockerError::DockerStreamError {
        error: "read tcp 127.0.0.1:5000: connection reset by peer".into(),
    };
    assert_eq!(kind(Call::Pull, &error), Kind::RegistryUnreachable);
}

#[test]
fn an_engine_that_is_not_there_is_unavailable_and_one_that_hangs_timed_out() {
    let missing = DockerError::SocketNotFoundError("/nowhere".into());
    assert_eq!(kind(Call::List, &missing), Kind::Unavailable);
    assert_eq!(
        kind(Call::Start, &DockerError::RequestTimeoutError),
        Kind::TimedOut
    );
}

#[test]
fn the_message_names_the_object_and_the_remedy_and_leaves_the_cause_to_the_source() {
    let error = failure(Call::Create, "web", answer(404, "No such image: nginx:1"));
    assert_eq!(
        error.to_string(),
        "could not create container \"web\": no such image; check its name and tag, and log in \
         to its registry if it is private"
    );
    let cause = error.source().unwrap().to_string();
    assert!(cause.contains("No such image: nginx:1"), "{cause}");
}

#[test]
fn a_socket_without_permission_says_who_may_use_it() {
    let denied = DockerError::IOError {
        err: io::Error::from(io::ErrorKind::PermissionDenied),
    };
    let error = failure(Call::Connect, "unix:///x", denied);
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(error.to_string().contains("group 'docker'"), "{error}");
}
