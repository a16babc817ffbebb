//! What one step of the health of a worker costs.
//!
//! As in `session.rs`, a sample is a thousand events of one kind, each for a health of its own, so that a microsecond that is
//! shown is a nanosecond for one event.

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher, black_box};
use downbeat_kernel::{Config, Health, HealthEvent, Origin, Outcome, Sign, ToolId, WatchNumber};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

/// Events of one sample: enough to be long beside the clock.
const EVENTS: usize = 1_000;

fn main() {
    divan::main();
}

/// The health of a worker whose agent has a turn, after these events.
fn working(events: &[HealthEvent]) -> Health {
    let mut health = Health::default();
    for event in [HealthEvent::Began { origin: Origin::Work }].iter().chain(events) {
        assert_eq!(health.step(*event, &Config::default(), &mut |_| {}), Outcome::Applied);
    }
    health
}

/// Times an event that is applied, on as many healths as there are events, each of which gives so many effects.
fn measure(bencher: Bencher<'_, '_>, health: Health, event: HealthEvent, effects: usize) {
    let config = Config::default();
    let healths = bencher.counter(ItemsCount::new(EVENTS)).with_inputs(|| vec![health; EVENTS]);
    healths.bench_local_refs(|healths| {
        let mut given = 0;
        for health in healths {
            let outcome = health.step(black_box(event), &config, &mut |_| given += 1);
            assert_eq!(black_box(outcome), Outcome::Applied);
        }
        assert_eq!(given, effects * EVENTS);
    });
}

const ACTIVITY: HealthEvent = HealthEvent::Observed(Sign::Activity);
const CALL: HealthEvent = HealthEvent::Observed(Sign::ToolCalled { tool: ToolId(7) });
const ELAPSED: HealthEvent = HealthEvent::Elapsed { watch: WatchNumber(1) };

#[divan::bench(max_time = 2)]
fn activity(bencher: Bencher<'_, '_>) {
    measure(bencher, working(&[]), ACTIVITY, 0);
}

#[divan::bench(max_time = 2)]
fn tool_is_called(bencher: Bencher<'_, '_>) {
    measure(bencher, working(&[CALL]), CALL, 0);
}

#[divan::bench(max_time = 2)]
fn timer_runs_out_after_activity(bencher: Bencher<'_, '_>) {
    measure(bencher, working(&[ACTIVITY]), ELAPSED, 1);
}

#[divan::bench(max_time = 2)]
fn timer_runs_out_in_silence(bencher: Bencher<'_, '_>) {
    measure(bencher, working(&[]), ELAPSED, 2);
}
