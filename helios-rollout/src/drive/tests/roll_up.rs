//! Long logs.

use helios_core::schema::Keys;
use helios_core::store::{Store, Txn};
use proptest::prelude::*;

use super::*;
use crate::audit::{Entry, replay};

/// What happens next.
#[derive(Clone, Debug)]
enum Event {
    /// So many seconds pass, one after the other, and one of two masters looks each time, or both at once.
    Pass(i64, Who),
    Join(usize),
    Leave(usize),
    Fail(usize),
    Pause,
    Resume,
    RollBack,
    /// A master crashes while it rolls the log up, this far into it; another goes on that knows nothing.
    Crash(Crash),
}

#[derive(Clone, Copy, Debug)]
enum Who {
    One,
    Other,
    Both,
}

#[derive(Clone, Copy, Debug)]
enum Crash {
    Parts(usize),
    BeforeItCounts,
    BeforeTheSweep,
    AnyTime,
}

fn event() -> impl Strategy<Value = Event> {
    let who = prop_oneof![Just(Who::One), Just(Who::Other), Just(Who::Both)];
    let crash = prop_oneof![
        (0_usize..6).prop_map(Crash::Parts),
        Just(Crash::BeforeItCounts),
        Just(Crash::BeforeTheSweep),
        Just(Crash::AnyTime),
    ];
    prop_oneof![
        8 => (1_i64..10, who).prop_map(|(seconds, who)| Event::Pass(seconds, who)),
        2 => (0_usize..60).prop_map(Event::Join),
        1 => (0_usize..60).prop_map(Event::Leave),
        2 => (0_usize..60).prop_map(Event::Fail),
        1 => Just(Event::Pause),
        1 => Just(Event::Resume),
        1 => Just(Event::RollBack),
        3 => crash.prop_map(Event::Crash),
    ]
}

/// Two masters and a rollout.
struct Story {
    rig: Rig,
    masters: [Master; 2],
    names: usize,
    now: i64,
    /// The record at which the last checkpoint was made.
    rolled_to: usize,
}

impl Story {
    async fn new(events: &[Event]) -> Self {
        let (rig, one) = started(24, Some(&guard(Action::Hold))).await;
        let two = rig.master("m2");
        let mut story = Self {
            rig,
            masters: [one, two],
            names: 2,
            now: 0,
            rolled_to: 0,
        };
        for event in events {
            story.happen(event).await;
            story.note().await;
        }
        story
    }

    fn variables(&self) -> &Variables {
        &self.masters[0].variables
    }

    async fn head(&self) -> LogHead {
        let ledger = self.variables().ledger("docker").await.unwrap().unwrap();
        ledger.record().log.clone().unwrap()
    }

    async fn happen(&mut self, event: &Event) {
        // What is refused at this moment is refused.
        match event {
            Event::Pass(seconds, who) => {
                for _ in 0..*seconds {
                    self.now += 1;
                    self.rig.clock.set(self.now);
                    self.tick(*who).await;
                }
            }
            Event::Join(index) => self
                .variables()
                .follow(&Book::default(), &host(*index), &role(*index))
                .await
                .unwrap(),
            Event::Leave(index) => drop(self.variables().forget(&host(*index)).await),
            Event::Fail(index) => {
                drop(self.variables().report(&host(*index), Some("exit 1")).await);
            }
            Event::Pause => drop(self.variables().pause("docker").await),
            Event::Resume => drop(self.variables().resume("docker").await),
            Event::RollBack => {
                let over = Some(Duration::from_secs(20));
                drop(self.variables().roll_back("docker", over).await);
            }
            Event::Crash(crash) => self.crash(*crash).await,
        }
    }

    async fn tick(&mut self, who: Who) {
        let [one, two] = &mut self.masters;
        match who {
            Who::One => one.tick().await,
            Who::Other => two.tick().await,
            Who::Both => drop(futures_util::future::join(one.tick(), two.tick()).await),
        }
    }

    async fn crash(&mut self, crash: Crash) {
        let head = self.head().await;
        let variables = self.variables();
        if head.running && head.next_roll_up() < head.pages && !matches!(crash, Crash::AnyTime) {
            let rolled_up = variables
                .write_checkpoint("docker", &head)
                .await
                .unwrap()
                .unwrap();
            match crash {
                Crash::Parts(left) => {
                    for part in left as u32..rolled_up.parts {
                        let key =
                            Keys::rollout_page("docker", &rolled_up.checkpoint, part).unwrap();
                        let entry = self.rig.store.get(&key).await.unwrap().unwrap();
                        self.rig
                            .store
                            .commit(Txn::new().delete(key, entry.version))
                            .await
                            .unwrap();
                    }
                }
                Crash::BeforeTheSweep => variables
                    .begin_with("docker", &head, &rolled_up)
                    .await
                    .unwrap(),
                _ => {}
            }
        }
        self.names += 1;
        self.masters.rotate_left(1);
        self.masters[0] = self.rig.master(&format!("m{}", self.names));
    }

