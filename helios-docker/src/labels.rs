//! The labels by which the runtime knows its own.

use std::collections::{BTreeMap, HashMap};

use helios_core::runtime::{ContainerSpec, Owner, RuntimeError, RuntimeErrorKind, SpecDigest};

pub(crate) const OWNER: &str = "helios.runtime.owner";
const DIGEST: &str = "helios.runtime.digest";
const FROM_SPEC: &str = "helios.runtime.labels";
const RESERVED: &str = "helios.runtime.";

/// The filter that only the owner's containers pass.
pub(crate) fn filter(owner: &Owner) -> String {
    format!("{OWNER}={owner}")
}

/// All labels of a container: those of its spec, and ours.
///
/// # Errors
/// `BadSpec` when a label of the spec could be mistaken for one of ours.
pub(crate) fn write(
    owner: &Owner,
    spec: &ContainerSpec,
) -> Result<HashMap<String, String>, RuntimeError> {
    if let Some(key) = spec.labels.keys().find(|key| key.starts_with(RESERVED)) {
        return Err(RuntimeError::new(
            RuntimeErrorKind::BadSpec,
            format!(
                "container {:?} cannot have the label {key:?}: labels that begin with {RESERVED:?} \
                 are the runtime's own, choose another",
                spec.name
            ),
        ));
    }
    let mut labels: HashMap<_, _> = spec.labels.clone().into_iter().collect();
    labels.insert(OWNER.to_owned(), owner.to_string());
    labels.insert(DIGEST.to_owned(), spec.digest().to_string());
    if !spec.labels.is_empty() {
        let keys: Vec<_> = spec.labels.keys().collect();
        labels.insert(FROM_SPEC.to_owned(), serde_json::json!(keys).to_string());
    }
    Ok(labels)
}

pub(crate) fn is_owned(owner: &Owner, labels: &HashMap<String, String>) -> bool {
    labels.get(OWNER).map(String::as_str) == Some(owner.as_str())
}

pub(crate) fn digest(labels: &HashMap<String, String>) -> Option<SpecDigest> {
    labels
        .get(DIGEST)
        .map(|text| SpecDigest::from_text(text.as_str()))
}

/// The labels of the spec: Docker mixes those of the image in, so their keys were written down.
pub(crate) fn of_spec(labels: &HashMap<String, String>) -> BTreeMap<String, String> {
    let keys = labels.get(FROM_SPEC).map(String::as_str).unwrap_or("[]");
    let keys: Vec<String> = serde_json::from_str(keys).unwrap_or_default();
    keys.into_iter()
        .filter_map(|key| {
            let value = labels.get(&key)?.clone();
            Some((key, value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(labels: &[(&str, &str)]) -> ContainerSpec {
        let mut spec = ContainerSpec::new("web", "image");
        spec.labels = labels
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        spec
    }

    #[test]
    fn what_is_written_is_read_back_without_the_labels_of_the_image() {
        let owner = Owner::new("agent").unwrap();
        for spec in [spec(&[]), spec(&[("a", "1"), ("odd \"key\"", "")])] {
            let mut labels = write(&owner, &spec).unwrap();
            labels.insert("maintainer".into(), "of the image".into());
            assert_eq!(of_spec(&labels), spec.labels);
            assert_eq!(digest(&labels), Some(spec.digest()));
            assert!(is_owned(&owner, &labels));
            assert!(!is_owned(&Owner::new("agen").unwrap(), &labels));
        }
    }

    #[test]
    fn a_reserved_label_is_refused() {
        let owner = Owner::new("agent").unwrap();
        let error = write(&owner, &spec(&[(OWNER, "other")])).unwrap_err();
        assert_eq!(error.kind(), RuntimeErrorKind::BadSpec);
    }

    #[test]
    fn labels_that_nobody_wrote_belong_to_nobody() {
        let labels = HashMap::new();
        assert!(!is_owned(&Owner::new("agent").unwrap(), &labels));
        assert_eq!(digest(&labels), None);
        assert!(of_spec(&labels).is_empty());
    }
}
