//! The command `demo`.

use crate::error::DemoError;
use crate::run::{LIVE, Outcome, Wanted, run};
use crate::screen;
use crate::signals::{self, asked_to_stop};
use crate::terminal::Terminal;
use crate::view::View;
use crate::{json, text};
use clap::{Args, ValueEnum};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Arguments of `demo`; a larger program mounts them as a subcommand.
#[derive(Args, Clone, Debug)]
pub struct DemoArgs {
    /// Trees of tasks that are begun in all [default: those of the stored run, else 12]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub tasks: Option<u64>,
    /// Trees that live at once, up to 20,000; a tree has three or four tasks
    #[arg(long, value_name = "COUNT", default_value_t = LIVE, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub live: u32,
    /// What everybody outside does follows from this number [default: that of the stored run, else 1]
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// Simulated seconds in a second, up to 1,000: everything that waits waits a part of the time
    #[arg(long, value_name = "TIMES", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub speed: u32,
    /// The folder in which the run is stored; whoever starts again with it goes on
    #[arg(long, value_name = "DIR", default_value = STORE)]
    pub store: PathBuf,
    /// Removes the stored run, and begins anew
    #[arg(long)]
    pub fresh: bool,
    /// How it is shown
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// How a run is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A screen on a terminal, a line each second elsewhere, and a summary
    #[default]
    Text,
    /// A line of JSON each second, the last one with the summary; there is a JSON schema of them
    Json,
}

/// Where a run is stored if nobody says where.
const STORE: &str = "downbeat-demo";

/// Time between two lines.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs the command, and gives its exit code: 0 if every tree has ended and every promise was kept, 1 if one was broken, 2 if it could
/// not run, 130 if it was stopped before.
pub fn demo(args: &DemoArgs) -> u8 {
    match shown(args) {
        Ok(code) => code,
        Err(error) => {
            // A message that cannot be delivered leaves the exit code to tell.
            drop(writeln!(io::stderr(), "error: {error}"));
            2
        }
    }
}

fn shown(args: &DemoArgs) -> Result<u8, DemoError> {
    let wanted = Wanted {
        store: args.store.clone(),
        trees: args.tasks,
        seed: args.seed,
        live: usize::try_from(args.live).unwrap_or(usize::MAX),
        speed: args.speed,
        pace: 1,
        is_simulated: false,
        fresh: args.fresh,
        fault: None,
    };
    let go_on = GoesOn { program: program(), is_default: args.store == Path::new(STORE) };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(DemoError::Output)?;
    let mut output = Output::of(args.format, go_on);
    let ended = runtime.block_on(async {
        let asked = asked_to_stop();
        let stop = async {
            match asked {
                Ok(asked) => asked.await,
                // Without a handler Ctrl-C ends the process by itself.
                Err(_) => std::future::pending().await,
            }
        };
        run(&wanted, &mut |view| output.show(view).map_err(DemoError::Output), stop).await
    });
    let (outcome, view) = ended.inspect_err(|_| output.leave())?;
    output.end(outcome, &view).map_err(DemoError::Output)?;
    Ok(match (view.verdict.is_kept(), outcome) {
        (false, _) => 1,
        (true, Outcome::Over) => 0,
        (true, Outcome::Stopped) => signals::EXIT_CODE,
    })
}

/// The name by which this program was called.
fn program() -> String {
    let path = std::env::args_os().next().unwrap_or_default();
    Path::new(&path).file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// How somebody goes on with a run.
#[derive(Debug)]
struct GoesOn {
    program: String,
    is_default: bool,
}

impl GoesOn {
    fn with(&self, view: &View) -> String {
        text::how_to_go_on(view, &self.program, self.is_default)
    }
}

/// Where a run is shown.
#[derive(Debug)]
struct Output {
    way: Way,
    go_on: GoesOn,
    /// When the last line was written.
    said: Option<Duration>,
    /// Nobody reads any more: the rest is dropped, and the exit code still tells.
    is_unread: bool,
}

#[derive(Debug)]
enum Way {
    /// A screen, which is taken when there is something to show.
    Screen(Option<Terminal>),
    Lines,
    Json,
}

impl Output {
    fn of(format: Format, go_on: GoesOn) -> Self {
        let is_dumb = std::env::var_os("TERM").is_some_and(|name| name == "dumb");
        let way = match format {
            Format::Json => Way::Json,
            Format::Text if io::stdout().is_terminal() && !is_dumb => Way::Screen(None),
            Format::Text => Way::Lines,
        };
        Self { way, go_on, said: None, is_unread: false }
    }

    /// Shows a moment, if it is time.
    fn show(&mut self, view: &View) -> io::Result<()> {
        if let Way::Screen(terminal) = &mut self.way {
            let terminal = match terminal {
                Some(terminal) => terminal,
                None => terminal.insert(Terminal::take(has_colors())?),
            };
            let (width, height) = Terminal::size();
            // The last column stays free: behind it a terminal would begin another line.
            let lines = screen::lines(view, width.saturating_sub(1), height, &self.go_on.with(view));
            return terminal.draw(&lines);
        }
        if self.said.is_some_and(|said| view.elapsed < said + PAUSE) {
            return Ok(());
        }
        let is_first = self.said.is_none();
        self.said = Some(view.elapsed);
        let line = match &self.way {
            Way::Json if is_first => format!("{}\n{}\n", json::begin(view), json::progress(view)),
            Way::Json => format!("{}\n", json::progress(view)),
            Way::Lines if is_first => format!("{}\n{}\n", self.begin(view), text::moment(view)),
            Way::Lines | Way::Screen(_) => format!("{}\n", text::moment(view)),
        };
        self.say(&line)
    }

    /// What a run begins with.
    fn begin(&self, view: &View) -> String {
        let folder = view.subject.folder.display();
        let go_on = self.go_on.with(view);
        match view.totals.lives {
            1 => format!(
                "a run of seed {} in `{folder}`; if it is stopped, `{go_on}` goes on",
                view.subject.seed
            ),
            life => format!("life {life} of the run of seed {} in `{folder}`", view.subject.seed),
        }
    }

    /// The end.
    fn end(&mut self, outcome: Outcome, view: &View) -> io::Result<()> {
        self.leave();
        let last = match &self.way {
            Way::Json => format!("{}\n", json::summary(outcome, view)),
            Way::Screen(_) | Way::Lines => text::summary(outcome, view, &self.go_on.with(view)),
        };
        self.say(&last)
    }

    /// Gives the screen back.
    fn leave(&mut self) {
        if let Way::Screen(terminal) = &mut self.way {
            terminal.take();
        }
    }

    fn say(&mut self, text: &str) -> io::Result<()> {
        if self.is_unread {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.is_unread = true;
                Ok(())
            }
            result => result,
        }
    }
}

fn has_colors() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
