//! A command line and test assertions around any number of models.
//!
//! A crate with models of its own describes them in a [`Registry`] and hands it to [`main`], or mounts
//! [`CheckArgs`], [`ReplayArgs`] and [`ModelsArgs`] as subcommands of a larger program:
//!
//! ```no_run
//! use downbeat_sim::harness::{Registry, Variant};
//! use downbeat_sim::report::Verdict;
//! # use downbeat_sim::model::{Model, Property, Told};
//! # struct Door { has_lock: bool, visits: usize }
//! # impl Door { fn new(has_lock: bool, visits: usize) -> Self { Self { has_lock, visits } } }
//! # impl Model for Door {
//! #     type State = u8;
//! #     type Action = ();
//! #     fn initial(&self) -> Vec<u8> { vec![0] }
//! #     fn actions(&self, _: &u8, actions: &mut Vec<()>) { actions.push(()) }
//! #     fn next(&self, state: &u8, (): &()) -> Option<u8> { Some(state ^ 1) }
//! #     fn properties(&self) -> Vec<Property<Self>> { Vec::new() }
//! #     fn is_final(&self, _: &u8) -> bool { true }
//! #     fn lanes(&self) -> Vec<String> { vec!["door".into()] }
//! #     fn tell(&self, _: &u8, (): &(), _: &u8) -> Told { Told::new(0, 0, "moves") }
//! # }
//!
//! fn main() -> std::process::ExitCode {
//!     let as_is = Variant::new("as-is", "anybody may open it", |bounds| Door::new(false, bounds.get_usize("visits")))
//!         .bound("visits", 2, 1..=5, "how often somebody comes")
//!         .expect("S1", Verdict::Violated);
//!     let fixed = Variant::new("fixed", "it has a lock", |bounds| Door::new(true, bounds.get_usize("visits")))
//!         .bound("visits", 2, 1..=5, "how often somebody comes");
//!     downbeat_sim::harness::main(&Registry::new().model("door", "who comes in", [as_is, fixed]))
//! }
//! ```

mod arguments;
mod checks;
mod command;
mod counterexamples;
mod coverage;
mod failure;
mod fairness;
mod files;
mod interrupt;
mod json;
mod listing;
mod meter;
mod nearest;
mod registry;
mod replays;
mod run;
mod saved;
mod selection;
mod subject;
mod table;
mod text;
mod unfinished;

pub use arguments::{CheckArgs, Color, Format, ModelsArgs, Reduce, ReplayArgs, StoredAs};
pub use command::{Outcome, Streams, check, check_to, main, main_from, models, models_to, replay, replay_to};
pub use failure::Failure;
pub use interrupt::by_ctrl_c;
pub use registry::{Bound, Bounds, BoundsError, Entry, PropertySummary, Registry, Variant};
pub use run::{Checkpoints, Evaluated, Run, Settings, assert_as_expected, run};
pub use saved::SavedError;
pub use table::grouped;
