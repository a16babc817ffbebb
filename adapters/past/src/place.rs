//! Where a journal is: a file, or a database on a server.

use crate::error::PastError;
use downbeat_store::{Postgres, Sqlite, Store};
use std::io;
use std::path::Path;

/// How the URL of a server begins.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// The URL that a path is, if it is one.
pub(crate) fn url(journal: &Path) -> Option<&str> {
    journal.to_str().filter(|text| SCHEMES.iter().any(|scheme| text.starts_with(scheme)))
}

/// Whether it is on a server, and no file.
pub fn is_on_a_server(journal: &Path) -> bool {
    url(journal).is_some()
}

/// What it is called where people read it: a URL without its password.
pub fn name(journal: &Path) -> String {
    let Some(url) = url(journal) else { return journal.display().to_string() };
    let authority = url.find("://").map_or(0, |at| at + 3);
    let end = url[authority..].find(['/', '?']).map_or(url.len(), |at| authority + at);
    let Some(host) = url[authority..end].rfind('@').map(|at| authority + at) else { return open(url) };
    match url[authority..host].find(':') {
        Some(at) => open(&format!("{}{}", &url[..authority + at], &url[host..])),
        None => open(url),
    }
}

/// Without what stands behind a question mark, where a password may be, too.
fn open(url: &str) -> String {
    url.split('?').next().unwrap_or(url).to_owned()
}

/// Opens it as it is now: what is written later is not seen.
pub(crate) async fn opened(journal: &Path) -> Result<Box<dyn Store>, PastError> {
    if let Some(url) = url(journal) {
        return Ok(Box::new(Postgres::open_as_it_is(url).await?));
    }
    if journal.is_dir() {
        return Err(PastError::Input(io::ErrorKind::IsADirectory.into()));
    }
    Ok(Box::new(Sqlite::open_as_it_is(journal).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_shown() {
        #[rustfmt::skip]
        let cases = [
            ("/var/lib/journal.db",                     "/var/lib/journal.db", false),
            ("postgres://a:secret@host:5432/db",        "postgres://a@host:5432/db", true),
            ("postgres://a:se@cret@host/db?x=1",        "postgres://a@host/db", true),
            ("postgresql://host/db?password=secret",    "postgresql://host/db", true),
            ("postgres://a@host/db",                    "postgres://a@host/db", true),
            ("postgres://:secret@host",                 "postgres://@host", true),
            ("postgres.db",                             "postgres.db", false),
        ];
        for (journal, shown, is_there) in cases {
            assert_eq!(
                (name(Path::new(journal)).as_str(), is_on_a_server(Path::new(journal))),
                (shown, is_there)
            );
        }
    }
}
