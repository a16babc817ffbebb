//! What every store promises, on each database that there is, and what only one of them can do.

mod as_it_is;
mod compaction;
mod contract;
mod place;
mod sqlite;
