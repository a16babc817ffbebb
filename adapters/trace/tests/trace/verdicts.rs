//! What a trace lacks, where it begins and ends, what a crash excuses, what healthy systems do, and what bounds do to a verdict.

use crate::words::{broken, judged, judged_within, lines, verdict};
use downbeat_trace::{Decided, Field, Kind, Limits, Monitor, Need, Property, Verdict, Waits};

/// An event that says this, and nothing else that a promise needs.
fn saying(need: Need) -> String {
    let (kind, field) = match need {
        Need::Event(kind) => (kind, None),
        Need::Said(kind, field) => (kind, Some(field)),
    };
    let fields = kind.needs().iter().copied().chain(field.filter(|field| !kind.needs().contains(field)));
    let said: Vec<_> = fields.map(|field| format!("{}=1", field.name())).collect();
    let end = if kind.has_end() { "end=unknown" } else { "" };
    format!("{} {} {end}\n", kind.name(), said.join(" "))
}

#[test]
fn what_a_trace_lacks_leaves_a_promise_undecided() {
    let mut decided = 0;
    for property in Property::ALL {
        let needs = match property.decided() {
            Decided::By(needs) | Decided::AtTheEndBy(needs) => needs,
            Decided::Never(why) => {
                assert_eq!(verdict(&Monitor::default(), *property, true), Verdict::Undecidable(why));
                continue;
            }
        };
        decided += 1;
        assert_eq!(verdict(&Monitor::default(), *property, true), Verdict::Undecided(needs.to_vec()));
        for lacking in needs {
            // Where a field is lacking, the kind is there, unless another need brings it along.
            let others = needs.iter().filter(|need| *need != lacking).map(|need| saying(*need));
            let bare = match lacking {
                Need::Event(_) => String::new(),
                Need::Said(kind, _) => saying(Need::Event(*kind)),
            };
            let trace = others.collect::<String>() + &bare;
            let expected = Verdict::Undecided(vec![*lacking]);
            assert_eq!(verdict(&judged(&trace), *property, true), expected, "{trace}");
        }
        let all: String = needs.iter().map(|need| saying(*need)).collect();
        let is_decided = !matches!(verdict(&judged(&all), *property, true), Verdict::Undecided(_));
        assert!(is_decided, "{property:?}: {all}");
    }
    assert_eq!(decided, Property::ALL.len() - 6, "six promises are not for traces");
    assert_eq!(Need::Said(Kind::Answer, Field::Settles).words(), "no `answer` with `settles`");
}

#[test]
fn only_the_end_of_a_trace_decides_what_has_to_come() {
    let monitor = judged(
        "task-started p
         task-started q
         task-ended q end=completed
         cancel p
         refresh-started c
         refresh-ended d end=completed",
    );
    for property in [Property::L1, Property::L2, Property::L5] {
        assert_eq!(verdict(&monitor, property, false), Verdict::Unfinished);
    }
    assert_eq!((broken(&monitor, false), broken(&monitor, true)), (vec![], vec!["L1", "L2", "L5"]));
    let [open] = &monitor.open()[..] else { panic!("one task is live") };
    assert_eq!((open.task.as_str(), &open.waits, open.last.place.line), ("p", &Waits::Nothing, 4));
}

#[test]
fn live_tasks_are_told_with_what_they_wait_for() {
    #[rustfmt::skip]
    let cases = [
        ("request-started p\nrequest-started p", Waits::Model(2)),
        ("question p question=7", Waits::Person("7".to_owned())),
        ("pause p", Waits::Paused),
        ("tool-call p call=a", Waits::Call("a".to_owned())),
        ("task-started p\ntask-started c parent=p\ntask-started d parent=c\nquestion d question=1", Waits::Subtask("c".to_owned())),
        ("task-started p\ntask-started c parent=p\ntask-ended c end=failed", Waits::Result("c".to_owned())),
        ("message-queued p message=3", Waits::Message("3".to_owned())),
        ("task-started p", Waits::Nothing),
    ];
    for (words, expected) in cases {
        let open = judged(words).open();
        let waits = open.iter().find(|open| open.task == "p").map(|open| &open.waits);
        assert_eq!(waits, Some(&expected), "{words}");
    }
}

