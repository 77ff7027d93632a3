use std::sync::Mutex;

use async_trait::async_trait;

use super::*;
use crate::runtime::{RuntimeError, RuntimeErrorKind};

/// An engine's images, reference to id, and a directory that says what was stored last.
#[derive(Debug, Default)]
struct Host {
    ids: Mutex<BTreeMap<String, String>>,
    in_use: bool,
    hangs: bool,
    stored: Mutex<Vec<u8>>,
}

#[async_trait]
impl Images for Host {
    async fn image_id(&self, reference: &str) -> Result<Option<String>, RuntimeError> {
        if self.hangs {
            std::future::pending::<()>().await;
        }
        Ok(self.ids.lock().unwrap().get(reference).cloned())
    }

    async fn remove_image(&self, reference: &str) -> Result<(), RuntimeError> {
        if self.in_use {
            return Err(RuntimeError::new(RuntimeErrorKind::Failed, "in use"));
        }
        self.ids.lock().unwrap().remove(reference);
        Ok(())
    }
}

#[async_trait]
impl StateDir for Host {
    async fn load(&self, _: &str) -> Result<Option<Vec<u8>>, StateDirError> {
        Ok(None)
    }

    async fn save(&self, _: &str, document: &[u8]) -> Result<(), StateDirError> {
        *self.stored.lock().unwrap() = document.to_vec();
        Ok(())
    }

    async fn set_aside(&self, name: &str) -> Result<String, StateDirError> {
        Ok(name.to_owned())
    }
}

impl Host {
    fn with(images: &[(&str, &str)]) -> Self {
        let images = images.iter().copied();
        let ids = images.map(|(name, id)| (name.to_owned(), id.to_owned()));
        Self {
            ids: Mutex::new(ids.collect()),
            ..Self::default()
        }
    }

    fn images(&self) -> Vec<String> {
        self.ids.lock().unwrap().keys().cloned().collect()
    }
}

/// A round of an agent that pulled `web:1` and `web:2` before, as images of the id "id".
async fn round(host: &Arc<Host>, fresh: &[&str], due: &[&str]) -> Round {
    let begun = Begun {
        images: Arc::clone(host) as _,
        state: Arc::clone(host) as _,
        pulled: shelf(&["web:1", "web:2"]).pulled,
    };
    let names = |names: &[&str]| names.iter().copied().map(str::to_owned).collect();
    let due: Vec<String> = due.iter().copied().map(str::to_owned).collect();
    begun.run(names(fresh), due).await
}

fn shelf(images: &[&str]) -> Shelf {
    let images = images
        .iter()
        .map(|name| ((*name).to_owned(), "id".to_owned()));
    Shelf {
        pulled: Pulled {
            images: images.collect(),
        },
        ..Shelf::default()
    }
}

#[test]
fn an_image_is_due_once_nobody_needed_it_for_long_enough() {
    let keep_for = Duration::from_secs(60);
    let at = |seconds| Moment::default().plus(Duration::from_secs(seconds));
    let mut shelf = shelf(&["web:1", "web:2"]);
    let needed = |names: &'static [&'static str]| names.iter().copied().collect();
    let (due, next) = shelf.due(&needed(&["web:1", "web:2", "other"]), keep_for, at(0));
    assert_eq!((due.len(), next), (0, None));
    let (due, next) = shelf.due(&needed(&["web:2"]), keep_for, at(10));
    assert_eq!((due.len(), next), (0, Some(at(70))));
    let (due, _) = shelf.due(&needed(&["web:2"]), keep_for, at(70));
    assert_eq!(due, ["web:1"]);
    // Wanted again meanwhile, it begins anew.
    shelf.due(&needed(&["web:1", "web:2"]), keep_for, at(71));
    let (due, next) = shelf.due(&needed(&["web:2"]), keep_for, at(72));
    assert_eq!((due.len(), next), (0, Some(at(132))));
}

#[tokio::test]
async fn what_is_due_is_removed_if_it_is_still_what_was_pulled_and_the_rest_is_written_down() {
    let present = [("web:1", "id"), ("web:2", "id"), ("web:3", "id3")];
    for (there, fresh, due, removed, left, owned) in [
        (
            &present,
            vec![],
            vec!["web:1", "web:2"],
            2,
            vec!["web:3"],
            vec![],
        ),
        (
            &present,
            vec!["web:3", "gone"],
            vec![],
            0,
            vec!["web:1", "web:2", "web:3"],
            vec!["web:1", "web:2", "web:3"],
        ),
        // Somebody built another one of that name meanwhile, and web:3 is not ours.
        (
            &[("web:1", "other"), ("web:2", "id"), ("web:3", "id3")],
            vec![],
            vec!["web:1", "web:3"],
            0,
            vec!["web:1", "web:2", "web:3"],
            vec!["web:2"],
        ),
    ] {
        let host = Arc::new(Host::with(there));
        let round = round(&host, &fresh, &due).await;
        assert_eq!((round.removed, round.kept.len()), (removed, 0), "{due:?}");
        assert_eq!(host.images(), left, "{due:?}");
        let pulled = round.pulled.unwrap();
        assert!(pulled.images.keys().eq(owned), "{pulled:?}");
        assert_eq!(*host.stored.lock().unwrap(), schema::encode(&pulled));
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_removed_stays_ours_and_begins_anew() {
    let in_use = Host {
        in_use: true,
        ..Host::with(&[("web:1", "id")])
    };
    let hangs = Host {
        hangs: true,
        ..Host::default()
    };
    let now = Moment::default().plus(Duration::from_secs(7));
    for host in [in_use, hangs] {
        let round = round(&Arc::new(host), &[], &["web:1"]).await;
        let mut shelf = shelf(&["web:1", "web:2"]);
        shelf.learn(round, now);
        assert_eq!(shelf.removed, 0);
        assert!(shelf.pulled.images.contains_key("web:1"));
        assert_eq!(shelf.unneeded_since.get("web:1"), Some(&now));
    }
}

#[test]
fn what_was_removed_is_counted_over_all_rounds() {
    let mut shelf = Shelf::default();
    for removed in [2, 0, 3] {
        let round = Round {
            pulled: None,
            removed,
            kept: Vec::new(),
        };
        shelf.learn(round, Moment::default());
    }
    assert_eq!(shelf.removed, 5);
}
