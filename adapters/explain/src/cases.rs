//! Traces by hand: each that is explained beside one that differs in little and is not.

use std::fmt::Write as _;

use downbeat_trace::{Event, Place, Read, Reader};

use crate::{Order, Settings, Verdict, explain};

/// Lines like `request-started task=1 turn=1`, as a trace.
pub(crate) fn trace(lines: &str) -> Vec<(Place, Event<'static>)> {
    let mut json = String::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = line.split_whitespace();
        let _ = write!(json, "{{\"event\":\"{}\"", words.next().unwrap_or_default());
        for word in words {
            let (field, value) = word.split_once('=').expect("a field and its value");
            let quote = if value.parse::<f64>().is_ok() { "" } else { "\"" };
            let _ = write!(json, ",\"{field}\":{quote}{value}{quote}");
        }
        json.push_str("}\n");
    }
    let mut reader = Reader::new(json.as_bytes());
    let mut events = Vec::new();
    loop {
        match reader.read().expect("it is a trace") {
            Read::Event { place, event, .. } => events.push((place, event.into_owned())),
            Read::Other => {}
            Read::Pending => return events,
        }
    }
}

/// What became of the trees of a trace, in words.
pub(crate) fn told(lines: &str, settings: Settings) -> String {
    let trees = explain(trace(lines), settings);
    let words = trees.iter().map(|tree| match &tree.verdict {
        Verdict::Explained(_) => "explained".to_owned(),
        Verdict::Rejected(prefix) => format!("rejected after {}", prefix.explained),
        Verdict::Undecided(bound, _) => format!("undecided: {bound:?}"),
        Verdict::NoBeginning(task) => format!("no beginning of {task}"),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// Traces that are whole, and what becomes of them.
fn assert_told(cases: &[(&str, &[&str], &str)]) {
    let settings = Settings { is_whole: true, ..Settings::default() };
    let wrong = cases.iter().filter_map(|(name, parts, expected)| {
        let told = told(&parts.concat(), settings);
        (told != *expected).then(|| format!("{name}: {told}, and not {expected}"))
    });
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const BEGIN: &str = "task-started task=1\n";
const SENT: &str = "request-started task=1 turn=1\n";
const ANSWERED: &str = "request-ended task=1 turn=1 end=completed\n";
const SENT_2: &str = "request-started task=1 turn=2\n";
const ANSWERED_2: &str = "request-ended task=1 turn=2 end=completed\n";
const COMPLETED: &str = "task-ended task=1 end=completed\n";
const RESTART: &str = "restart\n";

/// A parent that waits for its subtask, up to the end of that one.
const CHILD: &str = "
    task-started task=p
    request-started task=p turn=1
    request-ended task=p turn=1 end=completed
    task-started task=c parent=p
    request-started task=c turn=1
    request-ended task=c turn=1 end=completed
    task-ended task=c end=completed
";
const DELIVERED: &str = "result-delivered task=p child=c\n";
const P_SENT_2: &str = "request-started task=p turn=2\n";
const P_DONE: &str = "
    request-ended task=p turn=2 end=completed
    task-ended task=p end=completed
";

#[test]
fn restart_repeats_what_was_shown_and_demands_what_was_not() {
    assert_told(&[
        ("after the end", &[BEGIN, SENT, ANSWERED, COMPLETED, RESTART], "explained"),
        ("the end once more", &[BEGIN, SENT, ANSWERED, COMPLETED, RESTART, COMPLETED], "explained"),
        (
            "the end twice more",
            &[BEGIN, SENT, ANSWERED, COMPLETED, RESTART, COMPLETED, COMPLETED],
            "rejected after 6",
        ),
        ("the end without a restart", &[BEGIN, SENT, ANSWERED, COMPLETED, COMPLETED], "rejected after 4"),
        ("the end after the restart", &[BEGIN, SENT, ANSWERED, RESTART, COMPLETED], "explained"),
        ("another beginning", &[BEGIN, SENT, RESTART, BEGIN, SENT, ANSWERED, COMPLETED], "explained"),
        ("another beginning, no restart", &[BEGIN, SENT, BEGIN], "rejected after 2"),
        (
            "another beginning after the end",
            &[BEGIN, SENT, ANSWERED, COMPLETED, RESTART, BEGIN],
            "rejected after 5",
        ),
        ("a send twice after a restart", &[BEGIN, SENT, RESTART, SENT, SENT, ANSWERED], "rejected after 4"),
        ("delivered too late", &[CHILD, RESTART, P_SENT_2, P_DONE, DELIVERED], "rejected after 8"),
        ("restart, delivery, send", &[CHILD, RESTART, DELIVERED, P_SENT_2, P_DONE], "explained"),
        ("delivery, restart, send", &[CHILD, DELIVERED, RESTART, P_SENT_2, P_DONE], "explained"),
        (
            "delivery, send, restart, both again",
            &[CHILD, DELIVERED, P_SENT_2, RESTART, DELIVERED, P_SENT_2, P_DONE],
            "explained",
        ),
        (
            "delivery, send, restart, send again",
            &[CHILD, DELIVERED, P_SENT_2, RESTART, P_SENT_2, P_DONE],
            "explained",
        ),
        (
            "both again without a restart",
            &[CHILD, DELIVERED, P_SENT_2, DELIVERED, P_SENT_2, P_DONE],
            "rejected after 9",
        ),
        (
            "delivered once more after the answer",
            &[CHILD, DELIVERED, P_SENT_2, RESTART, P_DONE, DELIVERED],
            "rejected after 12",
        ),
        (
            "delivered again with what is sent again",
            &[
                CHILD,
                DELIVERED,
                P_SENT_2,
                "request-ended task=p turn=2 end=failed\n",
                DELIVERED,
                "request-started task=p turn=2 attempt=1\n",
                P_DONE,
            ],
            "explained",
        ),
    ]);
}

#[test]
fn response_that_was_not_on_record_is_lost_with_its_calls() {
    let called = "tool-call task=1 call=a\n";
    let ran = "tool-started task=1 call=a\n";
    let result = "tool-result task=1 call=a\n";
    assert_told(&[
        ("with a call", &[BEGIN, SENT, ANSWERED, called, RESTART, SENT, ANSWERED, COMPLETED], "explained"),
        (
            "with a call that is made again",
            &[BEGIN, SENT, ANSWERED, called, ran, RESTART, SENT, ANSWERED, called, ran, result, SENT_2],
            "explained",
        ),
        (
            "without a restart",
            &[BEGIN, SENT, ANSWERED, called, SENT, ANSWERED, COMPLETED],
            "rejected after 4",
        ),
        ("that never came", &[BEGIN, ANSWERED, RESTART, SENT, ANSWERED, COMPLETED], "rejected after 1"),
        (
            "twice after one restart",
            &[BEGIN, SENT, ANSWERED, RESTART, SENT, ANSWERED, called, SENT, ANSWERED, COMPLETED],
            "rejected after 7",
        ),
    ]);
}

#[test]
fn subtask_that_waits_for_its_place_may_begin_once_more_after_a_restart() {
    let begun = "
        task-started task=p
        request-started task=p turn=1
        request-ended task=p turn=1 end=completed
        task-started task=c parent=p
    ";
    let again = "task-started task=c parent=p\n";
    assert_told(&[
        ("not again", &[begun, RESTART], "explained"),
        ("again", &[begun, RESTART, again], "explained"),
        ("without a restart", &[begun, again], "rejected after 4"),
    ]);
}

#[test]
fn task_may_begin_unseen_where_no_beginning_is_written_down() {
    let child = "
        request-started task=p turn=1
        request-ended task=p turn=1 end=completed
        request-started task=c turn=1
        request-ended task=c turn=1 end=completed
        task-ended task=c end=completed
    ";
    assert_told(&[
        ("one task", &[SENT, ANSWERED, SENT_2], "explained"),
        ("a send twice", &[SENT, ANSWERED, SENT_2, SENT_2], "rejected after 3"),
        ("two that know nothing of each other", &[child, P_SENT_2], "explained, explained"),
        ("a subtask, by its result", &[child, DELIVERED, P_SENT_2], "explained"),
        ("a result that comes twice", &[child, DELIVERED, DELIVERED, P_SENT_2], "rejected after 6"),
        (
            "a subtask whose parent is cancelled",
            &[
                child.split_once("task-ended").map_or("", |(before, _)| before),
                "cancel task=p\ntask-ended task=c end=cancelled\ntask-ended task=p end=cancelled\n",
            ],
            "explained, explained",
        ),
        (
            "a subtask without a line",
            &[SENT, ANSWERED, "result-delivered task=1 child=2\n", SENT_2],
            "no beginning of 2",
        ),
    ]);
}

#[test]
fn answer_settles_what_is_open_where_no_question_is_written_down() {
    const CALLED: &str = "tool-call task=1 call=a\n";
    const RESULT: &str = "tool-result task=1 call=a\n";
    let answer = "answer task=1 question=q settles=q\n";
    assert_told(&[
        (
            "a call that a person approves",
            &[BEGIN, SENT, ANSWERED, CALLED, answer, RESULT, SENT_2],
            "explained",
        ),
        ("a question of the model's", &[BEGIN, SENT, ANSWERED, answer, SENT_2], "explained"),
        ("without a name", &[BEGIN, SENT, ANSWERED, "answer task=1\n", SENT_2], "explained"),
        (
            "an answer to another one",
            &[BEGIN, SENT, ANSWERED, "answer task=1 question=q settles=r\n", SENT_2],
            "rejected after 3",
        ),
        ("before anything is asked", &[BEGIN, SENT, answer, ANSWERED], "rejected after 2"),
        (
            "without a name, beside questions",
            &[BEGIN, SENT, ANSWERED, "question task=1 question=q\n", "answer task=1\n", SENT_2],
            "explained",
        ),
        (
            "without a name, before the question",
            &[BEGIN, SENT, "answer task=1\n", ANSWERED, "question task=1 question=q\n", SENT_2],
            "rejected after 2",
        ),
    ]);
}

#[test]
fn completion_may_be_a_call_with_lines_of_its_own() {
    let called = "tool-call task=1 call=done\n";
    let ran = "tool-started task=1 call=done\n";
    let result = "tool-result task=1 call=done\n";
    let other = "tool-call task=1 call=other\n";
    let other_ran = "tool-started task=1 call=other\n";
    let other_result = "tool-result task=1 call=other\n";
    assert_told(&[
        ("the call alone", &[BEGIN, SENT, ANSWERED, called, COMPLETED], "explained"),
        ("with its result", &[BEGIN, SENT, ANSWERED, called, result, COMPLETED], "explained"),
        ("run, with its result", &[BEGIN, SENT, ANSWERED, called, ran, result, COMPLETED], "explained"),
        ("two results", &[BEGIN, SENT, ANSWERED, called, result, result, COMPLETED], "rejected after 6"),
        (
            "a result of another call",
            &[BEGIN, SENT, ANSWERED, called, other_result, COMPLETED],
            "rejected after 5",
        ),
        (
            "refused beside a tool",
            &[
                BEGIN,
                SENT,
                ANSWERED,
                other,
                called,
                other_ran,
                other_result,
                result,
                SENT_2,
                ANSWERED_2,
                COMPLETED,
            ],
            "explained",
        ),
        (
            "beside a tool, which the kernel refuses",
            &[BEGIN, SENT, ANSWERED, other, called, other_ran, other_result, result, COMPLETED],
            "rejected after 8",
        ),
    ]);
}

#[test]
fn calls_may_be_written_down_while_their_response_comes() {
    let called = "tool-call task=1 call=a\n";
    let result = "tool-result task=1 call=a\n";
    assert_told(&[
        (
            "before its end",
            &[BEGIN, SENT, called, ANSWERED, result, SENT_2, ANSWERED_2, COMPLETED],
            "explained",
        ),
        (
            "after its end",
            &[BEGIN, SENT, ANSWERED, called, result, SENT_2, ANSWERED_2, COMPLETED],
            "explained",
        ),
        ("a result before its end", &[BEGIN, SENT, called, result, ANSWERED, SENT_2], "rejected after 2"),
        ("before anything is sent", &[BEGIN, called, SENT, ANSWERED, result, SENT_2], "rejected after 1"),
        (
            "of a response that broke off",
            &[
                BEGIN,
                SENT,
                called,
                "request-ended task=1 turn=1 end=failed\n",
                "request-started task=1 turn=1 attempt=1\n",
                ANSWERED,
                COMPLETED,
            ],
            "explained",
        ),
    ]);
}

#[test]
fn result_may_be_written_down_as_soon_as_its_call_has_one() {
    let two = "
        tool-call task=1 call=a
        tool-call task=1 call=b
        question task=1 question=q
        answer task=1 question=q settles=q
    ";
    let denied = "tool-result task=1 call=b\n";
    let ran = "tool-started task=1 call=a\ntool-result task=1 call=a\n";
    assert_told(&[
        ("a denied call first", &[BEGIN, SENT, ANSWERED, two, denied, ran, SENT_2], "explained"),
        ("a denied call last", &[BEGIN, SENT, ANSWERED, two, ran, denied, SENT_2], "explained"),
        (
            "a denied call twice",
            &[BEGIN, SENT, ANSWERED, two, denied, ran, denied, SENT_2],
            "rejected after 10",
        ),
    ]);
}

/// A loop of so many turns with a tool each, of which the last is sent twice.
fn double_send(turns: usize) -> String {
    let mut lines = BEGIN.to_owned();
    for turn in 1..turns {
        let _ = write!(
            lines,
            "request-started task=1 turn={turn}
            request-ended task=1 turn={turn} end=completed
            tool-call task=1 call=c{turn}
            tool-result task=1 call=c{turn}\n"
        );
    }
    let _ = write!(
        lines,
        "request-started task=1 turn={turns}
        request-started task=1 turn={turns}
        request-ended task=1 turn={turns} end=completed\n"
    );
    lines
}

#[test]
fn what_was_guessed_of_turns_that_are_over_does_not_multiply() {
    let situations = |turns| {
        let explained = explain(trace(&double_send(turns)), Settings::default()).remove(0);
        let Verdict::Rejected(prefix) = explained.verdict else { panic!("{:?}", explained.verdict) };
        assert_eq!(prefix.explained, 4 * turns - 2, "the first of the two sends");
        explained.situations
    };
    let (few, many) = (situations(10), situations(100));
    assert!(many < 12 * few, "{few} situations for 10 turns, and {many} for 100");
}

/// A parent that calls for so many subtasks at once, which run side by side.
fn side_by_side(subtasks: usize) -> String {
    let mut lines = [BEGIN, SENT, ANSWERED].concat();
    let mut each = |line: &dyn Fn(usize) -> String| {
        (2..subtasks + 2).for_each(|child| lines.push_str(&(line(child) + "\n")));
    };
    each(&|child| format!("task-started task={child} parent=1"));
    each(&|child| format!("request-started task={child} turn=1"));
    each(&|child| format!("request-ended task={child} turn=1 end=completed"));
    each(&|child| format!("task-ended task={child} end=completed"));
    each(&|child| format!("result-delivered task=1 child={child}"));
    lines + SENT_2 + ANSWERED_2 + COMPLETED
}

#[test]
fn bounds_that_nobody_has_set_reject_nothing() {
    use downbeat_kernel::Config;
    let lines = side_by_side(130);
    assert_eq!(told(&lines, Settings::default()), "explained");
    // A kernel that takes fewer would have refused the response.
    let set = Settings { config: Config { profiles_keyed: 0, ..Config::default() }, ..Settings::default() };
    assert_eq!(told(&lines, set), "rejected after 2");
    let deep = |depth: usize| {
        let mut lines = String::new();
        for task in 1..=depth {
            let parent = if task > 1 { format!(" parent={}", task - 1) } else { String::new() };
            let _ = write!(
                lines,
                "task-started task={task}{parent}
                request-started task={task} turn=1
                request-ended task={task} turn=1 end=completed\n"
            );
        }
        lines
    };
    assert_eq!(told(&deep(256), Settings::default()), "explained");
    assert_eq!(told(&deep(257), Settings::default()), "undecided: Kernel");
    let sends = |sends: usize| {
        let mut lines = BEGIN.to_owned();
        for attempt in 0..sends {
            let _ = write!(
                lines,
                "request-started task=1 turn=1 attempt={attempt}
                request-ended task=1 turn=1 end=failed\n"
            );
        }
        lines
    };
    assert_eq!(told(&sends(16), Settings::default()), "explained");
    assert_eq!(told(&sends(17), Settings::default()), "undecided: Kernel");
}

#[test]
fn search_ends_at_its_bounds_and_says_which() {
    let lines = side_by_side(20);
    let default = Settings::default();
    #[rustfmt::skip]
    let cases = [
        ("none is reached",    default,                                         "explained"),
        ("events",             Settings { events_max: 50, ..default },           "undecided: Events"),
        ("situations",         Settings { situations_max: 50, ..default },       "undecided: Situations"),
        ("bytes",              Settings { bytes_max: 100_000, ..default },       "undecided: Bytes"),
        ("steps between lines", Settings { unobserved_max: 2, ..default },       "undecided: Unobserved"),
    ];
    for (name, settings, expected) in cases {
        assert_eq!(told(&lines, settings), expected, "{name}");
    }
    let interrupted = crate::explain_until(trace(&lines), default, &true.into());
    assert!(matches!(interrupted[0].verdict, Verdict::Undecided(crate::Bound::Interrupted, _)));
}

#[test]
fn clocks_that_are_apart_by_no_number_reject_nothing() {
    let lines = "
        task-started task=p at_ms=0
        request-started task=p turn=1 at_ms=1
        request-ended task=p turn=1 end=completed at_ms=2
        task-started task=c parent=p at_ms=3
        request-started task=c turn=1 at_ms=4
        pause task=p at_ms=4
    ";
    // The pause before the request that led to the subtask, by a clock that is late.
    let late = lines.replace("end=completed at_ms=2", "end=completed at_ms=9");
    for (apart_ms, late_is) in [
        (0.0, "rejected after 2"),
        (-5.0, "rejected after 2"),
        (9.0, "explained"),
        (f64::NAN, "explained"),
        (f64::INFINITY, "explained"),
    ] {
        let settings = Settings { order: Order::Times { apart_ms }, ..Settings::default() };
        assert_eq!(told(lines, settings), "explained", "{apart_ms}");
        assert_eq!(told(&late, settings), late_is, "{apart_ms}");
    }
}

#[test]
fn tree_is_called_by_its_root_whoever_comes_first() {
    let lines = "
        task-started task=c parent=p
        task-started task=p
        request-started task=p
        request-ended task=p end=completed
    ";
    let settings = Settings { order: Order::Tasks, ..Settings::default() };
    let roots: Vec<_> = explain(trace(lines), settings).into_iter().map(|tree| tree.root).collect();
    assert_eq!(roots, ["p"]);
}

#[test]
fn whoever_answers_without_a_call_may_be_asked_about_it() {
    let text = |turn: usize| {
        format!("request-started task=1 turn={turn}\nrequest-ended task=1 turn={turn} end=completed\n")
    };
    let asked = "question task=1 question=q\nanswer task=1 question=q settles=q\n";
    let call = "tool-call task=1 call=a\n";
    let failed = "task-ended task=1 end=failed\n";
    let (one, two, three, four) = (text(1), text(2), text(3), text(4));
    assert_told(&[
        ("nobody is asked", &[BEGIN, &one, &two, &three, &four, call], "explained"),
        ("somebody says yes", &[BEGIN, &one, &two, &three, asked, &four, call], "explained"),
        ("somebody says no", &[BEGIN, &one, &two, &three, asked, failed], "explained"),
        ("asked before the answer is there", &[BEGIN, asked, &one, &two, failed], "rejected after 1"),
    ]);
}
