//! Events as lines of a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tokio::sync::mpsc;
use tracing::warn;

/// Opens the file to append to it. Events show the environment of containers, so a new file is its owner's alone.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Appends each event as a line, until nobody sends any more. A line that cannot be written is dropped.
pub(super) async fn write(file: File, path: PathBuf, mut events: mpsc::Receiver<String>) {
    let mut file = Some(file);
    let mut is_well = true;
    while let Some(mut line) = events.recv().await {
        line.push('\n');
        let (at, mut now) = (path.clone(), file.take());
        let written = tokio::task::spawn_blocking(move || {
            // Opened anew after a failure: the file may have been moved, or its disk have been full.
            let mut file = match now.take() {
                Some(file) if at.exists() => file,
                _ => open(&at)?,
            };
            file.write_all(line.as_bytes())?;
            Ok::<_, io::Error>(file)
        });
        match written.await {
            Ok(Ok(open)) => (file, is_well) = (Some(open), true),
            Ok(Err(error)) => {
                if std::mem::take(&mut is_well) {
                    warn!(path = %path.display(), %error, "events are not written");
                }
            }
            Err(_) => return,
        }
    }
}
