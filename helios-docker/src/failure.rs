//! From what Docker answers to a kind that a caller branches on, and what to do about it.

use std::error::Error as StdError;
use std::io;

use bollard::errors::Error as DockerError;
use helios_core::runtime::{RuntimeError, RuntimeErrorKind as Kind};

/// The call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Connect,
    Version,
    List,
    Pull,
    Create,
    Start,
    Stop,
    Rename,
    Remove,
    Exec,
    Logs,
    InspectImage,
    RemoveImage,
}

/// The error of a call on `object`, a container or image.
pub(crate) fn failure(call: Call, object: &str, error: DockerError) -> RuntimeError {
    let kind = kind(call, &error);
    RuntimeError::new(kind, message(call, object, kind, &error)).caused_by(error)
}

/// The error of a call that did not end in time.
pub(crate) fn timed_out(call: Call, object: &str) -> RuntimeError {
    failure(call, object, DockerError::RequestTimeoutError)
}

/// The HTTP status of Docker's answer, if it gave one.
pub(crate) fn status(error: &DockerError) -> Option<u16> {
    match error {
        DockerError::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

/// Whether a create failed because the name is taken, which need not last.
pub(crate) fn is_name_conflict(error: &DockerError) -> bool {
    status(error) == Some(409) && lower(error).contains("name")
}

pub(crate) fn kind(call: Call, error: &DockerError) -> Kind {
    match error {
        DockerError::DockerResponseServerError {
            status_code,
            message,
        } => answered(call, *status_code, &message.to_lowercase()),
        // The stream of a pull may fail after it began well.
        DockerError::DockerStreamError { error } => answered(call, 500, &error.to_lowercase()),
        DockerError::RequestTimeoutError => Kind::TimedOut,
        DockerError::SocketNotFoundError(_)
        | DockerError::HyperResponseError { .. }
        | DockerError::HyperLegacyError { .. }
        | DockerError::IOError { .. } => Kind::Unavailable,
        _ => Kind::Failed,
    }
}

/// The kind of an answer. Docker's statuses are coarse, so the words of the message must help.
fn answered(call: Call, status: u16, text: &str) -> Kind {
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| text.contains(phrase));
    match (call, status) {
        (Call::Pull, _) => pull(status, &says),
        (Call::Create, 404) if says(&["no such image", "not found: manifest"]) => {
            Kind::ImageUnknown
        }
        (Call::Create, 409) if says(&["name"]) => Kind::NameInUse,
        (Call::Create | Call::Start, 400) => match says(PORT_TAKEN) {
            true => Kind::PortInUse,
            false => Kind::BadSpec,
        },
        (Call::Create, 404) => Kind::BadSpec,
        (Call::Start, _) if says(PORT_TAKEN) => Kind::PortInUse,
        (Call::Start, 404) if says(&["no such container"]) => Kind::NotFound,
        // An unknown network is only found out about now.
        (Call::Start, 404) => Kind::BadSpec,
        (Call::Start, 409) if says(&["marked for removal"]) => Kind::NotFound,
        (Call::Start, _) if says(NO_COMMAND) => Kind::BadSpec,
        (Call::Exec, 404 | 409) | (Call::Logs, 404) => Kind::NotFound,
        (_, 503) => Kind::Unavailable,
        _ => Kind::Failed,
    }
}

const PORT_TAKEN: &[&str] = &[
    "port is already allocated",
    "address already in use",
    "ports are not available",
];

const NO_COMMAND: &[&str] = &[
    "executable file not found",
    "no such file or directory: unknown",
    "permission denied: unknown",
];

fn pull(status: u16, says: &dyn Fn(&[&str]) -> bool) -> Kind {
    // Docker Hub says the same of what is private and of what does not exist.
    if says(&["repository does not exist or may require"]) {
        Kind::ImageUnknown
    } else if says(&[
        "no basic auth credentials",
        "unauthorized",
        "authentication required",
        "incorrect username or password",
        "denied: requested access",
        "403 forbidden",
    ]) {
        Kind::RegistryDenied
    } else if says(&["manifest unknown", "not found", "does not exist"]) && !says(UNREACHABLE) {
        Kind::ImageUnknown
    } else if status == 400 {
        // A reference that cannot be parsed is one that no registry has.
        Kind::ImageUnknown
    } else if says(UNREACHABLE) {
        Kind::RegistryUnreachable
    } else if status == 404 {
        Kind::ImageUnknown
    } else {
        Kind::Failed
    }
}

const UNREACHABLE: &[&str] = &[
    "dial tcp",
    "no such host",
    "connection refused",
    "i/o timeout",
    "timeout exceeded",
    "deadline exceeded",
    "connection reset",
    "unexpected eof",
    "tls handshake",
    "server gave http response to https client",
    "toomanyrequests",
    "502 bad gateway",
    "503 service unavailable",
    "x509",
];

fn message(call: Call, object: &str, kind: Kind, error: &DockerError) -> String {
    let tried = match call {
        Call::Connect => format!("reach the Docker engine at {object}"),
        Call::Version => "ask the Docker engine for its version".to_owned(),
        Call::List => "list the containers".to_owned(),
        Call::Pull => format!("pull image {object:?}"),
        Call::Create => format!("create container {object:?}"),
        Call::Start => format!("start container {object:?}"),
        Call::Stop => format!("stop container {object:?}"),
        Call::Rename => format!("rename container {object:?}"),
        Call::Remove => format!("remove container {object:?}"),
        Call::Exec => format!("run a command in container {object:?}"),
        Call::Logs => format!("read the log of container {object:?}"),
        Call::InspectImage => format!("look at image {object:?}"),
        Call::RemoveImage => format!("remove image {object:?}"),
    };
    format!("could not {tried}: {}", remedy(kind, error))
}

fn remedy(kind: Kind, error: &DockerError) -> &'static str {
    match kind {
        Kind::ImageUnknown => {
            "no such image; check its name and tag, and log in to its registry if it is private"
        }
        Kind::RegistryUnreachable => {
            "its registry did not answer; check that this host's Docker engine can reach it"
        }
        Kind::RegistryDenied => {
            "its registry refused the credentials; log in with 'docker login' as the user that runs this process"
        }
        Kind::NameInUse => {
            "another container has the name; remove it ('docker rm -f'), or choose another name"
        }
        Kind::PortInUse => {
            "a port is taken on this host; free it ('ss -lntup' shows by whom), or choose another"
        }
        Kind::BadSpec => "Docker refuses its description; correct what is named in the cause",
        Kind::NotFound => "there is no such container; it was removed meanwhile",
        Kind::Unavailable if permission_denied(error) => {
            "no permission to use the engine's socket; run as root or as a member of the group 'docker'"
        }
        Kind::Unavailable => {
            "the engine does not answer; check that it runs ('systemctl status docker') and at which address"
        }
        Kind::TimedOut => {
            "the engine did not answer in time and may still do it; if this persists, look at its log and load"
        }
        _ => "Docker failed; the cause and the engine's log tell more",
    }
}

fn permission_denied(error: &DockerError) -> bool {
    // This variant is transparent: its own error is not among its sources.
    let mut cause: Option<&(dyn StdError + 'static)> = match error {
        DockerError::IOError { err } => Some(err),
        error => Some(error),
    };
    while let Some(inner) = cause {
        let io = inner.downcast_ref::<io::Error>();
        if io.is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied) {
            return true;
        }
        cause = inner.source();
    }
    false
}

fn lower(error: &DockerError) -> String {
    match error {
        DockerError::DockerResponseServerError { message, .. } => message.to_lowercase(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests;
