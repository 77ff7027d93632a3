//! L01 to L04: limits of our own.

use std::collections::BTreeMap;

use super::Rule;
use super::violation::Violations;
use crate::model::{HealthCheck, Job};
use crate::store::KEY_SEGMENT_BYTES_MAX;

/// The longest JSON text of a job, in bytes.
pub const JOB_JSON_BYTES_MAX: usize = 256 * 1024;
/// The most entries of a map or list in a job.
pub const MAP_ENTRIES_MAX: usize = 1_024;
/// The longest text in a job, in bytes.
pub const TEXT_BYTES_MAX: usize = 32 * 1024;
/// The longest job id with its hash, in bytes: it is one segment of a store key.
pub const JOB_ID_BYTES_MAX: usize = KEY_SEGMENT_BYTES_MAX;

/// The colon before the hash, and the hash.
const HASH_SUFFIX_BYTES: usize = 1 + 40;

pub(super) fn check(job: &Job, found: &mut Violations) {
    let id = job.id.without_hash();
    if id.as_str().len() + HASH_SUFFIX_BYTES > JOB_ID_BYTES_MAX {
        let should = "is too long: name and version together may have at most 213 bytes";
        found.add(Rule::IdTooLong, "id", id.as_str(), should);
    }
    let mut limits = Limits { found };
    limits.check_maps(job);
    limits.check_lists(job);
    limits.check_texts(job);
    let json_bytes = serde_json::to_vec(job).map_or(usize::MAX, |json| json.len());
    if json_bytes > JOB_JSON_BYTES_MAX {
        let should =
            format!("is too long: the JSON text may have at most {JOB_JSON_BYTES_MAX} bytes");
        found.add(
            Rule::JobTooLong,
            "job",
            &format!("{json_bytes} bytes"),
            &should,
        );
    }
}

struct Limits<'a> {
    found: &'a mut Violations,
}

impl Limits<'_> {
    fn check_maps(&mut self, job: &Job) {
        let maps = [
            ("env", &job.env),
            ("labels", &job.labels),
            ("metadata", &job.metadata),
            ("ramdisks", &job.ramdisks),
            ("volumes", &job.volumes),
        ];
        for (field, map) in maps {
            self.keys(field, map);
            self.texts(field, map.values());
        }
        self.keys("ports", &job.ports);
        self.texts("ports", job.ports.values().map(|port| &port.protocol));
        self.entries("registration", job.registration.len());
        for (endpoint, service) in &job.registration {
            self.text("registration", endpoint.name());
            self.text("registration", endpoint.protocol());
            for (port, parameters) in service.ports.iter().flatten() {
                self.text("registration", port);
                let tags = parameters
                    .as_ref()
                    .and_then(|parameters| parameters.tags.as_deref());
                self.list("registration", tags.unwrap_or_default());
            }
            self.entries("registration", service.ports.iter().flatten().count());
        }
    }

    fn check_lists(&mut self, job: &Job) {
        self.list("command", &job.command);
        self.list("securityOpt", &job.security_opt);
        self.list("addCapabilities", job.add_capabilities.as_slice());
        self.list("dropCapabilities", job.drop_capabilities.as_slice());
    }

    fn check_texts(&mut self, job: &Job) {
        let texts = [
            ("image", job.image.as_deref()),
            ("hostname", job.hostname.as_deref()),
            ("registrationDomain", Some(job.registration_domain.as_str())),
            ("creatingUser", job.creating_user.as_deref()),
            ("token", Some(job.token.as_str())),
            ("networkMode", job.network_mode.as_deref()),
            ("runtime", job.runtime.as_deref()),
            (
                "resources.cpuset",
                job.resources.as_ref().and_then(|r| r.cpuset.as_deref()),
            ),
            (
                "rolloutOptions.token",
                job.rollout_options
                    .as_ref()
                    .and_then(|o| o.token.as_deref()),
            ),
        ];
        for (field, text) in texts {
            self.text(field, text.unwrap_or_default());
        }
        match &job.health_check {
            Some(HealthCheck::Exec { command }) => self.list("healthCheck.command", command),
            Some(HealthCheck::Http { path, port }) => {
                self.texts("healthCheck", [path, port].into_iter().flatten());
            }
            Some(HealthCheck::Tcp { port }) => self.texts("healthCheck", port.as_ref()),
            None => {}
        }
    }

    fn keys<V>(&mut self, field: &str, map: &BTreeMap<String, V>) {
        self.entries(field, map.len());
        self.texts(field, map.keys());
    }

    fn list(&mut self, field: &str, list: &[String]) {
        self.entries(field, list.len());
        self.texts(field, list);
    }

    fn texts<'t>(&mut self, field: &str, texts: impl IntoIterator<Item = &'t String>) {
        for text in texts {
            self.text(field, text);
        }
    }

    fn entries(&mut self, field: &str, count: usize) {
        if count > MAP_ENTRIES_MAX {
            let should = format!("are too many: use at most {MAP_ENTRIES_MAX}");
            self.found.add(
                Rule::TooManyEntries,
                field,
                &format!("{count} entries"),
                &should,
            );
        }
    }

    /// Says how long the text is, not what it says: it may be a secret.
    fn text(&mut self, field: &str, text: &str) {
        if text.len() > TEXT_BYTES_MAX {
            let should = format!("are too many for one text: use at most {TEXT_BYTES_MAX}");
            self.found.add(
                Rule::TextTooLong,
                field,
                &format!("{} bytes", text.len()),
                &should,
            );
        }
    }
}
