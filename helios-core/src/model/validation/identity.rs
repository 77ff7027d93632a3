//! V02 to V10: what the job is called.

use super::violation::Violations;
use super::{Rule, ValidationRules};
use crate::model::Job;

pub(super) fn check(job: &Job, rules: &ValidationRules<'_>, found: &mut Violations) {
    let parts = [
        (
            "name",
            job.id.name(),
            Rule::NameMissing,
            Rule::NameCharacters,
        ),
        (
            "version",
            job.id.version(),
            Rule::VersionMissing,
            Rule::VersionCharacters,
        ),
    ];
    for (field, text, missing, characters) in parts {
        if text.is_empty() {
            found.add(
                missing,
                field,
                "",
                "must not be empty: an id is name:version",
            );
        } else if !text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        {
            found.add(
                characters,
                field,
                text,
                "may only contain letters, digits, -, _ and .",
            );
        }
    }
    if rules.check_hash {
        check_hash(job, found);
    }
}

fn check_hash(job: &Job, found: &mut Violations) {
    let Some(hash) = job.id.hash() else {
        found.add(
            Rule::HashMissing,
            "id",
            job.id.as_str(),
            "must end in the hash of the job",
        );
        return;
    };
    let computed = job.compute_id();
    let computed = computed.hash().unwrap_or_default();
    if hash != computed {
        let should = format!("is not the hash of this job, which is {computed}");
        found.add(Rule::HashMismatch, "id", hash, &should);
    }
}
