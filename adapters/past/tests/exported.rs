//! The tree of task 1 of a journal, up to line 60, played into a kernel. Exported by `downbeat replay --export test`.

#[rustfmt::skip]
use downbeat_kernel::{Config, Discard, Event, Kernel, Outcome, Record, TaskId, TaskState};

/// The events, as they were on record, without the words of people and models.
const EVENTS: &str = r#"
{"V3":{"ProfileDown":{"profile":1}}}
{"V3":{"ProfileUp":{"profile":1}}}
{"V3":{"ProfileDown":{"profile":1}}}
{"V3":{"TaskSubmitted":{"task":1,"budget":{"tokens":0,"micros":0,"wall_ms":0}}}}
{"V3":{"Admitted":{"task":1}}}
{"V3":{"Initialized":{"task":1}}}
{"V3":{"MessageReceived":{"task":1,"message":1}}}
{"V3":{"Request":{"task":1,"turn":1,"event":{"CredentialGiven":{"attempt":0,"generation":1}}}}}
{"V3":{"Request":{"task":1,"turn":1,"event":{"SendFailed":{"attempt":0,"failure":"Unauthorized","jitter_ms":5}}}}}
{"V3":{"MessageReceived":{"task":1,"message":2}}}
{"V3":{"Request":{"task":1,"turn":1,"event":{"CredentialGiven":{"attempt":1,"generation":2}}}}}
{"V3":{"ProfileUp":{"profile":1}}}
{"V3":{"ResponseEnded":{"request":{"task":1,"turn":1,"attempt":1},"response":{"Calls":[{"Tool":"Granted"},{"Subtask":{"child":3}}]},"jitter_ms":0}}}
{"V3":{"ProfileDown":{"profile":0}}}
{"V3":{"ToolEnded":{"call":{"task":1,"turn":1,"index":0},"end":"Succeeded"}}}
{"V3":{"Admitted":{"task":3}}}
{"V3":{"Initialized":{"task":3}}}
{"V3":{"ResponseEnded":{"request":{"task":3,"turn":1,"attempt":0},"response":{"Calls":[{"Tool":"Granted"},{"Subtask":{"child":5}}]},"jitter_ms":0}}}
{"V3":{"ToolEnded":{"call":{"task":3,"turn":1,"index":0},"end":"Succeeded"}}}
{"V3":{"Request":{"task":3,"turn":2,"event":{"SendFailed":{"attempt":0,"failure":"Transient","jitter_ms":5}}}}}
{"V3":{"Request":{"task":3,"turn":2,"event":{"TimerFired":{"timer":{"Backoff":1}}}}}}
{"V3":{"ResponseEnded":{"request":{"task":3,"turn":2,"attempt":1},"response":{"Calls":["Question",{"Tool":"Required"}]},"jitter_ms":0}}}
{"V3":{"AnswerReceived":{"question":{"task":3,"number":1},"answer":"Approved"}}}
"#;

/// The settings that they were taken under.
#[rustfmt::skip]
fn config() -> Config {
    Config {
        attempts_max: 3,
        depth_max: 1,
        profiles: 2,
        profiles_keyed: 2,
        ..Config::default()
    }
}

#[test]
#[rustfmt::skip]
fn tree_of_task_1_comes_to_what_it_came_to() {
    let mut kernel = Kernel::new(config());
    for line in EVENTS.lines().filter(|line| !line.is_empty()) {
        let record: Record = serde_json::from_str(line).expect(line);
        assert_eq!(kernel.step(Event::from(record), &mut Discard), Outcome::Applied, "{line}");
        assert_eq!(kernel.validate(), Ok(()), "{line}");
    }
    let states: Vec<(TaskId, TaskState)> = kernel.tasks().map(|task| (task.id, task.state)).collect();
    let expected: &[(TaskId, TaskState)] = &[
        (TaskId(1), TaskState::AwaitingSubtask),
        (TaskId(3), TaskState::AwaitingInput),
    ];
    assert_eq!(states, expected);
    let mut outstanding = Vec::new();
    kernel.resync(&mut outstanding);
    assert_eq!(outstanding.len(), 1, "{outstanding:?}");
}
