//! Whatever bytes come: a decoder says that they are none of its kind, or what it read is the same once it was written and
//! read again.
#![no_main]

use std::fmt::Debug;

use helios_api::wire;
use helios_core::model::{HostName, HostSelector, Job, JobId};
use helios_core::schema::{AuditRecord, HostRecord, HostReport, JobRecord, Presence};
use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What the first byte chooses from.
const DECODERS: &[fn(&[u8])] = &[
    json::<Job>,
    json::<wire::CreateJobResponse>,
    json::<wire::DeploymentGroupStatusResponse>,
    json::<wire::Event>,
    json::<wire::HostStatus>,
    json::<wire::JobStatus>,
    json::<wire::NewToken>,
    json::<wire::RollingUpdateRequest>,
    json::<wire::RolloutRequest>,
    json::<wire::SetVariable>,
    json::<wire::TaskStatusEvents>,
    json::<AuditRecord>,
    json::<HostRecord>,
    json::<HostReport>,
    json::<JobRecord>,
    json::<Presence>,
    names,
];

fuzz_target!(|bytes: &[u8]| {
    if let [choice, rest @ ..] = bytes {
        DECODERS[usize::from(*choice) % DECODERS.len()](rest);
    }
});

fn json<T: DeserializeOwned + Serialize + Debug>(bytes: &[u8]) {
    let Ok(read) = serde_json::from_slice::<T>(bytes) else {
        return;
    };
    let written = serde_json::to_string(&read).expect("what was read can be written");
    let again: T = serde_json::from_str(&written).expect("what was written can be read");
    let twice = serde_json::to_string(&again).expect("what was read can be written");
    assert_eq!(written, twice, "{read:?}");
}

fn names(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(id) = JobId::parse_reference(text) {
        assert_eq!(JobId::parse_reference(id.as_str()).as_ref(), Ok(&id));
    }
    if let Ok(host) = text.parse::<HostName>() {
        assert_eq!(host.as_str().parse::<HostName>().as_ref(), Ok(&host));
    }
    if let Ok(selector) = text.parse::<HostSelector>() {
        let written = serde_json::to_string(&selector).expect("what was read can be written");
        let again: HostSelector = serde_json::from_str(&written).expect("it was written so");
        assert_eq!(again, selector);
    }
}
