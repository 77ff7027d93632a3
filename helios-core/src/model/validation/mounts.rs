//! V30 to V32, V39 and V40: volumes and ramdisks.

use super::Rule;
use super::violation::Violations;
use crate::model::Job;

pub(super) fn check(job: &Job, found: &mut Violations) {
    for (path, source) in &job.volumes {
        check_volume(path, source, found);
    }
    let mount_points: Vec<&str> = job.volumes.keys().map(|path| mount_point(path)).collect();
    for path in job.ramdisks.keys() {
        if !path.starts_with('/') {
            let should = "must be an absolute path in the container, such as /scratch";
            found.add(Rule::RamdiskNotAbsolute, "ramdisks", path, should);
        }
        if mount_points.contains(&path.as_str()) {
            let should = "is the mount point of a volume, too: use another one";
            found.add(Rule::RamdiskOnVolume, "ramdisks", path, should);
        }
    }
}

/// The path of a volume without its suffix.
fn mount_point(path: &str) -> &str {
    path.split(':').next().unwrap_or(path)
}

/// At most one rule per volume: the first that it breaks.
fn check_volume(path: &str, source: &str, found: &mut Violations) {
    let (_, suffix) = path.split_once(':').unwrap_or((path, "ok"));
    if !path.starts_with('/') {
        let should = "must be an absolute path in the container, such as /data";
        found.add(Rule::VolumeNotAbsolute, "volumes", path, should);
    } else if source.contains('/') && !source.starts_with('/') {
        let should = "must be an absolute path on the host, the name of a volume, or empty";
        found.add(
            Rule::VolumeSource,
            format!("volumes.{path}"),
            source,
            should,
        );
    } else if path == "/" || suffix.is_empty() || suffix.contains(':') {
        let should = "must be a path below /, with no suffix, :ro or :rw";
        found.add(Rule::VolumePath, "volumes", path, should);
    }
}
