//! Health beside its twin: every situation up to small bounds meets every event. The twin is one `match` over event and
//! state, written from what the words promise.

use super::beside::{self, Side};
use super::page::Observed;
use crate::config::Config;
#[cfg(feature = "planted-faults")]
use crate::faults::Fault;
use crate::health::{
    CheckNumber, Concern, Health, HealthEffect, HealthEvent, HealthRejected, HealthState, Origin, Rung, Sign,
    ToolId, WatchNumber,
};
use crate::vocabulary::{Ignored, Outcome};
use std::string::String;
use std::vec::Vec;

type Said = beside::Said<Health, HealthEffect, HealthRejected>;
type Twin = fn(&Health, HealthEvent, &Config) -> Said;

const STALE: Said = Err(Outcome::Ignored(Ignored::Stale));
const DUPLICATE: Said = Err(Outcome::Ignored(Ignored::Duplicate));

fn machine(at: &Health, event: HealthEvent, config: &Config) -> Said {
    beside::taken(at, |health, sink| health.step(event, config, sink))
}

fn small() -> Config {
    Config { loop_max: 2, errors_max: 2, progress_max: 2, ..Config::default() }
}

fn situations(config: &Config) -> Vec<Health> {
    let states = [HealthState::Unwatched, HealthState::Resting, HealthState::Working];
    let rungs = [Rung::Ground, Rung::Inquired, Rung::Interrupted, Rung::Restarted];
    let streak = |max: u8| 0..2 * u16::from(max.max(1));
    let mut found = Vec::new();
    for (state, rung) in states.into_iter().flat_map(|state| rungs.map(|rung| (state, rung))) {
        for (asked, reported, progress) in [
            (0, 0, 0),
            (1, 0, 0),
            (1, 1, 0),
            (1, 1, 1),
            (3, 1, 0),
            (3, 1, 1),
            (3, 3, 0),
            (3, 3, 1),
            (3, 3, 2),
        ] {
            for (watch, active, inquired) in [
                (0, false, false),
                (0, false, true),
                (3, false, false),
                (3, false, true),
                (3, true, false),
                (3, true, true),
            ] {
                for (calls, errors) in streak(config.loop_max)
                    .flat_map(|calls| streak(config.errors_max).map(move |errors| (calls, errors)))
                {
                    let (asked, reported) = (CheckNumber(asked), CheckNumber(reported));
                    let tool = (calls > 0).then_some(ToolId(1));
                    let watch = WatchNumber(watch);
                    found.push(Health {
                        state,
                        watch,
                        active,
                        inquired,
                        rung,
                        asked,
                        reported,
                        tool,
                        calls,
                        errors,
                        progress,
                    });
                }
            }
        }
    }
    found.retain(|at| {
        (at.watch.0 > 0 || !at.is_armed())
            && (!at.active || at.state == HealthState::Working)
            && at.progress <= config.progress_max
    });
    found
}

fn events(at: &Health) -> Vec<HealthEvent> {
    use HealthEvent as E;
    let signs = [Sign::Activity, Sign::Succeeded, Sign::Failed];
    let tools = [1, 2].map(|tool| Sign::ToolCalled { tool: ToolId(tool) });
    let mut events = Vec::from([
        E::Began { origin: Origin::Inquiry },
        E::Began { origin: Origin::Work },
        E::Answered,
        E::Rested,
        E::Suspended,
    ]);
    events.extend(signs.into_iter().chain(tools).map(E::Observed));
    events.extend((0..=at.asked.0 + 1).map(|check| E::ProgressReported { check: CheckNumber(check) }));
    events.extend((0..=at.watch.0 + 1).map(|watch| E::Elapsed { watch: WatchNumber(watch) }));
    events
}

