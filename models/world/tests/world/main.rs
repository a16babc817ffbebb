//! The shell that ships, in the simulated world.

mod certificates;
mod faults;
mod marks;
mod page;
mod refinement;
mod same;
mod tokio;
mod whole;
