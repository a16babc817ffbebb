//! What the saved tasks of KiloCode, Roo-Code and Cline say went wrong.
//!
//! These programs keep a folder for each task: what was said to the model and by it, what the person was shown, and in
//! later versions what the list of tasks knows of it. [`examine`] reads one folder and says what it shows of double
//! continuations, of results that are missing, orphaned or lost, and of waits; [`examine_storage`] reads all folders
//! of a storage one after the other, and relates the tasks to each other. What is found is proven, or suspicious, or
//! something that the files cannot tell ([`Certainty`]); the page `docs/saved.md` says what rests on what.
//!
//! Nothing in a file makes it panic: what is damaged is a [`SavedError`] with its place, and what is not known is
//! counted.

mod beside;
pub mod bounds;
mod check;
mod conversation;
mod error;
mod examine;
mod finding;
mod item;
mod json;
mod moment;
mod relatives;
mod search;
mod storage;
mod task;
mod text;
mod window;
mod words;

pub use conversation::{CONVERSATION, ToolForm};
pub use error::SavedError;
pub use examine::{
    Examined, FileRead, Files, Form, Shortened, VERSION, examine, examine_bytes, is_task_folder,
};
pub use finding::{Certainty, Counts, Fault, Finding, OpenWait, Place, Property, Wait, WaitFor};
pub use item::{ITEM, Status};
pub use storage::{Outcome, Row, Storage, examine_storage};
pub use text::{summary, text};
pub use window::WINDOW;