/// What health makes of the event.
fn twin(at: &Health, event: HealthEvent, config: &Config) -> Said {
    use HealthEvent as E;
    use HealthState as S;
    let at = *at;
    let never_asked = Err(Outcome::Rejected(HealthRejected::NeverAsked { state: at.state, event }));
    let runs = at.state == S::Working || (at.state == S::Resting && !at.inquired);
    let mut out = Vec::new();
    let mut next = at;
    match (event, at.state) {
        (E::Began { origin: Origin::Work }, S::Working) if at.inquired => next.inquired = false,
        (E::Began { .. }, S::Working) | (E::Rested, S::Resting) | (E::Suspended, S::Unwatched) => {
            return DUPLICATE;
        }
        (E::Began { origin }, S::Resting | S::Unwatched) => {
            put_out(runs, at, &mut out);
            next = Health { state: S::Working, inquired: at.inquired && origin == Origin::Inquiry, ..next };
            light(&mut next, config, &mut out);
        }
        (E::Rested, S::Working | S::Unwatched) => {
            put_out(runs, at, &mut out);
            next = Health { state: S::Resting, active: false, ..next };
            if !next.inquired {
                light(&mut next, config, &mut out);
            }
        }
        (E::Suspended, S::Working | S::Resting) => {
            put_out(runs, at, &mut out);
            next = Health { state: S::Unwatched, active: false, ..next };
        }
        (E::Answered, _) => {
            (next.rung, next.tool, next.calls, next.errors) = (Rung::Ground, None, 0, 0);
            (next.reported, next.progress) = (next.asked, 0);
            next.active = at.state == S::Working;
            if next == at {
                return DUPLICATE;
            }
        }
        (E::Observed(sign), _) => return sees(at, sign, config),
        (E::ProgressReported { check }, _) => {
            if check.0 < 1 || check > at.asked {
                return never_asked;
            }
            if check != at.asked || at.reported == at.asked {
                return STALE;
            }
            next.reported = check;
            match (config.progress_max, at.progress) {
                (0, _) => moves(&mut next, config),
                (max, counted) if counted == max => {}
                (_, counted) => {
                    next.progress = counted + 1;
                    moves(&mut next, config);
                }
            }
        }
        (E::Elapsed { watch }, _) if watch.0 < 1 || watch > at.watch => return never_asked,
        (E::Elapsed { watch }, _) if watch != at.watch || !runs => return STALE,
        (E::Elapsed { .. }, S::Working) if at.active => light(&mut next, config, &mut out),
        (E::Elapsed { .. }, S::Working) => goes_up(&mut next, config, &mut out),
        (E::Elapsed { .. }, S::Resting | S::Unwatched) => {
            next.inquired = true;
            out.push(HealthEffect::Inquire);
        }
    }
    Ok((next, out))
}

fn put_out(runs: bool, at: Health, out: &mut Vec<HealthEffect>) {
    if runs {
        out.push(HealthEffect::Disarm { watch: at.watch });
    }
}

fn light(next: &mut Health, config: &Config, out: &mut Vec<HealthEffect>) {
    let after = match (next.state, next.rung == Rung::Ground) {
        (HealthState::Working, true) => config.progress_ms,
        (HealthState::Working, false) => config.stuck_ms,
        (HealthState::Resting | HealthState::Unwatched, _) => config.idle_ms,
    };
    next.active = false;
    next.watch = WatchNumber(next.watch.0 + 1);
    out.push(HealthEffect::Arm { watch: next.watch, after_ms: after.into() });
}

fn moves(next: &mut Health, config: &Config) {
    let looping = config.loop_max > 0 && next.calls >= config.loop_max.into();
    let failing = config.errors_max > 0 && next.errors >= config.errors_max.into();
    if !looping && !failing && next.rung == Rung::Inquired {
        next.rung = Rung::Ground;
    }
    next.active = next.state == HealthState::Working;
}

fn goes_up(next: &mut Health, config: &Config, out: &mut Vec<HealthEffect>) {
    match next.rung {
        Rung::Ground => {
            (next.rung, next.asked) = (Rung::Inquired, CheckNumber(next.asked.0 + 1));
            out.push(HealthEffect::AskProgress { check: next.asked });
        }
        Rung::Inquired => {
            (next.rung, next.reported) = (Rung::Interrupted, next.asked);
            out.extend([HealthEffect::Warn { concern: Concern::Stuck }, HealthEffect::Interrupt]);
        }
        Rung::Interrupted => {
            next.rung = Rung::Restarted;
            out.push(HealthEffect::Restart);
        }
        Rung::Restarted => {
            next.state = HealthState::Unwatched;
            return out.push(HealthEffect::Fail);
        }
    }
    light(next, config, out);
}

