//! The tables of `docs/sim.md`, which say what the tests say.

use std::fs;
use std::path::PathBuf;

/// Compares a table of the page with this one; with `UPDATE_DOCS` in the environment it takes its place.
pub(crate) fn holds(name: &str, table: &str) {
    holds_but_for(name, table, str::to_owned);
}

/// The same, but for what `compared` leaves out.
pub(crate) fn holds_but_for(name: &str, table: &str, compared: impl Fn(&str) -> String) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/sim.md");
    let page = fs::read_to_string(&path).expect("the page is there");
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let (before, rest) = page.split_once(&begin).expect("the table has a beginning");
    let (found, after) = rest.split_once(&end).expect("the table has an end");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let written = fs::write(&path, format!("{before}{begin}{table}{end}{after}"));
        return written.expect("the page can be written");
    }
    assert!(
        compared(found) == compared(table),
        "docs/sim.md, {name}: it should be\n{table}\nUPDATE_DOCS=1 writes it"
    );
}
