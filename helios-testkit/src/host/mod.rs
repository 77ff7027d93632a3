//! A host that exists in memory only: its state directory, its machine, and a probe that is told what it
//! sees.

mod machine;
mod probe;
mod state_dir;
mod surroundings;

pub use machine::FakeMachine;
pub use probe::FakeProbe;
pub use state_dir::MemoryStateDir;
pub use surroundings::FakeSurroundings;
