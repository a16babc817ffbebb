//! The tables of `docs/sim.md`, which say what the tests say.

use std::fs;
use std::path::PathBuf;

/// Compares a table of the page with this one; with `UPDATE_DOCS` in the environment it takes its place.
pub(crate) fn holds(name: &str, table: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/sim.md");
    let page = fs::read_to_string(&path).expect("the page is there");
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let (before, rest) = page.split_once(&begin).expect("the table has a beginning");
    let (found, after) = rest.split_once(&end).expect("the table has an end");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let written = fs::write(&path, format!("{before}{begin}{table}{end}{after}"));
        return written.expect("the page can be written");
    }
    assert!(found == table, "docs/sim.md, {name}: it should be\n{table}\nUPDATE_DOCS=1 writes it");
}
