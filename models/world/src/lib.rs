//! A simulated world for the shell that ships, and the scenarios in which its schedules are explored.
//!
//! The shell runs on the explorer of `downbeat-sim` as it does on tokio. Around it are a store, a provider, tools, people, a login and agents, in
//! which everything that happens is a step, and everything that may happen is a choice. What the world has seen is judged at rest, by
//! the watch of the models. The same scenes are played on tokio, where what happens is drawn ([`Drawn`]).
//!
//! ```
//! use downbeat_sim::explore::{Explorer, Extent, Search};
//! use downbeat_world::{Marks, Scenario};
//!
//! let scenario: Scenario = "child+message".parse().expect("there is such a scenario");
//! let scene = scenario.scene();
//! let mut explorer = Explorer::new(|world| scene.play(world, Marks::default()));
//! let report = explorer.explore(Search::Exhaustive).expect("the shell keeps to the seam");
//! assert_eq!(report.extent, Extent::Complete);
//! assert!(report.returned().all(|verdict| verdict.is_ok()));
//! ```
//!
//! The book page is `docs/sim.md`.

mod agents;
mod breach;
mod certificate;
mod certificates;
mod host;
mod ledger;
mod login;
mod marks;
mod page;
mod pause;
mod people;
mod process;
mod program;
mod provider;
mod recording;
mod scenario;
mod scene;
mod store;
mod users;
mod verdict;

pub use certificate::Certificate;
pub use certificates::CERTIFICATES;
pub use host::{Drawn, Host};
pub use marks::{Mark, Marks};
pub use program::{SimArgs, SimFormat, sim, sim_help};
pub use recording::replay;
pub use scenario::{INGREDIENTS, Ingredient, Scenario, ScenarioError};
pub use scene::Scene;
pub use verdict::{Outcome, Verdict};