fn sees(at: Health, sign: Sign, config: &Config) -> Said {
    let mut next = at;
    // A streak of n or of 2n is full; after 2n it stands at n.
    let count = |streak: u16, max: u8| {
        let (length, max) = (streak + 1, u16::from(max));
        let full = max > 0 && length.is_multiple_of(max);
        (
            if max == 0 {
                1
            } else if length == 2 * max {
                max
            } else {
                length
            },
            full,
        )
    };
    let warning = match sign {
        Sign::Activity => None,
        Sign::Succeeded => {
            next.errors = 0;
            None
        }
        Sign::Failed => {
            let (errors, full) = count(at.errors, config.errors_max);
            next.errors = errors;
            full.then_some(Concern::Errors)
        }
        Sign::ToolCalled { tool } => {
            let (calls, full) = if at.tool == Some(tool) {
                count(at.calls, config.loop_max)
            } else {
                count(0, config.loop_max)
            };
            (next.tool, next.calls) = (Some(tool), calls);
            full.then_some(Concern::Looping)
        }
    };
    moves(&mut next, config);
    let mut out = Vec::new();
    match warning {
        None if next == at => return DUPLICATE,
        None => {}
        Some(concern) => {
            out.push(HealthEffect::Warn { concern });
            if at.state == HealthState::Working {
                out.push(HealthEffect::Disarm { watch: at.watch });
                next.active = false;
                goes_up(&mut next, config, &mut out);
            }
        }
    }
    Ok((next, out))
}

/// What a restart repeats.
fn twin_resync(at: &Health, config: &Config) -> Vec<HealthEffect> {
    let after_ms = match (at.state, at.rung) {
        (HealthState::Unwatched, _) => return Vec::new(),
        (HealthState::Resting, _) if at.inquired => return Vec::new(),
        (HealthState::Resting, _) => config.idle_ms.into(),
        (HealthState::Working, Rung::Ground) => config.progress_ms.into(),
        (HealthState::Working, Rung::Inquired | Rung::Interrupted | Rung::Restarted) => {
            config.stuck_ms.into()
        }
    };
    let mut out = Vec::from([HealthEffect::Arm { watch: at.watch, after_ms }]);
    if at.state == HealthState::Working && at.asked != at.reported {
        out.push(HealthEffect::AskProgress { check: at.asked });
    }
    out
}

/// Compares every situation, until the first difference. Gives how many pairs there were.
fn compare(config: &Config, twin: Twin) -> Result<usize, String> {
    let repeats = |at: &Health, config: &Config| beside::repeated(|sink| at.resync(config, sink));
    let sides = [Side { takes: machine, repeats }, Side { takes: twin, repeats: twin_resync }];
    beside::compare(situations(config), events, config, sides)
}

#[test]
fn health_and_its_twin_agree_on_every_pair() {
    let settings = [
        ("bounds of two", small()),
        ("no bounds", Config { loop_max: 0, errors_max: 0, progress_max: 0, ..small() }),
        ("streaks of one and three", Config { loop_max: 1, errors_max: 3, progress_max: 1, ..small() }),
    ];
    let mut pairs = 0;
    for (name, config) in settings {
        pairs += compare(&config, twin).unwrap_or_else(|difference| panic!("{name}: {difference}"));
    }
    assert!(pairs > 120_000, "the enumeration has shrunk to {pairs} pairs");
}

#[test]
fn comparison_of_health_finds_a_wrong_twin() {
    fn lost_effect(at: &Health, event: HealthEvent, config: &Config) -> Said {
        let (next, mut out) = twin(at, event, config)?;
        if out.len() > 2 {
            out.pop();
        }
        Ok((next, out))
    }
    fn other_refusal(at: &Health, event: HealthEvent, config: &Config) -> Said {
        twin(at, event, config).or(STALE)
    }
    fn kept_rung(at: &Health, event: HealthEvent, config: &Config) -> Said {
        let (next, out) = twin(at, event, config)?;
        Ok((Health { rung: at.rung, ..next }, out))
    }
    let wrong: [(&str, Twin); 3] =
        [("an effect less", lost_effect), ("a refusal", other_refusal), ("the rung stays", kept_rung)];
    for (name, twin) in wrong {
        assert!(compare(&small(), twin).is_err(), "nobody noticed: {name}");
    }
}

