//! What a trace shows, and what it does not: the monitor, the reader, the documents.

mod document;
mod faults;
mod lines;
mod merged;
mod recursion;
mod verdicts;
mod words;
