//! Where a test has its store: a file of its own, or a database of its own on a server that the tests start.

use downbeat_store::{Postgres, Sqlite, Store, StoreError};
use sqlx::{AssertSqlSafe, Connection};
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Where one test has its store.
pub(crate) enum Place {
    File(PathBuf),
    Database(String),
}

/// A folder of its own for a test, which is emptied before.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("store").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder for the test");
    folder
}

/// A place on every kind of database that there is.
pub(crate) async fn places(name: &str) -> Vec<Place> {
    let mut places = vec![Place::File(folder(name).join("journal.db"))];
    if let Some(server) = server() {
        let database = name.replace('-', "_");
        for statement in [
            format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"),
            format!("CREATE DATABASE {database}"),
        ] {
            let mut maintenance =
                sqlx::PgConnection::connect(&format!("{server}/postgres")).await.expect("it is there");
            sqlx::query(AssertSqlSafe(statement))
                .execute(&mut maintenance)
                .await
                .expect("a database for the test");
        }
        places.push(Place::Database(format!("{server}/{database}")));
    }
    places
}

impl Place {
    /// The store of this place, once more.
    pub(crate) async fn open(&self) -> Box<dyn Store> {
        match self {
            Self::File(path) => Box::new(Sqlite::open(path).await.expect("a store")),
            Self::Database(url) => Box::new(Postgres::open(url).await.expect("a store")),
        }
    }

    /// The same, for whoever reads it as it is now.
    pub(crate) async fn open_as_it_is(&self) -> Result<Box<dyn Store>, StoreError> {
        Ok(match self {
            Self::File(path) => Box::new(Sqlite::open_as_it_is(path).await?),
            Self::Database(url) => Box::new(Postgres::open_as_it_is(url).await?),
        })
    }

    /// Waits until nobody has a transaction open. One that nobody ends would swallow what is written next on its connection.
    pub(crate) async fn rests(&self) {
        let Self::Database(url) = self else { return };
        let mut other = sqlx::PgConnection::connect(url).await.expect("it is there");
        for _ in 0..500 {
            let (open,): (i64,) = sqlx::query_as(
                "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'",
            )
            .fetch_one(&mut other)
            .await
            .expect("it can be asked");
            if open == 0 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("a transaction is open, and nobody ends it");
    }

    /// What a disk or a person may do to it.
    pub(crate) async fn damage(&self, statement: &str) {
        let statement = AssertSqlSafe(statement.to_owned());
        match self {
            Self::File(path) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
                let mut file = sqlx::SqliteConnection::connect_with(&options).await.expect("it is opened");
                sqlx::query(statement).execute(&mut file).await.expect("it is damaged");
            }
            Self::Database(url) => {
                let mut database = sqlx::PgConnection::connect(url).await.expect("it is opened");
                sqlx::query(statement).execute(&mut database).await.expect("it is damaged");
            }
        }
    }
}

/// The URL of a server without a database: the one of `DOWNBEAT_POSTGRES_URL`, or one that is started here, if its programs
/// are there. It ends with the tests.
fn server() -> Option<&'static str> {
    static SERVER: OnceLock<Option<String>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        let given = std::env::var("DOWNBEAT_POSTGRES_URL").ok();
        let server = given.map(|url| url.trim_end_matches('/').to_owned()).or_else(start);
        if server.is_none() {
            eprintln!("skipped on PostgreSQL: DOWNBEAT_POSTGRES_URL is not set, and there is no initdb and pg_ctl to start one");
        }
        server
    });
    server.as_deref()
}

/// The folder with the programs of a server.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let installed = installed.map(|version| version.path().join("bin"));
    std::env::split_paths(&path).chain(installed).find(|folder| folder.join("initdb").is_file())
}

/// Starts a server in a folder that it keeps from run to run, reached by a socket in it.
fn start() -> Option<String> {
    let programs = programs()?;
    let folder = std::env::temp_dir().join(format!("downbeat-postgres-{}", std::process::id()));
    fs::create_dir_all(&folder).ok()?;
    let data = folder.join("data");
    // A server refuses to run as root.
    if fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0) {
        chown(&folder, Some(NOBODY), Some(NOBODY)).ok()?;
    }
    let port = 20_000 + std::process::id() % 20_000;
    run(&programs.join("initdb"), &folder, |command| {
        command.args(["--no-sync", "--auth=trust", "--username=postgres", "--pgdata"]).arg(&data);
    })?;
    let settings = format!(
        "-c listen_addresses= -c unix_socket_directories={} -p {port} -c fsync=off",
        folder.display()
    );
    run(&programs.join("pg_ctl"), &folder, |command| {
        command
            .args(["start", "--wait", "--options", &settings, "--log"])
            .arg(folder.join("log"))
            .arg("--pgdata")
            .arg(&data);
    })?;
    end_with_the_tests(&programs, &folder, &data);
    Some(format!(
        "postgres://postgres@%2F{}:{port}",
        folder.display().to_string().trim_start_matches('/').replace('/', "%2F")
    ))
}

const NOBODY: u32 = 65_534;

fn run(program: &Path, folder: &Path, arguments: impl FnOnce(&mut Command)) -> Option<()> {
    let mut command = silent(program, folder);
    arguments(&mut command);
    command.status().ok()?.success().then_some(())
}

/// A command of the one who owns the folder.
fn silent(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if fs::metadata(folder).is_ok_and(|folder| folder.uid() == NOBODY) {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// A process that waits for the end of this one, stops the server, and removes its folder.
fn end_with_the_tests(programs: &Path, folder: &Path, data: &Path) {
    let script = "while test -d \"/proc/$1\"; do sleep 1; done; \"$2\" stop --mode=immediate --pgdata \"$4\"; rm -rf \"$3\"";
    let mut command = silent(Path::new("sh"), folder);
    command.args(["-c", script, "sh"]).arg(std::process::id().to_string());
    command.arg(programs.join("pg_ctl")).arg(folder).arg(data);
    let _ = command.process_group(0).spawn();
}
