//! A file as a registry.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::model::JobId;

use super::{Endpoint, Registrar, RegistrarError, Services};

/// A file with the services of one host as JSON, for any discovery tool that reads files.
///
/// `{"services":[{"job":"web:1:...","name":"web","protocol":"http","host":"web1","port":20001,...}]}`, in the
/// order of jobs. It is replaced as a whole: whoever reads it sees the services of before or of now.
#[derive(Debug)]
pub struct FileRegistrar {
    path: PathBuf,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Document {
    services: Vec<Service>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Service {
    job: JobId,
    #[serde(flatten)]
    endpoint: Endpoint,
}

impl FileRegistrar {
    /// The file at that path, which need not exist yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

#[async_trait]
impl Registrar for FileRegistrar {
    async fn publish(&self, services: &Services) -> Result<(), RegistrarError> {
        let (path, services) = (self.path.clone(), services.clone());
        let message = format!("the service file {} cannot be written", path.display());
        let written = tokio::task::spawn_blocking(move || write(&path, services)).await;
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(RegistrarError::new(message).caused_by(error)),
            Err(error) => Err(RegistrarError::new(message).caused_by(error)),
        }
    }
}

fn write(path: &Path, services: Services) -> io::Result<()> {
    let before = match fs::read(path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    // What is no such document says nothing that could be kept.
    let kept: Document = before
        .as_deref()
        .and_then(|text| serde_json::from_slice(text).ok())
        .unwrap_or_default();
    let kept = kept.services.into_iter();
    let kept = kept.filter(|service| services.undecided.contains(&service.job));
    let decided = services.endpoints.into_iter().flat_map(|(job, endpoints)| {
        let service = move |endpoint| Service {
            job: job.clone(),
            endpoint,
        };
        endpoints.into_iter().map(service)
    });
    let mut document = Document {
        services: kept.chain(decided).collect(),
    };
    document.services.sort_by(|a, b| a.job.cmp(&b.job));
    let mut text = serde_json::to_vec_pretty(&document).map_err(io::Error::other)?;
    text.push(b'\n');
    if before.as_ref() == Some(&text) {
        return Ok(());
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let mut new = File::create(&name)?;
    new.write_all(&text)?;
    new.sync_data()?;
    fs::rename(&name, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn endpoint(name: &str) -> Endpoint {
        Endpoint {
            name: name.to_owned(),
            protocol: "http".to_owned(),
            host: "web1".to_owned(),
            port: 20_001,
            port_name: "http".to_owned(),
            domain: String::new(),
            tags: Vec::new(),
            health: None,
        }
    }

    fn services(jobs: &[&str], undecided: &[&str]) -> Services {
        let id = |text: &&str| -> JobId { text.parse().unwrap() };
        Services {
            endpoints: jobs
                .iter()
                .map(|job| (id(job), vec![endpoint(job)]))
                .collect(),
            undecided: undecided.iter().map(id).collect::<BTreeSet<_>>(),
        }
    }

    fn jobs(path: &Path) -> Vec<String> {
        let document: Document = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let jobs = document.services.iter();
        jobs.map(|service| service.job.to_string()).collect()
    }

    #[tokio::test]
    async fn the_file_says_what_is_registered_and_keeps_what_is_undecided() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("services.json");
        let registrar = FileRegistrar::new(&path);
        registrar
            .publish(&services(&["b:1", "a:1"], &[]))
            .await
            .unwrap();
        assert_eq!(jobs(&path), ["a:1", "b:1"]);
        registrar
            .publish(&services(&["c:1"], &["b:1", "x:1"]))
            .await
            .unwrap();
        assert_eq!(jobs(&path), ["b:1", "c:1"]);
        registrar.publish(&services(&[], &[])).await.unwrap();
        assert_eq!(jobs(&path), <[String; 0]>::default());
    }

    #[tokio::test]
    async fn a_file_that_is_something_else_is_replaced_and_one_that_cannot_be_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("services.json");
        fs::write(&path, "{").unwrap();
        let registrar = FileRegistrar::new(&path);
        registrar
            .publish(&services(&["a:1"], &["b:1"]))
            .await
            .unwrap();
        assert_eq!(jobs(&path), ["a:1"]);
        let nowhere = FileRegistrar::new(dir.path().join("none/services.json"));
        let error = nowhere.publish(&services(&["a:1"], &[])).await.unwrap_err();
        assert!(error.to_string().contains("none/services.json"), "{error}");
    }
}
