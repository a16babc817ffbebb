//! What `sim` has found, as one line, and the command `replay` for it.

use std::fmt;
use std::io::{self, Write};

use downbeat_shell::fault::{self, Fault};
use downbeat_sim::diagram::{self, Style};
use downbeat_sim::explore::{Execution, ExploreError, Explorer, Schedule};
use downbeat_sim::harness::{Format, Outcome, ReplayArgs};
use downbeat_sim::mermaid;
use serde_json::{Value, json};

use crate::breach::Breach;
use crate::marks::Marks;
use crate::program::{fault_of, say};
use crate::scenario::Scenario;
use crate::verdict::Verdict;

/// What `sim` has found, as `replay` takes it: `kill fault=sends-again broke=S2 seed=0x0 9:1` for the scenario, the fault that was
/// planted if one was, the promise that was broken if that is known, and the schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recording {
    pub(crate) scenario: Scenario,
    pub(crate) fault: Option<Fault>,
    pub(crate) broke: Option<String>,
    pub(crate) schedule: Schedule,
}

/// A recording, played again.
pub(crate) struct Replay {
    pub(crate) recording: Recording,
    execution: Execution<Verdict>,
    breach: Option<Breach>,
}

impl Recording {
    /// Whether this is meant to be one.
    fn is_meant(text: &str) -> bool {
        text.contains(" seed=")
    }

    fn parse(text: &str) -> Result<Self, String> {
        let (what, schedule) = text.split_once(" seed=").unwrap_or((text, ""));
        let mut words = what.split_whitespace();
        let scenario = words.next().unwrap_or_default();
        let scenario = scenario.parse::<Scenario>().map_err(|error| error.to_string())?;
        let (mut fault, mut broke) = (None, None);
        for word in words {
            match word.split_once('=') {
                Some(("fault", name)) => fault = Some(fault_of(name)?),
                Some(("broke", property)) => broke = Some(property.to_owned()),
                Some(_) | None => {
                    return Err(format!("`{word}` is nothing that a recording has, as `fault=` or `broke=`"));
                }
            }
        }
        let schedule = format!("seed={schedule}").parse::<Schedule>().map_err(|error| error.to_string())?;
        Ok(Self { scenario, fault, broke, schedule })
    }

    /// Plays it again.
    pub(crate) fn play(self) -> Result<Replay, ExploreError> {
        fault::plant(self.fault);
        let scene = self.scenario.scene();
        let played = Explorer::new(|world| scene.play(world, Marks::default())).replay(&self.schedule);
        fault::plant(None);
        let mut execution = played?;
        let breach = Breach::of(&execution.end);
        if let Some(breach) = &breach {
            execution.story.explanation = breach.to_string();
        }
        Ok(Replay { recording: self, execution, breach })
    }
}

impl fmt::Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scenario.name())?;
        if let Some(fault) = self.fault {
            write!(f, " fault={}", fault.name())?;
        }
        if let Some(broke) = &self.broke {
            write!(f, " broke={broke}")?;
        }
        write!(f, " {}", self.schedule)
    }
}

impl Replay {
    /// Whether a promise is broken, and that which was recorded if one was.
    fn is_as_recorded(&self) -> bool {
        let recorded = self.recording.broke.as_deref();
        self.breach.as_ref().is_some_and(|breach| recorded.is_none_or(|recorded| recorded == breach.id))
    }

    /// What came of it, in a sentence.
    fn conclusion(&self) -> String {
        match (&self.breach, &self.recording.broke) {
            (Some(breach), None) => format!("broken is {breach}"),
            (Some(breach), Some(_)) if self.is_as_recorded() => format!("broken, as recorded, is {breach}"),
            (Some(breach), Some(recorded)) => format!("not {recorded} is broken, as recorded, but {breach}"),
            (None, Some(recorded)) => {
                format!("every promise is kept, and {recorded} was broken when it was recorded")
            }
            (None, None) => "every promise is kept".to_owned(),
        }
    }

    /// The diagram.
    pub(crate) fn drawn(&self) -> String {
        let name = match &self.breach {
            Some(breach) => format!("{}: {} is broken", self.recording.scenario.name(), breach.id),
            None => format!("{}: every promise is kept", self.recording.scenario.name()),
        };
        diagram::behaviour(&name, &self.execution.story, Style::Plain)
    }

    fn mermaid(&self) -> String {
        let comments = format!("%% {}\n%% {}\n", self.recording, self.conclusion());
        let drawn = self
            .breach
            .as_ref()
            .map(|breach| mermaid::diagram(breach.id, breach.statement(), &self.execution.story));
        comments + drawn.as_deref().unwrap_or("")
    }

    fn document(&self) -> Value {
        let broken = self.breach.as_ref();
        json!({
            "recording": self.recording.to_string(),
            "result": if broken.is_some() { "broken" } else { "kept" },
            "property": broken.map(|breach| breach.id),
            "statement": broken.map(Breach::statement),
            "recorded": self.recording.broke,
            "asRecorded": self.is_as_recorded(),
            "conclusion": self.conclusion(),
        })
    }
}

/// The command `replay` for what `sim` has found; `None` if nothing of what is to be replayed is meant to be that.
pub fn replay(args: &ReplayArgs) -> Option<Outcome> {
    let texts: Vec<&str> =
        args.files.iter().filter_map(|file| file.to_str().filter(|text| Recording::is_meant(text))).collect();
    if texts.is_empty() {
        return None;
    }
    if texts.len() < args.files.len() {
        let _ = writeln!(
            io::stderr(),
            "error: files that `check` has saved and what `sim` has found are not replayed in one command: first `downbeat replay FILE...`, then `downbeat replay '{}'`",
            texts[0]
        );
        return Some(Outcome::Failed);
    }
    let mut outcome = Outcome::AsExpected;
    let mut documents = Vec::new();
    for text in texts {
        let played =
            Recording::parse(text).and_then(|recording| recording.play().map_err(|error| error.to_string()));
        let replay = match played {
            Ok(replay) => replay,
            Err(error) => {
                let _ = writeln!(io::stderr(), "error: {text}: {error}");
                documents.push(json!({ "recording": text, "result": "failed", "error": error }));
                outcome = Outcome::Failed;
                continue;
            }
        };
        match args.format {
            Format::Text if args.quiet => say(&format!("{}: {}\n", replay.recording, replay.conclusion())),
            Format::Text => {
                say(&format!("{}\n{}: {}\n", replay.drawn(), replay.recording, replay.conclusion()));
            }
            Format::Json => documents.push(replay.document()),
            Format::Mermaid => say(&replay.mermaid()),
        }
        if !replay.is_as_recorded() && outcome == Outcome::AsExpected {
            outcome = Outcome::Unexpected;
        }
    }
    if args.format == Format::Json {
        say(&format!("{:#}\n", json!({ "version": 1, "recordings": documents })));
    }
    Some(outcome)
}