/// What a trace has to say so that every promise that it is about is decided, of a task that nothing is wrong with.
const BESIDE: &str = "
    task-started z
    task-started y parent=z
    message-queued z message=1
    message-delivered z message=1 turn=1
    interrupt z turn=9
    tool-call z call=1
    tool-result z call=1
    task-ended y end=completed
    result-delivered z child=y turn=1
    request-started z turn=1
    request-ended z turn=1 end=completed
    answer z question=1
    task-ended z end=completed\n";

/// A trace with what makes it decided in front.
fn decided(words: &str) -> Monitor {
    judged(&format!("{BESIDE}{words}"))
}

/// What healthy systems do, beside the same with the one thing wrong that makes it a breach.
#[rustfmt::skip]
const HEALTHY: &[(&str, &str, &str, &[&str])] = &[
    ("tools of one response run at once",
        "task-started p
         tool-call p call=1
         tool-call p call=2
         tool-started p call=1
         tool-started p call=2
         tool-result p call=2
         tool-result p call=1
         request-started p turn=1",
        "task-started p
         tool-call p call=1
         tool-call p call=2
         tool-started p call=1
         tool-started p call=2
         tool-result p call=2
         request-started p turn=1", &["S8"]),
    ("a later response uses the names of calls again",
        "task-started p
         tool-call p call=1
         tool-started p call=1
         tool-result p call=1
         request-started p turn=1
         request-ended p turn=1 end=completed
         tool-call p call=1
         tool-started p call=1
         tool-result p call=1",
        "task-started p
         tool-call p call=1
         tool-started p call=1
         tool-result p call=1
         request-started p turn=1
         request-ended p turn=1 end=completed
         tool-started p call=1
         tool-result p call=1", &["S8"]),
    ("calls of a response that broke off are void",
        "task-started p
         request-started p turn=1
         tool-call p call=1
         request-ended p turn=1 end=failed
         request-started p turn=1 attempt=1",
        "task-started p
         request-started p turn=1
         tool-call p call=1
         request-ended p turn=1 end=completed
         request-started p turn=2", &["S8"]),
    ("a turn that failed is built again with all that it carried",
        "task-started p
         tool-call p call=1
         tool-result p call=1
         message-queued p message=1
         message-delivered p message=1 turn=1
         request-started p turn=1
         request-ended p turn=1 end=failed
         tool-result p call=1
         message-delivered p message=1 turn=1
         request-started p turn=1 attempt=1",
        "task-started p
         tool-call p call=1
         tool-result p call=1
         message-queued p message=1
         message-delivered p message=1 turn=1
         request-started p turn=1
         request-ended p turn=1 end=completed
         tool-result p call=1
         message-delivered p message=1 turn=1
         request-started p turn=2", &["S5", "S8"]),
    ("the result of a subtask is in the turn after one that failed",
        "task-started p
         task-started c parent=p
         task-ended c end=completed
         result-delivered p child=c turn=1
         request-started p turn=1
         request-ended p turn=1 end=failed
         result-delivered p child=c turn=2
         request-started p turn=2",
        "task-started p
         task-started c parent=p
         task-ended c end=completed
         result-delivered p child=c turn=1
         request-started p turn=1
         request-ended p turn=1 end=completed
         result-delivered p child=c turn=2
         request-started p turn=2", &["S3"]),
    ("several subtasks at once, and the parent waits for all",
        "task-started p
         task-started c parent=p
         task-started d parent=p
         task-ended d end=completed
         task-ended c end=completed
         result-delivered p child=c turn=2
         result-delivered p child=d turn=2
         request-started p turn=2",
        "task-started p
         task-started c parent=p
         task-started d parent=p
         task-ended d end=completed
         task-ended c end=completed
         result-delivered p child=d turn=2
         request-started p turn=2", &["S4"]),
    ("a parent that goes on beside its subtask gets the result later",
        "task-started p
         task-started c parent=p
         request-started p turn=1
         task-ended c end=completed
         request-ended p turn=1 end=completed
         request-started p turn=2
         request-ended p turn=2 end=completed
         result-delivered p child=c turn=3
         request-started p turn=3
         request-ended p turn=3 end=completed
         task-ended p end=completed",
        "task-started p
         task-started c parent=p
         request-started p turn=1
         task-ended c end=completed
         request-ended p turn=1 end=completed
         request-started p turn=2
         request-ended p turn=2 end=completed
         task-ended p end=completed", &["S3"]),
    ("a message for the next turn, while a request is in flight",
        "task-started p
         request-started p turn=1
         message-queued p message=1
         message-delivered p message=1 turn=2
         request-ended p turn=1 end=completed
         message-delivered p message=1 turn=2
         request-started p turn=2
         request-ended p turn=2 end=completed",
        "task-started p
         request-started p turn=1
         message-queued p message=1
         message-delivered p message=1 turn=2
         request-ended p turn=1 end=completed
         request-started p turn=2
         request-ended p turn=2 end=completed
         message-delivered p message=1 turn=2", &["S5"]),
    ("a message goes with another turn when its request has failed, and not while that is in flight",
        "task-started p
         message-queued p message=1
         message-delivered p message=1 turn=1
         request-started p turn=1
         request-ended p turn=1 end=failed
         message-delivered p message=1 turn=2
         request-started p turn=2
         request-ended p turn=2 end=completed",
        "task-started p
         message-queued p message=1
         message-delivered p message=1 turn=1
         request-started p turn=1
         message-delivered p message=1 turn=2
         request-ended p turn=1 end=failed
         request-started p turn=2
         request-ended p turn=2 end=completed", &["S5"]),
    ("a message is part of one request once",
        "task-started p
         message-queued p message=1
         message-delivered p message=1 turn=1
         message-delivered p message=1 turn=1
         request-started p turn=1
         request-ended p turn=1 end=completed",
        "task-started p
         message-queued p message=1
         message-delivered p message=1
         message-delivered p message=1
         request-started p turn=1
         request-ended p turn=1 end=completed", &["S5"]),
    ("an agent acts for the task that it has",
        "task-started p
         agent-assigned a task=p
         agent-active a task=p
         agent-assigned a task=p
         agent-active a",
        "task-started p
         agent-assigned a task=p
         agent-active b task=p
         agent-released a", &["S20"]),
    ("an agent acts for nothing when it was released",
        "task-started p
         agent-assigned a task=p epoch=1
         agent-active a task=p
         agent-released a
         agent-active a
         agent-assigned a task=p epoch=2
         agent-active a epoch=2",
        "task-started p
         agent-assigned a task=p epoch=1
         agent-released a
         agent-active a task=p", &["S20"]),
    ("an agent is heard of without its task",
        "task-started p
         agent-assigned a task=p epoch=1
         agent-assigned b task=p epoch=2
         agent-active a
         agent-active b epoch=2
         agent-released b",
        "task-started p
         agent-assigned a task=p epoch=1
         agent-assigned b task=p epoch=2
         agent-active a epoch=1
         agent-released b", &["S20"]),
    ("a pause stops what is under way, and nothing after the resume",
        "task-started p
         request-started p turn=1
         pause p
         resume p
         request-ended p turn=1 end=stopped
         request-started p turn=2",
        "task-started p
         pause p
         resume p
         request-started p turn=1
         request-ended p turn=1 end=stopped
         request-started p turn=2", &["S12"]),
    ("an interrupt between two sends of a turn stops the next send, and no other turn",
        "task-started p
         request-started p turn=1
         request-ended p turn=1 end=failed
         interrupt p
         request-started p turn=1 attempt=1
         request-ended p turn=1 attempt=1 end=stopped
         request-started p turn=2",
        "task-started p
         request-started p turn=1
         request-ended p turn=1 end=completed
         interrupt p
         request-started p turn=2
         request-ended p turn=2 end=stopped
         request-started p turn=3", &["S12"]),
    ("nobody is their own parent",
        "task-started p parent=p
         task-started q parent=p
         task-ended q end=completed
         result-delivered p child=q
         request-started p
         request-ended p end=completed
         task-ended p end=completed",
        "task-started p
         task-started q parent=p
         task-ended p end=completed", &["S9"]),
    ("a message without a turn, while a request is in flight, is for the next",
        "task-started p
         request-started p
         message-queued p message=1
         message-delivered p message=1
         request-ended p end=completed
         request-started p
         request-ended p end=completed",
        "task-started p
         request-started p
         message-queued p message=1
         message-delivered p message=1
         request-ended p end=completed
         request-started p
         request-ended p end=completed
         message-delivered p message=1", &["S5"]),
    ("who cancels is written down after what that stopped",
        "request-started p turn=1
         request-ended p turn=1 end=stopped
         cancel p
         task-ended p end=cancelled",
        "request-started p turn=1
         request-ended p turn=1 end=stopped
         task-ended p end=failed", &["S12"]),
    ("a pause that is over stopped a request",
        "request-started p turn=1
         pause p
         resume p
         request-ended p turn=1 end=stopped
         request-started p turn=2",
        "request-started p turn=1
         resume p
         request-ended p turn=1 end=stopped
         request-started p turn=2", &["S12"]),
    ("an interrupt without a turn stops what is under way, and nothing later",
        "request-started p turn=1
         interrupt p
         request-ended p turn=1 end=stopped
         request-started p turn=2",
        "request-started p turn=1
         interrupt p
         request-ended p turn=1 end=completed
         request-started p turn=2
         request-ended p turn=2 end=stopped
         request-started p turn=3", &["S12"]),
    ("a cancel of the parent stops the subtask's request",
        "task-started p
         task-started c parent=p
         request-started c turn=1
         cancel p
         request-ended c turn=1 end=stopped
         task-ended c end=failed",
        "task-started p
         task-started c parent=p
         request-started c turn=1
         request-ended c turn=1 end=stopped
         task-ended c end=failed", &["S12"]),
    ("a person goes on with a task that was cancelled",
        "cancel p
         resume p
         request-started p turn=1",
        "cancel p
         request-started p turn=1", &["S19"]),
    ("the end of a request says less than its beginning",
        "request-started p request=a turn=1 attempt=1
         request-ended p turn=1 end=completed
         request-started p turn=2",
        "request-started p request=a turn=1 attempt=1
         request-ended p turn=0 end=completed
         request-started p turn=2", &["S1"]),
    ("two refusals by two credentials",
        "request-started p turn=1 credential=a
         request-ended p turn=1 end=refused
         request-started p turn=1 attempt=1 credential=a
         request-ended p turn=1 attempt=1 end=refused
         request-started p turn=1 attempt=2 credential=b",
        "request-started p turn=1 credential=a
         request-ended p turn=1 end=refused
         request-started p turn=1 attempt=1 credential=a
         request-ended p turn=1 attempt=1 end=refused
         request-started p turn=1 attempt=2 credential=a", &["S17"]),
    ("an end that nobody knew becomes known",
        "task-ended p end=unknown
         task-ended p end=completed",
        "task-ended p end=failed
         task-ended p end=completed", &["S7"]),
];

#[test]
fn healthy_systems_break_nothing_and_the_check_is_not_blind() {
    for (name, healthy, faulty, expected) in HEALTHY {
        assert_eq!(broken(&decided(healthy), false), Vec::<&str>::new(), "{name}");
        assert_eq!(broken(&decided(faulty), false), *expected, "{name}, faulty");
    }
}

/// What a crash excuses, beside the same without it, and the same once too often.
#[rustfmt::skip]
const CRASHES: &[(&str, &str, &str, &[&str])] = &[
    ("the last send is repeated under its identity",
        "request-started p turn=1", "request-started p turn=1", &["S1", "S2"]),
    ("the last response was lost, with its calls",
        "task-started p
         request-started p turn=1
         request-ended p turn=1 end=completed
         tool-call p call=1",
        "request-started p turn=1
         request-ended p turn=1 end=completed", &["S2", "S8", "S18"]),
    ("what was answered may be delivered once more",
        "task-started p
         task-started c parent=p
         task-ended c end=completed
         message-queued p message=1
         message-delivered p message=1 turn=1
         result-delivered p child=c
         tool-call p call=1
         tool-result p call=1
         request-started p turn=1
         request-ended p turn=1 end=completed",
        "message-delivered p message=1 turn=1
         result-delivered p child=c
         tool-result p call=1", &["S3", "S5", "S8"]),
    ("a tool whose result is not known runs again",
        "task-started p
         tool-call p call=1
         tool-started p call=1",
        "tool-started p call=1", &["S8"]),
    ("an answer is taken again",
        "task-started p
         question p question=1
         answer p question=1 settles=1",
        "answer p question=1 settles=1", &["S6"]),
];

#[test]
fn crash_excuses_that_the_last_step_is_taken_again_and_only_once() {
    let settles = "question z question=1\nanswer z question=1 settles=1\n";
    for (name, before, again, expected) in CRASHES {
        let decided = |words: &str| judged(&format!("{settles}{BESIDE}{words}"));
        let excused = format!("{before}\nrestart\n{again}");
        assert_eq!(broken(&decided(&excused), false), Vec::<&str>::new(), "{name}");
        assert_eq!(
            broken(&decided(&format!("{before}\n{again}")), false),
            *expected,
            "{name}, without a crash"
        );
    }
    let once = "request-started p turn=1\nrestart\nrequest-started p turn=1\n";
    let twice = format!("{once}request-started p turn=1");
    assert_eq!(broken(&decided(&twice), false), ["S1", "S2"], "repeated twice");
    let another = "request-started p turn=1 content=a\nrestart\nrequest-started p turn=1 content=b";
    assert_eq!(broken(&decided(another), false), ["S2"], "under the same identity is something else");
}

#[test]
fn trace_that_begins_in_the_middle_shows_no_breach_of_what_came_before() {
    // Each line answers something that is not there.
    let middle = "
        request-ended p turn=4 end=stopped
        request-ended p turn=4 end=completed
        tool-result p call=1
        tool-started p call=2
        result-delivered p child=c turn=5
        message-delivered p message=1 turn=5
        message-returned p message=2
        answer p question=1 settles=1
        refresh-ended k end=completed
        iterator-ended a iterator=1
        agent-released a
        agent-active a task=p epoch=3
        notified o end=failed
        call-left p
        lock-released p
        resume p
        request-started p turn=5
        request-ended p turn=5 end=completed
        task-ended c end=completed
        task-ended p end=completed";
    assert_eq!(broken(&decided(middle), true), Vec::<&str>::new());
    let from_the_beginning = format!("task-started p\n{middle}");
    assert_eq!(
        broken(&decided(&from_the_beginning), true),
        ["S5", "S6", "S8"],
        "then it is known what is not there"
    );
}

#[test]
fn healthy_trace_may_begin_at_any_line() {
    for (name, healthy, ..) in HEALTHY {
        let whole = format!("{BESIDE}{healthy}");
        let lines: Vec<_> = whole.lines().collect();
        for from in 0..lines.len() {
            let rest = lines[from..].join("\n");
            assert_eq!(
                broken(&judged(&rest), false),
                Vec::<&str>::new(),
                "{name}, from line {from}:\n{rest}"
            );
        }
    }
}

#[test]
fn what_bounds_keep_out_is_never_called_kept() {
    let family = |n: usize| {
        format!("task-started p{n}\nrequest-started p{n} turn=1\nrequest-ended p{n} turn=1 end=completed\n")
    };
    let live: String = (0..3).map(family).collect();
    let few = Limits { live_max: 2, ..Limits::default() };
    for (property, verdict) in judged_within(few, &lines(&live)).verdicts(true) {
        let is_honest = !matches!(verdict, Verdict::Kept(_) | Verdict::NotAtStake);
        assert!(is_honest, "{property:?}: {verdict:?}");
    }
    let all = judged_within(Limits { live_max: 3, ..Limits::default() }, &lines(&live));
    assert_eq!(verdict(&all, Property::S1, false), Verdict::Kept(3));

    let ends = "task-started p\ntask-ended p end=completed\ntask-started q\ntask-ended q end=completed\n";
    let ended = |ended_max| judged_within(Limits { ended_max, ..Limits::default() }, &lines(ends));
    assert_eq!(verdict(&ended(2), Property::S7, false), Verdict::Kept(2));
    assert_eq!(verdict(&ended(1), Property::S7, false), Verdict::Incomplete);

    let others = "iterator-started a iterator=1\niterator-started b iterator=1\niterator-ended b iterator=1\n\
                  agent-assigned a task=p\nagent-assigned b task=q\nagent-released b\n\
                  refresh-started a token=1\nrefresh-started b token=1\nrefresh-ended b end=completed\n\
                  credential-stored a generation=1\ncredential-stored a generation=2\n";
    let others = |others_max| judged_within(Limits { others_max, ..Limits::default() }, &lines(others));
    for property in [Property::S10, Property::S14, Property::S15, Property::S16, Property::S20] {
        assert!(matches!(verdict(&others(2), property, false), Verdict::Kept(1..)), "{property:?}");
        assert_eq!(verdict(&others(1), property, false), Verdict::Incomplete, "{property:?}");
    }
}

#[test]
fn bounds_of_one_task_are_told_and_show_no_breach() {
    #[rustfmt::skip]
    let cases = [
        (Property::S5, "task-started p", "message-queued p message=N", "message-delivered p message=N"),
        (Property::S5, "task-started p\nmessage-delivered q message=1", "message-queued p message=N", "message-returned p message=N"),
        (Property::S6, "task-started p", "question p question=N", "answer p question=N settles=N"),
        (Property::S8, "task-started p", "tool-call p call=N", "tool-result p call=N"),
        (Property::S10, "iterator-ended b iterator=1", "iterator-started a iterator=N\niterator-ended a iterator=N", ""),
        (Property::S15, "", "refresh-started k token=N", "refresh-ended k end=completed"),
    ];
    for (property, before, first, then) in cases {
        let repeated = |count: u32, words: &str| {
            let lines: Vec<_> = (0..count).map(|n| words.replace('N', &n.to_string())).collect();
            lines.join("\n")
        };
        let of = |count| {
            verdict(
                &judged(&format!("{before}\n{}\n{}", repeated(count, first), repeated(count, then))),
                property,
                false,
            )
        };
        let is_bounded = property != Property::S10;
        let expected = if is_bounded { Verdict::Incomplete } else { Verdict::Kept(1_100) };
        assert_eq!(of(1_100), expected, "{first}");
        assert!(matches!(of(250), Verdict::Kept(1..)), "{first}");
    }
}

#[test]
fn task_that_was_not_followed_is_no_subtask_that_goes_on() {
    let words = "task-started a\ntask-started p\ntask-started c parent=p\ntask-ended a end=completed\n\
                 task-ended c end=completed\nresult-delivered p child=c\ntask-ended p end=completed\n";
    let few = Limits { live_max: 2, ..Limits::default() };
    assert_eq!(broken(&judged_within(few, &lines(words)), true), Vec::<&str>::new());
}

#[test]
fn late_word_of_a_task_that_is_forgotten_does_not_make_it_live() {
    let words = "task-started p\ntask-ended p end=completed\ntask-started q\ntask-ended q end=completed\ncall-left p\n";
    let remembered = |ended_max| judged_within(Limits { ended_max, ..Limits::default() }, &lines(words));
    assert_eq!(verdict(&remembered(2), Property::L1, true), Verdict::Kept(2));
    assert_eq!(verdict(&remembered(1), Property::L1, true), Verdict::Incomplete);
}

#[test]
fn nobody_is_below_their_own_subtask() {
    let circle =
        "task-started p\ntask-started q parent=p\ntask-started r parent=q\ntask-started p parent=r\n";
    let monitor = decided(&format!("{circle}cancel q\nrequest-started p\ntask-ended q end=cancelled"));
    assert_eq!(broken(&monitor, false), ["S9"], "r lives under q, and p is below nobody");
}

/// Whoever answers without saying what leaves no question open that anybody knows of.
#[test]
fn task_waits_for_no_person_whose_answer_names_nothing() {
    let asked = "task-started p\nquestion p question=1\n";
    let answered = |rest: &str| broken(&decided(&format!("{asked}{rest}")), true);
    assert_eq!(answered(""), Vec::<&str>::new());
    assert_eq!(answered("answer p"), ["L1"]);
    assert_eq!(answered("answer p\nquestion p question=2"), Vec::<&str>::new());
}
