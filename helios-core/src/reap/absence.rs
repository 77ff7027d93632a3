//! Since when agents are away.

use serde::{Deserialize, Serialize};

use crate::cluster::{FleetView, Records};
use crate::model::HostName;
use crate::schema::Keys;
use crate::time::Timestamp;

/// Since when the agent of a host is away. A report does not tell: an agent with nothing new to say writes
/// nothing, for as long as it lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AbsenceRecord {
    /// Whose absence it is.
    pub agent_id: String,
    /// When a master first found it away.
    pub since: Timestamp,
}

/// What is to be noted about the absence of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Absence {
    /// It is away.
    Begins {
        /// The host.
        host: HostName,
        /// Its agent.
        agent_id: String,
    },
    /// It is back, or nobody waits for it any more.
    Ends {
        /// The host.
        host: HostName,
    },
}

/// What has to be noted so that the records say who is away.
#[must_use]
pub fn absences(view: &FleetView, noted: &Records<HostName, AbsenceRecord>) -> Vec<Absence> {
    let begin = view.hosts.iter().filter_map(|(host, record)| {
        let known = noted.get(host);
        let known = known.is_some_and(|absence| absence.agent_id == record.agent_id);
        (!known && is_away(view, host)).then(|| Absence::Begins {
            host: host.clone(),
            agent_id: record.agent_id.clone(),
        })
    });
    let end = noted.names().filter(|host| !is_away(view, host));
    let end = end.map(|host| Absence::Ends { host: host.clone() });
    begin.chain(end).collect()
}

/// Whether the host is registered and its agent surely away.
pub(super) fn is_away(view: &FleetView, host: &HostName) -> bool {
    let up = Keys::up(host);
    let unsure = view.up.unreadable().any(|unreadable| unreadable.key == up);
    !unsure && view.host(host).is_some_and(|host| !host.up)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Keys, decode, encode};

    #[test]
    fn a_record_is_stored_like_this() {
        let record = AbsenceRecord {
            agent_id: "a1".to_owned(),
            since: Timestamp::from_millis(7),
        };
        let golden = r#"{"agentId":"a1","since":7}"#;
        assert_eq!(encode(&record), golden.as_bytes());
        let later = golden.replacen('{', r#"{"addedLater":[1],"#, 1);
        let key = Keys::absences();
        assert_eq!(
            decode::<AbsenceRecord>(&key, later.as_bytes()).unwrap(),
            record
        );
    }
}