#[cfg(feature = "planted-faults")]
#[test]
fn comparison_finds_every_planted_fault_of_health() {
    for fault in Fault::OF_HEALTH.iter().copied() {
        let config = Config { fault: Some(fault), ..small() };
        assert!(compare(&config, twin).is_err(), "nobody noticed {fault:?}");
    }
}

const KINDS: [&str; 10] = [
    "Began",
    "Answered",
    "Rested",
    "Suspended",
    "Observed(Activity)",
    "Observed(ToolCalled)",
    "Observed(Succeeded)",
    "Observed(Failed)",
    "ProgressReported",
    "Elapsed",
];

fn kind(event: HealthEvent) -> &'static str {
    match event {
        HealthEvent::Began { .. } => "Began",
        HealthEvent::Answered => "Answered",
        HealthEvent::Rested => "Rested",
        HealthEvent::Suspended => "Suspended",
        HealthEvent::Observed(Sign::Activity) => "Observed(Activity)",
        HealthEvent::Observed(Sign::ToolCalled { .. }) => "Observed(ToolCalled)",
        HealthEvent::Observed(Sign::Succeeded) => "Observed(Succeeded)",
        HealthEvent::Observed(Sign::Failed) => "Observed(Failed)",
        HealthEvent::ProgressReported { .. } => "ProgressReported",
        HealthEvent::Elapsed { .. } => "Elapsed",
    }
}

/// A state of the page: what is watched, and for a turn the rung.
fn leaf(at: Health) -> &'static str {
    match (at.state, at.rung) {
        (HealthState::Unwatched, _) => "Unwatched",
        (HealthState::Resting, _) if at.inquired => "Resting(inquired)",
        (HealthState::Resting, _) => "Resting",
        (HealthState::Working, Rung::Ground) => "Working(Ground)",
        (HealthState::Working, Rung::Inquired) => "Working(Inquired)",
        (HealthState::Working, Rung::Interrupted) => "Working(Interrupted)",
        (HealthState::Working, Rung::Restarted) => "Working(Restarted)",
    }
}

fn outcome(refused: &Outcome<HealthRejected>) -> &'static str {
    match refused {
        Outcome::Applied => "Applied",
        Outcome::Ignored(Ignored::Stale) => "Ignored(Stale)",
        Outcome::Ignored(Ignored::Duplicate) => "Ignored(Duplicate)",
        Outcome::Ignored(Ignored::Terminal) => "Ignored(Terminal)",
        Outcome::Rejected(HealthRejected::NeverAsked { .. }) => "Rejected(NeverAsked)",
    }
}

#[test]
fn page_of_health_shows_what_the_machine_does() {
    let mut observed = Observed::default();
    for at in situations(&small()) {
        // A rung outlives the posture, but not the rest of a worker; nor is there a tool that was never called.
        if at.state == HealthState::Resting && at.rung != Rung::Ground {
            continue;
        }
        for event in events(&at) {
            match machine(&at, event, &small()) {
                Ok((next, _)) => observed.applied(leaf(at), kind(event), leaf(next)),
                Err(refused) => observed.refused(leaf(at), kind(event), outcome(&refused)),
            }
        }
    }
    let boxes: [(&str, &[&str]); 3] = [
        ("Unwatched", &["Unwatched"]),
        ("Resting", &["Resting", "Resting(inquired)"]),
        ("Working", &["Working(Ground)", "Working(Inquired)", "Working(Interrupted)", "Working(Restarted)"]),
    ];
    let diagram = observed.diagram("Unwatched", &boxes, &KINDS);
    observed.assert_page("health", &diagram, &boxes, &KINDS);
}
