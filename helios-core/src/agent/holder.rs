//! Who has the port that a container was to get.

use std::collections::BTreeMap;

use crate::runtime::{Protocol, RuntimeError};

use super::PortHolder;

/// The error with who holds the ports, in front of what the engine says: an engine knows only that a port is
/// taken. As it was, if nobody holds any of them any more.
pub(super) fn named(
    error: RuntimeError,
    ports: impl IntoIterator<Item = (Protocol, u16)>,
    in_use: &BTreeMap<(Protocol, u16), Option<PortHolder>>,
) -> RuntimeError {
    let held: Vec<String> = ports
        .into_iter()
        .filter_map(|place| Some((place, in_use.get(&place)?)))
        .map(|((protocol, port), holder)| match holder {
            Some(holder) => format!("port {port}/{protocol} of this host is held by {holder}"),
            None => {
                format!("port {port}/{protocol} of this host is held by another user's process")
            }
        })
        .collect();
    if held.is_empty() {
        return error;
    }
    RuntimeError::new(error.kind(), held.join(", ")).caused_by(error)
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;
    use crate::runtime::RuntimeErrorKind;

    #[test]
    fn the_process_is_named_where_it_can_be_seen() {
        let nginx = PortHolder {
            pid: 7,
            command: "nginx".to_owned(),
        };
        let in_use = BTreeMap::from([
            ((Protocol::Tcp, 80), Some(nginx)),
            ((Protocol::Udp, 53), None),
        ]);
        let taken = || RuntimeError::new(RuntimeErrorKind::PortInUse, "could not start c1");
        for (places, said) in [
            (
                vec![(Protocol::Tcp, 80), (Protocol::Tcp, 81)],
                "port 80/tcp of this host is held by process 7 (nginx)",
            ),
            (
                vec![(Protocol::Udp, 53)],
                "port 53/udp of this host is held by another user's process",
            ),
            (vec![(Protocol::Tcp, 53)], "could not start c1"),
        ] {
            let error = named(taken(), places, &in_use);
            assert_eq!(error.to_string(), said);
            assert_eq!(error.kind(), RuntimeErrorKind::PortInUse);
        }
        let error = named(taken(), [(Protocol::Udp, 53)], &in_use);
        assert_eq!(error.source().unwrap().to_string(), "could not start c1");
    }
}