    /// Compares the log with everything that was ever in it.
    async fn note(&mut self) {
        let (log, full) = (
            self.variables().log("docker").await.unwrap(),
            self.rig.full_log(),
        );
        let first = usize::try_from(log[0].sequence).unwrap();
        assert_eq!(log[1..], full[first + 1..], "no record after it is lost");
        let Entry::Checkpoint(state) = &log[0].entry else {
            panic!("a log begins with a checkpoint")
        };
        if self.rolled_to < first {
            self.rolled_to = first;
            assert_eq!(
                **state,
                replay(&full[..=first]).unwrap(),
                "the checkpoint is what was before it"
            );
        }
    }

    /// Nothing is lost by rolling up, and nothing is left.
    async fn end(mut self) {
        while self.head().await.is_long() {
            self.variables().roll_up("docker").await.unwrap();
        }
        self.note().await;
        let log = self.variables().log("docker").await.unwrap();
        let rolled = replay(&log).unwrap();
        assert_eq!(rolled, replay(&self.rig.full_log()).unwrap());
        let fresh = self.rig.master("fresh");
        let ledger = fresh.variables.ledger("docker").await.unwrap().unwrap();
        if let Some(state) = ledger.state() {
            assert_eq!(*state, rolled);
        }
        for master in &self.masters {
            assert_eq!(fresh.values().await, master.values().await);
        }
        let full = Course::default().continued(&self.rig.full_log());
        assert_eq!(
            fresh.variables.course("docker").await.unwrap(),
            full.unwrap()
        );
        let head = self.head().await;
        let parts = head
            .rolled_up
            .as_ref()
            .map_or(0, |rolled_up| rolled_up.parts);
        if head.running {
            fresh.variables.sweep("docker").await.unwrap();
            let there = self
                .rig
                .store
                .list(&Keys::rollout("docker").unwrap())
                .await
                .unwrap();
            let next = format!("{}.{}.", head.id, head.next_roll_up());
            let there = there
                .iter()
                .filter(|(name, _)| !name.starts_with(&next))
                .count();
            assert_eq!(
                there as u32,
                head.pages - head.first_page() + parts,
                "nothing is left behind"
            );
        }
    }
}

fn role(index: usize) -> BTreeMap<String, String> {
    BTreeMap::from([("role".to_owned(), format!("role-{}", index % 4))])
}

fn run<T>(story: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(story)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases / 8))]

    #[test]
    fn p21_a_log_that_is_rolled_up_replays_to_the_same_whoever_crashes(events in prop::collection::vec(event(), 5..40)) {
        run(async { Story::new(&events).await.end().await });
    }
}

#[tokio::test]
async fn a_long_rollout_keeps_a_short_log_and_all_its_answers() {
    let events = [
        Event::Pass(60, Who::Both),
        Event::Pause,
        Event::Fail(3),
        Event::Pass(3, Who::One),
    ];
    let story = Story::new(&events).await;
    assert!(story.rolled_to > 0, "it was rolled up by the drivers");
    let fresh = story.rig.master("fresh");
    let ledger = fresh.variables.ledger("docker").await.unwrap().unwrap();
    let head = ledger.record().log.clone().unwrap();
    let rolled_up = head.rolled_up.clone().unwrap();
    assert!(rolled_up.parts > 1, "it fits no single entry");
    let full = story.rig.full_log();
    let first = full.iter().find_map(|record| match &record.entry {
        Entry::Told { step, .. } => Some((record.at, step.tells.first()?)),
        _ => None,
    });
    let (at, tell) = first.unwrap();
    let rolled = replay(&fresh.variables.log("docker").await.unwrap()[..1]).unwrap();
    let mark = &rolled.marks[&tell.host];
    assert_eq!(
        (mark.at, &mark.because),
        (at, &tell.because),
        "why is still known"
    );
    assert_eq!(ledger.told(&tell.host), Some((at, &tell.because)));
}

#[tokio::test]
async fn a_checkpoint_that_was_tampered_with_is_not_believed() {
    let story = Story::new(&[Event::Pass(60, Who::One)]).await;
    let rolled_up = story.head().await.rolled_up.unwrap();
    let key = Keys::rollout_page("docker", &rolled_up.checkpoint, 0).unwrap();
    let entry = story.rig.store.get(&key).await.unwrap().unwrap();
    let text = String::from_utf8(entry.value.to_vec()).unwrap();
    let forged = text.replacen("role-1", "role-2", 1);
    assert_ne!(text, forged);
    story
        .rig
        .store
        .commit(Txn::new().update(key, entry.version, forged))
        .await
        .unwrap();
    let why = story
        .variables()
        .log("docker")
        .await
        .unwrap_err()
        .to_string();
    assert!(
        why.contains("docker") && why.contains("not what was rolled up"),
        "{why}"
    );
}

#[tokio::test]
async fn a_log_is_read_while_it_is_being_rolled_up() {
    let mut story = Story::new(&[Event::Pass(40, Who::One)]).await;
    // A master that read the log before, and one that reads it for the first time, both go on from it.
    let old = story.masters[1].variables.read().await.unwrap();
    story.happen(&Event::Pass(40, Who::One)).await;
    let now = crate::drive::book::read_book(&story.rig.cluster("m9"), &old)
        .await
        .unwrap();
    assert_eq!(
        now.ledgers["docker"].state(),
        story
            .variables()
            .ledger("docker")
            .await
            .unwrap()
            .unwrap()
            .state()
    );
}
